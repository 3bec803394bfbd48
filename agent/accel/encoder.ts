//! A transformer encoder: ternary projections with static steps, which are exact integers, and a
//! float tier for softmax, norms and the activation, which is not.
import { erf } from "../base/erf.js";
import { assert } from "../base/errors.js";
import { BATCH_MAX, STEP_MAX } from "./backend.js";
import { COLS_MAX, IMAGE_BYTES_MAX, withinRange } from "./image-check.js";
import { packedBytes } from "./pack.js";

/**
 * One layer's y on a backend against the reference in doubles, from the same x: what one value may be
 * off, in shares of the largest |y|, and all of them, root mean square over root mean square. A value
 * that is off by e tips over a step in 2 e / step of all cases and is off by the whole step then: the
 * mean square is 2 e step, so the root goes with the root of a step. The factors are measured: sound
 * backends reach a fifth of them at worst with 8 bits, half with 4; rows of weights that changed
 * places are beyond (docs/decisions/0180).
 */
export function layerBound({ limit }: Pick<EncoderPlan, "limit">): {
  readonly most: number;
  readonly rms: number;
} {
  return { most: 1 / Math.sqrt(limit), rms: 0.6 / Math.sqrt(limit) };
}

/** x lies within it: beyond, squares of a norm leave float32. Who hands x over clips it there. */
export const X_MAX = 2 ** 40;

/** y[r] = sum_c w[r][c] x[c] * scale[r] + bias[r]; x as steps, weights -1, 0, +1. */
export type Projection = {
  readonly rows: number;
  readonly cols: number;
  readonly weights: Int8Array;
  readonly scale: Float32Array;
  readonly bias: Float32Array;
  /** A float32. Steps of x: clamp(floor(x * inverse + 0.5)) within the `limit` of the plan. */
  readonly inverse: number;
};

/** y = gain * (v - mean) / sqrt(variance + epsilon) + offset; `rms` leaves the mean in. */
export type Norm = { readonly gain: Float32Array; readonly offset: Float32Array };

/** In the order that the image has them in. */
export const ACTIVATIONS = ["gelu-tanh", "gelu", "relu"] as const;
export const ORDERS = ["post", "pre"] as const;
export const NORMS = ["layer", "rms"] as const;

/** How the parts of a layer stand together. */
export type EncoderForm = {
  /** Where the norms stand: behind each residual sum (BERT), or before attention and projections. */
  readonly order: (typeof ORDERS)[number];
  readonly norm: (typeof NORMS)[number];
  /** `gelu` is that of erf. */
  readonly activation: (typeof ACTIVATIONS)[number];
  /** A place of x has one more value, the last, which is added to all scores of it as a key. */
  readonly masked: boolean;
  /** A place sees itself and those before it, none behind. */
  readonly causal: boolean;
  /** Of what the last layer gives. */
  readonly end: Norm | null;
};

/** GELU: Hendrycks and Gimpel 2016; ONNX Gelu with approximate = "none" and "tanh". */
export const FUNCTIONS: Readonly<Record<EncoderForm["activation"], (x: number) => number>> = {
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  "gelu-tanh": (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(0, x),
};

/** The least that a mask adds: no weight is left, and where it is all keys they weigh the same. */
export const MASK_LEAST = -1e30;

/**
 * y of a layer is float32.
 * post: q, k, v = in(x); a = out(softmax(q k^T / sqrt(head) + mask) v), by heads;
 *       m = norms[0](x + a); y = norms[1](m + down(f(up(m)))).
 * pre:  q, k, v = in(norms[0](x)); a as above; m = x + a; y = m + down(f(up(norms[1](m)))).
 */
export type EncoderLayer = {
  /** 3 * width rows: queries, keys, values. */
  readonly in: Projection;
  readonly out: Projection;
  readonly up: Projection;
  readonly down: Projection;
  readonly norms: readonly [Norm, Norm];
};

export type EncoderPlan = EncoderForm & {
  /** Places of a sequence; y is `sequence x width`, place by place, x too but for the mask. */
  readonly sequence: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly epsilon: number;
  /** Steps are clipped to +-limit: 127, or 7 for a model trained with 4 bits. */
  readonly limit: number;
  readonly layers: readonly EncoderLayer[];
};

/** Vectors of the float tier. */
const LANES = 16;
const SEQUENCE_MAX = 4096;
const VALUES_MAX = 2 ** 26;
const LAYERS_MAX = 1024;
/** Of one inference: seconds on a gateway. BERT-large over 512 places has two thirds of it. */
const MACS_MAX = 2 ** 38;

/** Why no backend takes an encoder of such sizes, or null. */
export function sizesFault(sizes: Pick<EncoderPlan, "sequence" | "width" | "heads" | "hidden">) {
  const { sequence, width, heads, hidden } = sizes;
  const whole = [sequence, width, heads, hidden].every((n) => Number.isInteger(n) && n >= 1);
  if (!whole || sequence > SEQUENCE_MAX) return `a sequence has 1 to ${SEQUENCE_MAX} places`;
  if (width % (heads * LANES) !== 0) return `a head has not a multiple of ${LANES} channels`;
  if (hidden % LANES !== 0) return `the hidden width is no multiple of ${LANES}`;
  if (hidden > COLS_MAX || 3 * width > COLS_MAX) return `more than ${COLS_MAX} columns`;
  const values = sequence * Math.max(hidden, 3 * width);
  return values > VALUES_MAX ? `more than ${VALUES_MAX} values in a layer` : null;
}

/** Why no backend takes an encoder of so many layers: the first that is too much is named. */
export function workFault(plan: Omit<EncoderPlan, keyof EncoderForm>): string | null {
  const { sequence, layers } = plan;
  const count = layers.length;
  if (count > LAYERS_MAX) return `layer ${LAYERS_MAX}: an encoder has at most ${LAYERS_MAX} layers`;
  const { each, pair } = macsOf(plan);
  const macs = sequence * each + sequence * sequence * pair;
  if (macs > MACS_MAX) {
    const first = Math.floor((count * MACS_MAX) / macs);
    return `layer ${first}: more than ${MACS_MAX} multiplications an inference`;
  }
  let bytes = 0;
  for (const [i, { in: inner, out, up, down }] of layers.entries()) {
    for (const projection of [inner, out, up, down]) {
      bytes += packedBytes({ ...projection, ternary: true }) + 8 * projection.rows;
    }
    if (bytes > IMAGE_BYTES_MAX) return `layer ${i}: weights of more than 1 GiB`;
  }
  return null;
}

/**
 * Why a value of a layer may leave +-`X_MAX`, or null. Sums of two of them in each of `LAYERS_MAX`
 * layers, squared and added, then stay within float32.
 */
export function rangeFault(plan: Pick<EncoderPlan, "limit" | "width" | "layers" | "end">) {
  const { limit, width, layers, end } = plan;
  const most = (values: Float32Array): number =>
    values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const projected = ({ cols, scale, bias }: Projection): number =>
    limit * cols * most(scale) + most(bias);
  const normed = ({ gain, offset }: Norm): number => Math.sqrt(width) * most(gain) + most(offset);
  const place = layers.findIndex((layer) => {
    const { in: inner, out, up, down, norms } = layer;
    const found = [...[inner, out, up, down].map(projected), ...norms.map(normed)];
    return !found.every((value) => value <= X_MAX);
  });
  if (place >= 0) return `layer ${place}: its values may be beyond ${X_MAX}`;
  return end !== null && !(normed(end) <= X_MAX) ? `the last norm may be beyond ${X_MAX}` : null;
}

/** Values of one place of x. */
export function placeIn({ width, masked }: Pick<EncoderPlan, "width" | "masked">): number {
  return masked ? width + 1 : width;
}

/** Multiplications of the layers an inference: for each place, and for each pair of places. */
function macsOf({ width, hidden, layers }: Pick<EncoderPlan, "width" | "hidden" | "layers">) {
  const each = layers.length * (4 * width * width + 2 * width * hidden);
  return { each, pair: 2 * layers.length * width };
}

/** Places of a sequence that the reference computes in so many multiplications; one at least. */
export function placesWithin(plan: EncoderPlan, macs: number): number {
  const { each, pair } = macsOf(plan);
  // Attention goes with the square: places * each + places^2 * pair = macs.
  const most = (Math.sqrt(each * each + 4 * pair * macs) - each) / (2 * pair);
  return Math.max(1, Math.min(plan.sequence, Math.floor(most)));
}

/** Bytes of the weights at two bits each, scales and biases beside them. */
export function encoderBytes({ width, hidden, layers }: EncoderPlan): number {
  const rows = 5 * width + hidden;
  return layers.length * ((4 * width * width + 2 * width * hidden) / 4 + 8 * rows);
}

export function checkEncoder(plan: EncoderPlan, batch: number): void {
  const { width, hidden, epsilon, limit, layers } = plan;
  const fault = sizesFault(plan) ?? workFault(plan) ?? rangeFault(plan);
  assert(fault === null, `encoder: ${fault}`);
  assert(Number.isInteger(limit) && limit >= 1 && limit <= STEP_MAX, "encoder: limit");
  assert(Number.isInteger(batch) && batch >= 1 && batch <= BATCH_MAX, "encoder: batch");
  assert(epsilon > 0 && Number.isFinite(epsilon) && layers.length > 0, "encoder: layers");
  const sized = ({ gain, offset }: Norm): boolean =>
    gain.length === width && offset.length === width;
  assert(plan.end === null || sized(plan.end), "encoder: norms");
  for (const layer of layers) {
    checkProjection(layer.in, 3 * width, width);
    checkProjection(layer.out, width, width);
    checkProjection(layer.up, hidden, width);
    checkProjection(layer.down, width, hidden);
    assert(layer.norms.every(sized), "encoder: norms");
  }
}

function checkProjection(projection: Projection, rows: number, cols: number): void {
  const { weights, scale, bias, inverse } = projection;
  const shape = projection.rows === rows && projection.cols === cols;
  assert(shape && weights.length === rows * cols, "encoder: shape of a projection");
  assert(scale.length === rows && bias.length === rows, "encoder: scales of a projection");
  const single = inverse > 0 && Number.isFinite(inverse) && Math.fround(inverse) === inverse;
  assert(single, "encoder: steps of a projection");
  assert(withinRange(weights, 1), "encoder: a weight is out of range");
}
