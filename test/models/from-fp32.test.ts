//! The example of docs/examples: a float32 file of another maker becomes one of the ternary pattern.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import {
  floatTensor,
  writeModel,
  writeNode,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { openUserModel } from "../../agent/models/user-model.js";

const FLOAT = 1;
const dir = mkdtempSync(join(tmpdir(), "sterna-fp32-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("docs/examples/from-fp32.mjs: int8 keeps the answers, ternary runs", () => {
  const random = prng(1, "fp32");
  const tensor = (name: string, dims: number[]): Uint8Array => {
    const size = dims.reduce((a, b) => a * b, 1);
    const values = Float32Array.from(
      { length: size },
      () => random.normal() / Math.sqrt(dims[0] ?? 1),
    );
    return floatTensor(name, dims, values);
  };
  const graph = {
    name: "mlp",
    nodes: [
      writeNode("Gemm", ["x", "w0", "b0"], ["h"]),
      writeNode("Relu", ["h"], ["r"]),
      writeNode("Gemm", ["r", "w1", "b1"], ["g"], { transB: 1n }),
      writeNode("Relu", ["g"], ["s"]),
      writeNode("Gemm", ["s", "w2", "b2"], ["y"]),
    ],
    tensors: [
      ...[tensor("w0", [5, 24]), tensor("b0", [24]), tensor("w1", [24, 24]), tensor("b1", [24])],
      ...[tensor("w2", [24, 2]), tensor("b2", [2])],
    ],
    inputs: [writeValueInfo("x", FLOAT, [5])],
    outputs: [writeValueInfo("y", FLOAT, [2])],
  };
  writeFileSync(join(dir, "m.onnx"), writeModel(graph, { "": 17 }, []));
  const rows = Array.from({ length: 200 }, () =>
    Array.from({ length: 5 }, () => random.normal()).join(),
  );
  writeFileSync(join(dir, "rows.csv"), rows.join("\n"));
  const script = join(import.meta.dirname, "../../docs/examples/from-fp32.mjs");
  const run = (...more: string[]): number => {
    const files = ["m.onnx", "rows.csv", "out.onnx"].map((name) => join(dir, name));
    const said = execFileSync(process.execPath, [script, ...files, ...more], { encoding: "utf8" });
    expect(said).toContain("in: { x: { channels: [channel0,");
    const model = openUserModel(join(dir, "out.onnx"), reference);
    if (typeof model === "string") throw new Error(model);
    expect(model.engine).toBe("ternary on reference");
    return Number(/rms error ([\d.]+) %/.exec(said)?.[1]);
  };
  expect(run()).toBeLessThan(3);
  expect(run("--ternary")).toBeGreaterThan(3);
});
