//! Writes an encoder as an ordinary ONNX file, opset 25: what recognise-encoder.ts reads, and what a
//! training script would export. INT2 weights behind DequantizeLinear, static steps by Clip,
//! QuantizeLinear and DequantizeLinear before each MatMul, standard operators for the rest.
import type { EncoderPlan, Norm, Projection } from "../../accel/encoder.js";
import { ELEMENT, packInt2 } from "./tensor.js";
import {
  floatTensor,
  type WriteAttribute,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "./write.js";

const OPSET = 25;

export type EncoderDraft = {
  readonly nodes: Uint8Array[];
  readonly tensors: Uint8Array[];
  readonly limit: number;
  readonly turned: boolean;
};
type Draft = EncoderDraft;

/** What exporters write in many ways; each gives the name of what it writes. */
export type Spelling = {
  /** The scores divided by `root`, and masked: of four sides `[batch, heads, places, places]`. */
  readonly scores?: (draft: Draft, q: string, k: string, key: string) => string;
  readonly activation?: (draft: Draft, from: string, key: string) => string;
  /** Queries, keys and values of the steps `x`. */
  readonly inner?: (draft: Draft, x: string, all: Projection, key: string) => readonly string[];
  /** Of those three `[batch, places, width]`: what the projection behind the attention reads. */
  readonly attention?: (draft: Draft, inner: readonly string[], key: string) => string;
  readonly norm?: (draft: Draft, plan: EncoderPlan, norm: Norm, from: string, to: string) => string;
  readonly product?: (draft: Draft, x: string, projection: Projection, key: string) => string;
  /** Weights `[out, in]` behind a Transpose, as nn.Linear has them. */
  readonly turned?: boolean;
  /** The input of the mask. */
  readonly mask?: Uint8Array;
};

export function writeEncoder(plan: EncoderPlan, spelling: Spelling = {}): Uint8Array {
  const { sequence, width, heads, limit } = plan;
  const draft: Draft = { nodes: [], tensors: [], limit, turned: spelling.turned ?? false };
  const { tensors } = draft;
  tensors.push(writeTensor("zero", [], ELEMENT.INT8, new Uint8Array(1)));
  tensors.push(int64s("apart", [0, 0, heads, width / heads]), int64s("joined", [0, 0, width]));
  tensors.push(floatTensor("root", [], Float32Array.of(Math.sqrt(width / heads))));
  const pre = plan.order === "pre";
  const { mask = writeValueInfo("mask", ELEMENT.FLOAT, [sequence]) } = spelling;
  if (plan.masked) {
    tensors.push(int64s("sides", [1, 2]));
    if (spelling.scores === undefined) node(draft, "Unsqueeze", ["mask", "sides"], "keys");
  }
  if (plan.causal) tensors.push(floatTensor("order", [sequence, sequence], orderOf(sequence)));
  const {
    scores = (_, q, k, key) => scoresOf(draft, plan, q, k, key),
    activation = (_, from, key) => activeOf(draft, plan, from, key),
    norm = writeNorm,
    product = writeProduct,
    inner: innerOf = (_, x, all, key) =>
      ["q", "k", "v"].map((name, part) => product(draft, x, third(all, part), `${name}${key}`)),
    attention = (_, three, key) => attentionOf(draft, three, key, scores),
  } = spelling;
  let value = "x";
  for (const [i, layer] of plan.layers.entries()) {
    const key = `${i}`;
    const normed = pre ? norm(draft, plan, layer.norms[0], value, `first${key}`) : value;
    const x = writeSteps(draft, normed, layer.in, `x${key}`);
    const context = attention(draft, innerOf(draft, x, layer.in, key), key);
    const out = product(
      draft,
      writeSteps(draft, context, layer.out, `mixed${key}`),
      layer.out,
      `o${key}`,
    );
    const sum = node(draft, "Add", [value, out], `sum${key}`);
    const mid = pre ? sum : norm(draft, plan, layer.norms[0], sum, `mid${key}`);
    const reads = pre ? norm(draft, plan, layer.norms[1], mid, `second${key}`) : mid;
    const up = product(draft, writeSteps(draft, reads, layer.up, `u${key}`), layer.up, `up${key}`);
    const active = activation(draft, up, key);
    const down = product(
      draft,
      writeSteps(draft, active, layer.down, `d${key}`),
      layer.down,
      `down${key}`,
    );
    const last = i === plan.layers.length - 1 && plan.end === null;
    const to = last ? "y" : `y${key}`;
    value = node(draft, "Add", [mid, down], pre ? to : `both${key}`);
    if (!pre) value = norm(draft, plan, layer.norms[1], value, to);
  }
  if (plan.end !== null) norm(draft, plan, plan.end, value, "y");
  const { nodes } = draft;
  const x = writeValueInfo("x", ELEMENT.FLOAT, [sequence, width]);
  const inputs = plan.masked ? [x, mask] : [x];
  const outputs = [writeValueInfo("y", ELEMENT.FLOAT, [sequence, width])];
  return writeModel({ name: "sterna", nodes, tensors, inputs, outputs }, { "": OPSET }, []);
}

function activeOf(draft: Draft, { activation }: EncoderPlan, from: string, key: string): string {
  if (activation === "relu") return node(draft, "Relu", [from], `active${key}`);
  const approximate = activation === "gelu" ? "none" : "tanh";
  return node(draft, "Gelu", [from], `active${key}`, { approximate });
}

function scoresOf(draft: Draft, plan: EncoderPlan, q: string, k: string, key: string): string {
  const scores = node(draft, "MatMul", [q, k], `scores${key}`);
  const scaled = node(draft, "Div", [scores, "root"], `scaled${key}`);
  const masked = plan.masked ? node(draft, "Add", [scaled, "keys"], `masked${key}`) : scaled;
  return plan.causal ? node(draft, "Add", [masked, "order"], `ordered${key}`) : masked;
}

/** What is added so that a place sees none behind it. */
function orderOf(sequence: number): Float32Array {
  return Float32Array.from({ length: sequence * sequence }, (_, i) => {
    return i % sequence > Math.floor(i / sequence) ? Number.NEGATIVE_INFINITY : 0;
  });
}

/** Queries, keys or values of the one projection that has them all. */
function third({ rows, cols, weights, scale, bias, inverse }: Projection, part: number) {
  const share = rows / 3;
  const [from, to] = [part * share, (part + 1) * share];
  return {
    ...{ rows: share, cols, inverse, weights: weights.subarray(from * cols, to * cols) },
    ...{ scale: scale.subarray(from, to), bias: bias.subarray(from, to) },
  };
}

function attentionOf(
  draft: Draft,
  inner: readonly string[],
  key: string,
  scores: NonNullable<Spelling["scores"]>,
): string {
  const [q = "", k = "", v = ""] = inner.map((from, i) => {
    const apart = node(draft, "Reshape", [from, "apart"], `apart${i}_${key}`);
    const perm = i === 1 ? [0n, 2n, 3n, 1n] : [0n, 2n, 1n, 3n];
    return node(draft, "Transpose", [apart], `turned${i}_${key}`, { perm });
  });
  const soft = node(draft, "Softmax", [scores(draft, q, k, key)], `soft${key}`, { axis: -1n });
  const blend = node(draft, "MatMul", [soft, v], `blend${key}`);
  const back = node(draft, "Transpose", [blend], `back${key}`, { perm: [0n, 2n, 1n, 3n] });
  return node(draft, "Reshape", [back, "joined"], `context${key}`);
}

function writeNorm(
  draft: Draft,
  { epsilon, norm: kind }: EncoderPlan,
  { gain, offset }: Norm,
  from: string,
  to: string,
): string {
  draft.tensors.push(floatTensor(`gain_${to}`, [gain.length], gain));
  const attributes = { axis: -1n, epsilon };
  if (kind === "rms") return node(draft, "RMSNormalization", [from, `gain_${to}`], to, attributes);
  draft.tensors.push(floatTensor(`offset_${to}`, [offset.length], offset));
  const inputs = [from, `gain_${to}`, `offset_${to}`];
  return node(draft, "LayerNormalization", inputs, to, attributes);
}

export function writeSteps(
  draft: Draft,
  from: string,
  { inverse }: Projection,
  key: string,
): string {
  const { tensors, limit } = draft;
  const step = Math.fround(1 / inverse);
  tensors.push(floatTensor(`step_${key}`, [], Float32Array.of(step)));
  tensors.push(floatTensor(`low_${key}`, [], Float32Array.of(-limit * step)));
  tensors.push(floatTensor(`high_${key}`, [], Float32Array.of(limit * step)));
  const clipped = node(draft, "Clip", [from, `low_${key}`, `high_${key}`], `clip_${key}`);
  const int = node(draft, "QuantizeLinear", [clipped, `step_${key}`, "zero"], `int_${key}`);
  return node(draft, "DequantizeLinear", [int, `step_${key}`, "zero"], `steps_${key}`);
}

export function writeProduct(draft: Draft, x: string, projection: Projection, key: string): string {
  const { rows, cols, weights, scale, bias, inverse } = projection;
  const { tensors } = draft;
  const step = Math.fround(1 / inverse);
  const [dims, stored] = draft.turned
    ? [[rows, cols], weights]
    : [[cols, rows], weights.map((_, i) => weights[(i % rows) * cols + Math.floor(i / rows)] ?? 0)];
  tensors.push(writeTensor(`weight_${key}`, dims, ELEMENT.INT2, packInt2(stored)));
  tensors.push(
    floatTensor(
      `scale_${key}`,
      [rows],
      scale.map((s) => s / step),
    ),
  );
  tensors.push(floatTensor(`bias_${key}`, [rows], bias));
  const inputs = [`weight_${key}`, `scale_${key}`];
  const axis = draft.turned ? 0n : 1n;
  const back = node(draft, "DequantizeLinear", inputs, `real_${key}`, { axis });
  const flip = (): string => node(draft, "Transpose", [back], `flip_${key}`, { perm: [1n, 0n] });
  const made = node(draft, "MatMul", [x, draft.turned ? flip() : back], `product_${key}`);
  return node(draft, "Add", [made, `bias_${key}`], `value_${key}`);
}

/** One node with one output, which it names. */
export function node(
  draft: Draft,
  op: string,
  inputs: readonly string[],
  to: string,
  attributes: Readonly<Record<string, WriteAttribute>> = {},
): string {
  draft.nodes.push(writeNode(op, inputs, [to], attributes));
  return to;
}

function int64s(name: string, values: readonly number[]): Uint8Array {
  const whole = BigInt64Array.from(values, BigInt);
  return writeTensor(name, [values.length], ELEMENT.INT64, new Uint8Array(whole.buffer));
}
