//! `sterna bench MODEL`: how fast a user's own file runs on every backend of this machine, and in
//! ONNX Runtime on the same file with one and two threads. Inputs are random, all sides the same.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { DRIVERS, openBackend } from "../accel/registry.js";
import { prng } from "../base/prng.js";
import { openDense } from "../models/dense.js";
import type { Model } from "../models/model.js";
import { hashOf, planNetwork } from "../models/network.js";
import { CERTIFICATE_KEY } from "../models/onnx/meta.js";
import type { OnnxModel } from "../models/onnx/model.js";
import { readOnnx } from "../models/onnx/read.js";
import { recognise } from "../models/onnx/recognise.js";
import { isWeighted, type TernaryNet } from "../models/onnx/ternary-net.js";
import { openTrees } from "../models/tree-model.js";
import { type Arguments, EXIT } from "./command.js";

const BATCH = 64;
const RUNS = 2_000;
const RUNS_MAX = 1_000_000;
/** A sample of the clock is at least this long: several runs where one is shorter. */
const SAMPLE_us = 20;
/** No row takes longer than twice this. */
const ROW_ms = 2_000;

type Row = {
  readonly engine: string;
  readonly p50_us: number;
  readonly p99_us: number;
  /** Inferences a second in calls of `batch`; null where the engine takes one at a time. */
  readonly rate_hz: number | null;
  /** Times as fast as the better row of ONNX Runtime, at the median. */
  ratio: number | null;
};

/** One inference, and one of a whole batch. */
type Engine = {
  readonly name: string;
  readonly one: () => void;
  readonly many: (() => void) | null;
};

export async function bench({ positionals, values }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const runs = values["runs"] === undefined ? RUNS : Number(values["runs"]);
  if (!(Number.isInteger(runs) && runs >= 10 && runs <= RUNS_MAX)) {
    console.error(`sterna bench: --runs ${values["runs"]}; write a number from 10 to ${RUNS_MAX}`);
    return EXIT.usage;
  }
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    console.error(`${file}: cannot be read: ${error instanceof Error ? error.message : error}`);
    return EXIT.failed;
  }
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") return refuse(file, onnx);
  const net = recognise(onnx);
  const wanted = values["backend"] === undefined ? null : String(values["backend"]);
  const skipped: string[] = [];
  const own =
    typeof net === "string"
      ? plainEngines(onnx, bytes, net, skipped)
      : ternaryEngines(net, onnx, bytes, wanted, skipped);
  if (typeof own === "string") return refuse(file, own);
  const peers = [1, 2].flatMap((threads) => peerOf(onnx, bytes, threads, skipped));
  const rows = [...own, ...peers].map((engine) => timed(engine, runs));
  const best = Math.min(...rows.slice(own.length).map((row) => row.p50_us));
  for (const row of rows) row.ratio = Number.isFinite(best) ? best / row.p50_us : null;
  const what = typeof net === "string" ? `${onnx.graph.nodes.length} nodes` : sizeOf(net);
  const about = { file: basename(file), bytes: bytes.length, hash: hashOf(bytes), model: what };
  if (values["json"] === true) {
    console.log(JSON.stringify({ ...about, batch: BATCH, rows, skipped }, null, 2));
  } else print(about, rows, skipped);
  return EXIT.done;
}

function refuse(file: string, why: string): number {
  console.error(`${file}: ${why}`);
  return EXIT.failed;
}

function sizeOf(net: TernaryNet): string {
  const weights = net.layers.reduce((sum, layer) => {
    return sum + (isWeighted(layer) ? layer.weights.length : 0);
  }, 0);
  return `ternary, ${net.layers.length} layers, ${weights} weights`;
}

function ternaryEngines(
  net: TernaryNet,
  onnx: OnnxModel,
  bytes: Uint8Array,
  wanted: string | null,
  skipped: string[],
): Engine[] | string {
  const engines: Engine[] = [];
  if (wanted !== null) {
    const opened = openBackend(wanted);
    if (typeof opened === "string") return opened;
    wanted = opened.backend.name;
  }
  const certificate = onnx.metadata.get(CERTIFICATE_KEY) ?? null;
  for (const { name, probe, open } of DRIVERS) {
    if (wanted !== null && wanted !== name) continue;
    const absent = probe();
    if (absent !== null) {
      skipped.push(`${name}: ${absent}`);
      continue;
    }
    const options = { batch: BATCH, certificate };
    const network = planNetwork(net, open(), hashOf(bytes), options);
    if (typeof network === "string") return network;
    const [from, to] = [network.inputs[0]?.size ?? 0, network.outputs[0]?.size ?? 0];
    const [x, y] = [noise(from * BATCH), new Float32Array(to * BATCH)];
    const [one, result] = [x.subarray(0, from), y.subarray(0, to)];
    engines.push({
      name,
      one: () => network.infer(one, result),
      many: () => network.infer(x, y, BATCH),
    });
  }
  return engines;
}

/** Trees run in TypeScript; of the rest the rows of ONNX Runtime say it all. */
function plainEngines(
  onnx: OnnxModel,
  bytes: Uint8Array,
  why: string,
  skipped: string[],
): Engine[] | string {
  skipped.push(`the ternary backends: ${why}`);
  const trees = openTrees(onnx, hashOf(bytes));
  if (trees === null || typeof trees === "string") return trees ?? [];
  return [{ name: trees.engine, one: runOf(trees), many: null }];
}

function peerOf(onnx: OnnxModel, bytes: Uint8Array, threads: number, skipped: string[]): Engine[] {
  const one = openDense(onnx, bytes, "", { threads });
  if (typeof one === "string") {
    skipped.push(`onnxruntime: ${one}`);
    return [];
  }
  const many = openDense(onnx, bytes, "", { threads, batch: BATCH });
  // A file with a batch of its own takes no other.
  const whole = typeof many === "string" || many.inputs[0]?.size === one.inputs[0]?.size;
  const name = `${one.engine}, ${threads} thread${threads > 1 ? "s" : ""}`;
  return [{ name, one: runOf(one), many: whole ? null : runOf(many as Model) }];
}

function runOf(model: Model): () => void {
  const x = model.inputs.map(({ size }) => noise(size));
  const y = model.outputs.map(({ size }) => new Float32Array(size));
  return () => void model.run(x, y);
}

function noise(size: number): Float32Array {
  const random = prng(1, "bench");
  return Float32Array.from({ length: size }, () => random.normal());
}

function timed({ name, one, many }: Engine, runs: number): Row {
  const samples = sample(one, runs);
  const at = (share: number): number => samples[Math.floor(share * (samples.length - 1))] as number;
  // The fastest quarter: what else runs on the machine only ever slows it.
  const calls = many === null ? [] : sample(many, Math.max(10, runs / 20));
  const middle = calls[Math.floor(calls.length / 2)];
  const rate_hz = middle === undefined ? null : (1e6 * BATCH) / middle;
  return { engine: name, p50_us: at(0.5), p99_us: at(0.99), rate_hz, ratio: null };
}

/** Microseconds of one run each, sorted. */
function sample(run: () => void, runs: number): number[] {
  const clock = (count: number): number => {
    const start = performance.now();
    for (let i = 0; i < count; i++) run();
    return (1000 * (performance.now() - start)) / count;
  };
  for (let i = 0; i < 3; i++) run();
  const each = Math.max(1, Math.ceil(SAMPLE_us / clock(10)));
  const until = performance.now() + ROW_ms;
  const found: number[] = [];
  for (let i = 0; i < runs && performance.now() < until; i++) found.push(clock(each));
  return found.sort((a, b) => a - b);
}

function print(
  about: { readonly file: string; readonly bytes: number; readonly model: string },
  rows: readonly Row[],
  skipped: readonly string[],
): void {
  const table = [
    ["engine", "p50 us", "p99 us", `per s, batch ${BATCH}`, "vs onnxruntime"],
    ...rows.map(({ engine, p50_us, p99_us, rate_hz, ratio }) => [
      engine,
      p50_us.toFixed(2),
      p99_us.toFixed(2),
      rate_hz === null ? "-" : Math.round(rate_hz).toString(),
      ratio === null ? "-" : `${ratio.toFixed(2)}x`,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(...table.map((row) => (row[i] ?? "").length)));
  console.log(`${about.file}: ${about.model}, ${about.bytes} bytes`);
  for (const [engine = "", ...figures] of table) {
    const cells = figures.map((figure, i) => figure.padStart(widths[i + 1] ?? 0));
    console.log([engine.padEnd(widths[0] ?? 0), ...cells].join("  "));
  }
  for (const why of skipped) console.log(`not run: ${why}`);
}
