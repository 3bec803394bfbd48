//! The planner: placing fifty layers over six devices with every limit at work, and what it costs to
//! measure them first on the devices of this machine.
import { denseStage, type Layer, type Plan } from "../agent/accel/backend.js";
import { openPresent } from "../agent/accel/registry.js";
import { prng } from "../agent/base/prng.js";
import { type Device, NO_LIMITS, placeUnits, type Unit } from "../agent/models/plan.js";
import { measureDevice, planFor } from "../agent/models/planned.js";
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
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    placeUnits(all, devices, limits);
    return performance.now() - start;
  });
  const candidates = openPresent().present.map((backend) => ({
    ...{ backend, power_W: null, memory_bytes: Number.POSITIVE_INFINITY },
  }));
  const measured = candidates.map(measureDevice);
  const start = performance.now();
  planFor(chain(), candidates, measured, NO_LIMITS);
  const whole_ms = performance.now() - start;
  const note =
    `${LAYERS} layers, ${DEVICES} devices, limits of memory, time and energy; timing ${LAYERS} layers ` +
    `on the ${candidates.length} devices here and placing them: ${whole_ms.toFixed(0)} ms`;
  return { name: "planner-ms", value: median(times), unit: "ms", max: 50, note };
}
