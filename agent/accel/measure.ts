//! How fast a backend is here and now: a small network like those of the monitors, a few
//! milliseconds in all. All backends of a tier give the same values, so only speed depends on it.
import { type Backend, denseStage, type Layer, type Plan } from "./backend.js";

const SIZE = 256;
const WHOLE = { rounds: 7, round_us: 300 };
const RUNS_MAX = 200;

/** Microseconds of one inference of a network like those of the monitors. */
export const measure = (backend: Backend): number => timePlan(backend, samplePlan(), WHOLE);

/** Microseconds of one inference: the best round, for whatever else runs only ever slows it. */
export function timePlan(
  backend: Backend,
  plan: Plan,
  { rounds, round_us }: { readonly rounds: number; readonly round_us: number },
): number {
  const { input, output } = plan;
  const loaded = backend.load(plan, 1);
  const size = input.channels * input.lines * input.length;
  const x = Float32Array.from({ length: size }, (_, i) => ((i % 31) - 15) / input.inverse);
  const y = new Float32Array(output.channels * output.places);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    let runs = 0;
    let spent_us = 0;
    while (runs < RUNS_MAX && spent_us < round_us) {
      loaded.infer(x, y, 1);
      runs += 1;
      spent_us = 1000 * (performance.now() - start);
    }
    best = Math.min(best, spent_us / runs);
  }
  return best;
}

/** Two layers like those of the monitors. */
export function samplePlan(): Plan {
  const layer: Layer = {
    rows: SIZE,
    cols: SIZE,
    weights: Int8Array.from({ length: SIZE * SIZE }, (_, i) => ((i * 7) % 3) - 1),
    ternary: true,
    bias: new Int32Array(SIZE),
    multiplier: new Uint16Array(SIZE).fill(16_384),
    shift: new Uint8Array(SIZE).fill(18),
    relu: true,
  };
  const at = (i: number): number => i * 2 * SIZE;
  return {
    input: { channels: SIZE, lines: 1, length: 1, at: 0, line: 0, inverse: 1 },
    stages: [0, 1].map((i) => denseStage(layer, at(i), at(i + 1))),
    state: [],
    output: {
      channels: SIZE,
      places: 1,
      at: at(2),
      scale: new Float64Array(SIZE).fill(1),
      sums: false,
      relu: false,
    },
    arena_bytes: 6 * SIZE,
  };
}
