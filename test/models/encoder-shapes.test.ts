//! Files that are an encoder but for the shape of a constant or one attribute: each is refused by
//! name, and what then runs it answers as ONNX Runtime does.
import { expect, test } from "vitest";
import { bestCpu } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { openDense } from "../../agent/models/dense.js";
import type { Model } from "../../agent/models/model.js";
import type { Node, OnnxModel } from "../../agent/models/onnx/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recogniseEncoder } from "../../agent/models/onnx/recognise-encoder.js";
import type { Tensor } from "../../agent/models/onnx/tensor.js";
import {
  floatTensor,
  int64Tensor,
  writeModel,
  writeNode,
  writeTensor,
} from "../../agent/models/onnx/write.js";
import { node, type Spelling, writeEncoder } from "../../agent/models/onnx/write-encoder.js";
import { openModel } from "../../agent/models/user-model.js";
import { randomEncoder } from "../accel/encoders.js";
import { chainOf, sine, ternary } from "./hybrid-files.js";
import { runOrtAll } from "./nets.js";

/** As many places as channels: what broadcasts over the one fits the other. */
const SIDE = 16;
const SHAPE = { sequence: SIDE, width: SIDE, heads: 1, hidden: 64, limit: 127, depth: 1, kept: 1 };
/** What a step that tips over makes of one layer, of the largest value. */
const TIPPED = 5 / SHAPE.limit;
const PLAN = randomEncoder(3, { ...SHAPE, form: { activation: "relu" } });
/** A bias and a norm that differ from channel to channel. */
const [LAYER] = PLAN.layers;
if (LAYER === undefined) throw new Error("it has a layer");
const uneven = (values: Float32Array, by: number): Float32Array => values.map((_, i) => 1 + by * i);
const [MID, LAST] = LAYER.norms;
const UNEVEN = {
  ...PLAN,
  layers: [
    {
      ...LAYER,
      out: { ...LAYER.out, bias: uneven(LAYER.out.bias, 1) },
      norms: [{ gain: uneven(MID.gain, 0.3), offset: uneven(MID.offset, 0.5) }, LAST] as const,
    },
  ],
};

function read(bytes: Uint8Array): OnnxModel {
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") throw new Error(onnx);
  return onnx;
}

function opened(model: Model | string): Model {
  if (typeof model === "string") throw new Error(model);
  return model;
}

type Patch = {
  readonly tensor?: (tensor: Tensor) => Uint8Array | null;
  readonly node?: (node: Node) => Uint8Array | null;
  readonly spelling?: Spelling;
};

function patched({ tensor, node: patch, spelling }: Patch): Uint8Array {
  const { graph, opsets } = read(writeEncoder(UNEVEN, spelling));
  const whole = {
    name: "patched",
    nodes: graph.nodes.map((one) => patch?.(one) ?? one.raw),
    tensors: [...graph.initializers.values()].map((one) => tensor?.(one) ?? one.raw),
    inputs: graph.inputs.map(({ raw }) => raw),
    outputs: graph.outputs.map(({ raw }) => raw),
  };
  return writeModel(whole, Object.fromEntries(opsets), []);
}

const shaped = (name: string, dims: readonly number[]): Patch => ({
  tensor: (one) => (one.name === name ? writeTensor(name, dims, one.type, one.bytes) : null),
});
const reshaped = (name: string, sizes: readonly number[]): Patch => ({
  tensor: (one) => (one.name === name ? int64Tensor(name, sizes) : null),
});
const column = [SIDE, 1];

const CASES: readonly (readonly [string, Patch, RegExp])[] = [
  ["a bias of one value a place", shaped("bias_o0", column), /is \[16,1\], not one value/],
  ["a bias of four sides", shaped("bias_o0", [1, 1, 1, SIDE]), /not one value a channel/],
  ["a gain of one value a place", shaped("gain_mid0", column), /not one value a channel/],
  ["an offset of one value a place", shaped("offset_mid0", column), /not one value a channel/],
  [
    "weights in blocks",
    {
      node: ({ op, inputs, outputs }) =>
        op === "DequantizeLinear" && outputs[0] === "real_o0"
          ? writeNode(op, inputs, outputs, { axis: 1n, block_size: BigInt(SIDE) })
          : null,
      tensor: ({ name }) => {
        const scales = Float32Array.from({ length: SIDE }, (_, i) => 0.01 + 0.02 * i);
        return name === "scale_o0" ? floatTensor(name, column, scales) : null;
      },
    },
    /\[16,1\], not one value a channel/,
  ],
  [
    "Max of three values",
    {
      spelling: {
        activation(draft, from, key) {
          draft.tensors.push(floatTensor(`low${key}`, [], Float32Array.of(0)));
          draft.tensors.push(floatTensor(`high${key}`, [], Float32Array.of(2)));
          return node(draft, "Max", [from, `low${key}`, `high${key}`], `active${key}`);
        },
      },
    },
    /is neither GELU nor Relu/,
  ],
  ["heads joined as a batch", reshaped("joined", [SIDE, 1, SIDE]), /does not join the heads/],
];

function far(bytes: Uint8Array): number {
  const ours = opened(openModel(bytes, bestCpu()));
  const theirs = opened(openDense(read(bytes), bytes, ""));
  const random = prng(2, "x");
  const x = Float32Array.from({ length: ours.inputs[0]?.size ?? 0 }, () => random.normal());
  const [a, b] = [ours, theirs].map((model) => {
    const y = new Float32Array(model.outputs[0]?.size ?? 0);
    expect(model.run([x], [y])).toBeNull();
    return y;
  }) as [Float32Array, Float32Array];
  expect(a.length).toBe(b.length);
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number)) / largest));
}

test("as it is written it is an encoder, and with sides of 1 before", () => {
  for (const bytes of [patched({}), patched(shaped("bias_o0", [1, 1, SIDE]))]) {
    expect(opened(openModel(bytes, bestCpu())).engine).toMatch(/^ternary encoder on /);
    expect(far(bytes)).toBeLessThan(TIPPED);
  }
  for (const sizes of [
    [1, SIDE, -1],
    [-1, SIDE, SIDE],
    [0, -1, SIDE],
  ]) {
    const bytes = patched(reshaped("joined", sizes));
    expect(opened(openModel(bytes, bestCpu())).outside).toBeUndefined();
  }
});

test.each(CASES)("%s: no encoder, and the answer is that of ONNX Runtime", (_, patch, why) => {
  const bytes = patched(patch);
  expect(recogniseEncoder(read(bytes))).toMatch(why);
  expect(far(bytes)).toBeLessThan(TIPPED);
});

test("heads that are parted from the places are no encoder", () => {
  const bytes = patched(reshaped("apart", [SIDE, -1, 1, SIDE]));
  expect(recogniseEncoder(read(bytes))).toMatch(/does not part its channels into heads/);
});

/** With a batch of two in place of the free one, in as many bytes. */
function paired(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const two = "\x08\x82\x80\x80\x80\x80\x00";
  return Buffer.from(text.replaceAll("\x12\x05batch", two), "latin1");
}

test("a fixed batch of two is for ONNX Runtime: the ports count both", () => {
  for (const [bytes, size] of [
    [patched({}), SIDE * SIDE],
    [chainOf(8, [ternary(1)]), 8],
    [chainOf(8, [ternary(1), sine]), 8],
  ] as const) {
    const free = opened(openModel(bytes, bestCpu()));
    expect(free.engine).toMatch(/^ternary/);
    const fixed = opened(openModel(paired(bytes), bestCpu()));
    expect(fixed.engine).toMatch(/^onnxruntime \S+ on cpu$/);
    expect(fixed.outside).toMatch(/input "x" has a fixed batch of 2; export it with a free batch/);
    expect([free.inputs[0]?.size, fixed.inputs[0]?.size]).toEqual([size, 2 * size]);
    expect(far(paired(bytes))).toBe(0);
  }
});

test("a norm over places and channels is over both, whatever ONNX Runtime fuses", async () => {
  const bytes = patched({
    node: ({ op, inputs, outputs }) =>
      op === "LayerNormalization" ? writeNode(op, inputs, outputs, { axis: 1n }) : null,
  });
  const model = opened(openModel(bytes, bestCpu()));
  expect(model.engine).toMatch(/^onnxruntime/);
  const random = prng(4, "x");
  const x = Float32Array.from({ length: SIDE * SIDE }, () => random.normal());
  const found = await runOrtAll(bytes, { x: { data: x, shape: [SIDE, SIDE] } }, "disabled");
  const y = new Float32Array(SIDE * SIDE);
  expect(model.run([x], [y])).toBeNull();
  for (const [i, value] of y.entries()) {
    expect(Math.abs(value - (found["y"]?.[i] as number))).toBeLessThan(1e-4);
  }
});
