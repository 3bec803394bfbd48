//! Files that are ternary in part: what the kernels know runs on the backend, what is before, between
//! and behind it in ONNX Runtime, and the answers are those of the whole.
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { shapesIn } from "../../agent/models/dense.js";
import { partsIn } from "../../agent/models/hybrid-cuts.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import {
  floatTensor,
  int64Tensor,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { writeEncoder } from "../../agent/models/onnx/write-encoder.js";
import { openModel } from "../../agent/models/user-model.js";
import { randomEncoder } from "../accel/encoders.js";
import { chainOf, fileOf, opened, type Piece, sine, ternary, wholeOf } from "./hybrid-files.js";

test("the front runs ternary, the rest in ONNX Runtime, and together they are the whole", () => {
  const tails = [
    [writeNode("Softmax", ["h"], ["y"], { axis: 1n })],
    [writeNode("Exp", ["h"], ["e"]), writeNode("Add", ["e", "h"], ["y"])],
  ];
  for (const [seed, tail] of tails.entries()) {
    const bytes = fileOf(seed, tail);
    const model = opened(openModel(bytes, reference));
    const floats = seed === 0;
    const engine = floats ? /, then floats in TypeScript$/ : /^ternary on .*, then onnxruntime/;
    expect(model.engine).toMatch(engine);
    expect(model.outside ?? "").toMatch(floats ? /^$/ : /Exp/);
    expect(model.tier).toBe(`within ${floats ? "1e-6" : "1e-4"} relative`);
    const other = wholeOf(bytes);
    const random = prng(seed, "x");
    for (let i = 0; i < 20; i++) {
      const x = Float32Array.from({ length: model.inputs[0]?.size ?? 0 }, () => random.normal());
      const [ours, theirs] = [new Float32Array(6), new Float32Array(6)];
      expect(model.run([x], [ours])).toBeNull();
      expect(other.run([x], [theirs])).toBeNull();
      // One step of the value between, at most.
      ours.forEach((value, k) => {
        const one = 0.031 * Math.max(1, Math.exp(3.9));
        expect(Math.abs(value - (theirs[k] as number))).toBeLessThan(seed === 0 ? 0.031 : one);
      });
    }
  }
});

test("the rest may read the input beside the steps", () => {
  const tail = [
    writeNode("ReduceMean", ["x"], ["m"], { keepdims: 1n }),
    writeNode("Exp", ["h"], ["e"]),
    writeNode("Add", ["e", "m"], ["y"]),
  ];
  const bytes = fileOf(3, tail);
  const model = opened(openModel(bytes, reference));
  expect(model.engine).toMatch(/^ternary on reference, then onnxruntime/);
  expect(model.parts?.map(({ about }) => about)).toEqual([
    "a ternary network of 1 layers",
    "3 nodes (ReduceMean, Exp, Add)",
  ]);
  compare(model, bytes, 0.031 * Math.exp(3.9));
});

test("where a value within the front is needed again the whole file goes to ONNX Runtime", () => {
  const tail = [
    writeNode("ReduceSum", ["step_in"], ["s"], { keepdims: 1n }),
    writeNode("Exp", ["h"], ["e"]),
    writeNode("Add", ["e", "s"], ["y"]),
  ];
  const model = opened(openModel(fileOf(3, tail), reference));
  expect(model.engine).toMatch(/^onnxruntime/);
  expect(model.parts).toBeUndefined();
});

/** Against the whole file in ONNX Runtime: `step` is what one step of a value between parts may do. */
function compare(model: Model, bytes: Uint8Array, step: number): void {
  const other = wholeOf(bytes);
  const random = prng(7, "x");
  const [from = 0, to = 0] = [model.inputs[0]?.size, model.outputs[0]?.size];
  let apart = 0;
  for (let i = 0; i < 50; i++) {
    const x = Float32Array.from({ length: from }, () => random.normal());
    const [ours, theirs] = [new Float32Array(to), new Float32Array(to)];
    expect(model.run([x], [ours])).toBeNull();
    expect(other.run([x], [theirs])).toBeNull();
    ours.forEach((value, k) => {
      const off = Math.abs(value - (theirs[k] as number));
      expect(off).toBeLessThan(step);
      apart += Number(off > 1e-5);
    });
  }
  // Halves are rare: a wrong part would be off everywhere.
  expect(apart / (50 * to)).toBeLessThan(0.05);
}

test.each<readonly [string, readonly Piece[], RegExp]>([
  ["a float front", [sine, ternary(1)], /^onnxruntime \S+ on cpu, then ternary on reference$/],
  [
    "a float middle",
    [ternary(2), sine, ternary(3)],
    /^ternary on reference, then onnxruntime \S+ on cpu, then ternary on reference$/,
  ],
  [
    "float front, middle and end",
    [sine, ternary(4), sine, ternary(5, 5), sine],
    /^(onnxruntime \S+ on cpu, then ternary on reference, then ){2}onnxruntime \S+ on cpu$/,
  ],
])("%s: each part on its own engine, as ONNX Runtime has the whole", (_, pieces, engine) => {
  const bytes = chainOf(8, pieces);
  const model = opened(openModel(bytes, reference));
  expect(model.engine).toMatch(engine);
  expect(model.outside).toMatch(/Sin "Sin_sin_/);
  expect(model.inputs.map(({ name, size }) => [name, size])).toEqual([["x", 8]]);
  expect(model.outputs.map(({ name }) => name)).toEqual(["y"]);
  // A step in each of the parts, through at most two layers of eight weights and a sine.
  compare(model, bytes, 0.03 * 40);
});

test("an encoder between an embedding and a head runs on the kernels, with its mask", () => {
  const form = { masked: true, order: "pre", activation: "gelu", ends: true } as const;
  const sizes = { sequence: 6, width: 32, heads: 2, hidden: 64, limit: 127, depth: 2, kept: 1 };
  const inner = readOnnx(writeEncoder(randomEncoder(5, { ...sizes, form })));
  if (typeof inner === "string") throw new Error(inner);
  const { nodes, initializers, inputs } = inner.graph;
  const mask = inputs.filter(({ name }) => name === "mask").map(({ raw }) => raw);
  const graph = {
    name: "whole",
    nodes: [
      writeNode("MatMul", ["given", "embed"], ["wide"]),
      writeNode("Tanh", ["wide"], ["x"]),
      ...nodes.map(({ raw }) => raw),
      writeNode("ReduceMean", ["y", "places"], ["pooled"], { keepdims: 0n }),
      writeNode("Sigmoid", ["pooled"], ["z"]),
    ],
    tensors: [
      ...[...initializers.values()].map(({ raw }) => raw),
      floatTensor(
        "embed",
        [3, 32],
        new Float32Array(96).map((_, i) => Math.sin(i)),
      ),
      int64Tensor("places", [1]),
    ],
    inputs: [writeValueInfo("given", 1, [6, 3]), ...mask],
    outputs: [writeValueInfo("z", 1, [32])],
  };
  const bytes = writeModel(graph, { "": 25 }, []);
  const model = opened(openModel(bytes, reference));
  expect(model.engine).toMatch(
    /^onnxruntime .*, then ternary encoder on reference, then onnxruntime/,
  );
  expect(model.tier).toBe("within 0.089 of the largest value of each layer");
  expect(model.inputs.map(({ name, optional = false }) => [name, optional])).toEqual([
    ["given", false],
    ["mask", true],
  ]);
  const other = wholeOf(bytes);
  const random = prng(8, "x");
  for (const hidden of [0, 3]) {
    const x = Float32Array.from({ length: 18 }, () => random.normal());
    const keys = Float32Array.from({ length: 6 }, (_, i) => (i < 6 - hidden ? 0 : -1e4));
    const [ours, theirs] = [new Float32Array(32), new Float32Array(32)];
    expect(model.run(hidden === 0 ? [x] : [x, keys], [ours])).toBeNull();
    expect(other.run([x, keys], [theirs])).toBeNull();
    const off = ours.map((value, k) => Math.abs(value - (theirs[k] as number)));
    expect(Math.max(...off)).toBeLessThan(0.02);
  }
});

test("units that the file states stand at the ports, whichever engine has them", () => {
  const plain = readOnnx(chainOf(8, [sine, ternary(1), sine]));
  if (typeof plain === "string") throw new Error(plain);
  const port = (name: string, unit: string): string => JSON.stringify([{ name, unit }]);
  const graph = {
    ...{ name: "units", nodes: plain.graph.nodes.map(({ raw }) => raw) },
    tensors: [...plain.graph.initializers.values()].map(({ raw }) => raw),
    inputs: plain.graph.inputs.map(({ raw }) => raw),
    outputs: plain.graph.outputs.map(({ raw }) => raw),
  };
  const bytes = writeModel(graph, { "": 25 }, [
    ["sterna.inputs", port("x", "A")],
    ["sterna.outputs", port("y", "Cel")],
  ]);
  const model = opened(openModel(bytes, reference));
  expect(model.parts).toHaveLength(3);
  expect([model.inputs[0]?.unit, model.outputs[0]?.unit]).toEqual(["A", "Cel"]);
});

test("thousands of nodes that may be cut everywhere, and nothing to find, cost seconds at most", () => {
  const nodes: Uint8Array[] = [];
  let from = "x";
  for (let i = 0; i < 3_000; i++) {
    nodes.push(writeNode("Sin", [from], [`s${i}`]), writeNode("Clip", [`s${i}`], [`c${i}`]));
    from = `c${i}`;
  }
  nodes.push(writeNode("QuantizeLinear", [from, "one", "zero"], ["q"]));
  nodes.push(writeNode("DequantizeLinear", ["q", "one", "zero"], ["y"]));
  const tensors = [
    floatTensor("one", [], Float32Array.of(1)),
    writeTensor("zero", [], 3, new Uint8Array(1)),
  ];
  const [inputs, outputs] = [[writeValueInfo("x", 1, [4])], [writeValueInfo("y", 1, [4])]];
  const bytes = writeModel({ name: "long", nodes, tensors, inputs, outputs }, { "": 25 }, []);
  const start = performance.now();
  expect(opened(openModel(bytes, reference)).engine).toMatch(/^onnxruntime/);
  expect(performance.now() - start).toBeLessThan(20_000);
});

test("the search for cuts reads so many weights at most, however many tries fail late", () => {
  const sizes = { sequence: 4, width: 64, heads: 2, hidden: 256, limit: 127, depth: 24, kept: 1 };
  // Each try reads all of its layers, and then finds that they are not alike.
  const file = writeEncoder(randomEncoder(3, sizes), {
    activation: (draft, from, key) => {
      draft.nodes.push(
        writeNode(Number(key) % 2 === 0 ? "Gelu" : "Relu", [from], [`active${key}`]),
      );
      return `active${key}`;
    },
  });
  const onnx = readOnnx(file);
  if (typeof onnx === "string") throw new Error(onnx);
  const shapes = shapesIn(onnx, file);
  if (shapes === null) throw new Error("no shapes");
  let [read, size] = [0, 0];
  const initializers = new Map(
    [...onnx.graph.initializers].map(([name, tensor]) => {
      const { bytes, count } = tensor;
      size += Math.max(count, bytes.length);
      const get = (): Uint8Array => {
        read += Math.max(count, bytes.length);
        return bytes;
      };
      return [name, Object.defineProperty({ ...tensor }, "bytes", { get })];
    }),
  );
  partsIn({ ...onnx, graph: { ...onnx.graph, initializers } }, shapes, () => true);
  // What may be read, two tries beyond it, and some to know the sizes: 93 MB. Unbounded it is 183 MB.
  expect(read).toBeGreaterThan(2 ** 25);
  expect(read).toBeLessThanOrEqual(2 ** 26 + 16 * size + 2 * size + 2 * size);
});

test("a value that is no number stays one", () => {
  const model = opened(openModel(fileOf(4, [writeNode("Softmax", ["h"], ["y"])]), reference));
  const x = new Float32Array(model.inputs[0]?.size ?? 0).fill(Number.NaN);
  const y = new Float32Array(6);
  expect(model.run([x], [y])).toBeNull();
  expect([...y].every(Number.isNaN)).toBe(true);
});
