//! What watches one asset: the monitors of its kind, fitted with nameplate and baseline, and the
//! user's own models bound to its signals. Faults carry the place in the config that caused them.
import { readFileSync } from "node:fs";
import type { AssetConfig, Config, Kind, Kinds, Path } from "../config/config.js";
import type { Backend } from "./accel/backend.js";
import { type AssetKind, KINDS } from "./assets.js";
import { assert, type Fault } from "./base/errors.js";
import type { Compute } from "./compute.js";
import { type CostMeter, costMeter } from "./cost-meter.js";
import { bindUserModel } from "./models/bind.js";
import { limitsOf, type PortRow, sizedTo } from "./models/chain/port.js";
import type { Stage, Want } from "./models/commission-stage.js";
import { CYCLES } from "./models/generic-spec.js";
import type { Monitor, Port } from "./models/monitor.js";
import { plateValue } from "./models/setup.js";
import { openUserModel } from "./models/user-model.js";
import type { RuleRow, Signal } from "./rules/rule.js";
import { isUnitFault, parseUnit } from "./units/parse.js";

/** What the config must know of the kinds: ports with their ranges in SI, nameplate units. */
export const CONFIG_KINDS: Kinds = Object.fromEntries(
  Object.values(KINDS).map((kind) => [kind.name, configKind(kind)]),
);

function configKind({ name, ports, nameplate, commissioning }: AssetKind): Kind {
  const { per, usual, least } = commissioning;
  return {
    commission: [
      { per, usual, least },
      ...(name === "generic" ? [{ per: "cycles", ...CYCLES }] : []),
    ],
    ports: ports.map(configPort),
    portsOf: (stated) => {
      const si = Object.fromEntries(Object.entries(stated).map(([key, { value }]) => [key, value]));
      const plate = (key: string): number => plateValue({ nameplate: si }, nameplate, key);
      return ports.map((port) => configPort(sizedTo(port, plate)));
    },
    nameplate: Object.fromEntries(nameplate.map(({ key, unit }) => [key, unit])),
  };
}

function configPort(port: PortRow): Kind["ports"][number] {
  const unit = parseUnit(port.unit);
  const { low: min, high: max } = limitsOf(port);
  const { name, shape } = port;
  return { name, unit: port.unit, point: !isUnitFault(unit) && unit.affine, shape, min, max };
}

/** The channel of the power that a machine gives, of every kind. */
const GIVEN = "power";

export type Fitting = {
  readonly monitors: readonly Monitor[];
  /** Default rules of the kind, less those that the config disables or replaces. */
  readonly rules: readonly RuleRow[];
  readonly off: readonly string[];
  /** Ports of the kind that the asset has no channel for. */
  readonly absent: readonly Port[];
  /** What the asset has learnt, or is learning. */
  readonly stage: Stage;
};

/** `learn`: what the config says, or everything anew by hand, whatever baselines there are. */
export type Learn = "config" | "by-hand";

export function fitKind(
  config: Config,
  asset: AssetConfig,
  backend: Backend,
  faults: Fault[],
  learn: Learn = "config",
): Fitting {
  const kind = KINDS[asset.kind];
  assert(kind !== undefined, `the config let the asset kind "${asset.kind}" pass`);
  const named = new Set(asset.channels.map((channel) => channel.name));
  const byHand = learn === "by-hand";
  const baseline = byHand ? null : readBaselineFile(config, asset, faults);
  const network = asset.network === null ? null : readNetworkFile(config, asset, faults);
  const fitted = kind.monitors({
    id: asset.id,
    nameplate: asset.nameplate,
    baseline,
    backend,
    channels: named,
    declared: asset.channels.flatMap(({ name, unit, shape, codes }) =>
      shape === "scalar"
        ? [{ name, unit: unit.text, point: unit.affine, coded: codes !== null }]
        : [],
    ),
    want: wantOf(asset, kind, byHand),
    adapts: asset.adapt,
    network,
    generic: {
      cycle: asset.cycle,
      settings: asset.settings,
      records: asset.commission?.per === "cycles" && asset.cycle === null,
    },
  });
  for (const { key, what, instead } of fitted.faults) {
    const own = key === "baseline" || key === "network";
    const below = own ? [key] : ["nameplate", ...key.split(".")];
    faults.push(faultAt(config, [...asset.path, ...below], what, instead));
  }
  const own = new Set(asset.rules.map((rule) => rule.id));
  const { ports } = CONFIG_KINDS[asset.kind] as Kind;
  return {
    monitors: fitted.monitors,
    rules: [...kind.rules, ...fitted.rules].filter(
      ({ id }) => !asset.disable.includes(id) && !own.has(id),
    ),
    get off() {
      return fitted.off;
    },
    absent: ports.flatMap(({ name, unit, point, shape }) =>
      shape === "scalar" && !named.has(name) ? [{ name, unit, point, about: "" }] : [],
    ),
    stage: fitted.stage,
  };
}

function wantOf(asset: AssetConfig, kind: AssetKind, byHand: boolean): Want | null {
  const amount = asset.commission?.amount ?? (byHand ? usualOf(asset, kind) : null);
  return amount === null ? null : { amount, by: byHand ? "hand" : "itself" };
}

const usualOf = ({ cycle }: AssetConfig, { commissioning }: AssetKind): number =>
  cycle === null ? commissioning.usual : CYCLES.usual;

/** The user's models of this asset; `signals` are its channels and what its monitors say. */
export function openModels(
  config: Config,
  asset: AssetConfig,
  signals: readonly (Signal & { readonly pattern: boolean })[],
  { backend, dense }: Pick<Compute, "backend" | "dense">,
  faults: Fault[],
): Monitor[] {
  return config.models.flatMap((spec): Monitor[] => {
    if (spec.asset !== asset.id) return [];
    const model = openUserModel(spec.file, backend, dense);
    if (typeof model === "string") {
      faults.push(faultAt(config, [...spec.path, "file"], model, ""));
      return [];
    }
    const { gaps } = asset;
    const names = spec.in.flatMap((input) => input.channels);
    // What it should be bound to could not be read.
    if (gaps !== null && (gaps.open || names.some((name) => gaps.channels.has(name)))) return [];
    const bound = bindUserModel(model, spec, signals);
    if ("inputs" in bound) return [bound];
    for (const { at, what, instead } of bound) {
      faults.push(faultAt(config, [...spec.path, ...at], what, instead));
    }
    return [];
  });
}

/** Meters the cost of alarms where the asset has a price and both powers are known to it. */
export function meterOf(
  { kind, price }: AssetConfig,
  signals: ReadonlyMap<string, Signal>,
): CostMeter | null {
  const expected = KINDS[kind]?.expectedPower ?? "expectedPower";
  const known = [expected, GIVEN].every((name) => signals.get(name)?.dim === "W");
  return price === null || !known ? null : costMeter(price, expected, GIVEN);
}

export function faultAt(config: Config, path: Path, what: string, instead: string): Fault {
  return { ...config.where(path), what, instead };
}

function readNetworkFile(
  config: Config,
  { network, path }: AssetConfig,
  faults: Fault[],
): Uint8Array | null {
  if (network === null) return null;
  try {
    return readFileSync(network);
  } catch (error) {
    const what = `the network cannot be read: ${error instanceof Error ? error.message : error}`;
    faults.push(faultAt(config, [...path, "network"], what, "name the file of train:blocks"));
    return null;
  }
}

function readBaselineFile(config: Config, asset: AssetConfig, faults: Fault[]): unknown {
  if (asset.baseline === null) return null;
  const say = (what: string, instead: string): null => {
    faults.push(faultAt(config, [...asset.path, "baseline"], what, instead));
    return null;
  };
  let text: string;
  try {
    text = readFileSync(asset.baseline, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return say(`the baseline cannot be read: ${why}`, "name the file that commissioning wrote");
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return say(`${asset.baseline} is no JSON`, "name the file that commissioning wrote");
  }
  const of = typeof found === "object" && found !== null && "asset" in found ? found.asset : null;
  if (typeof of !== "string" || of === asset.id) return found;
  const renamed = `or write "asset": "${asset.id}" in it where ${of} was only renamed`;
  return say(`the baseline is of the asset ${of}`, `commission ${asset.id}, ${renamed}`);
}
