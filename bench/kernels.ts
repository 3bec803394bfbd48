//! The ternary kernels against what this core can do at most, and against ONNX Runtime on its own
//! best files (fp32, static and dynamic int8; one and two threads: the better counts), in one run.
//! Every figure of ours is a whole network from JavaScript: floats in, floats out, one call.
//! `--only a,b` measures those rows anew and keeps the others of the last run.
import { createRequire } from "node:module";
import type { Backend } from "../agent/accel/backend.js";
import { openNative, probeNative, runPeak } from "../agent/accel/native.js";
import { reference } from "../agent/accel/reference.js";
import { openBackend } from "../agent/accel/registry.js";
import { wasmBackend } from "../agent/accel/wasm.js";
import { prng } from "../agent/base/prng.js";
import { loadNetwork } from "../agent/models/network.js";
import { writeTernaryNet } from "../agent/models/onnx/write-net.js";
import { randomEncoder } from "../test/accel/encoders.js";
import { densePlan, ternaryNet } from "./kernel-nets.js";
import { peerEncoder } from "./peers/encoder.js";
import { type Form, type PeerLayer, peerModel, peerRun } from "./peers/onnxruntime.js";
import { failedRow, median, type Row, report } from "./result.js";

const ROUNDS = 9;
const ROUND_ms = 40;
// Threads of the runtime spin on for some milliseconds after a run, on a core that the next run may
// need: each round begins when they sleep.
const SETTLE_ms = 25;

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

const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Median microseconds of each call, in turns: what else runs on the machine slows all alike. */
function times_us(calls: readonly (() => void)[]): number[] {
  const runs = calls.map(fill);
  const times: number[][] = calls.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, call] of calls.entries()) {
      const count = runs[i] ?? 1;
      Atomics.wait(nothing, 0, 0, SETTLE_ms);
      spent_ms(call, Math.ceil(count / 8));
      times[i]?.push((1000 * spent_ms(call, count)) / count);
    }
  }
  return times.map(median);
}

type Run = () => void;
/** A run of the runtime, and what it is: "static int8, two threads". */
type Peer = { readonly name: string; readonly run: Run };
const COUNTS = ["", "one thread", "two threads"];

function peerOf(file: Uint8Array, name: string, dims: readonly number[], threads: number): Peer {
  return { name: `${name}, ${COUNTS[threads]}`, run: peerRun(file, dims, threads) };
}

/** Our own run with at most so many threads. */
type Ours = (lanes: number) => Run;

const opened = openBackend("auto");
if (typeof opened === "string") throw new Error(opened);
const { backend } = opened;

/** The backend measured, with at most so many threads; 0: as it chooses by itself. */
function withLanes(lanes: number): Backend {
  return probeNative(backend.name) === null ? openNative(backend.name, lanes) : backend;
}

function denseRun(on: Backend, shape: readonly [number, number, number], small = false): Run {
  const [rows, cols, batch] = shape;
  const loaded = on.load(densePlan(rows, cols, small), batch);
  const random = prng(7, "x");
  const x = Float32Array.from({ length: cols * batch }, () => random.normal());
  const y = new Float32Array(rows * batch);
  return () => loaded.infer(x, y, batch);
}

/** The peer in every form and with one and two threads. */
function peers(
  layers: readonly PeerLayer[],
  shape: readonly number[],
  forms: readonly Form[],
): Peer[] {
  return forms.flatMap((form) => {
    const file = peerModel(layers, shape, form);
    return [1, 2].map((threads) => peerOf(file, `onnxruntime ${form}`, [1, ...shape], threads));
  });
}

function netRun(file: Uint8Array, on: Backend = backend): Run {
  const network = loadNetwork(file, on);
  if (typeof network === "string") throw new Error(network);
  const random = prng(5, "x");
  const x = Float32Array.from({ length: network.inputs[0]?.size ?? 0 }, () => random.normal());
  const y = new Float32Array(network.outputs[0]?.size ?? 0);
  return () => network.infer(x, y);
}

const conv = (rows: number, channels: number, kernel: number): PeerLayer => ({
  ...{ kind: "conv", rows, cols: channels * kernel, kernel, stride: 2, pad: kernel >> 1 },
});
function conv2d(rows: number, channels: number, kernel: readonly [number, number]) {
  const cols = channels * kernel[0] * kernel[1];
  const plain = { stride: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const;
  return { kind: "conv2d", rows, cols, kernel, ...plain } as const;
}
const dense = (rows: number, cols: number): PeerLayer => ({ kind: "dense", rows, cols });
const MLP = [dense(192, 64), dense(192, 192), dense(40, 192), dense(8, 40)];
const CNN = [conv(32, 1, 7), conv(64, 32, 5), conv(64, 64, 5), dense(15, 64 * 32)];
/** The keyword spotter of MLPerf Tiny: 49 frames of 10 coefficients, a DS-CNN of 64 channels. */
const KWS: readonly PeerLayer[] = [
  ...[{ ...conv2d(64, 1, [10, 4]), stride: [2, 2], pads: [4, 1, 5, 1] } as const],
  ...[1, 2, 3, 4].flatMap(() => [
    { ...conv2d(64, 1, [3, 3]), pads: [1, 1, 1, 1], groups: 64 } as const,
    conv2d(64, 64, [1, 1]),
  ]),
  { kind: "pool" },
  dense(12, 64),
];
const WIDE = [dense(4096, 4096)];
const mlpFile = () => writeTernaryNet(ternaryNet(MLP, [64]));
const cnnFile = () => writeTernaryNet(ternaryNet(CNN, [1, 256]));
const BERT = { sequence: 128, width: 768, heads: 12, hidden: 3072, depth: 12 };

const PEAK_ROUNDS = 10_000;

/** One thread against the vpdpbusd peak of one core. */
function gemmRow(
  name: string,
  shape: readonly [number, number, number],
  min: number,
  small: boolean,
): Row {
  const kernel = small ? "avx512-vbmi" : "avx512-vnni";
  const absent = probeNative(kernel);
  if (absent !== null) return failedRow(name, "GMAC/s", { min }, absent);
  const [rows, cols, batch] = shape;
  const macs = runPeak(PEAK_ROUNDS);
  const ours = denseRun(openNative(kernel, 1), shape, small);
  const [time = 0, peak = 0] = times_us([ours, () => runPeak(PEAK_ROUNDS)]);
  const value = (rows * cols * batch) / time / 1000;
  const peer = macs / peak / 1000;
  const note = `share of the vpdpbusd peak; ${rows} x ${cols}, batch ${batch}, one thread`;
  return { name, value, unit: "GMAC/s", peer, ratio: value / peer, min, note };
}

/** How many times faster than the best of the others, with the better of one and two threads. */
function faster(
  name: string,
  min: number | null,
  ours: readonly Run[],
  others: readonly Peer[],
  unit: "us" | "ms" = "us",
): Row {
  const scale = unit === "ms" ? 1000 : 1;
  const times = times_us([...ours, ...others.map(({ run }) => run)]).map((time) => time / scale);
  const [mine, theirs] = [times.slice(0, ours.length), times.slice(ours.length)];
  const [value, peer] = [Math.min(...mine), Math.min(...theirs)];
  const each = mine.map((time) => time.toPrecision(3)).join(" and ");
  const threads = ours.length > 1 ? `; ours with one and two threads ${each} ${unit}` : "";
  const note = `times faster than ${others[theirs.indexOf(peer)]?.name}${threads}`;
  return { name, value, unit, peer, ratio: peer / value, ...(min === null ? {} : { min }), note };
}

function bertRow(name: string, kept: number, min: number): Row {
  const shape = { ...BERT, limit: 127, kept };
  const plan = randomEncoder(1, shape);
  const small = randomEncoder(1, { ...shape, limit: 7 });
  const size = BERT.sequence * BERT.width;
  const random = prng(5, "x");
  const x = Float32Array.from({ length: size }, () => random.normal());
  const y = new Float32Array(size);
  const run = (lanes: number, of = plan): Run => {
    const loaded = withLanes(lanes).loadEncoder(of, 1);
    return () => loaded.infer(x, y, 1);
  };
  const dims = [1, BERT.sequence, BERT.width];
  const others = [true, false].map((fused) => {
    const form = fused
      ? "onnxruntime fp32, fused attention"
      : "onnxruntime fp32, standard operators";
    return peerOf(peerEncoder(BERT, fused), form, dims, 2);
  });
  const row = faster(name, min, [run(1), run(2)], others, "ms");
  const [fourBits = Number.NaN] = times_us([run(2, small)]);
  const note = `${row.note}; steps of 4 bits, two threads: ${(fourBits / 1000).toPrecision(3)} ms`;
  return { ...row, note };
}

function weightsRow(name: string): Row {
  const fp32 = peerModel(WIDE, [4096], "fp32").length;
  const ours = writeTernaryNet(ternaryNet(WIDE, [4096])).length;
  const note = "whole files with scales and biases, fp32 / ours";
  return { name, value: fp32 / ours, unit: "x", min: 15, note };
}

function loadRow(name: string): Row {
  const file = writeTernaryNet(ternaryNet([dense(2048, 2048)], [2048]));
  const [time = Number.NaN] = times_us([() => void netRun(file)]);
  const note = `${(file.length / 1e6).toFixed(2)} MB, bytes of the file to a ready network`;
  return { name, value: time / 1000, unit: "ms", max: 20, note };
}

function wasmRow(name: string): Row {
  const shape = [768, 768, 1] as const;
  const other = { name: "the TypeScript reference", run: denseRun(reference, shape) };
  const row = faster(name, 7, [denseRun(wasmBackend, shape)], [other]);
  return { ...row, note: `${row.note}, 768 x 768` };
}

/** The small models of gateways without AVX-512 too. */
function dsCnnRow(name: string, on: Backend | string, forms: readonly Form[]): Row {
  if (typeof on === "string") return failedRow(name, "us", {}, on);
  const file = writeTernaryNet(ternaryNet(KWS, [1, 49, 10]));
  const row = faster(name, null, [netRun(file, on)], peers(KWS, [1, 49, 10], forms));
  return { ...row, note: `${on.name}, ${row.note}` };
}

function named(name: string): Backend | string {
  const found = openBackend(name);
  return typeof found === "string" ? found : found.backend;
}

const gemv: Ours = (lanes) => denseRun(withLanes(lanes), [4096, 4096, 1]);
const INT8: readonly Form[] = ["static int8", "dynamic int8"];
const ROWS: Readonly<Record<string, (name: string) => Row>> = {
  "gemm-768-b32": (name) => gemmRow(name, [768, 768, 32], 0.85, false),
  "gemm-3072x768-b128": (name) => gemmRow(name, [3072, 768, 128], 0.85, false),
  "gemv-4096-vs-fp32": (name) =>
    faster(name, 30, [gemv(1), gemv(2)], peers(WIDE, [4096], ["fp32"])),
  "gemv-4096-vs-int8": (name) => faster(name, 4.5, [gemv(1), gemv(2)], peers(WIDE, [4096], INT8)),
  "a4-gemm": (name) => gemmRow(name, [3072, 768, 128], 1.15, true),
  "mlp-57k": (name) => faster(name, 15, [netRun(mlpFile())], peers(MLP, [64], ["fp32", ...INT8])),
  "mlp-57k-us": (name) => {
    const [value = Number.NaN] = times_us([netRun(mlpFile())]);
    return { name, value, unit: "us", max: 1 };
  },
  "cnn-62k-vs-fp32": (name) => faster(name, 4, [netRun(cnnFile())], peers(CNN, [1, 256], ["fp32"])),
  "cnn-62k-vs-int8": (name) =>
    faster(name, 1.5, [netRun(cnnFile())], peers(CNN, [1, 256], ["static int8"])),
  "ds-cnn": (name) => dsCnnRow(name, backend, ["fp32", "static int8"]),
  "ds-cnn-avx2": (name) => dsCnnRow(name, named("avx2"), ["fp32", "static int8"]),
  "ds-cnn-wasm": (name) => dsCnnRow(name, named("wasm"), ["fp32", "static int8"]),
  "bert-dense": (name) => bertRow(name, 1, 4),
  "bert-sparse": (name) => bertRow(name, 0.1, 7),
  "weights-ratio": weightsRow,
  "wasm-vs-ts": wasmRow,
  "load-1mb": loadRow,
};

const at = process.argv.indexOf("--only");
const only = at < 0 ? Object.keys(ROWS) : (process.argv[at + 1] ?? "").split(",");
const unknown = only.filter((name) => ROWS[name] === undefined);
if (unknown.length > 0) throw new Error(`--only: no row ${unknown.join(", ")}`);
console.log(`backend ${backend.name}, ${opened.why}`);
const rows = Object.entries(ROWS).flatMap(([name, make]) => {
  return only.includes(name) ? [make(name)] : [];
});
const manifest = createRequire(import.meta.url)("onnxruntime-node/package.json") as {
  readonly version: string;
};
const versions = { onnxruntime: manifest.version, backend: backend.name };
process.exitCode = report("kernels", rows, versions, at >= 0);
