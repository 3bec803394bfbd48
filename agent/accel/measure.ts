//! How fast a backend is here and now: a small network like those of the monitors, a few
//! milliseconds in all. All backends of a tier give the same values, so only speed depends on it.
import { type Backend, denseStage, type Layer, type Loaded, type Plan } from "./backend.js";

const SIZE = 256;
const WHOLE = { rounds: 7, round_us: 300 };
const RUNS_MAX = 200;

/** Microseconds of one inference of a network like those of the monitors. */
export const measure = (backend: Backend): number => timePlan(backend, samplePlan(), WHOLE);

/** One inference of that network, over and over. */
export function sampleRun(backend: Backend): () => void {
  const loaded = backend.load(samplePlan(), 1);
  const x = Float32Array.from({ length: SIZE }, (_, i) => (i % 31) - 15);
  const y = new Float32Array(SIZE);
  return () => loaded.infer(x, y, 1);
}

type Rounds = { readonly rounds: number; readonly round_us: number };

/** Microseconds of one inference of a plan; nothing of it stays on the device. */
export function timePlan(backend: Backend, plan: Plan, rounds: Rounds): number {
  const { input, output } = plan;
  const sizeIn = input.channels * input.lines * input.length;
  const sizeOut = output.channels * output.places;
  return timeLoaded(backend.load(plan, 1), sizeIn, sizeOut, 1 / input.inverse, rounds);
}

/** The best round, for whatever else runs only ever slows it. `unit`: of the input. */
export function timeLoaded(
  loaded: Loaded,
  sizeIn: number,
  sizeOut: number,
  unit: number,
  { rounds, round_us }: Rounds,
): number {
  const x = Float32Array.from({ length: sizeIn }, (_, i) => ((i % 31) - 15) * unit);
  const y = new Float32Array(sizeOut);
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
  loaded.close?.();
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
