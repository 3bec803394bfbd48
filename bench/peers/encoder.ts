//! ONNX Runtime as the peer of an encoder: the same shape as an ordinary fp32 file, its attention one
//! fused operator (com.microsoft.MultiHeadAttention) or the standard ones, and as the dynamic int8
//! that its own quantiser makes: int8 weights by channel, steps of x measured in each call.
import { ELEMENT } from "../../agent/models/onnx/tensor.js";
import {
  floatTensor,
  type WriteAttribute,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";

export type PeerEncoder = {
  readonly sequence: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly depth: number;
};

export type EncoderForm = "fp32, fused attention" | "fp32, standard operators" | "dynamic int8";

type Draft = {
  readonly nodes: Uint8Array[];
  readonly tensors: Uint8Array[];
  readonly form: EncoderForm;
  /** Values that are int8 steps already: queries, keys and values share those of one x. */
  readonly stepped: Set<string>;
};

export function peerEncoder(shape: PeerEncoder, form: EncoderForm): Uint8Array {
  const { sequence, width, depth } = shape;
  const draft: Draft = { nodes: [], tensors: [], form, stepped: new Set() };
  const { tensors } = draft;
  tensors.push(
    ints("apart", [0, 0, shape.heads, width / shape.heads]),
    ints("joined", [0, 0, width]),
  );
  tensors.push(floatTensor("root", [], Float32Array.of(Math.sqrt(width / shape.heads))));
  let x = "x";
  for (let i = 0; i < depth; i++) x = layer(draft, shape, x, `${i}`);
  node(draft, "Identity", [x], "out");
  const inputs = [writeValueInfo("x", ELEMENT.FLOAT, [sequence, width])];
  const outputs = [writeValueInfo("out", ELEMENT.FLOAT, [sequence, width])];
  const opsets = { "": 21, "com.microsoft": 1 };
  const { nodes } = draft;
  return writeModel({ name: "encoder", nodes, tensors, inputs, outputs }, opsets, []);
}

function layer(draft: Draft, shape: PeerEncoder, x: string, key: string): string {
  const { width, hidden } = shape;
  const [q, k, v] = ["q", "k", "v"].map((name) => matmul(draft, x, `${name}${key}`, width, width));
  const inner = [q, k, v] as [string, string, string];
  const attended =
    draft.form === "fp32, standard operators"
      ? standard(draft, inner, key)
      : oneNode(draft, shape, inner, key);
  const out = matmul(draft, attended, `o${key}`, width, width);
  const mid = norm(draft, [x, out], `m${key}`, width);
  const up = matmul(draft, mid, `u${key}`, hidden, width);
  const gelu = node(draft, "Gelu", [up], `g${key}`, { approximate: "tanh" });
  return norm(draft, [mid, matmul(draft, gelu, `d${key}`, width, hidden)], `n${key}`, width);
}

function oneNode(draft: Draft, { heads }: PeerEncoder, inner: readonly string[], key: string) {
  const attributes = { num_heads: BigInt(heads) };
  return node(draft, "MultiHeadAttention", inner, `a${key}`, attributes, "com.microsoft");
}

function standard(draft: Draft, [q, k, v]: readonly [string, string, string], key: string): string {
  const turned = [q, k, v].map((from, i) => {
    const apart = node(draft, "Reshape", [from, "apart"], `r${i}_${key}`);
    const perm = i === 1 ? [0n, 2n, 3n, 1n] : [0n, 2n, 1n, 3n];
    return node(draft, "Transpose", [apart], `t${i}_${key}`, { perm });
  });
  const [tq = "", tk = "", tv = ""] = turned;
  const scores = node(draft, "MatMul", [tq, tk], `s${key}`);
  const scaled = node(draft, "Div", [scores, "root"], `sc${key}`);
  const weights = node(draft, "Softmax", [scaled], `w${key}`, { axis: -1n });
  const blended = node(draft, "MatMul", [weights, tv], `b${key}`);
  const back = node(draft, "Transpose", [blended], `bt${key}`, { perm: [0n, 2n, 1n, 3n] });
  return node(draft, "Reshape", [back, "joined"], `a${key}`);
}

function norm(draft: Draft, [a, b]: readonly [string, string], key: string, width: number): string {
  const sum = node(draft, "Add", [a, b], `sum${key}`);
  draft.tensors.push(floatTensor(`gain${key}`, [width], new Float32Array(width).fill(1)));
  draft.tensors.push(floatTensor(`offset${key}`, [width], new Float32Array(width)));
  const inputs = [sum, `gain${key}`, `offset${key}`];
  return node(draft, "LayerNormalization", inputs, `norm${key}`, { axis: -1n, epsilon: 1e-5 });
}

function matmul(draft: Draft, x: string, key: string, rows: number, cols: number): string {
  const { tensors } = draft;
  const steps = Int8Array.from({ length: rows * cols }, (_, i) => ((i * 7919) % 255) - 127);
  const scale = 1 / (80 * Math.sqrt(cols));
  tensors.push(floatTensor(`bias_${key}`, [rows], new Float32Array(rows).fill(0.01)));
  const weights = `weights_${key}`;
  if (draft.form !== "dynamic int8") {
    const values = Float32Array.from(steps, (step) => step * scale);
    tensors.push(floatTensor(weights, [cols, rows], values));
    const product = node(draft, "MatMul", [x, weights], `product_${key}`);
    return node(draft, "Add", [product, `bias_${key}`], `y_${key}`);
  }
  tensors.push(writeTensor(weights, [cols, rows], ELEMENT.INT8, new Uint8Array(steps.buffer)));
  tensors.push(floatTensor(`scale_${key}`, [rows], new Float32Array(rows).fill(scale)));
  const [q, by, zero] = [`steps_${x}`, `by_${x}`, `zero_${x}`] as const;
  if (!draft.stepped.has(x)) {
    draft.stepped.add(x);
    draft.nodes.push(writeNode("DynamicQuantizeLinear", [x], [q, by, zero]));
  }
  const sums = node(draft, "MatMulInteger", [q, weights, zero], `sums_${key}`);
  const floats = node(draft, "Cast", [sums], `floats_${key}`, { to: 1n });
  const scales = node(draft, "Mul", [by, `scale_${key}`], `scales_${key}`);
  const product = node(draft, "Mul", [floats, scales], `product_${key}`);
  return node(draft, "Add", [product, `bias_${key}`], `y_${key}`);
}

function node(
  draft: Draft,
  op: string,
  inputs: readonly string[],
  to: string,
  attributes: Readonly<Record<string, WriteAttribute>> = {},
  domain = "",
): string {
  draft.nodes.push(writeNode(op, inputs, [to], attributes, domain));
  return to;
}

function ints(name: string, values: readonly number[]): Uint8Array {
  const whole = BigInt64Array.from(values, BigInt);
  return writeTensor(name, [values.length], ELEMENT.INT64, new Uint8Array(whole.buffer));
}
