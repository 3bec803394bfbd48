//! A multi-layer perceptron that is trained in float and ends as integers: ternary hidden layers
//! with batch norm, an int8 last layer, int8 activations with static scales. The recipe: teacher,
//! threshold at 0.845 E|w| (half of a Gaussian becomes 0), batch-norm re-estimation, then training
//! through the rounding (straight-through estimator) with the teacher's opinion as second target.
import type { Prng } from "../../base/prng.js";
import {
  createTape,
  type Matrix,
  matrix,
  type Statistics,
  softmax,
  type Tape,
} from "./autodiff.js";

/** Threshold over E|w|: leaves half of a Gaussian's weights at zero. */
const THRESHOLD = 0.845;

type TrainedLayer = {
  readonly w: Matrix;
  /** Batch norm of a hidden layer; `beta` alone is the bias of the last one. */
  readonly gamma: Matrix;
  readonly beta: Matrix;
  readonly stats: Statistics;
  readonly last: boolean;
};

export type Net = {
  readonly layers: readonly TrainedLayer[];
  /** Value of one step of the input, then of each hidden layer's output; 0: not yet quantised. */
  readonly steps: Float64Array;
};

/** What stays of a layer: y = relu(scale * (weights x) + bias), all in real units. */
export type FoldedLayer = {
  readonly rows: number;
  readonly cols: number;
  readonly ternary: boolean;
  readonly weights: Int8Array;
  readonly scale: Float64Array;
  readonly bias: Float64Array;
  readonly relu: boolean;
};

export function createNet(sizes: readonly number[], inputStep: number, random: Prng): Net {
  const layers = sizes.slice(1).map((rows, i): TrainedLayer => {
    const cols = sizes[i] as number;
    const w = matrix(rows, cols);
    for (let k = 0; k < w.data.length; k++) w.data[k] = random.normal() * Math.sqrt(2 / cols);
    const stats = {
      mean: new Float64Array(rows),
      variance: new Float64Array(rows).fill(1),
      momentum: 0.1,
    };
    const gamma = matrix(1, rows, new Float64Array(rows).fill(1));
    return { w, gamma, beta: matrix(1, rows), stats, last: i === sizes.length - 2 };
  });
  const steps = new Float64Array(layers.length);
  steps[0] = inputStep;
  return { layers, steps };
}

export function copyNet(net: Net): Net {
  const copy = (m: Matrix): Matrix => matrix(m.rows, m.cols, m.data.slice());
  const layers = net.layers.map(({ w, gamma, beta, stats, last }) => ({
    w: copy(w),
    gamma: copy(gamma),
    beta: copy(beta),
    stats: { mean: stats.mean.slice(), variance: stats.variance.slice(), momentum: stats.momentum },
    last,
  }));
  return { layers, steps: net.steps.slice() };
}

export type Mode = {
  /** Round weights and activations as the integers will. */
  readonly quantised: boolean;
  /** Batch norm over the batch (and learn from it), or with the running statistics. */
  readonly learn: boolean;
  /** Called with the output of each hidden layer before it is rounded. */
  readonly watch?: (layer: number, y: Matrix) => void;
};

export function forward(tape: Tape, net: Net, input: Matrix, mode: Mode): Matrix {
  let x = mode.quantised ? roundTo(tape, input, net.steps[0] as number) : input;
  net.layers.forEach((layer, i) => {
    const round = layer.last ? roundInt8 : roundTernary;
    const w = mode.quantised ? tape.straight(layer.w, round) : layer.w;
    const z = tape.linear(x, w);
    if (layer.last) {
      x = tape.shift(z, layer.beta);
      return;
    }
    x = tape.relu(tape.batchNorm(z, layer.gamma, layer.beta, layer.stats, mode.learn));
    mode.watch?.(i, x);
    const step = net.steps[i + 1] as number;
    if (mode.quantised && step > 0) x = roundTo(tape, x, step);
  });
  return x;
}

function roundTo(tape: Tape, x: Matrix, step: number): Matrix {
  const top = 127 * step;
  const round = (from: Matrix, y: Float64Array): void => {
    for (let i = 0; i < y.length; i++) {
      const k = Math.floor((from.data[i] as number) / step + 0.5);
      y[i] = step * Math.max(-127, Math.min(127, k));
    }
  };
  return tape.straight(x, round, (v) => v >= -top && v <= top);
}

/** Row by row: zero below the threshold, else the sign times the mean of what is kept. */
function roundTernary(w: Matrix, y: Float64Array): void {
  for (let r = 0; r < w.rows; r++) {
    const { weights, scale } = ternaryRow(w, r);
    for (let c = 0; c < w.cols; c++) y[r * w.cols + c] = scale * (weights[c] as number);
  }
}

function ternaryRow(w: Matrix, row: number): { weights: Int8Array; scale: number } {
  const values = w.data.subarray(row * w.cols, (row + 1) * w.cols);
  let sum = 0;
  for (const v of values) sum += Math.abs(v);
  const threshold = (THRESHOLD * sum) / w.cols;
  const weights = new Int8Array(w.cols);
  let kept = 0;
  let count = 0;
  values.forEach((v, c) => {
    if (!(Math.abs(v) > threshold)) return;
    weights[c] = v < 0 ? -1 : 1;
    kept += Math.abs(v);
    count += 1;
  });
  return { weights, scale: count === 0 ? 1 : kept / count };
}

function roundInt8(w: Matrix, y: Float64Array): void {
  for (let r = 0; r < w.rows; r++) {
    const { weights, scale } = int8Row(w, r);
    for (let c = 0; c < w.cols; c++) y[r * w.cols + c] = scale * (weights[c] as number);
  }
}

function int8Row(w: Matrix, row: number): { weights: Int8Array; scale: number } {
  const values = w.data.subarray(row * w.cols, (row + 1) * w.cols);
  const top = values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-12);
  return {
    weights: Int8Array.from(values, (v) => Math.floor((v * 127) / top + 0.5)),
    scale: top / 127,
  };
}

/** Batch norm folded into one positive scale a row; a negative gamma flips the row's trits. */
export function fold(net: Net): FoldedLayer[] {
  return net.layers.map(({ w, gamma, beta, stats, last }) => {
    const { rows, cols } = w;
    const weights = new Int8Array(rows * cols);
    const scale = new Float64Array(rows);
    const bias = new Float64Array(rows);
    for (let r = 0; r < rows; r++) {
      const row = last ? int8Row(w, r) : ternaryRow(w, r);
      const spread = last ? 1 : Math.sqrt((stats.variance[r] as number) + 1e-5);
      const k = last ? 1 : (gamma.data[r] as number) / spread;
      const sign = k < 0 ? -1 : 1;
      for (let c = 0; c < cols; c++) weights[r * cols + c] = sign * (row.weights[c] as number) || 0;
      scale[r] = Math.max(Math.abs(k) * row.scale, 1e-9);
      bias[r] = (beta.data[r] as number) - (last ? 0 : k * (stats.mean[r] as number));
    }
    return { rows, cols, ternary: !last, weights, scale, bias, relu: !last };
  });
}

/** Class probabilities of every row of x with frozen statistics. */
export function classify(
  net: Net,
  x: Float64Array,
  cols: number,
  quantised: boolean,
): Float64Array {
  const input = matrix(x.length / cols, cols, x);
  return softmax(forward(createTape(), net, input, { quantised, learn: false }), 1);
}
