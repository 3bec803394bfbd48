//! A simulated plant through monitors and rules, without broker or clock: what the agent would
//! raise. Readings outside a port's range are dropped, as the decoder does.

import { reference } from "../../agent/accel/reference.js";
import { KINDS } from "../../agent/assets.js";
import type { Channel } from "../../agent/base/telemetry.js";
import { STALE_SIGNAL } from "../../agent/freshness.js";
import { limitsOf } from "../../agent/models/chain/port.js";
import type { Want } from "../../agent/models/commission-stage.js";
import type { Monitor } from "../../agent/models/monitor.js";
import { WATCHED_STALE_RULE } from "../../agent/rulebook.js";
import { compileRules } from "../../agent/rules/compile.js";
import type { Signal } from "../../agent/rules/rule.js";
import { createBearing } from "../../agent/sensors/plants/bearing.js";
import { createGasTurbine } from "../../agent/sensors/plants/gas-turbine.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import type {
  Injection,
  Plant,
  PlantChannel,
  PlantKind,
} from "../../agent/sensors/plants/plant.js";
import { createQuadrotor } from "../../agent/sensors/plants/quadrotor.js";
import { createWindTurbine } from "../../agent/sensors/plants/wind-turbine.js";
import { type Amount, parseAmount, parseUnit, type Unit } from "../../agent/units/parse.js";
import { type Noted, Watch } from "../../agent/watch.js";

/** Nameplates of the simulated machines, as a config writes them. */
export const PLATES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "wind-turbine": {
    ratedPower: "5 MW",
    rotorRadius: "63 m",
    gearRatio: "97",
    "hssBearing.rollers": "9",
    "hssBearing.ballDiameter": "7.94 mm",
    "hssBearing.pitchDiameter": "39.04 mm",
  },
  "gas-turbine": { ratedPower: "23.7 MW" },
  bearing: { rollers: "9", ballDiameter: "7.94 mm", pitchDiameter: "39.04 mm" },
  quadrotor: { mass: "1.5 kg", rotorRadius: "0.127 m", batteryCapacity: "18000 C" },
};

export type Raised = {
  readonly id: string;
  readonly class: string;
  readonly at_s: number;
  readonly cleared_s: number;
  /** An active alarm explained it when it was raised. */
  readonly folded: boolean;
};

export type RigOptions = {
  readonly kind: PlantKind;
  readonly seed: number;
  readonly duration_s: number;
  readonly baseline: unknown;
  readonly inject?: string | readonly string[];
  /** When the instruments among them are well again. */
  readonly sensorsEnd_s?: number;
  readonly wind_mps?: number;
  readonly blockEvery_ms?: number;
  /** Options of the gas turbine or the bearing rig alone. */
  readonly plant?: Readonly<Record<string, number>>;
  readonly period_ms?: number;
  /** What a reading of time `t_s` says instead, SI. */
  readonly lie?: (name: string, value: number, t_s: number) => number;
  /** Milliseconds that the clock of the machine is off. */
  readonly clock_ms?: (t_s: number) => number;
  /** Called after every instant of the plant with the frame by signal name. */
  readonly watch?: (t_s: number, get: (name: string) => number) => void;
};

const unitOf = (text: string): Unit => {
  const unit = parseUnit(text);
  if ("fault" in unit) throw new Error(`${text}: ${unit.fault}`);
  return unit;
};

export function amounts(kind: string, plate = PLATES[kind] ?? {}): Record<string, Amount> {
  return Object.fromEntries(
    Object.entries(plate).map(([key, text]) => {
      const amount = parseAmount(text);
      if ("fault" in amount) throw new Error(amount.fault);
      return [key, amount];
    }),
  );
}

export function run(options: RigOptions): Raised[] {
  return runPlant(createPlantOf(options), options);
}

/** As `run`, of a plant that has its faults already. */
export function runPlant(plant: Plant, options: Omit<RigOptions, "kind" | "seed">): Raised[] {
  const { watch, changes, signals } = wire(plant, { baseline: options.baseline });
  const limits = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };
  let seen_ms = 0;
  const ranges = rangesOf(plant);
  const step_ms = options.period_ms ?? 1000;
  const start_ms = plant.now_ms();
  const { lie = (_name, told) => told, clock_ms = () => 0 } = options;
  const scalar = (channel: number, at_ms: number, measured: number): void => {
    const range = ranges[channel];
    const t_s = (at_ms - start_ms) / 1000;
    const value = lie(plant.channels[channel]?.name ?? "", measured, t_s);
    if (range !== null && range !== undefined && !(value >= range.low && value <= range.high))
      return;
    const t_ms = at_ms + clock_ms(t_s);
    const r_ms = Math.max(seen_ms, Math.min(at_ms, seen_ms + 60_000));
    watch.accept({ kind: "sample", channel, t_ms, r_ms, value, quality: "good" }, limits, changes);
  };
  const { sensorsEnd_s: at_s = Number.NaN } = options;
  const ends = injectionsOf(options).filter(({ sensor }) => sensor !== null && at_s > 0);
  for (let t_ms = start_ms; t_ms <= start_ms + options.duration_s * 1000; t_ms += step_ms) {
    seen_ms = t_ms;
    // An injection has no end: one of no severity takes its place.
    if (t_ms >= start_ms + at_s * 1000) {
      for (const one of ends.splice(0)) plant.inject({ ...one, at_s, ramp_s: 0, severity: 0 });
    }
    plant.advance(t_ms, {
      scalar,
      block: (channel, block) => {
        watch.accept({ kind: "block", channel, r_ms: t_ms, ...block }, limits, changes);
      },
    });
    if (watch.next_ms() <= t_ms) watch.advance(t_ms, changes);
    options.watch?.((t_ms - start_ms) / 1000, (name) => {
      return watch.frame[signals.get(name)?.index ?? -1] ?? Number.NaN;
    });
  }
  return collect(changes, start_ms);
}

/** Goes on to `t_ms`: what the plant measures meanwhile reaches the watch as it happens. */
export function feed(
  plant: Plant,
  { watch, changes }: Pick<ReturnType<typeof wire>, "watch" | "changes">,
  ranges: ReturnType<typeof rangesOf>,
  t_ms: number,
): void {
  const limits = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };
  plant.advance(t_ms, {
    scalar(channel, at_ms, value) {
      const range = ranges[channel];
      if (range && !(value >= range.low && value <= range.high)) return;
      const sample = { kind: "sample", channel, t_ms: at_ms, r_ms: t_ms, value } as const;
      watch.accept({ ...sample, quality: "good" }, limits, changes);
    },
    block(channel, block) {
      watch.accept({ kind: "block", channel, r_ms: t_ms, ...block }, limits, changes);
    },
  });
  if (watch.next_ms() <= t_ms) watch.advance(t_ms, changes);
}

/** What the decoder would let pass, by channel; null: everything. */
export function rangesOf({ kind, channels }: Plant) {
  const ports = KINDS[kind]?.ports ?? [];
  return channels.map((c) => {
    const port = ports.find((p) => p.name === c.name);
    return port === undefined ? null : limitsOf(port);
  });
}

function injectionsOf({ inject = [] }: Pick<RigOptions, "inject">): Injection[] {
  return [inject].flat().map((text) => {
    const injection = parseInjection(text);
    if ("fault" in injection) throw new Error(injection.fault);
    return injection;
  });
}

function createPlantOf(options: RigOptions): Plant {
  const { kind, seed } = options;
  const common = {
    asset: "test",
    seed,
    start_ms: 1_800_000_000_000,
    period_ms: options.period_ms ?? 1000,
    blockEvery_ms: options.blockEvery_ms ?? 60_000,
  };
  const wind = options.wind_mps === undefined ? {} : { wind_mps: options.wind_mps };
  const plant: Plant =
    kind === "wind-turbine"
      ? createWindTurbine({ ...common, ...wind, inner_s: 0.1 })
      : kind === "gas-turbine"
        ? createGasTurbine({ ...common, ...options.plant })
        : kind === "bearing"
          ? createBearing({ ...common, ...options.plant })
          : createQuadrotor({ ...common, ...wind });
  for (const injection of injectionsOf(options)) plant.inject(injection);
  return plant;
}

/** What has channels: a plant, or a record of a real machine. */
export type Wired = {
  readonly kind: string;
  readonly channels: readonly Pick<PlantChannel, "name" | "unit" | "shape">[];
  /** As a config writes it; that of the simulated machine where absent. */
  readonly nameplate?: Readonly<Record<string, string>>;
};

type Wiring = {
  readonly baseline: unknown;
  readonly want?: Want;
  /** The caller judges the rules itself. */
  readonly unruled?: boolean;
};

/** Monitors and rules of a plant's kind; with `want` they learn their normal from it first. */
export function wire(plant: Wired, learn: Wiring) {
  const { kind } = plant;
  const row = KINDS[kind];
  if (row === undefined) throw new Error(kind);
  const fitted = row.monitors({
    id: "test",
    nameplate: amounts(kind, plant.nameplate),
    baseline: learn.baseline,
    backend: reference,
    channels: new Set(plant.channels.map((c) => c.name)),
    want: learn.want ?? null,
  });
  if (fitted.faults.length > 0) throw new Error(JSON.stringify(fitted.faults));
  const signals = new Map<string, Signal>();
  const add = (name: string, text: string, point: boolean): number => {
    const { dim, kind: unitKind } = unitOf(text);
    const index = signals.size;
    signals.set(name, { name, index, dim, kind: unitKind, point });
    return index;
  };
  for (const c of plant.channels) add(c.name, c.unit, unitOf(c.unit).affine);
  // Rules of a kind may name every port; one without a channel reads as NaN.
  for (const port of row.ports.filter(({ name }) => !signals.has(name))) {
    add(port.name, port.unit, unitOf(port.unit).affine);
  }
  const stale = add(STALE_SIGNAL, "1", false);
  const outputs = fitted.monitors.map((m: Monitor) =>
    m.outputs.map((o) => add(o.name, o.unit, o.point)),
  );
  const watch = new Watch("test", signals.size, stale);
  for (const [id, c] of plant.channels.entries()) {
    watch.addChannel(channelOf(c.name, c.unit, c.shape, id), id);
  }
  fitted.monitors.forEach((m, i) => {
    watch.addMonitor(
      m,
      m.inputs.map((name) => signals.get(name)?.index ?? -1),
      outputs[i] ?? [],
    );
  });
  const compiled = compileRules([...row.rules, WATCHED_STALE_RULE], "test", signals);
  if (compiled.faults.length > 0) throw new Error(JSON.stringify(compiled.faults));
  if (learn.unruled !== true) watch.addRules(compiled.rules);
  const changes: Noted[] = [];
  return { watch, changes, signals, stage: fitted.stage, rules: compiled.rules };
}

function channelOf(name: string, unit: string, shape: "scalar" | "block", id: number): Channel {
  const { dim, kind, affine, factor, offset } = unitOf(unit);
  return {
    id,
    asset: "test",
    name,
    shape,
    dim,
    unitKind: kind,
    point: affine,
    unit,
    factor,
    offset,
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    staleAfter_ms: null,
    codes: null,
    pattern: false,
  };
}

export function collect(
  changes: readonly Pick<Noted, "rule" | "to" | "source_ms">[],
  start_ms: number,
): Raised[] {
  const found: Raised[] = [];
  const active = new Map<string, number>();
  for (const { rule, to, source_ms } of changes) {
    const at_s = (source_ms - start_ms) / 1000;
    if (to === "raise") {
      const folded = rule.foldedInto.some((id) => active.has(id));
      active.set(rule.id, found.length);
      const cleared_s = Number.POSITIVE_INFINITY;
      found.push({ id: rule.id, class: rule.class, at_s, cleared_s, folded });
    } else {
      const index = active.get(rule.id);
      const row = found[index ?? -1];
      if (index !== undefined && row !== undefined) found[index] = { ...row, cleared_s: at_s };
      active.delete(rule.id);
    }
  }
  return found;
}
