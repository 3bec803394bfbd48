//! Finds a ternary transformer encoder in an ONNX graph: post-norm layers as BERT has them, INT2
//! weights behind DequantizeLinear, static steps before each MatMul. It walks from the output back
//! to the input. What is anything else is said in words; ONNX Runtime may still run it.
import {
  type EncoderLayer,
  type EncoderPlan,
  type Norm,
  type Projection,
  sizesFault,
} from "../../accel/encoder.js";
import { readMeta } from "./meta.js";
import { type Node, nodeName, type OnnxModel, quote } from "./model.js";
import {
  constantOf,
  type Found,
  isA,
  NOTHING,
  readProjection,
  type Search,
  stop,
  TOLERANCE,
  writer,
} from "./recognise-projection.js";
import { ELEMENT, type Tensor } from "./tensor.js";

export type EncoderNet = {
  readonly input: string;
  readonly output: string;
  readonly plan: EncoderPlan;
};

type FoundNorm = {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly sum: readonly string[];
};
type FoundLayer = EncoderLayer & {
  readonly x: string;
  readonly heads: number;
  readonly epsilons: readonly number[];
  readonly limits: readonly number[];
};

export function recogniseEncoder(model: OnnxModel): EncoderNet | string {
  const { nodes, inputs, outputs, initializers } = model.graph;
  const [input, output] = [inputs[0], outputs[0]];
  if (input === undefined || output === undefined || inputs.length + outputs.length !== 2) {
    return "it has not exactly one input and one output";
  }
  const [, sequence = 0, width = 0] = input.dims ?? [];
  if (input.type !== ELEMENT.FLOAT || input.dims?.length !== 3 || sequence < 1 || width < 1) {
    return `input ${quote(input.name)} is not float [batch, sequence, width]`;
  }
  const meta = readMeta(model.metadata);
  if (typeof meta === "string") return meta;
  const writers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const search: Search = { writers, constants: initializers, taken: new Set(), fault: null };
  const layers: FoundLayer[] = [];
  let value = output.name;
  while (value !== input.name && search.fault === null) {
    const layer = readLayer(search, value, sequence);
    layers.unshift(layer);
    value = layer.x;
  }
  const beside = nodes.find((node) => !search.taken.has(node));
  if (search.fault === null && beside !== undefined) {
    search.fault = `${nodeName(beside)} stands beside the way to the output`;
  }
  if (search.fault !== null) return search.fault;
  const plan = planOf(layers, sequence, width);
  return typeof plan === "string" ? plan : { input: input.name, output: output.name, plan };
}

function planOf(
  layers: readonly FoundLayer[],
  sequence: number,
  width: number,
): EncoderPlan | string {
  const [first] = layers;
  if (first === undefined) return "it has no layer";
  const { heads, up } = first;
  const [epsilon = 0] = first.epsilons;
  const [limit = 0] = first.limits;
  for (const [i, layer] of layers.entries()) {
    const shape = [layer.in, layer.out, layer.up, layer.down].map(({ rows, cols }) => [rows, cols]);
    const wanted = [
      [3 * width, width],
      [width, width],
      [up.rows, width],
      [width, up.rows],
    ];
    const norms = layer.norms.every(({ gain, offset }) => {
      return gain.length === width && offset.length === width;
    });
    if (`${shape}` !== `${wanted}` || layer.heads !== heads || !norms) {
      return `layer ${i} has other sizes than the first, or than its input`;
    }
    const same = layer.epsilons.every((e) => e === epsilon) && epsilon > 0;
    if (!same || layer.limits.some((most) => most !== limit)) {
      return `layer ${i} has another epsilon, or steps of other bits, than the first`;
    }
  }
  const sized = sizesFault({ sequence, width, heads, hidden: up.rows });
  if (sized !== null) return sized;
  const form = { order: "post", norm: "layer", activation: "gelu-tanh", masked: false } as const;
  return { ...form, end: null, sequence, width, heads, hidden: up.rows, epsilon, limit, layers };
}

function readLayer(search: Search, value: string, sequence: number): FoundLayer {
  const last = readNorm(search, value);
  // The sum of a residual, which a norm or the input of the graph gives, and of a projection.
  const [mid, ffn] = parted(search, last.sum);
  const down = readProjection(search, ffn);
  const gelu = writer(search, down.x, "Gelu");
  if (gelu.attributes.get("approximate")?.text !== "tanh") {
    stop(search, `${nodeName(gelu)} is not of the tanh form (approximate="tanh")`);
  }
  const up = readProjection(search, gelu.inputs[0] ?? "");
  const first = readNorm(search, mid);
  const [x, attention] = parted(search, first.sum);
  const out = readProjection(search, attention);
  const { query, key, value: content, heads } = readAttention(search, out.x, sequence);
  const inner = [query, key, content];
  if (up.x !== mid || inner.some((p) => p.x !== x || p.inverse !== query.inverse)) {
    stop(search, `the projections of the layer of ${quote(value)} read different values`);
  }
  const found = [...inner, out, up, down];
  return {
    ...{ in: joined(inner), out, up, down, norms: [first.norm, last.norm], x, heads },
    epsilons: [first.epsilon, last.epsilon],
    limits: found.map(({ limit }) => limit),
  };
}

/** Of the two values of a residual sum: the residual, then the projection. */
function parted(search: Search, [a = "", b = ""]: readonly string[]): readonly [string, string] {
  const projection = (name: string): boolean => {
    return isA(search, name, "Add") && search.writers.get(name)?.inputs.some(of) === true;
  };
  const of = (name: string): boolean => isA(search, name, "MatMul");
  return projection(a) ? [b, a] : [a, b];
}

function readNorm(search: Search, value: string): FoundNorm {
  const node = writer(search, value, "LayerNormalization");
  const axis = node.attributes.get("axis")?.integer ?? -1;
  if (axis !== -1 && axis !== 2) stop(search, `${nodeName(node)} is not over the last axis`);
  const sum = writer(search, node.inputs[0] ?? "", "Add");
  const epsilon = node.attributes.get("epsilon")?.float ?? 1e-5;
  const gain = constantOf(search, node, 1);
  const whole = (node.inputs[2] ?? "") === "";
  const offset = whole ? new Float32Array(gain.length) : constantOf(search, node, 2);
  return { norm: { gain, offset }, epsilon, sum: sum.inputs };
}

function readAttention(search: Search, value: string, sequence: number) {
  const joined = writer(search, value, "Reshape");
  const back = writer(search, joined.inputs[0] ?? "", "Transpose");
  permuted(search, back, [0, 2, 1, 3]);
  const blend = writer(search, back.inputs[0] ?? "", "MatMul");
  const soft = writer(search, blend.inputs[0] ?? "", "Softmax");
  const axis = soft.attributes.get("axis")?.integer ?? -1;
  if (axis !== -1 && axis !== 3) stop(search, `${nodeName(soft)} is not over the last axis`);
  const scored = soft.inputs[0] ?? "";
  const divided = isA(search, scored, "Div");
  const scaled = writer(search, scored, divided ? "Div" : "Mul");
  const scores = writer(search, scaled.inputs[0] ?? "", "MatMul");
  const query = readHeads(search, scores.inputs[0] ?? "", [0, 2, 1, 3], sequence);
  const key = readHeads(search, scores.inputs[1] ?? "", [0, 2, 3, 1], sequence);
  const content = readHeads(search, blend.inputs[1] ?? "", [0, 2, 1, 3], sequence);
  const { heads } = query;
  const [factor = 0] = constantOf(search, scaled, 1);
  const root = Math.sqrt(query.rows / heads);
  const right = Math.abs(factor / (divided ? root : 1 / root) - 1) < TOLERANCE;
  if (!right) stop(search, `${nodeName(scaled)} does not divide by the root of a head's channels`);
  if (key.heads !== heads || content.heads !== heads) stop(search, "heads differ in number");
  return { query, key, value: content, heads };
}

function readHeads(search: Search, value: string, perm: readonly number[], sequence: number) {
  const turned = writer(search, value, "Transpose");
  permuted(search, turned, perm);
  const apart = writer(search, turned.inputs[0] ?? "", "Reshape");
  const projection = readProjection(search, apart.inputs[0] ?? "");
  const shape = search.constants.get(apart.inputs[1] ?? "");
  const sizes = shape?.type === ELEMENT.INT64 ? int64sOf(shape) : [];
  const [, places = -1, heads = 0, head = 0] = sizes;
  const known = sizes.length === 4 && (places === 0 || places === sequence);
  if (!known || heads < 1 || heads * head !== projection.rows) {
    stop(search, `${nodeName(apart)} does not part its channels into heads`);
  }
  return { ...projection, heads: Math.max(1, heads) };
}

function permuted(search: Search, node: Node, perm: readonly number[]): void {
  const found = node.attributes.get("perm")?.integers ?? [];
  if (`${found}` !== `${perm}`) stop(search, `${nodeName(node)} does not permute by ${perm}`);
}

function int64sOf({ bytes }: Tensor): number[] {
  return Array.from(new BigInt64Array(new Uint8Array(bytes).buffer), Number);
}

/** Queries, keys and values as one projection. */
function joined(parts: readonly Found[]): Projection {
  const [first = { ...NOTHING, x: "", limit: 0 }] = parts;
  const size = parts.reduce((sum, { weights }) => sum + weights.length, 0);
  const weights = new Int8Array(size);
  let at = 0;
  for (const part of parts) {
    weights.set(part.weights, at);
    at += part.weights.length;
  }
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    ...{ cols: first.cols, weights, inverse: first.inverse },
    scale: Float32Array.from(parts.flatMap(({ scale }) => [...scale])),
    bias: Float32Array.from(parts.flatMap(({ bias }) => [...bias])),
  };
}
