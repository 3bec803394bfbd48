//! The ternary kernels against what this core can do at most, and against ONNX Runtime on its own
//! best files (fp32, static and dynamic int8; one and two threads: the better counts), in one run.
//! Every figure of ours is a whole network from JavaScript: floats in, floats out, one call.
import { createRequire } from "node:module";
import { type Backend, denseStage, type Layer, type Plan } from "../agent/accel/backend.js";
import { runPeak } from "../agent/accel/native.js";
import { reference } from "../agent/accel/reference.js";
import { openBackend } from "../agent/accel/registry.js";
import { wasmBackend } from "../agent/accel/wasm.js";
import { type Prng, prng } from "../agent/base/prng.js";
import { loadNetwork } from "../agent/models/network.js";
import type { NetLayer, TernaryNet } from "../agent/models/onnx/ternary-net.js";
import { writeTernaryNet } from "../agent/models/onnx/write-net.js";
import { type Form, type PeerLayer, peerModel, peerRun } from "./peers/onnxruntime.js";
import { failedRow, median, type Row, report } from "./result.js";

const ROUNDS = 9;
const ROUND_ms = 40;

/** How many calls fill a round. */
function fill(call: () => void): number {
  let runs = 1;
  call();
  while (spent_ms(call, runs) < ROUND_ms / 2) runs *= 2;
  return runs;
}

function spent_ms(call: () => void, runs: number): number {
  const start = performance.now();
  for (let i = 0; i < runs; i++) call();
  return performance.now() - start;
}

/** Median microseconds of each call, in turns: what else runs on the machine slows all alike. */
function times_us(calls: readonly (() => void)[]): number[] {
  const runs = calls.map(fill);
  const times: number[][] = calls.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, call] of calls.entries()) {
      const count = runs[i] ?? 1;
      times[i]?.push((1000 * spent_ms(call, count)) / count);
    }
  }
  return times.map(median);
}

function densePlan(rows: number, cols: number): Plan {
  const random = prng(rows + cols, "bench");
  const layer: Layer = {
    rows,
    cols,
    weights: Int8Array.from({ length: rows * cols }, () => Math.floor(random.next() * 3) - 1),
    ternary: true,
    bias: new Int32Array(rows).fill(3),
    multiplier: new Uint16Array(rows).fill(20_000),
    shift: new Uint8Array(rows).fill(19),
    relu: false,
  };
  const to = Math.ceil((cols + 4) / 64) * 64;
  const scale = new Float64Array(rows).fill(0.1);
  return {
    input: { channels: cols, lines: 1, length: 1, at: 0, line: 0, inverse: 31 },
    stages: [denseStage(layer, 0, to)],
    state: [],
    output: { channels: rows, places: 1, at: to, scale, sums: false, relu: false },
    arena_bytes: to + rows,
  };
}

function denseRun(backend: Backend, rows: number, cols: number, batch: number): () => void {
  const loaded = backend.load(densePlan(rows, cols), batch);
  const random = prng(7, "x");
  const x = Float32Array.from({ length: cols * batch }, () => random.normal());
  const y = new Float32Array(rows * batch);
  return () => loaded.infer(x, y, batch);
}

/** The peer in every form and with one and two threads. */
function peers(layers: readonly PeerLayer[], shape: readonly number[], forms: readonly Form[]) {
  return forms.flatMap((form) => {
    const file = peerModel(layers, shape, form);
    return [1, 2].map((threads) => peerRun(file, [1, ...shape], threads));
  });
}

function ternaryNet(layers: readonly PeerLayer[], shape: readonly number[]): TernaryNet {
  const random = prng(3, "net");
  return {
    input: { name: "x", unit: "1", min: -4, max: 4, shape, scale: 0.03 },
    layers: layers.map((layer, i) => ternaryLayer(random, layer, i === layers.length - 1)),
    output: { name: "y", unit: "1", min: -50, max: 50, classes: [] },
    meta: { version: "1", training: "sha256:none", facts: {} },
  };
}

function ternaryLayer(random: Prng, layer: PeerLayer, last: boolean): NetLayer {
  const { rows, cols } = layer;
  const shared = {
    weights: Int8Array.from({ length: rows * cols }, () => Math.floor(random.next() * 3) - 1),
    ternary: true,
    wScale: new Float32Array(rows).fill(0.05),
    bias: new Float32Array(rows).fill(0.01),
    relu: !last,
    outScale: last ? null : 0.03,
  };
  if (layer.kind === "dense") return { ...shared, kind: "dense", rows, cols };
  const { kernel, stride, pad } = layer;
  const channels = cols / kernel;
  return { ...shared, kind: "conv1d", filters: rows, channels, kernel, stride, pad };
}

function netRun(file: Uint8Array, backend: Backend): () => void {
  const network = loadNetwork(file, backend);
  if (typeof network === "string") throw new Error(network);
  const random = prng(5, "x");
  const x = Float32Array.from({ length: network.inputs[0]?.size ?? 0 }, () => random.normal());
  const y = new Float32Array(network.outputs[0]?.size ?? 0);
  return () => network.infer(x, y);
}

const conv = (rows: number, channels: number, kernel: number): PeerLayer => ({
  ...{ kind: "conv", rows, cols: channels * kernel, kernel, stride: 2, pad: kernel >> 1 },
});
const dense = (rows: number, cols: number): PeerLayer => ({ kind: "dense", rows, cols });
const MLP = [dense(192, 64), dense(192, 192), dense(40, 192), dense(8, 40)];
const CNN = [conv(32, 1, 7), conv(64, 32, 5), conv(64, 64, 5), dense(15, 64 * 32)];
const DENSE_FORMS: readonly Form[] = ["fp32", "static int8", "dynamic int8"];

const PEAK_ROUNDS = 10_000;

function gemmRow(name: string, backend: Backend, shape: readonly [number, number, number]): Row {
  const [rows, cols, batch] = shape;
  const macs = runPeak(PEAK_ROUNDS);
  if (macs === 0) return failedRow(name, "GMAC/s", { min: 0.85 }, "no vpdpbusd on this CPU");
  const ours = denseRun(backend, rows, cols, batch);
  const [time = 0, peak = 0] = times_us([ours, () => runPeak(PEAK_ROUNDS)]);
  const value = (rows * cols * batch) / time / 1000;
  const peer = macs / peak / 1000;
  const note = "share of the vpdpbusd peak";
  return { name, value, unit: "GMAC/s", peer, ratio: value / peer, min: 0.85, note };
}

/** How many times faster than the best of the others. */
function faster(
  name: string,
  min: number,
  ours: () => void,
  others: readonly (() => void)[],
  note = "times faster than onnxruntime",
): Row {
  const [value = Number.NaN, ...rest] = times_us([ours, ...others]);
  const peer = Math.min(...rest);
  return { name, value, unit: "us", peer, ratio: peer / value, min, note };
}

function rowsOf(backend: Backend): Row[] {
  const wide = [dense(4096, 4096)];
  const gemv = denseRun(backend, 4096, 4096, 1);
  const mlp = netRun(writeTernaryNet(ternaryNet(MLP, [64])), backend);
  const cnn = netRun(writeTernaryNet(ternaryNet(CNN, [1, 256])), backend);
  const megabyte = writeTernaryNet(ternaryNet([dense(2048, 2048)], [2048]));
  const fp32 = peerModel(wide, [4096], "fp32").length;
  const ours = writeTernaryNet(ternaryNet(wide, [4096])).length;
  const whole = faster("mlp-57k", 15, mlp, peers(MLP, [64], DENSE_FORMS));
  const [load = Number.NaN] = times_us([() => void netRun(megabyte, backend)]);
  const size = `${(megabyte.length / 1e6).toFixed(2)} MB, bytes of the file to a ready network`;
  const files = "whole files, fp32 / ours";
  return [
    gemmRow("gemm-768-b32", backend, [768, 768, 32]),
    gemmRow("gemm-3072x768-b128", backend, [3072, 768, 128]),
    faster("gemv-4096-vs-fp32", 30, gemv, peers(wide, [4096], ["fp32"])),
    faster("gemv-4096-vs-int8", 4.5, gemv, peers(wide, [4096], ["static int8", "dynamic int8"])),
    failedRow("a4-gemm", "GMAC/s", { min: 1.15 }, "not built yet"),
    whole,
    { name: "mlp-57k-us", value: whole.value, unit: "us", max: 1 },
    faster("cnn-62k-vs-fp32", 4, cnn, peers(CNN, [1, 256], ["fp32"])),
    faster("cnn-62k-vs-int8", 1.5, cnn, peers(CNN, [1, 256], ["static int8"])),
    failedRow("bert-dense", "ms", { min: 4 }, "not built yet"),
    failedRow("bert-sparse", "ms", { min: 7 }, "not built yet"),
    { name: "weights-ratio", value: fp32 / ours, unit: "x", min: 15, note: files },
    faster(
      "wasm-vs-ts",
      7,
      denseRun(wasmBackend, 768, 768, 1),
      [denseRun(reference, 768, 768, 1)],
      "times faster than the TypeScript reference, 768 x 768",
    ),
    { name: "load-1mb", value: load / 1000, unit: "ms", max: 20, note: size },
  ];
}

const opened = openBackend("auto");
if (typeof opened === "string") throw new Error(opened);
console.log(`backend ${opened.backend.name}, ${opened.why}`);
const manifest = createRequire(import.meta.url)("onnxruntime-node/package.json") as {
  readonly version: string;
};
process.exitCode = report("kernels", rowsOf(opened.backend), {
  onnxruntime: manifest.version,
  backend: opened.backend.name,
});
