//! What exporters write in other words than our writer: each is found on the path that it belongs to,
//! and the answers are those of ONNX Runtime on the same file.
import { expect, test } from "vitest";
import { bestCpu } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { openDense } from "../../agent/models/dense.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { ELEMENT, packInt2 } from "../../agent/models/onnx/tensor.js";
import {
  floatTensor,
  int64Tensor,
  type WriteAttribute,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { type Draft, quantise } from "../../agent/models/onnx/write-layers.js";
import { openModel } from "../../agent/models/user-model.js";

const STEP = Math.fround(0.03);
type Attributes = Readonly<Record<string, WriteAttribute>>;

/** Nodes one after another; each method gives the name of what it writes. */
class Builder {
  readonly draft: Draft = {
    nodes: [],
    tensors: [writeTensor("zero", [], ELEMENT.INT8, new Uint8Array(1))],
  };
  readonly #random = prng(3, "spelling");
  #count = 0;

  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const to = `t${this.#count++}`;
    this.draft.nodes.push(writeNode(op, inputs, [to], attributes));
    return to;
  }
  /** Ternary weights behind DequantizeLinear; `axis` has the output channels. */
  weights(dims: readonly number[], axis = 0): string {
    const size = dims.reduce((a, b) => a * b, 1);
    const rows = dims[axis] ?? 1;
    const name = `w${this.#count++}`;
    const trits = Int8Array.from({ length: size }, () => Math.floor(this.#random.next() * 3) - 1);
    const scale = (): number => (0.5 + this.#random.next()) / Math.sqrt(size / rows);
    const scales = floatTensor(`${name}s`, [rows], Float32Array.from({ length: rows }, scale));
    this.draft.tensors.push(writeTensor(name, dims, ELEMENT.INT2, packInt2(trits)), scales);
    return this.node("DequantizeLinear", [name, `${name}s`], { axis: BigInt(axis) });
  }
  steps(from: string): string {
    const key = `q${this.#count++}`;
    quantise(this.draft, from, STEP, key, `${key}_steps`);
    return `${key}_steps`;
  }
  floats(values: readonly number[], dims = values.length === 1 ? [] : [values.length]): string {
    const name = `f${this.#count++}`;
    this.draft.tensors.push(floatTensor(name, dims, Float32Array.from(values)));
    return name;
  }
  wholes(values: readonly number[]): string {
    const name = `i${this.#count++}`;
    this.draft.tensors.push(int64Tensor(name, values));
    return name;
  }
  dense(x: string, rows: number, cols: number): string {
    return this.node("Gemm", [x, this.weights([rows, cols])], { transB: 1n });
  }
  conv(x: string, dims: readonly number[], attributes: Attributes): string {
    const kernel_shape = dims.slice(2).map(BigInt);
    return this.node("Conv", [x, this.weights(dims)], { kernel_shape, ...attributes });
  }
}

function built(from: readonly number[], to: readonly number[], body: (b: Builder) => string) {
  const builder = new Builder();
  builder.draft.nodes.push(writeNode("Identity", [body(builder)], ["y"]));
  const graph = {
    ...{ name: "spelling", ...builder.draft },
    inputs: [writeValueInfo("x", ELEMENT.FLOAT, from)],
    outputs: [writeValueInfo("y", ELEMENT.FLOAT, to)],
  };
  return writeModel(graph, { "": 25 }, []);
}

/** Two dense layers with something between. */
const between = (what: (b: Builder, h: string) => string): Uint8Array =>
  built([8], [4], (b) => {
    const h = b.steps(b.dense(b.steps("x"), 6, 8));
    return b.dense(b.steps(what(b, h)), 4, 6);
  });
/** A dense layer, and something behind its floats. */
const behind = (what: (b: Builder, h: string) => string): Uint8Array =>
  built([8], [4], (b) => what(b, b.dense(b.steps("x"), 4, 8)));

/** Clips one after another. */
const clipped = (b: Builder, x: string, ...all: readonly (readonly number[])[]): string =>
  all.reduce((from, ends) => b.node("Clip", [from, ...ends.map((end) => b.floats([end]))]), x);
/** A dense layer without steps behind it. */
const wide = (b: Builder, h: string): string => b.dense(h, 6, 6);

const LINE = { pads: [1n, 1n] };
const [OWN, MIDDLE, FLOATS_FRONT, FLOATS_MIDDLE, FLOATS_END] = [
  /^ternary on \S+$/,
  /^ternary on \S+, then onnxruntime \S+ on cpu, then ternary on \S+$/,
  /^floats in TypeScript, then ternary on \S+$/,
  /^ternary on \S+, then floats in TypeScript, then ternary on \S+$/,
  /^ternary on \S+, then floats in TypeScript$/,
];
const CASES: readonly (readonly [string, RegExp, Uint8Array])[] = [
  [
    "MatMul of a matrix that is turned behind DequantizeLinear",
    OWN,
    built([8], [4], (b) => {
      const turned = b.node("Transpose", [b.weights([4, 8])], { perm: [1n, 0n] });
      return b.node("MatMul", [b.steps("x"), turned]);
    }),
  ],
  [
    "a bias of int32 behind DequantizeLinear",
    OWN,
    built([8], [4], (b) => {
      const bias = new Uint8Array(Int32Array.of(3, -400, 2000, 70).buffer);
      b.draft.tensors.push(writeTensor("b32", [4], ELEMENT.INT32, bias));
      const scales = b.floats([4e-4, 5e-4, 3e-4, 2e-4]);
      const real = b.node("DequantizeLinear", ["b32", scales], { axis: 0n });
      return b.node("Gemm", [b.steps("x"), b.weights([4, 8]), real], { transB: 1n });
    }),
  ],
  ["GELU by tanh", OWN, between((b, h) => b.node("Gelu", [h], { approximate: "tanh" }))],
  [
    "GELU by Erf in five nodes",
    OWN,
    between((b, h) => {
      const erf = b.node("Erf", [b.node("Div", [h, b.floats([Math.SQRT2])])]);
      const times = b.node("Mul", [h, b.node("Add", [erf, b.floats([1])])]);
      return b.node("Mul", [times, b.floats([0.5])]);
    }),
  ],
  ["Relu6", OWN, between((b, h) => b.node("Clip", [h, b.floats([0]), b.floats([6])]))],
  [
    "the mean over a line, flat at once",
    OWN,
    built([4, 20], [3], (b) => {
      const h = b.steps(b.node("Relu", [b.conv(b.steps("x"), [6, 4, 3], LINE)]));
      return b.dense(b.steps(b.node("ReduceMean", [h, b.wholes([2])], { keepdims: 0n })), 3, 6);
    }),
  ],
  [
    "the largest over an image, flat before its steps",
    OWN,
    built([2, 8, 8], [3], (b) => {
      const h = b.steps(b.conv(b.steps("x"), [6, 2, 3, 3], { pads: [1n, 1n, 1n, 1n] }));
      const most = b.node("ReduceMax", [h, b.wholes([-1, -2])], { keepdims: 1n });
      return b.dense(b.steps(b.node("Flatten", [most])), 3, 6);
    }),
  ],
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].map((auto_pad) => {
    const side = auto_pad === "VALID" ? 3 : 4;
    const bytes = built([2, 8, 8], [6, side, side], (b) =>
      b.conv(b.steps("x"), [6, 2, 3, 3], { strides: [2n, 2n], auto_pad }),
    );
    return [`auto_pad ${auto_pad}`, OWN, bytes] as const;
  }),
  [
    "Transpose before the steps of the input",
    OWN,
    built([20, 4], [6, 20], (b) => {
      const turned = b.node("Transpose", ["x"], { perm: [0n, 2n, 1n] });
      return b.conv(b.steps(turned), [6, 4, 3], LINE);
    }),
  ],
  [
    "Unsqueeze before the steps of the input",
    OWN,
    built([20], [6, 20], (b) => {
      return b.conv(b.steps(b.node("Unsqueeze", ["x", b.wholes([1])])), [6, 1, 3], LINE);
    }),
  ],
  [
    "a clip, then a wider one",
    OWN,
    between((b, h) => clipped(b, wide(b, h), [-0.5, 0.5], [-2, 2])),
  ],
  ["a clip, then Relu by Clip", OWN, between((b, h) => clipped(b, wide(b, h), [-1, 0.5], [0]))],
  [
    "clips that have nothing in common",
    OWN,
    between((b, h) => clipped(b, wide(b, h), [1, 2], [-1, 0.25])),
  ],
  [
    "clips of the mean of a window",
    OWN,
    built([4, 20], [4, 20], (b) => {
      const h = b.steps(b.conv(b.steps("x"), [4, 4, 3], LINE));
      const mean = b.node("AveragePool", [h], { kernel_shape: [3n], ...LINE });
      return b.steps(clipped(b, mean, [-0.2, 0.3], [-2, 2]));
    }),
  ],
  [
    "a bias behind a clip, which the kernels put before it",
    FLOATS_MIDDLE,
    between((b, h) => {
      const cut = clipped(b, b.node("MatMul", [h, b.weights([6, 6], 1)]), [-0.5, 0.5]);
      return b.node("Add", [cut, b.floats([1, 2, 3, 1, 2, 3])]);
    }),
  ],
  ["HardSwish between", MIDDLE, between((b, h) => b.node("HardSwish", [h]))],
  [
    "a gate by its own Sigmoid between",
    FLOATS_MIDDLE,
    between((b, h) => b.node("Mul", [h, b.node("Sigmoid", [h])])),
  ],
  [
    "LayerNormalization between",
    FLOATS_MIDDLE,
    between((b, h) => b.node("LayerNormalization", [h, b.floats([1, 2, 1, 3, 1, 1])])),
  ],
  [
    "RMSNormalization between",
    FLOATS_MIDDLE,
    between((b, h) => b.node("RMSNormalization", [h, b.floats([1, 2, 1, 3, 1, 1])])),
  ],
  ["Softmax behind the last layer", FLOATS_END, behind((b, h) => b.node("Softmax", [h]))],
  [
    "the scale of the answer behind the last layer",
    FLOATS_END,
    behind((b, h) => b.node("Add", [b.node("Mul", [h, b.floats([3])]), b.floats([20])])),
  ],
  [
    "means and deviations of the inputs before",
    FLOATS_FRONT,
    built([3], [4], (b) => {
      const mean = b.node("Sub", ["x", b.floats([1, 2, 3], [1, 3])]);
      return b.dense(b.steps(b.node("Div", [mean, b.floats([2, 1, 3], [1, 3])])), 4, 3);
    }),
  ],
  [
    "groups in the last layer, which the planner does not take",
    /^onnxruntime \S+ on cpu$/,
    built([4, 20], [4, 18], (b) => b.conv(b.steps("x"), [4, 1, 3], { group: 4n })),
  ],
];

function opened(model: Model | string): Model {
  if (typeof model === "string") throw new Error(model);
  return model;
}

test.each(CASES)("%s", (_, engine, bytes) => {
  const model = opened(openModel(bytes, bestCpu()));
  expect(model.engine, model.outside).toMatch(engine);
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") throw new Error(onnx);
  const whole = opened(openDense(onnx, bytes, ""));
  const random = prng(1, "x");
  const [from = 0, to = 0] = [model.inputs[0]?.size, model.outputs[0]?.size];
  expect(to).toBe(whole.outputs[0]?.size);
  let [apart, count] = [0, 0];
  for (let i = 0; i < 40; i++) {
    const x = Float32Array.from({ length: from }, () => random.normal());
    const [ours, theirs] = [new Float32Array(to), new Float32Array(to)];
    expect(model.run([x], [ours])).toBeNull();
    expect(whole.run([x], [theirs])).toBeNull();
    for (const [k, value] of ours.entries()) {
      const off = Math.abs(value - (theirs[k] as number));
      // A step of 0.03 or two, through weights of about 1 and a factor of 3.
      expect(off).toBeLessThan(0.2);
      apart += Number(off > 0.01);
      count += 1;
    }
  }
  // A half that rounds the other way is rare; a bias is put on the grid of the sums, within 0.01.
  expect(apart / count).toBeLessThan(0.1);
});
