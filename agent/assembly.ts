//! From a config to assets under watch: the channel table, one frame per asset, its monitors and
//! compiled rules. Faults found here have their place in the config file, like those of loading.
import type { AssetConfig, ChannelConfig, Config } from "../config/config.js";
import { assert, ConfigError, type Fault } from "./base/errors.js";
import type { Channel } from "./base/telemetry.js";
import { ChannelTable } from "./channel-table.js";
import { type Compute, openCompute } from "./compute.js";
import { faultAt, fitKind, type Learn, meterOf, openModels } from "./fitting.js";
import { STALE_SIGNAL } from "./freshness.js";
import type { Stage } from "./models/commission-stage.js";
import type { Monitor, Port } from "./models/monitor.js";
import {
  addRules,
  addRulesOfLevel,
  indexOf,
  isPattern,
  type Ruled,
  STALE_RULE,
  WATCHED_STALE_RULE,
} from "./rulebook.js";
import type { RuleRow, Signal } from "./rules/rule.js";
import { parseUnit } from "./units/parse.js";
import { Watch } from "./watch.js";

/** An output of a monitor or model, by its place in the frame. */
export type Derived = { readonly port: Port; readonly index: number };

export type Member = {
  readonly config: AssetConfig;
  readonly watch: Watch;
  readonly derived: readonly Derived[];
  readonly off: readonly string[];
  /** False while the kind could learn the normal of this machine and has not. */
  readonly commissioned: boolean;
  readonly stage: Stage;
};

type Parts = Member & Ruled;

export type Assembly = {
  readonly channels: readonly Channel[];
  readonly members: readonly Member[];
  readonly watches: readonly Watch[];
  readonly backend: Compute;
  /** The config of a channel by id; levels share that of their pattern. */
  configOf(channel: number): ChannelConfig;
  memberOf(asset: string): Member | undefined;
  watchOf(channel: number): Watch | undefined;
  find(asset: string, name: string): Channel | null;
  /** The channel of one level of a pattern; null beyond the bound. */
  level(channel: number, level: string): number | null;
  /** Opens the level that an alarm `<rule>-<level>` is of, before its topic was heard. */
  reopen(asset: string, alarm: string): void;
};

/**
 * `live`: devices that the config names are opened; only the agent itself may have them. `learn`: by
 * hand, what `commission` does with a recording.
 */
export function assemble(config: Config, live = false, learn: Learn = "config"): Assembly {
  const table = new ChannelTable();
  const members = new Map<string, Parts>();
  const faults: Fault[] = [];
  const backend = openedBackend(config, live, faults);
  for (const asset of config.assets) {
    members.set(asset.id, join(config, asset, backend, table, faults, learn));
  }
  if (faults.length > 0) throw new ConfigError(faults);

  const opened = new Map<number, number>();
  const level = (id: number, text: string): number | null => {
    const template = table.channels[id];
    const from = table.configs[id];
    if (template === undefined || from === undefined) return null;
    const known = table.find(template.asset, `${template.name}.${text}`);
    if (known !== null) return known.id;
    const count = opened.get(id) ?? 0;
    if (count >= config.intake.levels_max) return null;
    opened.set(id, count + 1);
    const member = members.get(template.asset);
    assert(member !== undefined, `asset of channel ${id}`);
    const channel = openLevel(member, template, from, text, table);
    watchOf.push(member.watch);
    return channel.id;
  };

  const reopen = (asset: string, alarm: string): void => {
    for (const [name, rows] of members.get(asset)?.templates ?? []) {
      const row = rows.find(({ id }) => alarm.startsWith(`${id}-`));
      const template = table.find(asset, name);
      if (row !== undefined && template !== null)
        level(template.id, alarm.slice(row.id.length + 1));
    }
  };

  const watchOf = table.channels.map(({ asset }) => members.get(asset)?.watch);
  return {
    channels: table.channels,
    members: [...members.values()],
    watches: [...members.values()].map((member) => member.watch),
    backend,
    configOf: (id) => table.configs[id] as ChannelConfig,
    memberOf: (asset) => members.get(asset),
    watchOf: (id) => watchOf[id],
    find: (asset, name) => table.find(asset, name),
    level,
    reopen,
  };
}

/** The faults alone: what a config that has others already is checked for, too. */
export function faultsOf(config: Config): readonly Fault[] {
  try {
    assemble(config);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

function openedBackend(config: Config, live: boolean, faults: Fault[]): Compute {
  const backend = openCompute(config.accel, live);
  if (typeof backend !== "string") return backend;
  faults.push(faultAt(config, ["accel", "backend"], backend, ""));
  const instead = openCompute({ ...config.accel, backend: "reference" }, live);
  assert(typeof instead !== "string", "the reference runs everywhere");
  return instead;
}

const declaredOutputs = (config: Config, asset: AssetConfig) =>
  config.models.flatMap((model) => (model.asset === asset.id ? model.out : []));

function join(
  config: Config,
  asset: AssetConfig,
  compute: Compute,
  table: ChannelTable,
  faults: Fault[],
  learn: Learn,
): Parts {
  const signals = new Map<string, Signal>();
  const plain: Channel[] = [];
  for (const from of asset.channels) {
    const pattern = isPattern(from);
    const channel = table.add(asset.id, from, from.name, pattern);
    if (!pattern) plain.push(channel);
    signals.set(from.name, signalOf(channel, signals.size));
  }
  const staleIndex = signals.size;
  const none = { dim: "1", kind: "", point: false };
  signals.set(STALE_SIGNAL, { name: STALE_SIGNAL, index: staleIndex, ...none });
  const fitting = fitKind(config, asset, compute.backend, faults, learn);
  const derived: Derived[] = [];
  const write = (monitor: Monitor): number[] =>
    monitor.outputs.map((port) => {
      const index = signals.get(port.name)?.index ?? signals.size;
      if (index === signals.size) signals.set(port.name, portSignal(port, index));
      derived.push({ port, index });
      return index;
    });
  const outputs = fitting.monitors.map(write);
  const bindable = [...signals.values()].map((signal) => {
    const from = asset.channels.find((channel) => channel.name === signal.name);
    return { ...signal, pattern: from !== undefined && isPattern(from) };
  });
  const models = openModels(config, asset, bindable, compute, faults);
  const monitors = [...fitting.monitors, ...models];
  outputs.push(...models.map(write));
  // A model that could not be opened has had its fault; the rules over it need none of their own.
  for (const { channel, unit } of declaredOutputs(config, asset)) {
    if (signals.has(channel)) continue;
    const { dim, kind, affine: point, ucum } = unit;
    signals.set(channel, { name: channel, index: signals.size, dim, kind, point, unit: ucum });
  }
  const own = new Map(signals);
  // A rule of the kind reads "not known" where the asset has no such channel.
  for (const port of fitting.absent) signals.set(port.name, portSignal(port, signals.size));
  const watch = new Watch(asset.id, signals.size, staleIndex);
  for (const channel of plain) watch.addChannel(channel, indexOf(signals, channel.name));
  monitors.forEach((monitor, i) => {
    const inputs = monitor.inputs.map((name) => indexOf(signals, name));
    watch.addMonitor(monitor, inputs, outputs[i] ?? []);
  });
  const meter = meterOf(asset, signals);
  if (meter !== null) {
    watch.addMonitor(
      meter.monitor,
      meter.monitor.inputs.map((name) => indexOf(signals, name)),
      [],
    );
    watch.meter = meter;
  }
  const templates = new Map<string, RuleRow[]>();
  const { stage } = fitting;
  const parts = {
    config: asset,
    watch,
    signals,
    templates,
    derived,
    get off() {
      return fitting.off;
    },
    stage,
    get commissioned() {
      return stage.commissioned || stage.monitors.length === 0;
    },
  };
  const stale = fitting.monitors.length > 0 ? WATCHED_STALE_RULE : STALE_RULE;
  addRules(config, parts, [...fitting.rules, stale], own, faults);
  return parts;
}

function openLevel(
  member: Parts,
  template: Channel,
  from: ChannelConfig,
  text: string,
  table: ChannelTable,
): Channel {
  const channel = table.add(template.asset, from, `${template.name}.${text}`, false);
  const index = member.signals.size;
  const signal = signalOf(channel, index);
  member.signals.set(channel.name, signal);
  member.watch.addChannel(channel, index);
  addRulesOfLevel(member, template, text, signal);
  return channel;
}

function signalOf(channel: Channel, index: number): Signal {
  const { name, dim, unitKind, point, unit } = channel;
  return { name, index, dim, kind: unitKind, point, unit };
}

function portSignal({ name, unit, point }: Port, index: number): Signal {
  const parsed = parseUnit(unit);
  assert(!("fault" in parsed), `unit of the output ${name}`);
  return { name, index, dim: parsed.dim, kind: parsed.kind, point, unit };
}
