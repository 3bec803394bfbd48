//! The ternary kernels against what this CPU can do at most, and against ONNX Runtime on its own
//! best files (fp32, static and dynamic int8) and ggml, with one and two threads, in one run.
//! Every figure of ours is a whole network from JavaScript: floats in, floats out, one call.
//! `--only a,b` measures those rows anew and keeps the others of the last run; `--peers` fetches ggml.
import { createRequire } from "node:module";
import type { Backend } from "../agent/accel/backend.js";
import { probeNative } from "../agent/accel/native.js";
import { reference } from "../agent/accel/reference.js";
import { openBackend } from "../agent/accel/registry.js";
import { wasmBackend } from "../agent/accel/wasm.js";
import { writeTernaryNet } from "../agent/models/onnx/write-net.js";
import { randomEncoder } from "../test/accel/encoders.js";
import { gemmRows } from "./kernel-gemm.js";
import { BERT, BERT_TINY, CNN, dense, densePlan, KWS, MLP, ternaryNet } from "./kernel-nets.js";
import {
  backend,
  denseRun,
  ggmlPeers,
  inferRun,
  netRun,
  ours,
  peers,
  type Shape,
  why,
} from "./kernel-runs.js";
import {
  both,
  type Entry,
  faster,
  fasterOf,
  fastest,
  listed,
  type Run,
  race,
} from "./kernel-times.js";
import { type EncoderForm, type PeerEncoder, peerEncoder } from "./peers/encoder.js";
import { fetchGgml, probeGgml } from "./peers/ggml.js";
import {
  FEW_BITS,
  FORMS,
  type Form,
  type PeerLayer,
  peerLoad,
  peerModel,
  peerRun,
} from "./peers/onnxruntime.js";
import { type Bound, failedRow, type Row, report } from "./result.js";

const INT8: readonly Form[] = ["static int8", "dynamic int8"];
const file = (layers: readonly PeerLayer[], shape: readonly number[]): Uint8Array =>
  writeTernaryNet(ternaryNet(layers, shape));
const mlp = (): Entry[] => ours(netRun(file(MLP, [64])));
const cnn = (): Entry[] => ours(netRun(file(CNN, [1, 256])));

const WIDE: Shape = [4096, 4096, 1];
function gemvRows(name: string, bound: Bound, others: readonly Entry[]): Row[] {
  if (others.length === 0) return [];
  const [rows, cols] = WIDE;
  return [
    faster(name, bound, { ours: ours(denseRun(densePlan(rows, cols), WIDE)), peers: others }),
  ];
}
const widePeers = (forms: readonly Form[]): Entry[] => {
  return peers([dense(WIDE[0], WIDE[1])], [WIDE[1]], forms);
};

function encoderRun(shape: PeerEncoder, kept: number, limit: number): (on: Backend) => Run {
  const plan = randomEncoder(1, { ...shape, limit, kept });
  const size = shape.sequence * shape.width;
  return (on) => inferRun(on.loadEncoder(plan, 1), size, size, 1);
}

const ENCODERS: readonly EncoderForm[] = [
  "fp32, fused attention",
  "fp32, standard operators",
  "dynamic int8",
];
const loaded = new Map<PeerEncoder, Entry[]>();
/** Kept for the next row: they take seconds to load. */
function encoderPeers(shape: PeerEncoder): Entry[] {
  const known = loaded.get(shape);
  if (known !== undefined) return known;
  const made = ENCODERS.flatMap((form) => {
    const model = peerEncoder(shape, form);
    const dims = [1, shape.sequence, shape.width];
    return both(`onnxruntime ${form}`, (threads) => peerRun(model, dims, threads));
  });
  loaded.set(shape, made);
  return made;
}

/** The bound is against fp32, as ternary weights replace it; int8 has a row of its own. */
function bertRows(name: string, kept: number, min: number): Row[] {
  const absent = probeNative(backend.name);
  if (absent !== null) return [failedRow(name, "ms", { min }, absent)];
  const own = ours(encoderRun(BERT, kept, 127));
  const small = ours(encoderRun(BERT, kept, 7), backend, "ours, steps of 4 bits");
  const others = encoderPeers(BERT);
  const times = race([...own, ...small, ...others]);
  const [int8, fp32] = [true, false].map((is) => {
    return others.filter(({ name }) => name.endsWith("int8") === is);
  }) as [Entry[], Entry[]];
  const sides = { ours: own, also: small };
  return [
    fasterOf(name, { min }, times, { ...sides, peers: fp32 }, "ms"),
    fasterOf(`${name}-vs-int8`, {}, times, { ...sides, peers: int8 }, "ms"),
  ];
}

/** The small models of gateways without AVX-512 or without the addon, too. */
function smallRow(
  name: string,
  load: (on: Backend) => Run,
  on: Backend | string,
  others: () => readonly Entry[],
): Row[] {
  if (typeof on === "string") return [failedRow(name, "us", {}, on)];
  const row = faster(name, {}, { ours: ours(load, on), peers: others() });
  return [{ ...row, note: `${on.name}, ${row.note}` }];
}
const dsCnn = (on: Backend | string) => (name: string) =>
  smallRow(name, netRun(file(KWS, [1, 49, 10])), on, () =>
    peers(KWS, [1, 49, 10], ["fp32", "static int8"]),
  );
const bertTiny = (on: Backend | string) => (name: string) =>
  smallRow(name, encoderRun(BERT_TINY, 1, 127), on, () => encoderPeers(BERT_TINY));

function named(name: string): Backend | string {
  const found = openBackend(name);
  return typeof found === "string" ? found : found.backend;
}

function weightsRow(name: string): Row {
  const layers = [dense(WIDE[0], WIDE[1])];
  const fp32 = peerModel(layers, [WIDE[1]], "fp32").length;
  const note = "whole files with scales and biases, fp32 / ours";
  return { name, value: fp32 / file(layers, [WIDE[1]]).length, unit: "x", min: 15, note };
}

function loadRows(name: string): Row[] {
  const layers = [dense(2048, 2048)];
  const size_MB = (bytes: Uint8Array): string => `${(bytes.length / 1e6).toFixed(1)} MB`;
  const model = file(layers, [2048]);
  const load = netRun(model);
  const mine: Entry = {
    ...{ name: `ours of ${size_MB(model)}`, threads: 1 },
    run: () => void load(backend),
  };
  const others = (["fp32", "static int8"] as const).flatMap((form) => {
    const peer = peerModel(layers, [2048], form);
    const title = `onnxruntime ${form} of ${size_MB(peer)}`;
    return both(title, (threads) => peerLoad(peer, threads));
  });
  const against = faster(`${name}-vs-onnxruntime`, {}, { ours: [mine], peers: others }, "ms");
  const note = `${size_MB(model)}, bytes of the file to a ready network`;
  return [{ name, value: against.value, unit: "ms", max: 20, note }, against];
}

function wasmRow(name: string): Row {
  const shape = [768, 768, 1] as const;
  const load = denseRun(densePlan(768, 768), shape);
  const other: Entry = { name: "the TypeScript reference", threads: 1, run: load(reference) };
  const row = faster(name, { min: 7 }, { ours: ours(load, wasmBackend), peers: [other] });
  return { ...row, note: `768 x 768, ${row.note}` };
}

function mlpTimeRow(name: string): Row {
  const times = race(mlp());
  return { name, value: fastest(times).us, unit: "us", max: 1, note: listed(times, "us") };
}

const ROWS: Readonly<Record<string, (name: string) => Row[]>> = {
  "gemm-768-b32": (name) => gemmRows(name, [768, 768, 32], 0.85, false),
  "gemm-3072x768-b128": (name) => gemmRows(name, [3072, 768, 128], 0.85, false),
  "gemv-4096-vs-fp32": (name) => gemvRows(name, { min: 30 }, widePeers(["fp32"])),
  "gemv-4096-vs-int8": (name) => gemvRows(name, { min: 4.5 }, widePeers(INT8)),
  "gemv-4096-vs-few-bits": (name) => gemvRows(name, {}, widePeers(FEW_BITS)),
  "gemv-4096-vs-ggml": (name) => gemvRows(name, { min: 4 }, ggmlPeers(WIDE)),
  "a4-gemm": (name) => gemmRows(name, [3072, 768, 128], 1.15, true),
  "mlp-57k": (name) => [faster(name, { min: 15 }, { ours: mlp(), peers: peers(MLP, [64], FORMS) })],
  "mlp-57k-us": (name) => [mlpTimeRow(name)],
  "cnn-62k-vs-fp32": (name) => [
    faster(name, { min: 4 }, { ours: cnn(), peers: peers(CNN, [1, 256], ["fp32"]) }),
  ],
  "cnn-62k-vs-int8": (name) => [
    faster(name, { min: 1.5 }, { ours: cnn(), peers: peers(CNN, [1, 256], ["static int8"]) }),
  ],
  "ds-cnn": dsCnn(backend),
  "ds-cnn-avx2": dsCnn(named("avx2")),
  "ds-cnn-wasm": dsCnn(named("wasm")),
  "bert-dense": (name) => bertRows(name, 1, 4),
  "bert-sparse": (name) => bertRows(name, 0.1, 7),
  "bert-tiny": bertTiny(backend),
  "bert-tiny-wasm": bertTiny(named("wasm")),
  "weights-ratio": (name) => [weightsRow(name)],
  "wasm-vs-ts": (name) => [wasmRow(name)],
  "load-1mb": loadRows,
};

const at = process.argv.indexOf("--only");
const only = at < 0 ? Object.keys(ROWS) : (process.argv[at + 1] ?? "").split(",");
const unknown = only.filter((name) => ROWS[name] === undefined);
if (unknown.length > 0) throw new Error(`--only: no row ${unknown.join(", ")}`);
if (process.argv.includes("--peers")) fetchGgml();
const noGgml = probeGgml();
if (noGgml !== null) console.log(`${noGgml}; the rows against it are left as they were`);
console.log(`backend ${backend.name}, ${why}`);
const rows = Object.entries(ROWS).flatMap(([name, make]) => {
  if (!only.includes(name)) return [];
  const start = performance.now();
  const made = make(name);
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return made;
});
const manifest = createRequire(import.meta.url)("onnxruntime-node/package.json") as {
  readonly version: string;
};
const versions = { onnxruntime: manifest.version, backend: backend.name };
process.exitCode = report("kernels", rows, versions, at >= 0 || noGgml !== null);
