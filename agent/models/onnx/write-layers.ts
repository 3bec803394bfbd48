//! The nodes of one layer of a ternary network. ONNX Runtime 1.30 loads these forms at every level
//! with its fusion of quantised operators off, and at basic; a chain of dense layers at any.
import { assert } from "../../base/errors.js";
import { ELEMENT, packInt2 } from "./tensor.js";
import {
  type AddLayer,
  channelsOut,
  isWeighted,
  type NetLayer,
  type PoolLayer,
  type TableLayer,
  type WeightedLayer,
} from "./ternary-net.js";
import { floatTensor, int64Tensor, type WriteAttribute, writeNode, writeTensor } from "./write.js";

export type Draft = {
  readonly nodes: Uint8Array[];
  readonly tensors: Uint8Array[];
};

/** A tensor of the graph; real values between DequantizeLinear and QuantizeLinear. */
export type Value = {
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly scale: number;
};

/** Clip, QuantizeLinear, DequantizeLinear. -128 never occurs: it is clipped away, or relu is. */
export function quantise(
  { nodes, tensors }: Draft,
  from: string,
  scale: number,
  key: string,
  to: string,
  { clip = true, bits = 8, ...more }: { clip?: boolean; bits?: 8 | 16; zero?: string } = {},
): void {
  const step = Math.fround(scale);
  const most = bits === 16 ? 32_767 : 127;
  tensors.push(floatTensor(`scale_${key}`, [], Float32Array.of(step)));
  let source = from;
  if (clip) {
    tensors.push(floatTensor(`low_${key}`, [], Float32Array.of(-most * step)));
    tensors.push(floatTensor(`high_${key}`, [], Float32Array.of(most * step)));
    source = `clip_${key}`;
    nodes.push(writeNode("Clip", [from, `low_${key}`, `high_${key}`], [source]));
  }
  const { zero = bits === 16 ? "zero16" : "zero" } = more;
  nodes.push(writeNode("QuantizeLinear", [source, `scale_${key}`, zero], [`int_${key}`]));
  nodes.push(writeNode("DequantizeLinear", [`int_${key}`, `scale_${key}`, zero], [to]));
}

/** Everything of a layer up to its QuantizeLinear: writes the tensor `to`. */
export function writeLayer(
  draft: Draft,
  layer: NetLayer,
  index: number,
  sources: readonly Value[],
  to: string,
): void {
  const [x] = sources;
  assert(x !== undefined, `layer ${index}: a source`);
  const { nodes } = draft;
  const node = (op: string, inputs: readonly string[], more: Record<string, WriteAttribute> = {}) =>
    nodes.push(writeNode(op, inputs, [to], more));
  const tensors = sources.map(({ tensor }) => tensor);
  if (isWeighted(layer)) writeWeighted(draft, layer, index, x, to);
  else if (layer.kind === "add") writeAdd(draft, layer, index, sources, to);
  else if (layer.kind === "mul") node("Mul", tensors);
  else if (layer.kind === "concat") node("Concat", tensors, { axis: 1n });
  else if (layer.kind === "table") writeTable(draft, layer, index, x, to);
  else if (layer.kind === "pool") writePool(draft, layer, x, to);
  else if (layer.kind === "transpose") {
    node("Transpose", tensors, { perm: [0n, ...layer.perm.map((at) => BigInt(at + 1))] });
  } else {
    // 0 keeps the batch.
    draft.tensors.push(int64Tensor(`shape${index}`, [0, ...layer.shape]));
    node("Reshape", [x.tensor, `shape${index}`]);
  }
}

function writeWeighted(draft: Draft, layer: WeightedLayer, i: number, x: Value, to: string): void {
  const { nodes, tensors } = draft;
  const count = channelsOut(layer);
  const dims = dimsOf(layer);
  const size = dims.reduce((a, b) => a * b, 1);
  assert(layer.weights.length === size, `layer ${i}: ${size} weights expected`);
  assert(layer.wScale.length === count, `layer ${i}: ${count} weight scales expected`);
  assert(layer.bias.length === count, `layer ${i}: ${count} biases expected`);
  let source = x.tensor;
  if (layer.kind === "dense" && x.shape.length > 1) {
    nodes.push(writeNode("Flatten", [source], [`flat${i}`], { axis: 1n }));
    source = `flat${i}`;
  }
  tensors.push(weightTensor(`weight${i}`, dims, layer));
  const scales = usableScales(layer, x.scale);
  tensors.push(floatTensor(`wscale${i}`, [count], scales));
  tensors.push(floatTensor(`bias${i}`, [count], snapBias(layer, scales, x.scale)));
  const scaled = [`weight${i}`, `wscale${i}`];
  nodes.push(writeNode("DequantizeLinear", scaled, [`w${i}`], { axis: 0n }));
  const sum = layer.relu ? `sum${i}` : to;
  const op = layer.kind === "dense" ? "Gemm" : "Conv";
  nodes.push(writeNode(op, [source, `w${i}`, `bias${i}`], [sum], attributesOf(layer)));
  if (layer.relu) nodes.push(writeNode("Relu", [sum], [to]));
}

function dimsOf(layer: WeightedLayer): readonly number[] {
  if (layer.kind === "dense") return [layer.rows, layer.cols];
  const kernel = layer.kind === "conv1d" ? [layer.kernel] : layer.kernel;
  return [layer.filters, layer.channels, ...kernel];
}

function weightTensor(name: string, dims: readonly number[], layer: WeightedLayer): Uint8Array {
  const least = layer.ternary ? -1 : -127;
  for (const weight of layer.weights) {
    assert(weight >= least && weight <= -least, `${name}: weight ${weight} is out of range`);
  }
  if (layer.ternary) return writeTensor(name, dims, ELEMENT.INT2, packInt2(layer.weights));
  const bytes = new Uint8Array(layer.weights.slice().buffer);
  return writeTensor(name, dims, ELEMENT.INT8, bytes);
}

const big = (list: readonly number[]): bigint[] => list.map(BigInt);

function attributesOf(layer: WeightedLayer): Record<string, WriteAttribute> {
  if (layer.kind === "dense") return { transB: 1n };
  const one = layer.kind === "conv1d";
  const { groups = 1 } = layer;
  const dilation = one ? [layer.dilation ?? 1] : layer.dilation;
  return {
    kernel_shape: big(one ? [layer.kernel] : layer.kernel),
    strides: big(one ? [layer.stride] : layer.stride),
    pads: big(one ? [layer.pad, layer.padEnd ?? layer.pad] : layer.pads),
    ...(dilation.some((d) => d !== 1) ? { dilations: big(dilation) } : {}),
    ...(groups === 1 ? {} : { group: BigInt(groups) }),
  };
}

/** Training leaves a row of zeros any scale; one too small overflows ONNX Runtime's int32 bias. */
function usableScales(layer: WeightedLayer, inScale: number): Float32Array {
  const cols = layer.weights.length / layer.wScale.length;
  return layer.wScale.map((scale, row) => {
    const bias = Math.abs(layer.bias[row] as number);
    if (bias < scale * inScale * 2 ** 24) return scale;
    const dead = layer.weights.subarray(row * cols, (row + 1) * cols).every((w) => w === 0);
    return dead ? (bias || 1) / 2 ** 16 / inScale : scale;
  });
}

/** Biases on the grid of the sums, so that ONNX Runtime adds what the integer path adds. */
function snapBias(layer: WeightedLayer, scales: Float32Array, inScale: number): Float32Array {
  return layer.bias.map((bias, row) => {
    const unit = (scales[row] as number) * Math.fround(inScale);
    return unit > 0 && Math.abs(bias / unit) < 2 ** 31 ? Math.round(bias / unit) * unit : bias;
  });
}

/** gain * a + gain * b + bias; a source alone with no gain is written through. */
function writeAdd(
  draft: Draft,
  layer: AddLayer,
  i: number,
  sources: readonly Value[],
  to: string,
): void {
  const { nodes, tensors } = draft;
  const constant = (name: string, values: Float32Array): string => {
    const sides = (sources[0]?.shape.length ?? 1) - 1;
    tensors.push(floatTensor(name, [values.length, ...new Array<number>(sides).fill(1)], values));
    return name;
  };
  const terms = sources.map(({ tensor }, at) => {
    const gain = layer.gains?.[at];
    if (gain === undefined) return tensor;
    const name = constant(`gain${at}_${i}`, gain);
    nodes.push(writeNode("Mul", [tensor, name], [`term${at}_${i}`]));
    return `term${at}_${i}`;
  });
  const [first = "", second] = terms;
  const steps: [op: string, other: string | null][] = [];
  if (second !== undefined) steps.push(["Add", second]);
  if (layer.bias !== null) steps.push(["Add", constant(`bias${i}`, layer.bias)]);
  if (layer.relu) steps.push(["Relu", null]);
  if (steps.length === 0) steps.push(["Identity", null]);
  let from = first;
  for (const [k, [op, other]] of steps.entries()) {
    const out = k === steps.length - 1 ? to : `sum${k}_${i}`;
    nodes.push(writeNode(op, other === null ? [from] : [from, other], [out]));
    from = out;
  }
}

function writeTable(draft: Draft, layer: TableLayer, i: number, x: Value, to: string): void {
  const { nodes, tensors } = draft;
  if (layer.of === "clip") {
    const ends = layer.ends ?? [0, 0];
    ["least", "most"].forEach((name, at) => {
      tensors.push(floatTensor(`${name}${i}`, [], Float32Array.of(ends[at] as number)));
    });
    nodes.push(writeNode("Clip", [x.tensor, `least${i}`, `most${i}`], [to]));
    return;
  }
  const ops = {
    identity: "Identity",
    relu: "Relu",
    sigmoid: "Sigmoid",
    tanh: "Tanh",
    gelu: "Gelu",
    "gelu-tanh": "Gelu",
    "leaky-relu": "LeakyRelu",
  } as const;
  const more: Record<string, WriteAttribute> = {
    ...(layer.of === "leaky-relu" ? { alpha: layer.slope ?? 0.01 } : {}),
    ...(layer.of === "gelu-tanh" ? { approximate: "tanh" } : {}),
  };
  nodes.push(writeNode(ops[layer.of], [x.tensor], [to], more));
}

function writePool({ nodes }: Draft, layer: PoolLayer, x: Value, to: string): void {
  const { mode, window, countPads } = layer;
  const op = mode === "max" ? "MaxPool" : "AveragePool";
  if (window === null) {
    nodes.push(writeNode(`Global${op}`, [x.tensor], [to]));
    return;
  }
  const one = x.shape.length === 2;
  const pick = (list: readonly number[]): bigint[] =>
    big(one ? list.filter((_, i) => i % 2) : list);
  const { kernel, stride, pads } = window;
  const shape = { kernel_shape: pick(kernel), strides: pick(stride), pads: pick(pads) };
  const counted = mode === "average" && countPads ? { count_include_pad: 1n } : {};
  nodes.push(writeNode(op, [x.tensor], [to], { ...shape, ...counted }));
}
