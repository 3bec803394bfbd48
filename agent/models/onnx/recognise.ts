//! Finds the ternary pattern in an ONNX graph: a chain of Gemm and Conv with INT2 or INT8 weights,
//! each between int8 steps. What is anything else is said in words; ONNX Runtime may still run it.
import { describePort, readMeta } from "./meta.js";
import { type Node, nodeName, type OnnxModel, quote } from "./model.js";
import { ELEMENT, floatsOf, int8sOf, type Tensor } from "./tensor.js";
import type { NetLayer, TernaryNet } from "./ternary-net.js";

/** How far a stated clip may lie from 127 steps: float32 rounding of the product. */
const CLIP_TOLERANCE = 1e-5;

/** The chain being followed: `value` is the tensor whose one reader comes next. */
type Walk = {
  readonly model: OnnxModel;
  readonly readers: ReadonlyMap<string, readonly Node[]>;
  value: string;
  taken: number;
  /** Why this is not the pattern: the first reason. */
  stop: string | null;
};

type Weights = Pick<NetLayer, "weights" | "ternary" | "wScale"> & {
  readonly dims: readonly number[];
};

export function recognise(model: OnnxModel): TernaryNet | string {
  const { graph } = model;
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (input === undefined || graph.inputs.length !== 1) return "it has not exactly one input";
  if (output === undefined || graph.outputs.length !== 1) return "it has not exactly one output";
  const shape = (input.dims ?? []).slice(1);
  const vague = shape.length === 0 || shape.length > 2 || shape.some((dim) => dim < 1);
  if (input.type !== ELEMENT.FLOAT || vague) {
    return `input ${quote(input.name)} is not float [batch, length] or [batch, channels, length]`;
  }
  const meta = readMeta(model.metadata);
  if (typeof meta === "string") return meta;
  const walk: Walk = { model, readers: readersOf(model), value: input.name, taken: 0, stop: null };
  const scale = quantised(walk, false);
  const layers: NetLayer[] = [];
  while (walk.stop === null && walk.value !== output.name) layers.push(layer(walk, output.name));
  if (walk.stop !== null) return walk.stop;
  if (layers.length === 0) return "it has no layer";
  const left = graph.nodes.length - walk.taken;
  const weightless = countWeightNodes(model, layers.length);
  if (left !== weightless) return "it has nodes beside the chain from its input to its output";
  const { version, training, facts } = meta;
  return {
    input: { ...describePort(meta.inputs, input.name), shape, scale },
    layers,
    output: describePort(meta.outputs, output.name),
    meta: { version, training, facts },
  };
}

/** Each layer reads its weights through one DequantizeLinear that is not on the chain. */
function countWeightNodes(model: OnnxModel, layers: number): number {
  const own = model.graph.nodes.filter(
    (n) => n.op === "DequantizeLinear" && model.graph.initializers.has(n.inputs[0] ?? ""),
  );
  return own.length === layers ? layers : -1;
}

function readersOf(model: OnnxModel): Map<string, Node[]> {
  const readers = new Map<string, Node[]>();
  for (const node of model.graph.nodes) {
    for (const input of node.inputs) {
      const list = readers.get(input);
      if (list === undefined) readers.set(input, [node]);
      else list.push(node);
    }
  }
  return readers;
}

function stop(walk: Walk, why: string): void {
  walk.stop ??= why;
}

/** Moves along the chain when the one reader of the value is of this operator. */
function take(walk: Walk, op: string): Node | null {
  const readers = walk.readers.get(walk.value) ?? [];
  const [node] = readers;
  if (walk.stop !== null || readers.length !== 1 || node === undefined) return null;
  if (node.op !== op || node.domain !== "" || node.inputs[0] !== walk.value) return null;
  if (walk.model.graph.outputs.some((o) => o.name === walk.value)) return null;
  const [next] = node.outputs;
  if (next === undefined || node.outputs.length !== 1) return null;
  walk.value = next;
  walk.taken += 1;
  return node;
}

function integer(node: Node, name: string, standard: number): number {
  return node.attributes.get(name)?.integer ?? standard;
}

function constant(walk: Walk, node: Node, input: number): Tensor | null {
  return walk.model.graph.initializers.get(node.inputs[input] ?? "") ?? null;
}

function scalar(tensor: Tensor | null): number {
  const values = tensor === null || tensor.count !== 1 ? null : floatsOf(tensor);
  return values?.[0] ?? Number.NaN;
}

function isZeroInt8(tensor: Tensor | null): boolean {
  return tensor?.type === ELEMENT.INT8 && tensor.count === 1 && tensor.bytes[0] === 0;
}

/** [Clip,] QuantizeLinear, DequantizeLinear: the step of the int8 values between them. */
function quantised(walk: Walk, positive: boolean): number {
  const clip = take(walk, "Clip");
  const from = take(walk, "QuantizeLinear");
  const back = from === null ? null : take(walk, "DequantizeLinear");
  if (from === null || back === null) {
    stop(walk, `${following(walk)} where QuantizeLinear and DequantizeLinear were expected`);
    return 0;
  }
  const step = scalar(constant(walk, from, 1));
  const zeros = isZeroInt8(constant(walk, from, 2)) && isZeroInt8(constant(walk, back, 2));
  if (!zeros) stop(walk, `${nodeName(from)} has no int8 zero point of 0`);
  if (!(step > 0 && Number.isFinite(step))) stop(walk, `${nodeName(from)} has the scale ${step}`);
  if (scalar(constant(walk, back, 1)) !== step) {
    stop(walk, `${nodeName(back)} has another scale than ${nodeName(from)}`);
  }
  if (clip === null) {
    if (!positive) stop(walk, `${nodeName(from)} may give -128; put Clip to 127 scales before it`);
    return step;
  }
  const low = scalar(constant(walk, clip, 1));
  const high = scalar(constant(walk, clip, 2));
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= CLIP_TOLERANCE * 127 * step;
  if (!(near(low, -127 * step) && near(high, 127 * step))) {
    stop(walk, `${nodeName(clip)} does not clip to 127 scales of ${nodeName(from)}`);
  }
  return step;
}

function layer(walk: Walk, output: string): NetLayer {
  const flat = take(walk, "Flatten");
  if (flat !== null && integer(flat, "axis", 1) !== 1) stop(walk, `${nodeName(flat)} has an axis`);
  const gemm = take(walk, "Gemm");
  const node = gemm ?? (flat === null ? take(walk, "Conv") : null);
  if (node === null) {
    stop(walk, `${following(walk)} is not on the integer path (Gemm, Conv 1-D, Relu, Flatten)`);
    return EMPTY;
  }
  const found = weightsOf(walk, node);
  const count = found.dims[0] ?? 0;
  const bias = biasOf(walk, node, count);
  const relu = take(walk, "Relu") !== null;
  const outScale = walk.stop !== null || walk.value === output ? null : quantised(walk, relu);
  const { dims, ...weights } = found;
  const shared = { ...weights, bias, relu, outScale };
  if (gemm !== null) {
    const plain = ["alpha", "beta"].every((a) => (node.attributes.get(a)?.float ?? 1) === 1);
    if (dims.length !== 2 || integer(node, "transB", 0) !== 1 || integer(node, "transA", 0) !== 0) {
      stop(walk, `${nodeName(node)} is not of the form x * W transposed`);
    } else if (!plain) stop(walk, `${nodeName(node)} has alpha or beta`);
    return { kind: "dense", rows: count, cols: dims[1] ?? 0, ...shared };
  }
  return { kind: "conv1d", filters: count, ...convShape(walk, node, dims), ...shared };
}

const EMPTY: NetLayer = {
  kind: "dense",
  rows: 0,
  cols: 0,
  weights: new Int8Array(0),
  ternary: true,
  wScale: new Float32Array(0),
  bias: new Float32Array(0),
  relu: false,
  outScale: null,
};

function convShape(walk: Walk, node: Node, dims: readonly number[]) {
  const [, channels = 0, kernel = 0] = dims;
  const list = (name: string): readonly number[] => node.attributes.get(name)?.integers ?? [];
  const stride = list("strides")[0] ?? 1;
  const [pad = 0, after = 0] = list("pads");
  const auto = node.attributes.get("auto_pad")?.text ?? "NOTSET";
  const odd = integer(node, "group", 1) !== 1 || (list("dilations")[0] ?? 1) !== 1;
  if (dims.length !== 3) stop(walk, `${nodeName(node)} is not 1-D`);
  if (odd) stop(walk, `${nodeName(node)} has groups or dilation`);
  const sane = stride >= 1 && pad >= 0 && pad < Math.max(1, kernel);
  if (auto !== "NOTSET" || pad !== after || !sane) {
    stop(walk, `${nodeName(node)} has other pads or strides than equal pads below its kernel`);
  }
  return { channels, kernel, stride, pad };
}

function weightsOf(walk: Walk, node: Node): Weights {
  const { graph } = walk.model;
  const back = graph.nodes.find((n) => n.outputs[0] === node.inputs[1]);
  const tensor = back?.op === "DequantizeLinear" ? constant(walk, back, 0) : null;
  const weights = tensor === null ? null : int8sOf(tensor);
  const scale = back === undefined ? null : constant(walk, back, 1);
  const scales = scale === null ? null : floatsOf(scale);
  const none = { dims: [], weights: EMPTY.weights, ternary: true, wScale: EMPTY.wScale };
  if (back === undefined || tensor === null || weights === null || scales === null) {
    stop(walk, `${nodeName(node)} has no INT2 or INT8 weights behind DequantizeLinear`);
    return none;
  }
  const zero = constant(walk, back, 2);
  const shifted = zero?.bytes.some((byte) => byte !== 0) ?? false;
  if (shifted || integer(back, "block_size", 0) !== 0) {
    stop(walk, `the weights of ${nodeName(node)} have a zero point or blocks`);
  }
  const count = tensor.dims[0] ?? 0;
  const perChannel = scales.length === count && integer(back, "axis", 1) === 0;
  if (!perChannel && scales.length !== 1) {
    const found = `${scales.length} scales for ${count} output channels`;
    stop(walk, `the weights of ${nodeName(node)} have ${found}`);
  }
  const wScale = perChannel ? scales : new Float32Array(count).fill(scales[0] ?? Number.NaN);
  return { dims: tensor.dims, weights, ternary: tensor.type === ELEMENT.INT2, wScale };
}

function biasOf(walk: Walk, node: Node, count: number): Float32Array {
  if ((node.inputs[2] ?? "") === "") return new Float32Array(count);
  const tensor = constant(walk, node, 2);
  const bias = tensor === null ? null : floatsOf(tensor);
  if (bias !== null && bias.length === count) return bias;
  stop(walk, `${nodeName(node)} has not one constant bias for each of ${count} output channels`);
  return EMPTY.bias;
}

function following(walk: Walk): string {
  const [node] = walk.readers.get(walk.value) ?? [];
  return node === undefined ? `the end at ${quote(walk.value)}` : nodeName(node);
}
