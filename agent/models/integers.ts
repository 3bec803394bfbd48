//! From the real scales of a layer to the integers that every backend computes with. Whatever would
//! overflow or lose its meaning is refused here, with the layer named.
import type { Layer } from "../accel/backend.js";
import { tritCounter } from "../base/trits.js";
import { channelsOut, type WeightedLayer } from "./onnx/ternary-net.js";

const INT32_MAX = 2 ** 31 - 1;
const MULTIPLIER_MAX = 32_767;
const SHIFT_MAX = 31;
/** Sums times multiplier stay exact in a double, an int64 and an FPGA multiplier (2^31 * 2^15). */
const PRODUCT_MAX = 2 ** 52;
/** Results are float32: beyond this they would read as infinite. */
const RESULT_MAX = 1e38;

export type IntegerLayer = {
  readonly layer: Layer;
  /** Real value of one unit of a sum, by output channel: for a last layer without steps. */
  readonly sumScale: Float64Array;
};

/** The weights of a layer, or of one group of a convolution. */
export type Weights = Pick<
  WeightedLayer,
  "weights" | "ternary" | "wScale" | "bias" | "relu" | "outScale"
>;

/** `order` maps a column of the integer layer to its place in a row of the file's weights. */
export function integerLayer(
  from: Weights,
  inScale: number,
  order: Int32Array,
): IntegerLayer | string {
  const rows = from.bias.length;
  const cols = order.length;
  const bias = new Int32Array(rows);
  const multiplier = new Uint16Array(rows);
  const shift = new Uint8Array(rows);
  const sumScale = new Float64Array(rows);
  const most = from.ternary ? 1 : 127;
  const weights = inOrder(from.weights, order);
  const count = from.ternary ? tritCounter(weights, cols) : null;
  for (let row = 0; row < rows; row++) {
    const counts = count?.(row) ?? null;
    let total = counts === null ? 0 : counts.plus + counts.minus;
    for (let col = 0; counts === null && col < cols; col++) {
      const weight = weights[row * cols + col] as number;
      if (weight < -most) return `weight ${weight} in row ${row} is below -${most}`;
      total += Math.abs(weight);
    }
    const scaled = scaleRow(from, row, inScale, total);
    if (typeof scaled === "string") return `row ${row}: ${scaled}`;
    sumScale[row] = scaled.unit;
    bias[row] = scaled.bias;
    multiplier[row] = scaled.multiplier;
    shift[row] = scaled.shift;
  }
  const { ternary, relu } = from;
  return { layer: { rows, cols, weights, ternary, bias, multiplier, shift, relu }, sumScale };
}

/** The weights of one group of a convolution: its share of the filters. */
export function groupOf(layer: WeightedLayer, group: number, groups: number): Weights {
  if (groups === 1) return layer;
  const share = <T extends Int8Array | Float32Array>(list: T): T => {
    const size = list.length / groups;
    return list.subarray(group * size, (group + 1) * size) as T;
  };
  const { weights, wScale, bias, ternary, relu, outScale } = layer;
  const own = { weights: share(weights), wScale: share(wScale), bias: share(bias) };
  return { ...own, ternary, relu, outScale };
}

/** Whether the arrays have the sizes that the layer states. */
export function sizesFault(layer: WeightedLayer): string | null {
  const rows = channelsOut(layer);
  const cols = layer.kind === "dense" ? layer.cols : layer.weights.length / rows;
  const sized = layer.weights.length === rows * cols && Number.isInteger(cols) && rows >= 1;
  if (!sized) return `${layer.weights.length} weights do not make ${rows} rows`;
  const scaled = layer.wScale.length === rows && layer.bias.length === rows;
  return scaled ? null : `it has not one scale and one bias for each of ${rows} output channels`;
}

/** A dense layer after a dense one needs no reordering: its weights are taken as they are. */
function inOrder(weights: Int8Array, order: Int32Array): Int8Array {
  if (order.every((at, i) => at === i)) return weights;
  const cols = order.length;
  const ordered = new Int8Array(weights.length);
  for (let base = 0; base < weights.length; base += cols) {
    for (let col = 0; col < cols; col++) {
      ordered[base + col] = weights[base + (order[col] as number)] as number;
    }
  }
  return ordered;
}

type Row = { unit: number; bias: number; multiplier: number; shift: number };

function scaleRow(from: Weights, row: number, inScale: number, total: number): Row | string {
  const wScale = from.wScale[row] as number;
  const real = from.bias[row] as number;
  if (!Number.isFinite(real)) return `the bias is ${real}`;
  // A row of zeros gives its bias whatever its scale, which training leaves at nothing.
  const alone = from.outScale === null ? Math.abs(real) / 2 ** 20 || 1 : from.outScale / 256;
  const unit = total === 0 ? alone : wScale * inScale;
  if (!(unit > 0 && Number.isFinite(unit))) return `the weight scale ${wScale} is not above 0`;
  const ratio = from.outScale === null ? 1 : unit / from.outScale;
  // Beyond +-127 steps (and one to spare) a constant row is clipped anyway.
  const bound = total === 0 && from.outScale !== null ? 128 / ratio : Number.POSITIVE_INFINITY;
  const bias = Math.max(-bound, Math.min(bound, Math.round(real / unit)));
  const sum = 127 * total + Math.abs(bias);
  if (!(sum <= INT32_MAX)) return `sums reach ${sum.toPrecision(3)}, beyond 32 bits`;
  const most = from.outScale === null ? sum * unit : 127 * from.outScale;
  if (!(most <= RESULT_MAX)) return `results reach ${most.toPrecision(3)}`;
  if (from.outScale === null) return { unit, bias, multiplier: 1, shift: 1 };
  const shift = Math.min(SHIFT_MAX, Math.floor(Math.log2(MULTIPLIER_MAX / ratio)));
  const multiplier = Math.round(ratio * 2 ** shift);
  if (shift < 1) return `one unit of the sum is ${ratio.toPrecision(3)} output steps`;
  if (multiplier > MULTIPLIER_MAX) return `the multiplier ${multiplier} needs more than 15 bits`;
  if (!(sum * multiplier < PRODUCT_MAX)) return "sum * multiplier is not below 2^52";
  return { unit, bias, multiplier, shift };
}
