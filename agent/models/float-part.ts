//! The float tier beside ternary layers: norms and softmax over the last side, and what usually stands
//! with them, in TypeScript. A part of a model that is nothing else needs no ONNX Runtime.
import { FUNCTIONS } from "../accel/encoder.js";
import type { Model, ModelPort } from "./model.js";
import { describePort } from "./onnx/meta.js";
import type { Node, OnnxModel } from "./onnx/model.js";
import { type Constant, constantsOf } from "./onnx/recognised.js";
import { ELEMENT, floatsOf } from "./onnx/tensor.js";

/** Softmax is over one side since then. */
const SOFTMAX_SINCE = 13;
const VALUES_MAX = 2 ** 24;

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Identity: (x) => x,
  Relu: (x) => Math.max(0, x),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Tanh: Math.tanh,
  Neg: (x) => -x,
};
const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};
export const FLOAT_OPERATORS = [
  ...[...Object.keys(UNARY), ...Object.keys(BINARY), "Gelu", "Clip", "Softmax"],
  ...["LayerNormalization", "RMSNormalization"],
];

/** A tensor of one asset: rows of its last side. `fixed`: a constant, perhaps of one row or value. */
type Value = { readonly data: Float32Array; readonly last: number; readonly fixed: boolean };
type Run = () => void;

/** Null where a node is of another kind, or a shape is not known. */
export function openFloats(
  { graph, opsets }: OnnxModel,
  shapes: ReadonlyMap<string, readonly number[]>,
  hash: string,
): Model | null {
  const { constants } = constantsOf(graph);
  const values = new Map<string, Value>();
  const ports = (
    info: readonly { readonly name: string; readonly dims: readonly number[] | null }[],
  ) =>
    info.map(({ name, dims }): ModelPort | null => {
      const [, ...shape] = shapes.get(name) ?? dims ?? [];
      const size = shape.reduce((a, b) => a * b, 1);
      const known = shape.length > 0 && shape.every((side) => side >= 1) && size <= VALUES_MAX;
      return known ? { ...describePort([], name), shape, size } : null;
    });
  const inputs = ports(graph.inputs).filter((port) => port !== null);
  const outputs = ports(graph.outputs).filter((port) => port !== null);
  const floats = [...graph.inputs, ...graph.outputs].every(({ type }) => type === ELEMENT.FLOAT);
  const whole = inputs.length === graph.inputs.length && outputs.length === graph.outputs.length;
  if (!floats || !whole || (opsets.get("") ?? 0) < SOFTMAX_SINCE) return null;
  for (const { name, size, shape } of inputs) {
    values.set(name, { data: new Float32Array(size), last: shape.at(-1) ?? 1, fixed: false });
  }
  for (const [name, tensor] of constants) {
    const fixed = constantValue(tensor);
    if (fixed !== null) values.set(name, fixed);
  }
  const runs: Run[] = [];
  for (const node of graph.nodes) {
    if (node.op === "Constant" && constants.has(node.outputs[0] ?? "")) continue;
    const [batch, ...shape] = shapes.get(node.outputs[0] ?? "") ?? [];
    const size = shape.reduce((a, b) => a * b, 1);
    const sized = batch === 1 && shape.length > 0 && size >= 1 && size <= VALUES_MAX;
    if (!sized || node.domain !== "" || node.outputs.length !== 1) return null;
    const y = { data: new Float32Array(size), last: shape.at(-1) ?? 1, fixed: false };
    const run = runOf(
      node,
      node.inputs.map((name) => values.get(name)),
      y,
      shape.length + 1,
    );
    if (run === null) return null;
    values.set(node.outputs[0] ?? "", y);
    runs.push(run);
  }
  const given = inputs.map(({ name }) => values.get(name)?.data);
  const made = outputs.map(({ name }) => values.get(name)?.data);
  if (made.some((data) => data === undefined)) return null;
  return {
    ...{ inputs, outputs, hash },
    tier: FLOAT_TIER,
    engine: "floats in TypeScript",
    run(from, to): string | null {
      for (const [i, data] of given.entries()) {
        const x = from[i];
        if (x === undefined) return "no input";
        data?.set(x);
      }
      for (const run of runs) run();
      for (const [i, data] of made.entries()) if (data !== undefined) to[i]?.set(data);
      return null;
    },
  };
}

/** Float32 after each operator, and doubles within it: the same on every machine. */
export const FLOAT_TIER = "within 1e-6 relative";

/** One value, or a row: sides of 1 before the last. */
function constantValue(tensor: Constant): Value | null {
  const data = floatsOf(tensor);
  const last = tensor.dims.at(-1) ?? 1;
  return data === null || data.length !== last ? null : { data, last, fixed: true };
}

function runOf(
  node: Node,
  [x, b, c]: readonly (Value | undefined)[],
  y: Value,
  rank: number,
): Run | null {
  const { op, attributes } = node;
  if (x === undefined) return null;
  const same = !x.fixed && x.data.length === y.data.length && x.last === y.last;
  if (op === "Gelu" && same) {
    const tanh = attributes.get("approximate")?.text === "tanh";
    return each(x, y, FUNCTIONS[tanh ? "gelu-tanh" : "gelu"]);
  }
  const unary = UNARY[op];
  if (unary !== undefined) return same ? each(x, y, unary) : null;
  const binary = BINARY[op];
  if (binary !== undefined) return b === undefined ? null : pairs(x, b, y, binary);
  const axis = attributes.get("axis")?.integer ?? -1;
  const last = axis === -1 || axis === rank - 1;
  if (!same) return null;
  if (op === "Clip") return clip(node, x, [b, c], y);
  if (op === "Softmax") return last ? rows(x, y, softmax) : null;
  if (op !== "LayerNormalization" && op !== "RMSNormalization") return null;
  const fits = (one: Value | undefined): boolean =>
    one === undefined || (one.fixed && one.last === x.last);
  const lacks = node.inputs.some((name, i) => i > 0 && name !== "" && [b, c][i - 1] === undefined);
  if (!last || b === undefined || !fits(b) || !fits(c) || lacks) return null;
  const epsilon = attributes.get("epsilon")?.float ?? 1e-5;
  const centred = op === "LayerNormalization";
  return rows(x, y, (from, to) => normalise(from, to, b.data, c?.data ?? null, epsilon, centred));
}

function each({ data: x }: Value, { data: y }: Value, of: (x: number) => number): Run {
  return () => {
    for (let i = 0; i < y.length; i++) y[i] = of(x[i] as number);
  };
}

/** Two values of one shape, or one and a constant of one value or one row. */
function pairs(a: Value, b: Value, y: Value, of: (a: number, b: number) => number): Run | null {
  const size = y.data.length;
  const fits = (one: Value): boolean => {
    if (!one.fixed) return one.data.length === size && one.last === y.last;
    return one.last === 1 || one.last === y.last;
  };
  if (!fits(a) || !fits(b) || (a.fixed && b.fixed)) return null;
  const [p, q] = [a.data, b.data];
  return () => {
    for (let i = 0; i < size; i++) {
      y.data[i] = of(p[i % p.length] as number, q[i % q.length] as number);
    }
  };
}

function clip(node: Node, x: Value, ends: readonly (Value | undefined)[], y: Value): Run | null {
  const [low, high] = [0, 1].map((i) => {
    if ((node.inputs[i + 1] ?? "") === "") return i === 0 ? -Infinity : Infinity;
    const end = ends[i];
    return end?.fixed === true && end.data.length === 1 ? end.data[0] : undefined;
  });
  if (low === undefined || high === undefined) return null;
  return each(x, y, (value) => Math.min(high, Math.max(low, value)));
}

function rows(x: Value, y: Value, of: (x: Float32Array, y: Float32Array) => void): Run {
  const views: (readonly [Float32Array, Float32Array])[] = [];
  for (let at = 0; at < y.data.length; at += y.last) {
    views.push([x.data.subarray(at, at + y.last), y.data.subarray(at, at + y.last)]);
  }
  return () => {
    for (const [from, to] of views) of(from, to);
  };
}

function softmax(x: Float32Array, y: Float32Array): void {
  let [most, sum] = [-Infinity, 0];
  for (const value of x) most = Math.max(most, value);
  for (const value of x) sum += Math.exp(value - most);
  for (let i = 0; i < x.length; i++) y[i] = Math.exp((x[i] as number) - most) / sum;
}

/** y = gain * (x - mean) / sqrt(variance + epsilon) + offset; without `centred` the mean stays in. */
function normalise(
  x: Float32Array,
  y: Float32Array,
  gain: Float32Array,
  offset: Float32Array | null,
  epsilon: number,
  centred: boolean,
): void {
  let [sum, squares] = [0, 0];
  if (centred) for (const value of x) sum += value;
  const mean = sum / x.length;
  for (const value of x) squares += (value - mean) ** 2;
  const by = 1 / Math.sqrt(squares / x.length + epsilon);
  for (let i = 0; i < x.length; i++) {
    y[i] = ((x[i] as number) - mean) * by * (gain[i] as number) + (offset?.[i] ?? 0);
  }
}
