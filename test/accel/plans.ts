//! Random networks of the integer path for the tests and the benchmarks of backends: any shape,
//! extremes more often than chance would give them.
import {
  type Layer,
  type Plan,
  ROW_GAP_BYTES,
  STEP_MAX,
  STEP_MAX_SMALL,
  type Stage,
} from "../../agent/accel/backend.js";
import { type Prng, prng } from "../../agent/base/prng.js";

export type Shape =
  | { readonly kind: "dense"; readonly rows: number }
  | {
      readonly kind: "conv";
      readonly rows: number;
      readonly kernel: number;
      readonly stride: number;
      readonly pad: number;
    };

export const below = (random: Prng, count: number): number => Math.floor(random.next() * count);

export function layerOf(random: Prng, rows: number, cols: number, ternary: boolean): Layer {
  const most = ternary ? 1 : 127;
  const extreme = random.next() < 0.2;
  // Block-sparse, down to nothing at all, where `kept` is below 1.
  const kept = random.next() < 0.3 ? random.next() : 1;
  const across = Math.ceil(cols / 16);
  const blocks = Array.from({ length: Math.ceil(rows / 64) * across }, () => random.next() < kept);
  const weights = Int8Array.from({ length: rows * cols }, (_, i) => {
    const block = Math.floor(i / cols / 64) * across + Math.floor((i % cols) / 16);
    if (!blocks[block]) return 0;
    return extreme ? most : below(random, 2 * most + 1) - most;
  });
  const bias = Int32Array.from({ length: rows }, () => below(random, 20_001) - 10_000);
  const multiplier = Uint16Array.from({ length: rows }, () => 1 + below(random, 32_767));
  // Sums of cols products spread over some hundred steps: neither all clipped nor all 0.
  const spread = Math.max(1, Math.round(Math.log2(Math.sqrt(cols) * most * 0.5))) + 14;
  const shift = Uint8Array.from({ length: rows }, () =>
    Math.min(31, Math.max(1, random.next() < 0.1 ? 1 + below(random, 31) : spread)),
  );
  const relu = random.next() < 0.5;
  return { rows, cols, weights, ternary, bias, multiplier, shift, relu };
}

export type Options = {
  readonly channels: number;
  readonly length: number;
  readonly shapes: readonly Shape[];
  readonly sums: boolean;
  readonly ternary: (layer: number) => boolean;
  /** What the input and what each layer is clipped to. */
  readonly limit?: (layer: number) => number;
};

export function planFrom(random: Prng, options: Options): Plan {
  const { shapes, sums, ternary, limit = () => STEP_MAX } = options;
  const padOf = (i: number): number => {
    const shape = shapes[i];
    return shape?.kind === "conv" ? shape.pad : 0;
  };
  let { channels, length } = options;
  let at = 0;
  let pad = padOf(0);
  const inverse = 0.37 + random.next();
  const input = {
    channels,
    lines: 1,
    length,
    at: pad * channels,
    line: 0,
    inverse,
    limit: limit(-1),
  };
  const stages: Stage[] = [];
  for (const [i, shape] of shapes.entries()) {
    const conv = shape.kind === "conv";
    const cols = conv ? shape.kernel * channels : length * channels;
    const places = conv ? Math.floor((length + 2 * pad - shape.kernel) / shape.stride) + 1 : 1;
    const next = Math.ceil((at + channels * (length + 2 * pad) + ROW_GAP_BYTES) / 64) * 64;
    const step = conv ? shape.stride * channels : 0;
    const after = padOf(i + 1);
    const layer = { ...layerOf(random, shape.rows, cols, ternary(i)), limit: limit(i) };
    stages.push({
      ...{ kind: "matmul", layer, lines: 1, places, runs: null },
      x: { at, step, line: 0 },
      y: { at: next + after * shape.rows, step: shape.rows, line: 0 },
    });
    [at, channels, length, pad] = [next, shape.rows, places, after];
  }
  const scale = Float64Array.from({ length: channels }, () => 0.001 + random.next());
  const output = { channels, places: length, at, scale, sums, relu: random.next() < 0.5 };
  return { input, stages, state: [], output, arena_bytes: at + channels * length };
}

export function randomPlan(seed: number): Plan {
  const random = prng(seed, "plan");
  const conv = random.next() < 0.5;
  const channels = 1 + below(random, random.next() < 0.5 ? 9 : 300);
  const length = conv ? 8 + below(random, 60) : 1;
  const shapes: Shape[] = [];
  let places = length;
  for (let i = 0; conv && i < 1 + below(random, 3); i++) {
    const kernel = 1 + below(random, Math.min(9, places));
    const [stride, pad] = [1 + below(random, 3), below(random, kernel)];
    shapes.push({ kind: "conv", rows: 1 + below(random, 80), kernel, stride, pad });
    places = Math.floor((places + 2 * pad - kernel) / stride) + 1;
  }
  const dense = below(random, 4) + (conv ? 0 : 1);
  for (let i = 0; i < dense; i++) {
    shapes.push({ kind: "dense", rows: 1 + below(random, random.next() < 0.5 ? 20 : 450) });
  }
  const mixed = Array.from({ length: shapes.length }, () => random.next() < 0.7);
  const sums = random.next() < 0.5;
  // Steps of 4 bits all through, here and there, or nowhere.
  const small = random.next() < 0.4 ? random.next() * 2 : 0;
  const limits = Array.from({ length: shapes.length + 1 }, () =>
    random.next() < small ? STEP_MAX_SMALL : STEP_MAX,
  );
  const limit = (i: number): number => limits[i + 1] ?? STEP_MAX;
  const ternary = (i: number): boolean => mixed[i] === true;
  return planFrom(random, { channels, length, shapes, sums, ternary, limit });
}

/** Values far outside, at the ends of the range, on ties and in between; `bad` puts a NaN in. */
export function inputFor(seed: number, plan: Plan, batch: number, bad: boolean): Float32Array {
  const random = prng(seed, "input");
  const { channels, lines, length, inverse } = plan.input;
  const x = Float32Array.from({ length: batch * channels * lines * length }, () => {
    const kind = random.next();
    if (kind < 0.1) return random.next() < 0.5 ? -3e38 : 3e38;
    if (kind < 0.2) return (below(random, 256) - 127.5) / inverse;
    return ((random.next() - 0.5) * 300) / inverse;
  });
  if (bad) x[below(random, x.length)] = random.next() < 0.5 ? Number.NaN : Number.NEGATIVE_INFINITY;
  return x;
}
