//! Float32 models of other makers as networks of int8 steps: what stays the same, and what is refused.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { type Prng, prng } from "../../agent/base/prng.js";
import { openDense } from "../../agent/models/dense.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import {
  floatTensor,
  int64Tensor,
  writeModel,
  writeNode,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { type Quantised, quantiseModel } from "../../agent/models/quantise.js";
import { openModel } from "../../agent/models/user-model.js";
import { sterna } from "../fixtures/agent.js";
import { randomMlp } from "./nets.js";

const FLOAT = 1;
const dir = mkdtempSync(join(tmpdir(), "sterna-quantise-"));
afterAll(() => rmSync(dir, { recursive: true }));

const rowsOf = (random: Prng, scales: readonly number[], count = 200): Float32Array[] =>
  Array.from({ length: count }, () => Float32Array.from(scales, (s) => s * (1 + random.normal())));

/** Normal numbers over the root of what is summed. */
function tensorOf(random: Prng, name: string, dims: readonly number[], depth = 1): Uint8Array {
  const size = dims.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, () => random.normal() / Math.sqrt(depth));
  return floatTensor(name, dims, values);
}

type Parts = { readonly opset?: number; readonly inputs?: readonly Uint8Array[] };

function fileOf(
  nodes: readonly Uint8Array[],
  tensors: readonly Uint8Array[],
  shape: readonly number[],
  { opset = 17, inputs = [writeValueInfo("x", FLOAT, shape)] }: Parts = {},
): Uint8Array {
  const outputs = [writeValueInfo("y", FLOAT, [2])];
  return writeModel({ name: "m", nodes, tensors, inputs, outputs }, { "": opset }, []);
}

/** As scikit-learn and PyTorch write it: a scaler, MatMul with Add, Gemm both ways, Reshape. */
function mlp(seed: number, options: Parts = {}): Uint8Array {
  const random = prng(seed, "mlp");
  const nodes = [
    writeNode("Sub", ["x", "mean"], ["c"]),
    writeNode("MatMul", ["c", "w0"], ["m0"]),
    writeNode("Add", ["b0", "m0"], ["a0"]),
    writeNode("Relu", ["a0"], ["r0"]),
    writeNode("Gemm", ["r0", "w1", "b1"], ["g1"], { transB: 1n }),
    writeNode("Tanh", ["g1"], ["t1"]),
    writeNode("Gemm", ["t1", "w2", "b2"], ["g2"]),
    writeNode("Reshape", ["g2", "shape"], ["y"]),
  ];
  const tensors = [
    ...[tensorOf(random, "mean", [4]), tensorOf(random, "w0", [4, 24], 4)],
    ...[tensorOf(random, "b0", [1, 24]), tensorOf(random, "w1", [16, 24], 24)],
    ...[tensorOf(random, "b1", [16]), tensorOf(random, "w2", [16, 2], 16)],
    ...[tensorOf(random, "b2", [2]), int64Tensor("shape", [-1, 2])],
  ];
  return fileOf(nodes, tensors, [4], options);
}

/** Convolutions with norms, a pool, a sum of two ways, the mean of all places. */
function cnn(seed: number): Uint8Array {
  const random = prng(seed, "cnn");
  const conv = (x: string, i: number, more = {}): Uint8Array =>
    writeNode("Conv", [x, `w${i}`, `b${i}`], [`c${i}`], { pads: [1n, 1n], ...more });
  const nodes = [
    conv("x", 0, { strides: [2n] }),
    writeNode("BatchNormalization", ["c0", "gain", "offset", "mean", "variance"], ["n0"]),
    writeNode("Relu", ["n0"], ["r0"]),
    writeNode("MaxPool", ["r0"], ["p0"], { kernel_shape: [2n], strides: [2n] }),
    conv("p0", 1),
    writeNode("Relu", ["c1"], ["r1"]),
    conv("r1", 2),
    writeNode("Add", ["c2", "p0"], ["s2"]),
    writeNode("Relu", ["s2"], ["r2"]),
    writeNode("GlobalAveragePool", ["r2"], ["mean2"]),
    writeNode("Flatten", ["mean2"], ["flat"]),
    writeNode("Gemm", ["flat", "w3", "b3"], ["y"], { transB: 1n }),
  ];
  const variance = Float32Array.from({ length: 8 }, () => 0.5 + random.next());
  const tensors = [
    ...[tensorOf(random, "w0", [8, 2, 3], 6), tensorOf(random, "b0", [8])],
    ...["gain", "offset", "mean"].map((name) => tensorOf(random, name, [8])),
    ...[floatTensor("variance", [8], variance), tensorOf(random, "w1", [8, 8, 3], 24)],
    ...[tensorOf(random, "b1", [8]), tensorOf(random, "w2", [8, 8, 3], 24)],
    ...[
      tensorOf(random, "b2", [8]),
      tensorOf(random, "w3", [2, 8], 8),
      tensorOf(random, "b3", [2]),
    ],
  ];
  return fileOf(nodes, tensors, [2, 32]);
}

function made(bytes: Uint8Array, rows: readonly Float32Array[], ternary = false): Quantised {
  const found = quantiseModel(bytes, rows, ternary);
  if (typeof found === "string") throw new Error(found);
  return found;
}

/** The largest difference between the kernels and ONNX Runtime on the same file, of the largest value. */
function apart({ bytes, model }: Quantised, rows: readonly Float32Array[]): number {
  const onnx = readOnnx(bytes);
  const peer = typeof onnx === "string" ? onnx : openDense(onnx, bytes, "");
  if (typeof peer === "string") throw new Error(peer);
  const [a, b] = [new Float32Array(2), new Float32Array(2)];
  let [most, wrong] = [0, 0];
  for (const row of rows) {
    expect([model.run([row], [a]), peer.run([row], [b])]).toEqual([null, null]);
    a.forEach((value, i) => {
      wrong = Math.max(wrong, Math.abs(value - (b[i] as number)));
      most = Math.max(most, Math.abs(b[i] as number));
    });
  }
  return wrong / most;
}

test("an MLP with a scaler: int8 keeps the answers, as ONNX Runtime computes them too", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const rows = rowsOf(prng(seed, "rows"), [1, 1, 1, 1]);
    const found = made(mlp(seed), rows);
    // The scaler stays in floats; the Reshape at the end changes nothing and is gone.
    expect(found.model.engine).toBe("floats in TypeScript, then ternary on reference");
    expect(found.error).toBeLessThan(0.06);
    expect(apart(found, rows)).toBeLessThan(0.03);
  }
});

test("inputs of very different sizes do not share one step", () => {
  const rows = rowsOf(prng(3, "rows"), [1, 1, 1, 1]);
  const [uneven] = [rows.map((row) => row.map((value, i) => value * 1000 ** (i - 1)))];
  const random = prng(3, "weights");
  const weights = Float32Array.from(
    { length: 8 },
    (_, i) => random.normal() / 1000 ** ((i % 4) - 1),
  );
  const nodes = [writeNode("Gemm", ["x", "w", "b"], ["y"], { transB: 1n })];
  const tensors = [floatTensor("w", [2, 4], weights), tensorOf(random, "b", [2])];
  expect(made(fileOf(nodes, tensors, [4]), uneven).error).toBeLessThan(0.02);
});

test("a CNN with norms, a pool and a residual sum runs on the kernels whole", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = prng(seed, "rows");
    // Louder and softer, or all answers are the same but for noise.
    const rows = Array.from({ length: 200 }, () => {
      const scale = 0.1 + 2 * random.next();
      return Float32Array.from({ length: 64 }, () => scale * random.normal());
    });
    const found = made(cnn(seed), rows);
    expect(found.model.engine).toBe("ternary on reference");
    expect(found.error).toBeLessThan(0.12);
    expect(apart(found, rows)).toBeLessThan(0.05);
    const coarse = made(cnn(seed), rows, true);
    expect(coarse.model.engine).toBe("ternary on reference");
    expect(coarse.bytes.length).toBeLessThan(found.bytes.length);
    expect(coarse.error).toBeGreaterThan(found.error);
    expect(apart(coarse, rows)).toBeLessThan(0.05);
  }
});

test("what cannot be converted is said in words", () => {
  const rows = rowsOf(prng(1, "rows"), [1, 1, 1, 1]);
  const said = (bytes: Uint8Array, given = rows, ternary = false): unknown =>
    quantiseModel(bytes, given, ternary);
  expect(said(mlp(1), [Float32Array.of(1, 2)])).toBe('a row has 2 values, input "x" takes 4');
  expect(said(mlp(1, { opset: 12 }))).toMatch(/operator set 12; export it for 13 to 25/);
  expect(said(writeTernaryNet(randomMlp(4)))).toMatch(/^it is quantised already/);
  const two = [writeValueInfo("x", FLOAT, [4]), writeValueInfo("z", FLOAT, [4])];
  expect(said(mlp(1, { inputs: two }))).toBe("it has 2 inputs, not one");
  const none = [writeNode("Tanh", ["x"], ["y"])];
  expect(said(fileOf(none, [], [2]), rowsOf(prng(1, "rows"), [1, 1]))).toMatch(/^it has no Gemm/);
  expect(said(new Uint8Array(8))).toMatch(/ONNX/);
});

test("`convert` reads a CSV with a header, names a cell that is no number, and binds what it wrote", () => {
  const file = join(dir, "m.onnx");
  writeFileSync(file, mlp(2));
  const csv = join(dir, "rows.csv");
  const rows = rowsOf(prng(2, "rows"), [1, 1, 1, 1], 50);
  writeFileSync(csv, ["a,b,c,d", ...rows.map((row) => row.join())].join("\r\n"));
  const done = sterna("convert", file, "--target", "int8", "--rows", csv);
  expect([done.code, done.err]).toEqual([0, ""]);
  const out = join(dir, "m-int8.onnx");
  expect(done.out).toContain(`in: { x: { channels: [CHANNEL, ...], unit: [UNIT, ...] } }`);
  expect(done.out).toMatch(/answers differ by \d\.\d+ % of their spread/);
  const model = openModel(readFileSync(out), reference);
  expect(typeof model === "string" ? model : model.engine).toContain("ternary");
  const missing = sterna("convert", file, "--target", "int8");
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining("write --rows FILE")]);
  writeFileSync(csv, "a,b,c,d\n1,2,3,4\n1,2,three,4\n");
  const odd = sterna("convert", file, "--target", "ternary", "--rows", csv);
  expect([odd.code, odd.err]).toEqual([1, expect.stringContaining("rows.csv:3: column 3 is no")]);
});
