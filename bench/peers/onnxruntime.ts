//! ONNX Runtime as the peer of the kernels: the same shapes as fp32, as static int8 (QDQ, which it
//! fuses), as dynamic int8, and with weights of 2 and 4 bits (MatMulNBits), each a file of its own
//! form. Its native call is used without the promise of its public run(), which would cost it some
//! microseconds.
import { createRequire } from "node:module";
import { type Prng, prng } from "../../agent/base/prng.js";
import { ELEMENT } from "../../agent/models/onnx/tensor.js";
import {
  floatTensor,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";

/** The ternary networks of the bench in words; channels-first, as ONNX has them. */
export type PeerLayer =
  | { readonly kind: "dense"; readonly rows: number; readonly cols: number }
  | {
      readonly kind: "conv";
      readonly rows: number;
      readonly cols: number;
      readonly kernel: number;
      readonly stride: number;
      readonly pad: number;
    }
  | {
      readonly kind: "conv2d";
      readonly rows: number;
      /** Weights of one filter, over the channels of its group. */
      readonly cols: number;
      readonly kernel: readonly [number, number];
      readonly stride: readonly [number, number];
      readonly pads: readonly [number, number, number, number];
      readonly groups: number;
    }
  /** The average of all places. */
  | { readonly kind: "pool" };
type Weighted = Exclude<PeerLayer, { kind: "pool" }>;
export const FORMS = ["fp32", "static int8", "dynamic int8"] as const;
/** Fewer bytes of weights, which pays for one row of x: blocks of 128 with a scale, int8 sums. */
export const FEW_BITS = ["2-bit weights", "4-bit weights"] as const;
export type Form = (typeof FORMS)[number] | (typeof FEW_BITS)[number];

const UINT8 = 2;
type Draft = { readonly nodes: Uint8Array[]; readonly tensors: Uint8Array[] };

/** `shape` is the input without its batch; dynamic int8 and few bits exist for dense layers alone. */
export function peerModel(
  layers: readonly PeerLayer[],
  shape: readonly number[],
  form: Form,
): Uint8Array {
  const random = prng(1, "peer");
  const draft: Draft = { nodes: [], tensors: [floatTensor("s", [], Float32Array.of(0.02))] };
  draft.tensors.push(writeTensor("z", [], UINT8, Uint8Array.of(128)));
  draft.tensors.push(writeTensor("low", [], UINT8, Uint8Array.of(0)));
  let value = "x";
  let flat = shape.length === 1;
  const node = (op: string, inputs: readonly string[], to: string, more = {}): string => {
    draft.nodes.push(writeNode(op, inputs, [to], more));
    return to;
  };
  // After a Relu steps begin at 0, so that the runtime drops the Relu.
  const stepped = (from: string, key: string, zero: "z" | "low"): string => {
    if (form !== "static int8") return from;
    const steps = node("QuantizeLinear", [from, "s", zero], `q${key}`);
    return node("DequantizeLinear", [steps, "s", zero], `d${key}`);
  };
  value = stepped(value, "in", "z");
  for (const [i, layer] of layers.entries()) {
    if (layer.kind === "pool") {
      value = stepped(node("GlobalAveragePool", [value], `y${i}`), `${i}`, "low");
      continue;
    }
    if (layer.kind === "dense" && !flat) {
      value = node("Flatten", [value], `f${i}`, { axis: 1n });
      flat = true;
    }
    if (form === "dynamic int8") value = dynamicDense(draft, random, layer, value, i);
    else if (form === "2-bit weights" || form === "4-bit weights") {
      value = fewBitsDense(draft, random, layer, value, i, form === "2-bit weights" ? 2 : 4);
    } else {
      const w = weight(draft, random, layer, i, form);
      const b = bias(draft, layer.rows, i, form);
      const op = layer.kind === "dense" ? "Gemm" : "Conv";
      value = node(op, [value, w, b], `y${i}`, attributesOf(layer));
    }
    const last = i === layers.length - 1;
    if (!last) value = node("Relu", [value], `r${i}`);
    value = stepped(value, `${i}`, last ? "z" : "low");
  }
  node("Identity", [value], "out");
  const inputs = [writeValueInfo("x", ELEMENT.FLOAT, shape)];
  // Sizes of the output do not matter to the runtime: it infers them.
  const end = layers.at(-1);
  const outputs = [writeValueInfo("out", ELEMENT.FLOAT, [end?.kind === "dense" ? end.rows : 0])];
  const opsets = { "": 21, "com.microsoft": 1 };
  return writeModel({ name: "peer", ...draft, inputs, outputs }, opsets, []);
}

function attributesOf(layer: Weighted) {
  const big = (sizes: readonly number[]) => sizes.map(BigInt);
  if (layer.kind === "dense") return { transB: 1n };
  if (layer.kind === "conv2d") {
    const { kernel, stride, pads, groups } = layer;
    const rest = { pads: big(pads), group: BigInt(groups) };
    return { kernel_shape: big(kernel), strides: big(stride), ...rest };
  }
  const pads = big([layer.pad, layer.pad]);
  return { kernel_shape: [BigInt(layer.kernel)], strides: [BigInt(layer.stride)], pads };
}

function dimsOf(layer: Weighted): readonly number[] {
  const { rows, cols } = layer;
  if (layer.kind === "dense") return [rows, cols];
  const kernel = layer.kind === "conv" ? [layer.kernel] : layer.kernel;
  return [rows, cols / kernel.reduce((a, b) => a * b, 1), ...kernel];
}

function weight(draft: Draft, random: Prng, layer: Weighted, i: number, form: Form): string {
  const { rows, cols } = layer;
  const dims = dimsOf(layer);
  const values = Int8Array.from(
    { length: rows * cols },
    () => Math.floor(random.next() * 255) - 127,
  );
  if (form === "fp32") {
    draft.tensors.push(
      floatTensor(
        `w${i}`,
        dims,
        Float32Array.from(values, (v) => v / 500),
      ),
    );
    return `w${i}`;
  }
  draft.tensors.push(writeTensor(`w${i}`, dims, ELEMENT.INT8, new Uint8Array(values.buffer)));
  draft.tensors.push(floatTensor(`ws${i}`, [rows], new Float32Array(rows).fill(0.002)));
  const zeros = writeTensor(`wz${i}`, [rows], ELEMENT.INT8, new Uint8Array(rows));
  draft.tensors.push(zeros);
  const inputs = [`w${i}`, `ws${i}`, `wz${i}`];
  draft.nodes.push(writeNode("DequantizeLinear", inputs, [`dw${i}`], { axis: 0n }));
  return `dw${i}`;
}

/** Fused with its layer only as int32 steps of input times weight. */
function bias(draft: Draft, rows: number, i: number, form: Form): string {
  const { nodes, tensors } = draft;
  if (form === "fp32") {
    tensors.push(floatTensor(`b${i}`, [rows], new Float32Array(rows)));
    return `b${i}`;
  }
  tensors.push(writeTensor(`b${i}`, [rows], ELEMENT.INT32, new Uint8Array(4 * rows)));
  tensors.push(floatTensor(`bs${i}`, [rows], new Float32Array(rows).fill(0.02 * 0.002)));
  nodes.push(writeNode("DequantizeLinear", [`b${i}`, `bs${i}`], [`db${i}`], { axis: 0n }));
  return `db${i}`;
}

function dynamicDense(
  draft: Draft,
  random: Prng,
  layer: Weighted,
  from: string,
  i: number,
): string {
  const { rows, cols } = layer;
  const values = Int8Array.from(
    { length: rows * cols },
    () => Math.floor(random.next() * 255) - 127,
  );
  const { nodes, tensors } = draft;
  tensors.push(writeTensor(`w${i}`, [cols, rows], ELEMENT.INT8, new Uint8Array(values.buffer)));
  tensors.push(floatTensor(`ws${i}`, [rows], new Float32Array(rows).fill(0.002)));
  nodes.push(writeNode("DynamicQuantizeLinear", [from], [`q${i}`, `qs${i}`, `qz${i}`]));
  nodes.push(writeNode("MatMulInteger", [`q${i}`, `w${i}`, `qz${i}`], [`m${i}`]));
  nodes.push(writeNode("Cast", [`m${i}`], [`c${i}`], { to: 1n }));
  nodes.push(writeNode("Mul", [`qs${i}`, `ws${i}`], [`k${i}`]));
  nodes.push(writeNode("Mul", [`c${i}`, `k${i}`], [`y${i}`]));
  return `y${i}`;
}

const BLOCK = 128;

function fewBitsDense(
  draft: Draft,
  random: Prng,
  { rows, cols }: Weighted,
  from: string,
  i: number,
  bits: 2 | 4,
): string {
  const { nodes, tensors } = draft;
  const blocks = cols / BLOCK;
  const dims = [rows, blocks, (BLOCK * bits) / 8];
  const codes = Uint8Array.from({ length: (rows * cols * bits) / 8 }, () => random.next() * 256);
  tensors.push(writeTensor(`w${i}`, dims, UINT8, codes));
  const scales = new Float32Array(rows * blocks).fill(0.002);
  tensors.push(floatTensor(`ws${i}`, [rows * blocks], scales));
  const sizes = { K: BigInt(cols), N: BigInt(rows), bits: BigInt(bits), block_size: BigInt(BLOCK) };
  // 4: it may turn x into int8, its fastest way.
  const attributes = { ...sizes, accuracy_level: 4n };
  const inputs = [from, `w${i}`, `ws${i}`];
  nodes.push(writeNode("MatMulNBits", inputs, [`y${i}`], attributes, "com.microsoft"));
  return `y${i}`;
}

type Session = {
  loadModel(buffer: ArrayBufferLike, at: number, length: number, options: object): void;
  run(feeds: object, fetches: object, options: object): object;
  dispose(): void;
};
type Binding = {
  readonly binding: { readonly InferenceSession: new () => Session };
  readonly initOrt: () => void;
};
type Ort = { Tensor: new (type: string, data: Float32Array, dims: readonly number[]) => unknown };

const require = createRequire(import.meta.url);

function open(model: Uint8Array, threads: number): Session {
  const runtime = require("onnxruntime-node/dist/binding.js") as Binding;
  runtime.initOrt();
  const session = new runtime.binding.InferenceSession();
  const options = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    logSeverityLevel: 4,
  };
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
  return session;
}

/** Bytes of the file to a session, which is let go again. */
export function peerLoad(model: Uint8Array, threads: number): () => void {
  return () => open(model, threads).dispose();
}

export type PeerOutput = { readonly out: { readonly data: Float32Array } };

/** One inference of the peer, its input in place. */
export function peerRun(
  model: Uint8Array,
  dims: readonly number[],
  threads: number,
): () => PeerOutput {
  const { Tensor } = require("onnxruntime-node") as Ort;
  const session = open(model, threads);
  const size = dims.reduce((a, b) => a * b, 1);
  const random = prng(2, "peer");
  const x = Float32Array.from({ length: size }, () => random.normal());
  const feeds = { x: new Tensor("float32", x, dims) };
  return () => session.run(feeds, { out: null }, {}) as PeerOutput;
}
