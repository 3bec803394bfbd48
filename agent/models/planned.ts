//! A backend that is several: each network is cut where it may be, its parts are timed on every
//! device here, and the planner puts each where it is cheapest (plan.ts).
import { type Backend, denseStage, type Layer, type Loaded, type Plan } from "../accel/backend.js";
import { cutsOf, loadParts, type Part, partOf, partsOf } from "../accel/cut.js";
import { timePlan } from "../accel/measure.js";
import {
  type Device,
  type Limits,
  type Placement,
  placeUnits,
  refusal,
  type Unit,
} from "./plan.js";

/** There are many parts, so each is timed in a fraction of what a whole backend gets. */
const PART = { rounds: 3, round_us: 50 };
/** Sizes of the two networks that tell a call from the values that cross. */
const FEW = 16;
const MANY = 4096;

export type Candidate = {
  readonly backend: Backend;
  readonly power_W: number | null;
  readonly memory_bytes: number;
};

export type Planned = {
  readonly plan: Plan;
  readonly parts: readonly (Part & { readonly backend: Backend })[];
  readonly placement: Placement;
};

/** What a device costs before it computes anything, measured. */
export function measureDevice({ backend, power_W, memory_bytes }: Candidate): Device {
  const [few, many] = [FEW, MANY].map((size) => {
    const time = timeOf(backend, probe(size));
    return typeof time === "string" ? 0 : time;
  }) as [number, number];
  const value_us = Math.max(0, (many - few) / (MANY - FEW));
  const call_us = Math.max(0, few - FEW * value_us);
  return { name: backend.name, tier: backend.tier, call_us, value_us, memory_bytes, power_W };
}

/** Places a network; a text says why it cannot be. */
export function planFor(
  plan: Plan,
  candidates: readonly Candidate[],
  devices: readonly Device[],
  limits: Limits,
): Planned | string {
  const parts = partsOf(plan, cutsOf(plan));
  const units = parts.map((part) => unitOf(plan, part, candidates, devices));
  const placement = placeUnits(units, devices, limits);
  if (typeof placement === "string") return placement;
  const joined: (Part & { readonly backend: Backend })[] = [];
  for (const [i, part] of parts.entries()) {
    const name = placement.devices[i];
    const found = candidates.find(({ backend }) => backend.name === name);
    const last = joined.at(-1);
    if (found === undefined) return `there is no backend ${name}`;
    if (last?.backend === found.backend) joined[joined.length - 1] = { ...last, to: part.to };
    else joined.push({ ...part, backend: found.backend });
  }
  return { plan, parts: joined, placement };
}

/** `report` hears of each placement; what cannot be placed runs on `otherwise`. */
export function plannedBackend(
  candidates: readonly Candidate[],
  limits: Limits,
  otherwise: Backend,
  report: (placed: Placement | string) => void,
): Backend {
  const devices = candidates.map(measureDevice);
  const tiers = candidates.map(({ backend }) => backend.tier);
  const loose = limits.exact ? undefined : tiers.find((tier) => tier !== "exact");
  return {
    name: "plan",
    // What it may be; each network states what it is in its placement.
    tier: loose ?? "exact",
    cols_max: Math.max(...candidates.map(({ backend }) => backend.cols_max)),
    load(plan, batch): Loaded {
      const planned = planFor(plan, candidates, devices, limits);
      report(typeof planned === "string" ? planned : planned.placement);
      if (typeof planned === "string") return otherwise.load(plan, batch);
      return loadParts(plan, planned.parts, batch);
    },
    // In one piece: its values between stages are floats, which a cut would have to carry.
    loadEncoder(encoder, batch): Loaded {
      const first = devices.findIndex((device) => refusal(device, limits) === null);
      return (candidates[first]?.backend ?? otherwise).loadEncoder(encoder, batch);
    },
  };
}

function unitOf(
  plan: Plan,
  part: Part,
  candidates: readonly Candidate[],
  devices: readonly Device[],
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
  const times = candidates.map(({ backend }, d): [string, number | string] => {
    const { call_us, value_us } = devices[d] as Device;
    const whole_us = lackOf(backend, own) ?? timeOf(backend, own);
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

/** Why a backend takes no such plan, or null. */
function lackOf({ cols_max, kinds }: Backend, { stages }: Plan): string | null {
  const lacking = stages.find(({ kind }) => kinds !== undefined && !kinds.includes(kind));
  if (lacking !== undefined) return `it has no ${lacking.kind}`;
  const wide = stages.find((stage) => stage.kind === "matmul" && stage.layer.cols > cols_max);
  return wide === undefined ? null : `it takes at most ${cols_max} columns`;
}

/** Microseconds of one inference; a text when the device fails on the plan. */
function timeOf(backend: Backend, plan: Plan): number | string {
  try {
    return timePlan(backend, plan, PART);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
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
