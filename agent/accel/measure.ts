//! How fast a backend is here and now: a small network like those of the monitors, a few
//! milliseconds in all. All backends of a tier give the same values, so only speed depends on it.
import { type Backend, denseStage, type Layer, type Plan } from "./backend.js";

const SIZE = 256;
const ROUNDS = 7;
const ROUND_us = 300;
const RUNS_MAX = 200;

/** Microseconds of one inference: the best round, for whatever else runs only ever slows it. */
export function measure(backend: Backend): number {
  const loaded = backend.load(samplePlan(), 1);
  const x = Float32Array.from({ length: SIZE }, (_, i) => (i % 31) - 15);
  const y = new Float32Array(SIZE);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let runs = 0;
    let spent_us = 0;
    while (runs < RUNS_MAX && spent_us < ROUND_us) {
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
