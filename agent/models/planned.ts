//! A backend that is several: each network is cut where it may be, its parts are timed on every
//! device here, and the planner puts each where it is cheapest (plan.ts).
import {
  type Backend,
  denseStage,
  type Layer,
  type Loaded,
  type Plan,
  withTier,
} from "../accel/backend.js";
import { cutsOf, loadParts, type Part, partOf, partsOf } from "../accel/cut.js";
import { type EncoderPlan, encoderBytes, placeIn, placesWithin } from "../accel/encoder.js";
import { type Guarded, textOf } from "../accel/guard.js";
import { timeLoaded, timePlan } from "../accel/measure.js";
import {
  type Device,
  type Limits,
  type Placement,
  placeUnits,
  refusal,
  type Unit,
} from "./plan.js";

/** There are many parts, so each is timed in a fraction of what a whole backend gets. */
const PART = { rounds: 3, round_us: 15 };
/** Sizes of the two networks that tell a call from the values that cross. */
const FEW = 16;
const MANY = 4096;
/** An encoder is timed over so many places as the slowest backend computes in some 10 ms. */
const ENCODER_MACS = 2 ** 20;

export type Candidate = {
  /** Loaded under guard, timed without: checks would count as its speed. */
  readonly backend: Guarded;
  readonly power_W: number | null;
  readonly memory_bytes: number;
};

export type Planned = {
  readonly plan: Plan;
  readonly parts: readonly (Part & { readonly backend: Backend })[];
  readonly placement: Placement;
  /** Bytes of weights by name of the device. */
  readonly held: ReadonlyMap<string, number>;
};

/** What a device costs before it computes anything, measured. */
export function measureDevice({ backend, power_W, memory_bytes }: Candidate): Device {
  const { name, tier } = backend;
  const rest = { name, tier, memory_bytes, power_W };
  // What takes one piece alone crosses once: that is in the time of the piece.
  if (backend.leads !== undefined) return { ...rest, call_us: 0, value_us: 0 };
  const [few, many] = [FEW, MANY].map((size) => {
    const time = timeOf(backend, probe(size));
    return typeof time === "string" ? 0 : time;
  }) as [number, number];
  const value_us = Math.max(0, (many - few) / (MANY - FEW));
  return { ...rest, call_us: Math.max(0, few - FEW * value_us), value_us };
}

/** Places a network; a text says why it cannot be. */
export function planFor(
  plan: Plan,
  candidates: readonly Candidate[],
  devices: readonly Device[],
  limits: Limits,
): Planned | string {
  // What may not be used is not touched either.
  const able = candidates.filter((_, d) => refusal(devices[d] as Device, limits) === null);
  const leads = new Map(able.map(({ backend }) => [backend, backend.leads?.(plan)]));
  const known = new Map<string, Unit>();
  const unitOf = (part: Part): Unit => {
    const key = `${part.from}-${part.to}`;
    const unit = known.get(key) ?? measurePart(plan, part, able, devices, leads);
    known.set(key, unit);
    return unit;
  };
  const cuts = cutsOf(plan);
  // As finely as it may be cut; and with the first stages as the one piece that a device takes.
  const ends = new Set([0, ...[...leads.values()].map((lead) => lead ?? 0)]);
  const ways = [...ends].map((end) =>
    partsOf(plan, end === 0 ? cuts : cuts.filter((c) => c >= end)),
  );
  let best: Planned | string = "it has no parts";
  for (const parts of ways) {
    const units = parts.map(unitOf);
    const placement = placeUnits(units, devices, limits);
    if (typeof placement === "string") {
      if (typeof best === "string") best = placement;
    } else if (typeof best === "string" || isBetter(placement, best.placement, limits)) {
      best = { plan, placement, ...joined(parts, units, placement, able) };
    }
  }
  return best;
}

function isBetter(one: Placement, other: Placement, { prefer }: Limits): boolean {
  const energies = prefer === "energy" ? [one.energy_uJ, other.energy_uJ] : [null, null];
  const [a, b] = energies as [number | null, number | null];
  return a === null || b === null ? one.latency_us < other.latency_us : a < b;
}

/** Neighbours on one device are one call. */
function joined(
  parts: readonly Part[],
  units: readonly Unit[],
  { devices }: Placement,
  candidates: readonly Candidate[],
): Pick<Planned, "parts" | "held"> {
  const found: (Part & { readonly backend: Backend })[] = [];
  const held = new Map<string, number>();
  for (const [i, part] of parts.entries()) {
    const name = devices[i] as string;
    const { backend } = candidates.find((one) => one.backend.name === name) as Candidate;
    held.set(name, (held.get(name) ?? 0) + (units[i] as Unit).weights_bytes);
    const last = found.at(-1);
    if (last?.backend === backend) found[found.length - 1] = { ...last, to: part.to };
    else found.push({ ...part, backend });
  }
  return { parts: found, held };
}

/**
 * `report` hears of each placement; what cannot be placed runs on `otherwise`. `pass` hears of
 * networks that a device which takes whole pieces has no model of.
 */
export function plannedBackend(
  candidates: readonly Candidate[],
  limits: Limits,
  otherwise: Backend,
  report: (placed: Placement | string) => void,
  pass: (why: string) => void = () => {},
): Backend {
  let devices: readonly Device[] = candidates.map(measureDevice);
  const tiers = candidates.map(({ backend }) => backend.tier);
  const loose = limits.exact ? undefined : tiers.find((tier) => tier !== "exact");
  return {
    name: "plan",
    // What it may be; each network says what it is.
    tier: loose ?? "exact",
    cols_max: Math.max(otherwise.cols_max, ...candidates.map(({ backend }) => backend.cols_max)),
    load(plan, batch): Loaded {
      const planned = planFor(plan, candidates, devices, limits);
      report(typeof planned === "string" ? planned : planned.placement);
      for (const [d, { backend }] of candidates.entries()) {
        const usable = refusal(devices[d] as Device, limits) === null;
        const lack = usable && backend.leads !== undefined ? (backend.lack?.(plan) ?? null) : null;
        if (lack !== null) pass(`${backend.name}: ${lack}`);
      }
      if (typeof planned === "string") return withTier(otherwise.load(plan, batch), otherwise);
      // Networks share the memory of a device.
      devices = devices.map((device) => {
        const held = planned.held.get(device.name) ?? 0;
        return { ...device, memory_bytes: device.memory_bytes - held };
      });
      return loadParts(plan, planned.parts, batch);
    },
    // In one piece: its values between stages are floats, which a cut would have to carry.
    loadEncoder(encoder, batch): Loaded {
      const placed = placeUnits(
        [encoderUnit(encoder, candidates, devices, limits)],
        devices,
        limits,
      );
      report(placed);
      const name = typeof placed === "string" ? null : placed.devices[0];
      const found = candidates.find(({ backend }) => backend.name === name)?.backend;
      return (found ?? otherwise).loadEncoder(encoder, batch);
    },
  };
}

/** The encoder as one unit, timed over so many of its places as the reference has time for. */
function encoderUnit(
  encoder: EncoderPlan,
  candidates: readonly Candidate[],
  devices: readonly Device[],
  limits: Limits,
): Unit {
  const { width, layers } = encoder;
  const sequence = placesWithin(encoder, ENCODER_MACS);
  const [short, share] = [{ ...encoder, sequence }, encoder.sequence / sequence];
  const core_us = Object.fromEntries(
    candidates.map(({ backend }, d): [string, number | string] => {
      if (refusal(devices[d] as Device, limits) !== null) return [backend.name, "not timed"];
      if (backend.encoders !== undefined) return [backend.name, "it has no encoders"];
      const [from, to] = [sequence * placeIn(encoder), sequence * width];
      const time = attempt(backend, () =>
        timeLoaded(backend.bare.loadEncoder(short, 1), from, to, 1, PART),
      );
      return [backend.name, typeof time === "string" ? time : share * time];
    }),
  );
  const over = share > 1 ? `, timed over ${sequence} of its ${encoder.sequence} places` : "";
  return {
    name: `encoder of ${layers.length} layers${over}`,
    weights_bytes: encoderBytes(encoder),
    // Its times are those of whole calls.
    ...{ valuesIn: 0, valuesOut: 0, core_us },
  };
}

function measurePart(
  plan: Plan,
  part: Part,
  candidates: readonly Candidate[],
  devices: readonly Device[],
  leads: ReadonlyMap<Guarded, number | undefined>,
): Unit {
  const own = partOf(plan, part);
  const { input, output, stages } = own;
  const valuesIn = input.channels * input.lines * input.length;
  const valuesOut = output.channels * output.places;
  let weights_bytes = 0;
  for (const stage of stages) {
    if (!("layer" in stage)) continue;
    const { weights, ternary, rows } = stage.layer;
    weights_bytes += (ternary ? Math.ceil(weights.length / 4) : weights.length) + 8 * rows;
  }
  const times = candidates.map(({ backend }): [string, number | string] => {
    const { call_us, value_us } = devices.find(({ name }) => name === backend.name) as Device;
    const lead = leads.get(backend);
    const whole_us = pieceFault(lead, part) ?? lackOf(backend, own) ?? timeOf(backend, own);
    if (typeof whole_us === "string") return [backend.name, whole_us];
    const crossing_us = call_us + value_us * (valuesIn + valuesOut);
    return [backend.name, Math.max(0.01, whole_us - crossing_us)];
  });
  const kinds = [...new Set(stages.map(({ kind }) => kind))].join("+");
  const name =
    part.to - part.from === 1
      ? `stage ${part.from + 1} (${kinds})`
      : `stages ${part.from + 1} to ${part.to} (${kinds})`;
  return { name, weights_bytes, valuesIn, valuesOut, core_us: Object.fromEntries(times) };
}

/** Why a part is not the piece that a device takes, or null; `lead` undefined: it takes any. */
function pieceFault(lead: number | undefined, { from, to }: Part): string | null {
  if (lead === undefined || (from === 0 && (to === lead || lead === 0))) return null;
  return lead === 0 ? "nothing of the network is for it" : `it takes stages 1 to ${lead} as one`;
}

/** Why a backend takes no such plan, or null. */
function lackOf(backend: Guarded, plan: Plan): string | null {
  const { cols_max, kinds } = backend;
  const { stages } = plan;
  const lacking = stages.find(({ kind }) => kinds !== undefined && !kinds.includes(kind));
  if (lacking !== undefined) return `it has no ${lacking.kind}`;
  const wide = stages.find((stage) => stage.kind === "matmul" && stage.layer.cols > cols_max);
  if (wide !== undefined) return `it takes at most ${cols_max} columns`;
  return backend.lack?.(plan) ?? null;
}

/** Microseconds of one inference; a text when the device fails on the plan. */
function timeOf(backend: Guarded, plan: Plan): number | string {
  return attempt(backend, () => timePlan(backend.bare, plan, PART));
}

/** What it gives; a device that fails is taken out, as it would be in use. */
function attempt(backend: Guarded, measure: () => number): number | string {
  try {
    return measure();
  } catch (error) {
    backend.fail(textOf(error));
    return textOf(error);
  }
}

/** One row of weights over `size` values: almost all of it is the way in. */
function probe(size: number): Plan {
  const layer: Layer = {
    ...{ rows: 1, cols: size, ternary: true, relu: false },
    weights: new Int8Array(size).fill(1),
    bias: new Int32Array(1),
    multiplier: new Uint16Array([1]),
    shift: new Uint8Array([16]),
  };
  const scale = new Float64Array([1]);
  return {
    input: { channels: size, lines: 1, length: 1, at: 0, line: 0, inverse: 1 },
    stages: [denseStage(layer, 0, size + 64)],
    state: [],
    output: { channels: 1, places: 1, at: size + 64, scale, sums: false, relu: false },
    arena_bytes: size + 128,
  };
}
