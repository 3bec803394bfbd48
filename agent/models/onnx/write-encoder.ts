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

type Draft = {
  readonly nodes: Uint8Array[];
  readonly tensors: Uint8Array[];
  readonly limit: number;
};

export function writeEncoder(plan: EncoderPlan): Uint8Array {
  const { sequence, width, heads, limit } = plan;
  const draft: Draft = { nodes: [], tensors: [], limit };
  const { tensors } = draft;
  tensors.push(writeTensor("zero", [], ELEMENT.INT8, new Uint8Array(1)));
  tensors.push(int64s("apart", [0, 0, heads, width / heads]), int64s("joined", [0, 0, width]));
  tensors.push(floatTensor("root", [], Float32Array.of(Math.sqrt(width / heads))));
  let value = "x";
  for (const [i, layer] of plan.layers.entries()) {
    const key = `${i}`;
    const x = steps(draft, value, layer.in, `x${key}`);
    const inner = ["q", "k", "v"].map((name, part) => {
      return product(draft, x, third(layer.in, part), `${name}${key}`);
    });
    const mixed = steps(draft, attention(draft, inner, key), layer.out, `mixed${key}`);
    const out = product(draft, mixed, layer.out, `o${key}`);
    const mid = norm(draft, plan, layer.norms[0], [value, out], `mid${key}`);
    const up = product(draft, steps(draft, mid, layer.up, `u${key}`), layer.up, `up${key}`);
    const gelu = node(draft, "Gelu", [up], `gelu${key}`, { approximate: "tanh" });
    const down = product(
      draft,
      steps(draft, gelu, layer.down, `d${key}`),
      layer.down,
      `down${key}`,
    );
    const last = i === plan.layers.length - 1;
    value = norm(draft, plan, layer.norms[1], [mid, down], last ? "y" : `y${key}`);
  }
  const { nodes } = draft;
  const inputs = [writeValueInfo("x", ELEMENT.FLOAT, [sequence, width])];
  const outputs = [writeValueInfo("y", ELEMENT.FLOAT, [sequence, width])];
  return writeModel({ name: "sterna", nodes, tensors, inputs, outputs }, { "": OPSET }, []);
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

function attention(draft: Draft, inner: readonly string[], key: string): string {
  const [q = "", k = "", v = ""] = inner.map((from, i) => {
    const apart = node(draft, "Reshape", [from, "apart"], `apart${i}_${key}`);
    const perm = i === 1 ? [0n, 2n, 3n, 1n] : [0n, 2n, 1n, 3n];
    return node(draft, "Transpose", [apart], `turned${i}_${key}`, { perm });
  });
  const scores = node(draft, "MatMul", [q, k], `scores${key}`);
  const scaled = node(draft, "Div", [scores, "root"], `scaled${key}`);
  const soft = node(draft, "Softmax", [scaled], `soft${key}`, { axis: -1n });
  const blend = node(draft, "MatMul", [soft, v], `blend${key}`);
  const back = node(draft, "Transpose", [blend], `back${key}`, { perm: [0n, 2n, 1n, 3n] });
  return node(draft, "Reshape", [back, "joined"], `context${key}`);
}

function norm(
  draft: Draft,
  { epsilon }: EncoderPlan,
  { gain, offset }: Norm,
  [a, b]: readonly [string, string],
  to: string,
): string {
  const sum = node(draft, "Add", [a, b], `sum_${to}`);
  draft.tensors.push(floatTensor(`gain_${to}`, [gain.length], gain));
  draft.tensors.push(floatTensor(`offset_${to}`, [offset.length], offset));
  const inputs = [sum, `gain_${to}`, `offset_${to}`];
  return node(draft, "LayerNormalization", inputs, to, { axis: -1n, epsilon });
}

function steps(draft: Draft, from: string, { inverse }: Projection, key: string): string {
  const { tensors, limit } = draft;
  const step = Math.fround(1 / inverse);
  tensors.push(floatTensor(`step_${key}`, [], Float32Array.of(step)));
  tensors.push(floatTensor(`low_${key}`, [], Float32Array.of(-limit * step)));
  tensors.push(floatTensor(`high_${key}`, [], Float32Array.of(limit * step)));
  const clipped = node(draft, "Clip", [from, `low_${key}`, `high_${key}`], `clip_${key}`);
  const int = node(draft, "QuantizeLinear", [clipped, `step_${key}`, "zero"], `int_${key}`);
  return node(draft, "DequantizeLinear", [int, `step_${key}`, "zero"], `steps_${key}`);
}

function product(draft: Draft, x: string, projection: Projection, key: string): string {
  const { rows, cols, weights, scale, bias, inverse } = projection;
  const turned = new Int8Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      turned[col * rows + row] = weights[row * cols + col] as number;
    }
  }
  const { tensors } = draft;
  const step = Math.fround(1 / inverse);
  tensors.push(writeTensor(`weight_${key}`, [cols, rows], ELEMENT.INT2, packInt2(turned)));
  tensors.push(
    floatTensor(
      `scale_${key}`,
      [rows],
      scale.map((s) => s / step),
    ),
  );
  tensors.push(floatTensor(`bias_${key}`, [rows], bias));
  const inputs = [`weight_${key}`, `scale_${key}`];
  const back = node(draft, "DequantizeLinear", inputs, `real_${key}`, { axis: 1n });
  const made = node(draft, "MatMul", [x, back], `product_${key}`);
  return node(draft, "Add", [made, `bias_${key}`], `value_${key}`);
}

function node(
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
