//! Writes a TernaryNet as an ordinary ONNX file, opset 25: INT2 (or INT8) weights behind
//! DequantizeLinear, Gemm or Conv, activations through Clip and QuantizeLinear/DequantizeLinear.
//! ONNX Runtime 1.30 loads this form at every optimization level: a dense layer because it is Gemm,
//! a Conv because Clip or Relu keeps it from being fused with the QuantizeLinear after it.
import { assert } from "../../base/errors.js";
import { writePorts } from "./meta.js";
import { ELEMENT, packInt2 } from "./tensor.js";
import { channelsOut, convLength, type NetLayer, type TernaryNet } from "./ternary-net.js";
import {
  floatTensor,
  type WriteAttribute,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "./write.js";

const OPSET = 25;

type Draft = { readonly nodes: Uint8Array[]; readonly tensors: Uint8Array[] };

/** The net must be well formed: a wrong size is a mistake of the training script. */
export function writeTernaryNet(net: TernaryNet): Uint8Array {
  const draft: Draft = { nodes: [], tensors: [] };
  const zero = new Uint8Array(1);
  draft.tensors.push(writeTensor("zero", [], ELEMENT.INT8, zero));
  let shape = net.input.shape;
  let scale = net.input.scale;
  let value = quantise(draft, net.input.name, scale, "in", true);
  net.layers.forEach((layer, i) => {
    const last = i === net.layers.length - 1;
    assert(last || layer.outScale !== null, `layer ${i}: only the last may have no outScale`);
    if (layer.kind === "dense" && shape.length > 1) {
      draft.nodes.push(writeNode("Flatten", [value], [`flat${i}`], { axis: 1n }));
      value = `flat${i}`;
    }
    shape = shapeOut(layer, shape, i);
    const real = last && layer.outScale === null ? net.output.name : `real${i}`;
    writeLayer(draft, layer, value, real, i, scale);
    if (layer.outScale === null) return;
    const name = last ? net.output.name : `step${i}`;
    value = quantise(draft, real, layer.outScale, `${i}`, !layer.relu, name);
    scale = layer.outScale;
  });
  const { input, output, meta } = net;
  const graph = {
    name: "sterna",
    ...draft,
    inputs: [writeValueInfo(input.name, ELEMENT.FLOAT, input.shape)],
    outputs: [writeValueInfo(output.name, ELEMENT.FLOAT, shape)],
  };
  return writeModel(graph, { "": OPSET }, [
    ["sterna.inputs", writePorts([input])],
    ["sterna.outputs", writePorts([output])],
    ["sterna.version", meta.version],
    ["sterna.training", meta.training],
    ...Object.entries(meta.facts).map(([k, v]): [string, string] => [`sterna.${k}`, v]),
  ]);
}

/** Clip, QuantizeLinear, DequantizeLinear. -128 never occurs: it is clipped away, or relu is. */
function quantise(
  draft: Draft,
  from: string,
  scale: number,
  key: string,
  clip: boolean,
  to = `step_${key}`,
): string {
  const { nodes, tensors } = draft;
  const step = Math.fround(scale);
  tensors.push(floatTensor(`scale_${key}`, [], Float32Array.of(step)));
  let source = from;
  if (clip) {
    tensors.push(floatTensor(`low_${key}`, [], Float32Array.of(-127 * step)));
    tensors.push(floatTensor(`high_${key}`, [], Float32Array.of(127 * step)));
    source = `clip_${key}`;
    nodes.push(writeNode("Clip", [from, `low_${key}`, `high_${key}`], [source]));
  }
  nodes.push(writeNode("QuantizeLinear", [source, `scale_${key}`, "zero"], [`int_${key}`]));
  nodes.push(writeNode("DequantizeLinear", [`int_${key}`, `scale_${key}`, "zero"], [to]));
  return to;
}

function writeLayer(
  draft: Draft,
  layer: NetLayer,
  from: string,
  to: string,
  i: number,
  inScale: number,
): void {
  const { nodes, tensors } = draft;
  const count = channelsOut(layer);
  const dims =
    layer.kind === "dense"
      ? [layer.rows, layer.cols]
      : [layer.filters, layer.channels, layer.kernel];
  const size = dims.reduce((a, b) => a * b, 1);
  assert(layer.weights.length === size, `layer ${i}: ${size} weights expected`);
  assert(layer.wScale.length === count, `layer ${i}: ${count} weight scales expected`);
  assert(layer.bias.length === count, `layer ${i}: ${count} biases expected`);
  tensors.push(weightTensor(`weight${i}`, dims, layer));
  const scales = usableScales(layer, inScale);
  tensors.push(floatTensor(`wscale${i}`, [count], scales));
  tensors.push(floatTensor(`bias${i}`, [count], snapBias(layer, scales, inScale)));
  const scaled = [`weight${i}`, `wscale${i}`];
  nodes.push(writeNode("DequantizeLinear", scaled, [`w${i}`], { axis: 0n }));
  const sum = layer.relu ? `sum${i}` : to;
  const op = layer.kind === "dense" ? "Gemm" : "Conv";
  nodes.push(writeNode(op, [from, `w${i}`, `bias${i}`], [sum], attributesOf(layer)));
  if (layer.relu) nodes.push(writeNode("Relu", [sum], [to]));
}

function weightTensor(name: string, dims: readonly number[], layer: NetLayer): Uint8Array {
  const least = layer.ternary ? -1 : -127;
  for (const weight of layer.weights) {
    assert(weight >= least && weight <= -least, `${name}: weight ${weight} is out of range`);
  }
  if (layer.ternary) return writeTensor(name, dims, ELEMENT.INT2, packInt2(layer.weights));
  const bytes = new Uint8Array(layer.weights.slice().buffer);
  return writeTensor(name, dims, ELEMENT.INT8, bytes);
}

function attributesOf(layer: NetLayer): Record<string, WriteAttribute> {
  if (layer.kind === "dense") return { transB: 1n };
  const { kernel, stride, pad } = layer;
  return {
    kernel_shape: [BigInt(kernel)],
    strides: [BigInt(stride)],
    pads: [BigInt(pad), BigInt(pad)],
  };
}

/** Training leaves a row of zeros any scale; one too small overflows ONNX Runtime's int32 bias. */
function usableScales(layer: NetLayer, inScale: number): Float32Array {
  const cols = layer.weights.length / layer.wScale.length;
  return layer.wScale.map((scale, row) => {
    const bias = Math.abs(layer.bias[row] as number);
    if (bias < scale * inScale * 2 ** 24) return scale;
    const dead = layer.weights.subarray(row * cols, (row + 1) * cols).every((w) => w === 0);
    return dead ? (bias || 1) / 2 ** 16 / inScale : scale;
  });
}

/** Biases on the grid of the sums, so that ONNX Runtime adds what the integer path adds. */
function snapBias(layer: NetLayer, scales: Float32Array, inScale: number): Float32Array {
  return layer.bias.map((bias, row) => {
    const unit = (scales[row] as number) * Math.fround(inScale);
    return unit > 0 && Math.abs(bias / unit) < 2 ** 31 ? Math.round(bias / unit) * unit : bias;
  });
}

function shapeOut(layer: NetLayer, shape: readonly number[], i: number): readonly number[] {
  if (layer.kind === "dense") {
    const size = shape.reduce((a, b) => a * b, 1);
    assert(size === layer.cols, `layer ${i}: ${layer.cols} columns, but ${size} values come in`);
    return [layer.rows];
  }
  const [channels = 0, length = 0] = shape;
  assert(shape.length === 2 && channels === layer.channels, `layer ${i}: wrong input channels`);
  const places = convLength(layer, length);
  assert(places > 0, `layer ${i}: the kernel is longer than its input`);
  return [layer.filters, places];
}
