//! A network that is trained in float and ends as integers: batch norm behind every hidden layer,
//! folded into one positive scale a row; int8 activations with static scales.
import type { Prng } from "../../base/prng.js";
import type { NetLayer } from "../onnx/ternary-net.js";
import {
  createTape,
  type Matrix,
  matrix,
  type Statistics,
  softmax,
  type Tape,
} from "./autodiff.js";
import { type NetSpec, type Placed, place } from "./layout.js";
import { int8Row, type RowOf, roundRows, roundSteps, ternaryRow } from "./rounding.js";

const EPSILON = 1e-5; // of the batch norm
/** A negative gamma would turn a rising layer around. */
const GAMMA_MIN = 1e-3;
/** Where rising units begin, in standard deviations of what they read: evenly over all of it. */
const SPREAD = 3.5;
/** Rows of one forward pass outside of training. */
const ROWS_MAX = 256;

type TrainedLayer = Placed & {
  readonly w: Matrix;
  /** Batch norm of a hidden layer; `beta` alone is the bias of the last one. */
  readonly gamma: Matrix;
  readonly beta: Matrix;
  readonly stats: Statistics;
  readonly last: boolean;
};

export type Net = {
  readonly spec: NetSpec;
  readonly layers: readonly TrainedLayer[];
  /** Value of one step of the input, then of each hidden layer's output; 0: not yet quantised. */
  readonly steps: Float64Array;
};

export function createNet(spec: NetSpec, random: Prng): Net {
  const layers = place(spec).map((placed, i): TrainedLayer => {
    const { cols } = placed;
    const { size } = placed.spec;
    const w = matrix(size, cols);
    for (let k = 0; k < w.data.length; k++) w.data[k] = random.normal() * Math.sqrt(2 / cols);
    const stats = {
      mean: new Float64Array(size),
      variance: new Float64Array(size).fill(1),
      momentum: 0.1,
    };
    const gamma = matrix(1, size, new Float64Array(size).fill(1));
    const last = i === spec.layers.length - 1;
    return { ...placed, w, gamma, beta: matrix(1, size), stats, last };
  });
  for (const layer of layers) {
    if (layer.spec.rising === undefined) continue;
    // A weight that must rise begins on that side: cut at 0, half of them would never learn.
    eachRising(layer, (i) => {
      layer.w.data[i] = Math.abs(layer.w.data[i] as number);
    });
    if (layer.last) continue;
    // Units that all rise with one input differ only in where: without this they are one unit.
    const units = layer.beta.data.length;
    for (let r = 0; r < units; r++) layer.beta.data[r] = SPREAD * ((2 * r + 1) / units - 1);
  }
  const ceilings = spec.layers.slice(0, -1).map(({ ceiling = 0 }) => Math.fround(ceiling / 127));
  return { spec, layers, steps: Float64Array.of(spec.inputStep, ...ceilings) };
}

export function copyNet(net: Net): Net {
  const copy = (m: Matrix): Matrix => matrix(m.rows, m.cols, m.data.slice());
  const layers = net.layers.map((layer) => ({
    ...layer,
    w: copy(layer.w),
    gamma: copy(layer.gamma),
    beta: copy(layer.beta),
    stats: {
      mean: layer.stats.mean.slice(),
      variance: layer.stats.variance.slice(),
      momentum: layer.stats.momentum,
    },
  }));
  return { spec: net.spec, layers, steps: net.steps.slice() };
}

/** Puts back what must not fall with a rising input; after each step of the optimiser. */
export function keepRising(net: Net): void {
  for (const layer of net.layers) {
    if (layer.spec.rising === undefined) continue;
    eachRising(layer, (i) => {
      layer.w.data[i] = Math.max(0, layer.w.data[i] as number);
    });
    layer.gamma.data.forEach((v, i) => {
      layer.gamma.data[i] = Math.max(GAMMA_MIN, v);
    });
  }
}

function eachRising({ spec, w, channelOf }: TrainedLayer, visit: (i: number) => void): void {
  const { rising } = spec;
  if (rising === undefined) return;
  for (let i = 0; i < w.data.length; i++) {
    if (rising === "all" || rising.includes(channelOf(i % w.cols))) visit(i);
  }
}

export type Mode = {
  /** Round weights and activations as the integers will. */
  readonly quantised: boolean;
  /** Batch norm over the batch (and learn from it), or with the running statistics. */
  readonly learn: boolean;
  /** Called with the output of each hidden layer before it is rounded. */
  readonly watch?: (layer: number, y: Matrix) => void;
  /** Called with what the last layer reads. */
  readonly last?: (x: Matrix) => void;
};

const rowOf = ({ spec }: Placed): RowOf => (spec.weights === "ternary" ? ternaryRow : int8Row);

/** `input`: one example a row. Gives what the file gives: logits, values, g of a bounded head. */
export function forward(tape: Tape, net: Net, input: Matrix, mode: Mode): Matrix {
  const batch = input.rows;
  let x = mode.quantised ? roundTo(tape, input, net.steps[0] as number) : input;
  net.layers.forEach((layer, i) => {
    if (layer.from !== null) x = tape.gather(x, layer.cols, layer.from(batch));
    const w = mode.quantised ? tape.straight(layer.w, roundRows(rowOf(layer))) : layer.w;
    if (layer.last) mode.last?.(x);
    const z = tape.linear(x, w);
    if (layer.last) {
      x = tape.shift(z, layer.beta);
      return;
    }
    const even = tape.batchNorm(z, layer.gamma, layer.beta, layer.stats, mode.learn);
    x = tape.relu(even, layer.spec.ceiling);
    mode.watch?.(i, x);
    const step = net.steps[i + 1] as number;
    if (mode.quantised && step > 0) x = roundTo(tape, x, step);
  });
  return x;
}

function roundTo(tape: Tape, x: Matrix, step: number): Matrix {
  const top = 127 * step;
  return tape.straight(x, roundSteps(step), (v) => v >= -top && v <= top);
}

/** The layers of the file; a negative gamma flips its row's trits, so that scales are positive. */
export function fold(net: Net): NetLayer[] {
  return net.layers.map((layer, i): NetLayer => {
    const { w, gamma, beta, stats, last, cols, spec, channels } = layer;
    const rows = spec.size;
    const weights = new Int8Array(rows * cols);
    const [wScale, bias] = [new Float32Array(rows), new Float32Array(rows)];
    for (let r = 0; r < rows; r++) {
      const row = rowOf(layer)(w, r);
      const spread = last ? 1 : Math.sqrt((stats.variance[r] as number) + EPSILON);
      const k = last ? 1 : (gamma.data[r] as number) / spread;
      const sign = k < 0 ? -1 : 1;
      bias[r] = (beta.data[r] as number) - (last ? 0 : k * (stats.mean[r] as number));
      const scale = Math.max(Math.abs(k) * row.scale, 1e-9);
      wScale[r] = scale;
      // A unit that died: what it reads moves it by less than half a step, its bias is all it says.
      const most = row.weights.reduce((sum, v) => sum + Math.abs(v), 0) * 127 * scale;
      const step = last ? 0 : (net.steps[i + 1] as number) / 2;
      if (most * (net.steps[i] as number) < step) continue;
      for (let c = 0; c < cols; c++) weights[r * cols + c] = sign * (row.weights[c] as number) || 0;
    }
    const ternary = spec.weights === "ternary";
    const outScale = last ? null : (net.steps[i + 1] as number);
    const common = { weights, ternary, wScale, bias, relu: !last, outScale };
    if (spec.kernel === undefined) return { kind: "dense", rows, cols, ...common };
    const { kernel, dilation = 1 } = spec;
    const conv = { filters: rows, channels, kernel, stride: 1, pad: 0, dilation };
    return { kind: "conv1d", ...conv, ...common };
  });
}

/** Answers to every row of x with frozen statistics: values, or logits of classes. */
export function predict(net: Net, x: Float64Array, quantised: boolean): Float64Array {
  const cols = net.spec.channels * net.spec.places;
  const size = net.spec.layers.at(-1)?.size ?? 0;
  const y = new Float64Array((x.length / cols) * size);
  for (let from = 0; from * cols < x.length; from += ROWS_MAX) {
    const part = x.slice(from * cols, (from + ROWS_MAX) * cols);
    const input = matrix(part.length / cols, cols, part);
    const { data } = forward(createTape(), net, input, { quantised, learn: false });
    y.set(net.spec.bounded ? data.map(Math.tanh) : data, from * size);
  }
  return y;
}

/** Class probabilities of every row of x. */
export function classify(net: Net, x: Float64Array, quantised: boolean): Float64Array {
  const logits = predict(net, x, quantised);
  const size = net.spec.layers.at(-1)?.size ?? 1;
  return softmax(matrix(logits.length / size, size, logits), 1);
}

/** Bytes of the weights alone: float32, and as the file packs them (2 bits a trit, int8). */
export function weightBytes({ layers }: Net): { readonly float: number; readonly packed: number } {
  let [float, packed] = [0, 0];
  for (const { w, spec } of layers) {
    float += 4 * w.data.length;
    packed += spec.weights === "ternary" ? Math.ceil(w.data.length / 4) : w.data.length;
  }
  return { float, packed };
}
