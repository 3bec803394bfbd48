import type { ChannelConfig } from "../config/config.js";
import type { Channel } from "./base/telemetry.js";

/** Every channel of the agent by id; levels of patterns join while it runs. */
export class ChannelTable {
  readonly channels: Channel[] = [];
  readonly configs: ChannelConfig[] = [];
  readonly #byName = new Map<string, Channel>();

  add(asset: string, from: ChannelConfig, name: string, pattern: boolean): Channel {
    const { unit, difference, shape, min, max, staleAfter_ms, codes } = from;
    const { dim, kind: unitKind, affine: point, text, factor, offset } = unit;
    const id = this.channels.length;
    const unitOf = { dim, unitKind, point, difference, unit: text, factor, offset };
    const rest = { min, max, staleAfter_ms, codes, pattern };
    const channel: Channel = { id, asset, name, shape, ...unitOf, ...rest };
    this.channels.push(channel);
    this.configs.push(from);
    this.#byName.set(`${asset}/${name}`, channel);
    return channel;
  }

  find(asset: string, name: string): Channel | null {
    return this.#byName.get(`${asset}/${name}`) ?? null;
  }
}
