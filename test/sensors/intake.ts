//! A channel and an Intake that keeps what it is told, for the tests of the sources.
import type { Channel, Intake, Item, Reject, Sample } from "../../agent/base/telemetry.js";

export const channel = (over: Partial<Channel> = {}): Channel => ({
  id: 0,
  asset: "wt07",
  name: "oilTemp",
  shape: "scalar",
  dim: "K",
  unitKind: "",
  point: true,
  unit: "Cel",
  factor: 1,
  offset: 273.15,
  min: 0,
  max: 500,
  staleAfter_ms: null,
  codes: null,
  pattern: false,
  ...over,
});

/** Takes anything in SI m/s2. */
export const waveform = (over: Partial<Channel> = {}): Channel =>
  channel({
    name: "accel",
    shape: "block",
    dim: "m/s2",
    point: false,
    unit: "m/s2",
    offset: 0,
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    ...over,
  });

export class Kept implements Intake {
  readonly items: Item[] = [];
  readonly rejects: { reason: Reject; channel: number | null; where: string }[] = [];
  readonly links: { up: boolean; why: string }[] = [];
  readonly refusals: string[] = [];
  readonly levels = new Map<string, number>();
  levels_max = 10;
  now_ms: number | null = null;

  push(item: Item): void {
    this.items.push(item);
  }
  reject(reason: Reject, id: number | null, where: string): void {
    this.rejects.push({ reason, channel: id, where });
  }
  level(id: number, level: string): number | null {
    const key = `${id}.${level}`;
    const known = this.levels.get(key);
    if (known !== undefined) return known;
    if (this.levels.size >= this.levels_max) return null;
    this.levels.set(key, 100 + this.levels.size);
    return 99 + this.levels.size;
  }
  link(_name: string, up: boolean, why: string): void {
    this.links.push({ up, why });
  }
  refuse(_id: number, why: string): void {
    this.refusals.push(why);
  }
  now(): number {
    return this.now_ms ?? Date.now();
  }

  get samples(): Sample[] {
    return this.items.filter((item) => item.kind === "sample");
  }
  get reasons(): Reject[] {
    return this.rejects.map((r) => r.reason);
  }
}
