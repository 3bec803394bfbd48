//! Makes a float32 model one with int8 steps: its values are seen on rows of the user's data, the
//! graph is written again, and what comes out is opened like another and compared with the old one.
//! Nothing is trained.
import { reference } from "../accel/reference.js";
import { openDense, shapesIn } from "./dense.js";
import type { Model } from "./model.js";
import { floatLayers } from "./onnx/float-layers.js";
import { withAllOutputs } from "./onnx/growth.js";
import { quote } from "./onnx/model.js";
import { type QuantiseOptions, quantiseGraph, type Seen } from "./onnx/quantise-graph.js";
import { readOnnx } from "./onnx/read.js";
import { openModel } from "./user-model.js";

/** Rows that are looked at, and of these compared, from all over the file. */
const SEEN_MAX = 2_000;
const COMPARED_MAX = 256;
/** Rows with the largest values, as a share, are clipped: one wild value makes all others coarse. */
const WILD = 0.002;

export type Quantised = {
  readonly bytes: Uint8Array;
  /** As it opens: what runs where, its inputs and outputs. */
  readonly model: Model;
  /** Rms difference from the float model's answers, as a share of how far those spread. */
  readonly error: number;
};

/** `rows`: flat inputs of the model, in units of training. A text says why it cannot be done. */
export function quantiseModel(
  bytes: Uint8Array,
  rows: readonly Float32Array[],
  ternary: QuantiseOptions["ternary"],
): Quantised | string {
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") return onnx;
  const { inputs, nodes } = onnx.graph;
  if (nodes.some(({ op }) => op === "QuantizeLinear" || op === "DynamicQuantizeLinear")) {
    return "it is quantised already; name the float32 model that it was made from";
  }
  const open = openDense(onnx, withAllOutputs(bytes, onnx), "");
  const shapes = shapesIn(onnx, bytes);
  if (typeof open === "string" || shapes === null) return String(open);
  const [input, ...more] = inputs;
  const size = open.inputs[0]?.size ?? 0;
  if (input === undefined || more.length > 0) return `it has ${inputs.length} inputs, not one`;
  const odd = rows.find((row) => row.length !== size);
  if (odd !== undefined) {
    return `a row has ${odd.length} values, input ${quote(input.name)} takes ${size}`;
  }
  const seen = seenIn(open, input.name, spaced(rows, SEEN_MAX));
  if (typeof seen === "string") return seen;
  const whole = new Map(shapes).set(input.name, [1, ...(input.dims ?? []).slice(1)]);
  const made = quantiseGraph(onnx, floatLayers(onnx, whole), { ternary, seen });
  if (typeof made === "string") return made;
  const model = openModel(made, reference);
  if (typeof model === "string") return model;
  const { engine, outside = "its layers are not found again" } = model;
  if (!engine.includes("ternary")) return `no part of it is for the kernels: ${outside}`;
  const error = differenceOf(open, model, spaced(rows, COMPARED_MAX));
  return typeof error === "string" ? error : { bytes: made, model, error };
}

function spaced<T>(rows: readonly T[], most: number): readonly T[] {
  const every = Math.max(1, Math.ceil(rows.length / most));
  return rows.filter((_, i) => i % every === 0);
}

const buffersOf = ({ outputs }: Model): Float32Array[] =>
  outputs.map((port) => new Float32Array(port.size));

/** The sizes of all values of the graph over the rows. */
function seenIn(
  model: Model,
  input: string,
  rows: readonly Float32Array[],
): ReadonlyMap<string, Seen> | string {
  const outputs = buffersOf(model);
  const names = [input, ...model.outputs.map(({ name }) => name)];
  const ranges = names.map((_, i) => {
    const size = i === 0 ? (rows[0]?.length ?? 0) : (outputs[i - 1]?.length ?? 0);
    const [low, high] = [new Float32Array(size), new Float32Array(size)];
    return { low: low.fill(Infinity), high: high.fill(-Infinity), peaks: [] as number[] };
  });
  for (const row of rows) {
    const fault = model.run([row], outputs);
    if (fault !== null) return fault;
    ranges.forEach(({ low, high, peaks }, i) => {
      let peak = 0;
      (i === 0 ? row : (outputs[i - 1] as Float32Array)).forEach((value, k) => {
        low[k] = Math.min(low[k] as number, value);
        high[k] = Math.max(high[k] as number, value);
        peak = Math.max(peak, Math.abs(value));
      });
      peaks.push(peak);
    });
  }
  return new Map(
    ranges.map(({ low, high, peaks }, i) => {
      peaks.sort((a, b) => a - b);
      const most = peaks[Math.floor((1 - WILD) * (peaks.length - 1))] ?? 0;
      return [names[i] as string, { most, low, high }];
    }),
  );
}

/** Over all outputs of the new model. */
function differenceOf(old: Model, model: Model, rows: readonly Float32Array[]): number | string {
  const [before, after] = [buffersOf(old), buffersOf(model)];
  const pairs = model.outputs.map(({ name }, i) => {
    return { from: old.outputs.findIndex((port) => port.name === name), to: i };
  });
  const sums = after.map(({ length }) => {
    return { one: new Float64Array(length), two: new Float64Array(length) };
  });
  let wrong = 0;
  for (const row of rows) {
    const fault = old.run([row], before) ?? model.run([row], after);
    if (fault !== null) return fault;
    for (const { from, to } of pairs) {
      const { one, two } = sums[to] as (typeof sums)[number];
      after[to]?.forEach((value, k) => {
        const right = before[from]?.[k] ?? Number.NaN;
        wrong += (value - right) ** 2;
        one[k] = (one[k] as number) + right;
        two[k] = (two[k] as number) + right ** 2;
      });
    }
  }
  let spread = 0;
  for (const { one, two } of sums) {
    one.forEach((sum, k) => {
      spread += (two[k] as number) - sum ** 2 / rows.length;
    });
  }
  return spread > 0 ? Math.sqrt(wrong / spread) : "its answer is the same for all rows";
}
