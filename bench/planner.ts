//! The planner: placing fifty layers over six devices with every limit at work, and what it costs to
//! measure them first on the devices of this machine.
import { denseStage, type Layer, type Plan } from "../agent/accel/backend.js";
import { guard } from "../agent/accel/guard.js";
import { reference } from "../agent/accel/reference.js";
import { openPresent } from "../agent/accel/registry.js";
import { prng } from "../agent/base/prng.js";
import { type Device, NO_LIMITS, placeUnits, type Unit } from "../agent/models/plan.js";
import { type Candidate, measureDevice, planFor } from "../agent/models/planned.js";
import { median, type Row } from "./result.js";

const LAYERS = 50;
const DEVICES = 6;
const ROUNDS = 15;
const SIZE = 64;

function units(): Unit[] {
  const random = prng(50, "planner");
  return Array.from({ length: LAYERS }, (_, i) => ({
    name: `layer ${i + 1}`,
    weights_bytes: 1_000 + Math.floor(10_000 * random.next()),
    valuesIn: 256,
    valuesOut: 256,
    core_us: Object.fromEntries(
      Array.from({ length: DEVICES }, (_, d) => [
        `d${d}`,
        d > 0 && random.next() < 0.1 ? "it lacks this kind" : 1 + 50 * random.next(),
      ]),
    ),
  }));
}

/** A chain of dense layers: it may be cut before each but the first. */
function chain(): Plan {
  const layer: Layer = {
    ...{ rows: SIZE, cols: SIZE, ternary: true, relu: true },
    weights: Int8Array.from({ length: SIZE * SIZE }, (_, i) => (i % 3) - 1),
    bias: new Int32Array(SIZE),
    multiplier: new Uint16Array(SIZE).fill(16_384),
    shift: new Uint8Array(SIZE).fill(17),
  };
  const at = (i: number): number => 2 * SIZE * i;
  const scale = new Float64Array(SIZE).fill(1);
  return {
    input: { channels: SIZE, lines: 1, length: 1, at: 0, line: 0, inverse: 1 },
    stages: Array.from({ length: LAYERS }, (_, i) => denseStage(layer, at(i), at(i + 1))),
    state: [],
    output: { channels: SIZE, places: 1, at: at(LAYERS), scale, sums: false, relu: false },
    arena_bytes: at(LAYERS + 1),
  };
}

export function plannerRow(): Row {
  const all = units();
  const devices = Array.from(
    { length: DEVICES },
    (_, d): Device => ({
      ...{ name: `d${d}`, tier: "exact", call_us: 1 + d, value_us: 0.01 },
      memory_bytes: d === 0 ? 1e9 : 60_000,
      power_W: 1 + d,
    }),
  );
  const limits = { ...NO_LIMITS, prefer: "energy", latency_max_ms: 2 } as const;
  const alone_ms = medianOf(() => placeUnits(all, devices, limits));
  // As the agent does it, each round anew: the backends that `plan` takes here, under guard.
  const held = { share: 0, report: (): void => {} };
  const candidates = openPresent().present.map(
    ({ backend }): Candidate => ({
      backend: guard(backend, reference, held),
      ...{ power_W: null, memory_bytes: Number.POSITIVE_INFINITY },
    }),
  );
  const plan = chain();
  const whole_ms = medianOf(() => {
    const measured = candidates.map(measureDevice);
    planFor(plan, candidates, measured, NO_LIMITS);
  });
  const names = candidates.map(({ backend }) => backend.name).join(", ");
  const note =
    `timing ${LAYERS} layers on ${names} and placing them; placing alone, over ${DEVICES} devices ` +
    `with limits of memory, time and energy: ${alone_ms.toFixed(2)} ms`;
  return { name: "planner-ms", value: whole_ms, unit: "ms", max: 50, note };
}

function medianOf(work: () => void): number {
  return median(
    Array.from({ length: ROUNDS }, () => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );
}
