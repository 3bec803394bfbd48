//! From a config to assets under watch: the channel table, one frame per asset, compiled rules.
//! Faults of rule texts are collected here with their place in the config file.
import type { AssetConfig, ChannelConfig, Config, Path } from "../config/config.js";
import { ConfigError, type Fault } from "./base/errors.js";
import type { Channel } from "./base/telemetry.js";
import { compileRules } from "./rules/compile.js";
import type { RuleRow, Signal } from "./rules/rule.js";
import { STALE_SIGNAL, Watch } from "./watch.js";

/** The rule every asset has: silence is a fault of the sensor, said once an asset. */
export const STALE_RULE: RuleRow = {
  id: "stale",
  when: `${STALE_SIGNAL} > 0`,
  clear: null,
  for_ms: 0,
  clearFor_ms: 0,
  severity: "warning",
  class: "sensor",
  text: "A channel stopped sending",
  action: "Check the sensor, its wiring and the connection named in the evidence",
  source: "built in",
  foldedInto: [],
  version: 1,
};

type Member = {
  readonly config: AssetConfig;
  readonly watch: Watch;
  readonly signals: Map<string, Signal>;
  /** Rules over a pattern channel, by its name: one instance a level. */
  readonly templates: Map<string, RuleRow[]>;
};

export type Assembly = {
  readonly channels: readonly Channel[];
  readonly watches: readonly Watch[];
  /** The config of a channel by id; levels share that of their pattern. */
  configOf(channel: number): ChannelConfig;
  watchOf(channel: number): Watch | undefined;
  find(asset: string, name: string): Channel | null;
  /** The channel of one level of a pattern; null beyond the bound. */
  level(channel: number, level: string): number | null;
};

export function assemble(config: Config): Assembly {
  const channels: Channel[] = [];
  const configs: ChannelConfig[] = [];
  const members = new Map<string, Member>();
  const byName = new Map<string, number>();
  const levels = new Map<number, number>();
  const faults: Fault[] = [];

  const add = (asset: string, from: ChannelConfig, name: string, pattern: boolean): Channel => {
    const { unit } = from;
    const channel: Channel = {
      id: channels.length,
      asset,
      name,
      shape: from.shape,
      dim: unit.dim,
      unitKind: unit.kind,
      point: unit.affine,
      unit: unit.text,
      factor: unit.factor,
      offset: unit.offset,
      min: from.min,
      max: from.max,
      staleAfter_ms: from.staleAfter_ms,
      codes: from.codes,
      pattern,
    };
    channels.push(channel);
    configs.push(from);
    byName.set(`${asset}/${name}`, channel.id);
    return channel;
  };

  for (const asset of config.assets) {
    const signals = new Map<string, Signal>();
    const plain: Channel[] = [];
    for (const from of asset.channels) {
      const pattern = from.binding.via === "mqtt" && /[+#]/.test(from.binding.topic);
      const channel = add(asset.id, from, from.name, pattern);
      if (!pattern) plain.push(channel);
      signals.set(from.name, signalOf(channel, signals.size));
    }
    const staleIndex = signals.size;
    signals.set(STALE_SIGNAL, {
      name: STALE_SIGNAL,
      index: staleIndex,
      dim: "1",
      kind: "",
      point: false,
    });
    const watch = new Watch(asset.id, signals.size, staleIndex);
    for (const channel of plain) watch.addChannel(channel, indexOf(signals, channel.name));
    const templates = new Map<string, RuleRow[]>();
    const rows = [...asset.rules, STALE_RULE];
    const { rules, faults: found } = compileRules(rows, asset.id, signals);
    for (const { row, fault } of found) {
      const rule = asset.rules[row];
      if (rule !== undefined) faults.push(placed(config, [...rule.path, fault.field], fault));
    }
    const patterns = new Map(
      asset.channels
        .filter((c) => c.binding.via === "mqtt" && /[+#]/.test(c.binding.topic))
        .map((c) => [indexOf(signals, c.name), c.name]),
    );
    const own = rules.filter((rule) => {
      const name = rule.on.reads.map((i) => patterns.get(i)).find((n) => n !== undefined);
      if (name === undefined) return true;
      watch.addTemplate(rule.id);
      templates.set(name, [...(templates.get(name) ?? []), rule]);
      return false;
    });
    watch.addRules(own);
    members.set(asset.id, { config: asset, watch, signals, templates });
  }
  if (faults.length > 0) throw new ConfigError(faults);

  const level = (id: number, text: string): number | null => {
    const template = channels[id];
    const from = configs[id];
    if (template === undefined || from === undefined) return null;
    const name = `${template.name}.${text}`;
    const known = byName.get(`${template.asset}/${name}`);
    if (known !== undefined) return known;
    const count = levels.get(id) ?? 0;
    if (count >= config.intake.levels_max) return null;
    levels.set(id, count + 1);
    const member = members.get(template.asset) as Member;
    const channel = add(template.asset, from, name, false);
    const index = member.signals.size;
    const signal = signalOf(channel, index);
    member.signals.set(name, signal);
    member.watch.addChannel(channel, index);
    const overlay = new Map(member.signals).set(template.name, signal);
    const rows = (member.templates.get(template.name) ?? []).map((row) => ({
      ...row,
      id: `${row.id}-${text}`,
    }));
    member.watch.addRules(compileRules(rows, template.asset, overlay).rules);
    return channel.id;
  };

  return {
    channels,
    watches: [...members.values()].map((m) => m.watch),
    configOf: (id) => configs[id] as ChannelConfig,
    watchOf: (id) => members.get(channels[id]?.asset ?? "")?.watch,
    find: (asset, name) => channels[byName.get(`${asset}/${name}`) ?? -1] ?? null,
    level,
  };
}

function signalOf(channel: Channel, index: number): Signal {
  const { name, dim, unitKind, point } = channel;
  return { name, index, dim, kind: unitKind, point };
}

function indexOf(signals: ReadonlyMap<string, Signal>, name: string): number {
  return signals.get(name)?.index ?? -1;
}

function placed(config: Config, path: Path, fault: { fault: string; at: number }): Fault {
  const { line, column } = config.where(path);
  return { file: config.file, line, column: column + fault.at, what: fault.fault, instead: "" };
}
