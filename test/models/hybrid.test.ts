//! A file that begins ternary and ends in what the integer path does not know: cut once, the front
//! on the backend, the rest in ONNX Runtime, and the answers of the whole.
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { openDense } from "../../agent/models/dense.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { writeNode } from "../../agent/models/onnx/write.js";
import { openModel } from "../../agent/models/user-model.js";
import { fileOf } from "./hybrid-files.js";

function opened(model: Model | string): Model {
  if (typeof model === "string") throw new Error(model);
  return model;
}

function wholeOf(bytes: Uint8Array): Model {
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") throw new Error(onnx);
  return opened(openDense(onnx, bytes, "sha256:whole"));
}

test("the front runs ternary, the rest in ONNX Runtime, and together they are the whole", () => {
  const tails = [
    [writeNode("Softmax", ["h"], ["y"], { axis: 1n })],
    [writeNode("Exp", ["h"], ["e"]), writeNode("Add", ["e", "h"], ["y"])],
  ];
  for (const [seed, tail] of tails.entries()) {
    const bytes = fileOf(seed, tail);
    const model = opened(openModel(bytes, reference));
    expect(model.engine).toMatch(/^ternary on reference, then onnxruntime/);
    expect(model.outside).toMatch(seed === 0 ? /Softmax/ : /Exp/);
    expect(model.tier).toBe("within 1e-4 relative");
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

test("where the rest needs more than one value the whole file goes to ONNX Runtime", () => {
  // The tail reads the input beside the steps.
  const tail = [
    writeNode("ReduceMean", ["x"], ["m"], { keepdims: 1n }),
    writeNode("Exp", ["h"], ["e"]),
    writeNode("Add", ["e", "m"], ["y"]),
  ];
  const model = opened(openModel(fileOf(3, tail), reference));
  expect(model.engine).toMatch(/^onnxruntime/);
  expect(model.outside).toMatch(/^Clip "Clip_clip_in" reads a value/);
});

test("a value that is no number stays one", () => {
  const model = opened(openModel(fileOf(4, [writeNode("Softmax", ["h"], ["y"])]), reference));
  const x = new Float32Array(model.inputs[0]?.size ?? 0).fill(Number.NaN);
  const y = new Float32Array(6);
  expect(model.run([x], [y])).toBeNull();
  expect([...y].every(Number.isNaN)).toBe(true);
});
