//! The ternary kernels against what this core can do at most, and against ONNX Runtime on its own
//! best files (fp32, static and dynamic int8; one and two threads: the better counts), in one run.
//! Every figure of ours is a whole network from JavaScript: floats in, floats out, one call.
import { createRequire } from "node:module";
import type { Backend, Layer, Plan, Stage } from "../agent/accel/backend.js";
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

/** Median microseconds of a call, over rounds of as many calls as fill one. */
function time_us(call: () => void): number {
  call();
  let runs = 1;
  const spent = (): number => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) call();
    return performance.now() - start;
  };
  while (spent() < ROUND_ms / 4) runs *= 2;
  return median(Array.from({ length: ROUNDS }, () => (1000 * spent()) / runs));
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
  const stage: Stage = { layer, places: 1, step: 0, from: 0, to };
  const scale = new Float64Array(rows).fill(0.1);
  return {
    input: { channels: cols, length: 1, at: 0, inverse: 31 },
    stages: [stage],
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

function best_us(layers: readonly PeerLayer[], shape: readonly number[], forms: readonly Form[]) {
  return Math.min(
    ...forms.flatMap((form) =>
      [1, 2].map((threads) =>
        time_us(peerRun(peerModel(layers, shape, form), [1, ...shape], threads)),
      ),
    ),
  );
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

function gemmRow(name: string, backend: Backend, shape: readonly [number, number, number]): Row {
  const [rows, cols, batch] = shape;
  const rate = (rows * cols * batch) / time_us(denseRun(backend, rows, cols, batch)) / 1000;
  const peak = 1 / (time_us(() => runPeak(10_000)) / (runPeak(1) * 10_000)) / 1000;
  const note = "of the vpdpbusd peak of this run";
  if (!(peak > 0)) return failedRow(name, "GMAC/s", { min: 0.85 }, "no vpdpbusd on this CPU");
  return { name, value: rate, unit: "GMAC/s", peer: peak, ratio: rate / peak, min: 0.85, note };
}

/** How many times faster than the peer. */
function faster(name: string, ours_us: number, peer_us: number, min: number, note: string): Row {
  return { name, value: ours_us, unit: "us", peer: peer_us, ratio: peer_us / ours_us, min, note };
}

function rowsOf(backend: Backend): Row[] {
  const wide = [dense(4096, 4096)];
  const gemv = time_us(denseRun(backend, 4096, 4096, 1));
  const mlpFile = writeTernaryNet(ternaryNet(MLP, [64]));
  const mlp = time_us(netRun(mlpFile, backend));
  const cnn = time_us(netRun(writeTernaryNet(ternaryNet(CNN, [1, 256])), backend));
  const megabyte = writeTernaryNet(ternaryNet([dense(2048, 2048)], [2048]));
  const fp32 = peerModel(wide, [4096], "fp32").length;
  const ours = writeTernaryNet(ternaryNet(wide, [4096])).length;
  const times = "times faster than onnxruntime";
  return [
    gemmRow("gemm-768-b32", backend, [768, 768, 32]),
    gemmRow("gemm-3072x768-b128", backend, [3072, 768, 128]),
    faster("gemv-4096-vs-fp32", gemv, best_us(wide, [4096], ["fp32"]), 30, times),
    faster(
      "gemv-4096-vs-int8",
      gemv,
      best_us(wide, [4096], ["static int8", "dynamic int8"]),
      4.5,
      times,
    ),
    failedRow("a4-gemm", "GMAC/s", { min: 1.15 }, "not built yet"),
    faster("mlp-57k", mlp, best_us(MLP, [64], DENSE_FORMS), 15, `${times}, its best form`),
    { name: "mlp-57k-us", value: mlp, unit: "us", max: 1 },
    faster("cnn-62k-vs-fp32", cnn, best_us(CNN, [1, 256], ["fp32"]), 4, times),
    faster("cnn-62k-vs-int8", cnn, best_us(CNN, [1, 256], ["static int8"]), 1.5, times),
    failedRow("bert-dense", "ms", { min: 4 }, "not built yet"),
    failedRow("bert-sparse", "ms", { min: 7 }, "not built yet"),
    {
      name: "weights-ratio",
      value: fp32 / ours,
      unit: "x",
      min: 15,
      note: "whole files, fp32 / ours",
    },
    faster(
      "wasm-vs-ts",
      time_us(denseRun(wasmBackend, 768, 768, 1)),
      time_us(denseRun(reference, 768, 768, 1)),
      7,
      "times faster than the TypeScript reference, 768 x 768",
    ),
    {
      name: "load-1mb",
      value: time_us(() => void netRun(megabyte, backend)) / 1000,
      unit: "ms",
      max: 20,
      note: `${(megabyte.length / 1e6).toFixed(2)} MB, file to ready network`,
    },
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
