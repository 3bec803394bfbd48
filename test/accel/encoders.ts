//! Random encoders for the tests and the benchmarks of the float tier.
import type {
  EncoderForm,
  EncoderLayer,
  EncoderPlan,
  Norm,
  Projection,
} from "../../agent/accel/encoder.js";
import { type Prng, prng } from "../../agent/base/prng.js";

type Sizes = Omit<EncoderPlan, "layers" | "epsilon" | keyof EncoderForm>;
export type EncoderShape = Sizes & {
  readonly depth: number;
  /** Share of blocks of 64 x 16 weights that are kept in the feed-forward projections. */
  readonly kept: number;
  /** That of BERT where it says nothing. */
  readonly form?: Partial<Omit<EncoderForm, "end">> & { readonly ends?: boolean };
};

const BERT: Omit<EncoderForm, "end"> = {
  ...({ order: "post", norm: "layer", activation: "gelu-tanh" } as const),
  ...{ masked: false, causal: false },
};

export function randomEncoder(seed: number, shape: EncoderShape): EncoderPlan {
  const { depth, kept, form = {}, ...sizes } = shape;
  const { ends = false, ...rest } = form;
  const random = prng(seed, "encoder");
  const layers = Array.from({ length: depth }, () => layerOf(random, shape));
  const end = ends ? normOf(random, shape) : null;
  return { ...sizes, ...BERT, ...rest, end, epsilon: 1e-5, layers };
}

/** ONNX has no offset for those of the root of the mean square. */
function normOf(random: Prng, { width, form }: EncoderShape): Norm {
  const by = form?.norm === "rms" ? 0 : 0.1;
  return {
    gain: Float32Array.from({ length: width }, () => 0.8 + 0.4 * random.next()),
    offset: Float32Array.from({ length: width }, () => random.normal() * by),
  };
}

function layerOf(random: Prng, shape: EncoderShape): EncoderLayer {
  const { width, hidden, limit, kept } = shape;
  // Steps reach some three deviations of what comes in.
  const by = limit / 3;
  return {
    in: projection(random, 3 * width, width, by, 1),
    out: projection(random, width, width, 4 * by, 1),
    up: projection(random, hidden, width, by, kept),
    down: projection(random, width, hidden, by, kept),
    norms: [normOf(random, shape), normOf(random, shape)],
  };
}

function projection(
  random: Prng,
  rows: number,
  cols: number,
  by: number,
  kept: number,
): Projection {
  const inverse = Math.fround(by);
  const across = Math.ceil(cols / 16);
  const blocks = Array.from({ length: Math.ceil(rows / 64) * across }, () => random.next() < kept);
  const weights = new Int8Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const on = blocks[Math.floor(row / 64) * across + Math.floor(col / 16)];
      if (on) weights[row * cols + col] = Math.floor(random.next() * 3) - 1;
    }
  }
  const gain = 1 / (inverse * Math.sqrt(cols * kept * 0.67));
  const scale = Float32Array.from({ length: rows }, () => gain * (0.8 + 0.4 * random.next()));
  const bias = Float32Array.from({ length: rows }, () => random.normal() * 0.05);
  return { rows, cols, weights, scale, bias, inverse };
}
