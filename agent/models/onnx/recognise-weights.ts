//! Gemm, MatMul and Conv with INT2 or INT8 weights behind DequantizeLinear.
import { type Node, nodeName } from "./model.js";
import {
  bitsOfZero,
  byChannel,
  constant,
  integer,
  type Real,
  stepsOf,
  type Walk,
} from "./recognised.js";
import { shapeAfter } from "./shapes.js";
import { ELEMENT, floatsOf, int8sOf, transposeOf } from "./tensor.js";
import type { Pads, WeightedLayer } from "./ternary-net.js";

type Weights = {
  readonly dims: readonly number[];
  readonly weights: Int8Array;
  readonly ternary: boolean;
  readonly wScale: Float32Array;
};

export function readWeighted(walk: Walk, node: Node): Real | string {
  const x = stepsOf(walk, node);
  if (typeof x === "string") return x;
  const conv = node.op === "Conv";
  const turned = node.op === "MatMul" || (node.op === "Gemm" && integer(node, "transB", 0) === 0);
  const found = weightsOf(walk, node, turned);
  if (typeof found === "string") return found;
  const { dims, ...weights } = found;
  const rows = dims[0] ?? 0;
  const bias = biasOf(walk, node, rows);
  if (typeof bias === "string") return bias;
  const shared = { ...weights, bias, relu: false, outScale: null };
  let layer: WeightedLayer;
  if (conv) {
    const shape = convOf(node, dims, shared, x.shape.slice(1));
    if (typeof shape === "string") return shape;
    layer = shape;
  } else {
    const plain = ["alpha", "beta"].every((a) => (node.attributes.get(a)?.float ?? 1) === 1);
    if (dims.length !== 2 || integer(node, "transA", 0) !== 0 || !plain) {
      return `${nodeName(node)} has transA, alpha or beta, or weights that are no matrix`;
    }
    if (x.shape.length !== 1) return `${nodeName(node)} reads [${x.shape}]; put Flatten before it`;
    layer = { kind: "dense", rows, cols: dims[1] ?? 0, ...shared };
  }
  const shape = shapeAfter(layer, [x.shape]);
  if (typeof shape === "string") return `${nodeName(node)}: ${shape}`;
  return {
    ...{ form: "weighted", layer, sources: [x], shape },
    ...{ relu: false, ends: null, clipped: false, moves: [] },
  };
}

function weightsOf(walk: Walk, node: Node, asStored: boolean): Weights | string {
  const direct = walk.writers.get(node.inputs[1] ?? "");
  // A matrix may be turned behind its DequantizeLinear.
  const flip = direct !== undefined && isFlip(direct) ? direct : null;
  const back = flip === null ? direct : walk.writers.get(flip.inputs[0] ?? "");
  const turned = asStored !== (flip !== null);
  const tensor = back?.op === "DequantizeLinear" ? constant(walk, back, 0) : null;
  const scale = back === undefined ? null : constant(walk, back, 1);
  const scales = scale === null ? null : floatsOf(scale);
  const stored = tensor === null ? null : int8sOf(tensor);
  if (back === undefined || tensor === null || stored === null || scales === null) {
    return `${nodeName(node)} has no INT2 or INT8 weights behind DequantizeLinear`;
  }
  const zero = constant(walk, back, 2);
  const shifted = zero?.bytes.some((byte) => byte !== 0) ?? false;
  if (shifted || integer(back, "block_size", 0) !== 0) {
    return `the weights of ${nodeName(node)} have a zero point or blocks`;
  }
  if (turned && tensor.dims.length !== 2) return `the weights of ${nodeName(node)} are no matrix`;
  const dims = turned ? tensor.dims.toReversed() : tensor.dims;
  const count = dims[0] ?? 0;
  const rank = tensor.dims.length;
  const axis = (integer(back, "axis", 1) + rank) % Math.max(1, rank);
  const perChannel = scales.length === count && axis === (turned ? 1 : 0);
  if (!perChannel && scales.length !== 1) {
    const wrong = `${scales.length} scales for ${count} output channels`;
    return `the weights of ${nodeName(node)} have ${wrong}`;
  }
  walk.taken.add(back);
  if (flip !== null) walk.taken.add(flip);
  const wScale = perChannel ? scales : new Float32Array(count).fill(scales[0] ?? Number.NaN);
  const weights = turned ? transposeOf(stored, tensor.dims[0] ?? 0) : stored;
  return { dims, weights, ternary: tensor.type === ELEMENT.INT2, wScale };
}

/** A Transpose of a matrix. */
export function isFlip({ op, attributes }: Node): boolean {
  return op === "Transpose" && (attributes.get("perm")?.integers ?? [1, 0]).join() === "1,0";
}

function biasOf(walk: Walk, node: Node, count: number): Float32Array | string {
  if ((node.inputs[2] ?? "") === "") return new Float32Array(count);
  const tensor = constant(walk, node, 2);
  const bias = tensor === null ? wholeBias(walk, node) : floatsOf(tensor);
  if (bias !== null && bias.length === count) return bias;
  return `${nodeName(node)} has not one constant bias for each of ${count} output channels`;
}

/** A bias of int32 behind DequantizeLinear, as ONNX Runtime's own quantiser writes it. */
function wholeBias(walk: Walk, node: Node): Float32Array | null {
  const back = walk.writers.get(node.inputs[2] ?? "");
  const tensor = back?.op === "DequantizeLinear" ? constant(walk, back, 0) : null;
  const scale = back === undefined ? null : constant(walk, back, 1);
  const scales = scale === null ? null : floatsOf(scale);
  if (back === undefined || tensor?.type !== ELEMENT.INT32 || scales === null) return null;
  if (constant(walk, back, 2)?.bytes.some((byte) => byte !== 0)) return null;
  const values = new Int32Array(new Uint8Array(tensor.bytes).buffer);
  if (scales.length !== 1 && scales.length !== values.length) return null;
  walk.taken.add(back);
  return Float32Array.from(values, (v, i) => v * (scales[scales.length === 1 ? 0 : i] as number));
}

type Shared = Pick<WeightedLayer, "weights" | "ternary" | "wScale" | "bias" | "relu" | "outScale">;

function convOf(
  node: Node,
  dims: readonly number[],
  shared: Shared,
  from: readonly number[],
): WeightedLayer | string {
  const [filters = 0, channels = 0, ...kernel] = dims;
  if (kernel.length < 1 || kernel.length > 2) return `${nodeName(node)} is not 1-D or 2-D`;
  const sides = windowOf(node, kernel, from);
  if (typeof sides === "string") return sides;
  const { stride, dilation, pads } = sides;
  const groups = integer(node, "group", 1);
  if (!(groups >= 1)) return `${nodeName(node)} has ${groups} groups`;
  if (kernel.length === 2) {
    const [kh = 1, kw = 1] = kernel;
    return { kind: "conv2d", filters, channels, kernel: [kh, kw], ...sides, groups, ...shared };
  }
  const [, pad, , padEnd] = pads;
  return {
    ...{ kind: "conv1d", filters, channels, kernel: kernel[0] ?? 1, stride: stride[1], pad },
    ...(padEnd === pad ? {} : { padEnd }),
    ...(dilation[1] === 1 ? {} : { dilation: dilation[1] }),
    ...(groups === 1 ? {} : { groups }),
    ...shared,
  };
}

/**
 * Strides, dilations and pads of a Conv or a pool over the sides `from`; one dimension is the second
 * of two.
 */
export function windowOf(node: Node, kernel: readonly number[], from: readonly number[]) {
  const list = (name: string): readonly number[] => node.attributes.get(name)?.integers ?? [];
  const rank = kernel.length;
  const pair = (values: readonly number[]): [number, number] =>
    rank === 2 ? [values[0] ?? 1, values[1] ?? 1] : [1, values[0] ?? 1];
  const [stride, dilation] = [pair(list("strides")), pair(list("dilations"))];
  const stated = paddedBy(node, kernel, from) ?? list("pads");
  const around = stated.length === 0 ? new Array<number>(2 * rank).fill(0) : stated;
  const [a = 0, b = 0, c = 0, d = 0] = around;
  const pads: Pads = rank === 2 ? [a, b, c, d] : [0, a, 0, b];
  const size = list("kernel_shape");
  const sane = [...stride, ...dilation].every((n) => n >= 1 && n < 2 ** 20);
  const fits = size.length === 0 || size.join() === kernel.join();
  if (around.length !== 2 * rank || !sane || !fits || !pads.every((n) => n >= 0 && n <= 2 ** 16)) {
    return `${nodeName(node)} has pads, strides or sizes that do not fit`;
  }
  return { stride, dilation, pads };
}

/** The pads of auto_pad; null where it says nothing. SAME: as many places as strides, halves behind. */
function paddedBy(node: Node, kernel: readonly number[], from: readonly number[]) {
  const auto = node.attributes.get("auto_pad")?.text ?? "";
  if (auto === "" || auto === "NOTSET") return null;
  if (auto === "VALID") return [];
  const at = (name: string, i: number): number => node.attributes.get(name)?.integers[i] ?? 1;
  const all = kernel.map((size, i) => {
    const [side, stride] = [from[i] ?? 0, at("strides", i)];
    const span = (size - 1) * at("dilations", i) + 1;
    return Math.max(0, (Math.ceil(side / stride) - 1) * stride + span - side);
  });
  const before = all.map((pad) =>
    auto === "SAME_LOWER" ? Math.ceil(pad / 2) : Math.floor(pad / 2),
  );
  return [...before, ...all.map((pad, i) => pad - (before[i] as number))];
}

/** Add of a constant after a product without a bias. */
export function withBias(walk: Walk, node: Node, real: Real, at: number): Real | string {
  if (real.form !== "weighted" || real.layer.bias.some((b) => b !== 0)) {
    return `${nodeName(node)} adds to a layer that has a bias`;
  }
  const found = byChannel(constant(walk, node, at), real.shape);
  const count = real.layer.bias.length;
  if (found === null) return `${nodeName(node)} adds no constant of one value a channel`;
  const bias = found.length === 1 ? new Float32Array(count).fill(found[0] ?? 0) : found;
  return { ...real, layer: { ...real.layer, bias } };
}

/** Of the zero point of a QuantizeLinear or DequantizeLinear. */
export function stepBits(walk: Walk, node: Node): 8 | 16 | null {
  return bitsOfZero(constant(walk, node, 2));
}
