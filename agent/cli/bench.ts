//! `sterna bench MODEL`: how fast a user's own file runs on every backend of this machine, and in
//! ONNX Runtime on the same file with one and two threads. Inputs are random, all sides the same.
import { basename } from "node:path";
import type { Backend } from "../accel/backend.js";
import { placeIn, workFault } from "../accel/encoder.js";
import { reference } from "../accel/reference.js";
import { bestCpu, DRIVERS, openBackend } from "../accel/registry.js";
import { openEnergy } from "../base/energy.js";
import { prng } from "../base/prng.js";
import { openDense } from "../models/dense.js";
import { openHybrid } from "../models/hybrid.js";
import type { Model } from "../models/model.js";
import { readModelFile } from "../models/model-file.js";
import { planNet } from "../models/net-plan.js";
import { hashOf, planNetwork } from "../models/network.js";
import { CERTIFICATE_KEY } from "../models/onnx/meta.js";
import type { OnnxModel } from "../models/onnx/model.js";
import { readOnnx } from "../models/onnx/read.js";
import { recognise } from "../models/onnx/recognise.js";
import { type EncoderNet, recogniseEncoder } from "../models/onnx/recognise-encoder.js";
import { isWeighted, type TernaryNet } from "../models/onnx/ternary-net.js";
import { openTrees } from "../models/tree-model.js";
import { unprovenClaim } from "../models/user-model.js";
import { type Engine, type Row, timed } from "./bench-rows.js";
import { type Arguments, EXIT } from "./command.js";

const BATCH = 64;
/** Sequences of an encoder are many values: fewer of them make a call. */
const SEQUENCES = 4;
const RUNS = 2_000;
const RUNS_MAX = 1_000_000;
const ENERGY = "of the whole processor, with all else that it does";

export async function bench({ positionals, values }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const runs = values["runs"] === undefined ? RUNS : Number(values["runs"]);
  if (!(Number.isInteger(runs) && runs >= 10 && runs <= RUNS_MAX)) {
    console.error(`sterna bench: --runs ${values["runs"]}; write a number from 10 to ${RUNS_MAX}`);
    return EXIT.usage;
  }
  const bytes = readModelFile(file);
  if (typeof bytes === "string") return refuse(file, bytes);
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") return refuse(file, onnx);
  const net = recognise(onnx);
  const encoder = typeof net === "string" ? recogniseEncoder(onnx) : "";
  const unproven =
    typeof net === "string" ? unprovenClaim(onnx, net, typeof encoder !== "string") : null;
  if (unproven !== null) return refuse(file, unproven);
  const wanted = values["backend"] === undefined ? null : String(values["backend"]);
  const skipped: string[] = [];
  const own =
    typeof net !== "string"
      ? enginesOn(wanted, skipped, (backend) => networkOn(backend, net, onnx, bytes), standIn(net))
      : typeof encoder !== "string"
        ? enginesOn(wanted, skipped, (backend) => encoderOn(backend, encoder), standInEncoder)
        : plainEngines(onnx, bytes, [net, encoder], wanted, skipped);
  if (typeof own === "string") return refuse(file, own);
  const peers = [1, 2].flatMap((threads) => peerOf(onnx, bytes, threads, skipped));
  if (own.length + peers.length === 0) return refuse(file, skipped.join("\n"));
  const meter = openEnergy();
  const energy = typeof meter === "string" ? null : meter;
  const rows = [...own, ...peers].map((engine) => timed(engine, runs, energy));
  const best = Math.min(...rows.slice(own.length).map((row) => row.p50_us));
  for (const row of rows) row.ratio = Number.isFinite(best) ? best / row.p50_us : null;
  const what =
    typeof net !== "string"
      ? sizeOf(net)
      : typeof encoder !== "string"
        ? `ternary encoder, ${encoder.plan.layers.length} layers`
        : `${onnx.graph.nodes.length} nodes`;
  const about = { file: basename(file), bytes: bytes.length, hash: hashOf(bytes), model: what };
  if (values["json"] === true) {
    const known = typeof meter === "string" ? meter : ENERGY;
    console.log(JSON.stringify({ ...about, energy: known, rows, skipped }, null, 2));
  } else {
    print(about, rows, skipped);
    console.log(`energy ${typeof meter === "string" ? `not known: ${meter}` : `is ${ENERGY}`}`);
  }
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

/** Who computes a model in the place of a backend, which takes nothing of it; null: it does. */
type StandIn = (backend: Backend) => string | null;
const standInEncoder: StandIn = ({ encoders }) => encoders ?? null;
const standIn =
  (net: TernaryNet): StandIn =>
  (backend) => {
    const planned = backend.lack === undefined ? "" : planNet(net, backend);
    const lacking = typeof planned === "string" ? null : backend.lack?.(planned.plan);
    return (lacking ?? null) === null ? null : bestCpu().name;
  };

/** On every backend here, or on `wanted` alone. A row bears the name of who ran. */
function enginesOn(
  wanted: string | null,
  skipped: string[],
  open: (backend: Backend) => Omit<Engine, "name"> | string,
  standInOf: StandIn = () => null,
): Engine[] | string {
  const engines: Engine[] = [];
  if (wanted !== null) {
    const opened = openBackend(wanted);
    if (typeof opened === "string") return opened;
    wanted = opened.backend.name;
  }
  for (const driver of DRIVERS) {
    const { name } = driver;
    if (wanted !== null && wanted !== name) continue;
    const absent = driver.probe();
    if (absent !== null) {
      skipped.push(`${name}: ${absent}`);
      continue;
    }
    const backend = driver.open();
    const other = standInOf(backend);
    if (other !== null && wanted === null) {
      skipped.push(`${name}: takes nothing of it, ${other} would compute it`);
      continue;
    }
    const runs = open(backend);
    if (typeof runs === "string") return runs;
    engines.push({ name: other ?? name, ...runs });
  }
  return engines;
}

function networkOn(
  backend: Backend,
  net: TernaryNet,
  onnx: OnnxModel,
  bytes: Uint8Array,
): Omit<Engine, "name"> | string {
  const certificate = onnx.metadata.get(CERTIFICATE_KEY) ?? null;
  const network = planNetwork(net, backend, hashOf(bytes), { batch: BATCH, certificate });
  if (typeof network === "string") return network;
  const sizes = [network.inputs[0]?.size ?? 0, network.outputs[0]?.size ?? 0] as const;
  return runsOf((x, y, count) => network.infer(x, y, count), sizes, BATCH);
}

function encoderOn(backend: Backend, { plan }: EncoderNet): Omit<Engine, "name"> | string {
  const fault = workFault(plan);
  if (fault !== null) return fault;
  const loaded = backend.loadEncoder(plan, SEQUENCES);
  const sizes = [plan.sequence * placeIn(plan), plan.sequence * plan.width] as const;
  return runsOf((x, y, count) => loaded.infer(x, y, count), sizes, SEQUENCES);
}

function runsOf(
  infer: (x: Float32Array, y: Float32Array, count: number) => void,
  [from, to]: readonly [number, number],
  batch: number,
): Omit<Engine, "name"> {
  const [x, y] = [noise(from * batch), new Float32Array(to * batch)];
  const [one, result] = [x.subarray(0, from), y.subarray(0, to)];
  return { one: () => infer(one, result, 1), many: () => infer(x, y, batch), batch };
}

/**
 * Trees run in TypeScript, ternary parts on every backend with ONNX Runtime around them; of the rest
 * the rows of ONNX Runtime say it all.
 */
function plainEngines(
  onnx: OnnxModel,
  bytes: Uint8Array,
  [network, encoder]: readonly [string, string],
  wanted: string | null,
  skipped: string[],
): Engine[] | string {
  skipped.push(`the ternary backends: as a network, ${network}; as an encoder, ${encoder}`);
  const hash = hashOf(bytes);
  const names = new Map<string, string>();
  const trees = openTrees(onnx, hash);
  if (typeof trees === "string") return trees;
  if (trees !== null) return [{ name: trees.engine, one: runOf(trees), many: null, batch: 1 }];
  if (openHybrid(onnx, bytes, reference, hash) === null) return [];
  const mixed = enginesOn(wanted, skipped, (backend) => {
    const model = openHybrid(onnx, bytes, backend, hash) ?? "no part of it fits";
    if (typeof model === "string") return model;
    const ran = model.parts?.map(({ model: { engine } }) => {
      return engine.startsWith("onnxruntime") ? "onnxruntime" : engine.replace(/^.* (on|in) /, "");
    });
    names.set(backend.name, ran?.join(", then ") ?? backend.name);
    return { one: runOf(model), many: null, batch: 1 };
  });
  if (typeof mixed === "string") return mixed;
  const named = mixed.map((one) => ({ ...one, name: names.get(one.name) ?? one.name }));
  // Two backends may leave an encoder to the same third.
  return named.filter(({ name }, i) => named.findIndex((one) => one.name === name) === i);
}

function peerOf(onnx: OnnxModel, bytes: Uint8Array, threads: number, skipped: string[]): Engine[] {
  const one = openDense(onnx, bytes, "", { threads });
  if (typeof one === "string") {
    const why = `onnxruntime: ${one}`;
    // Of more threads it says the same.
    if (!skipped.includes(why)) skipped.push(why);
    return [];
  }
  const many = openDense(onnx, bytes, "", { threads, batch: BATCH });
  // A file with a batch of its own takes no other.
  const whole = typeof many === "string" || many.inputs[0]?.size === one.inputs[0]?.size;
  const name = `${one.engine}, ${threads} thread${threads > 1 ? "s" : ""}`;
  return [{ name, one: runOf(one), many: whole ? null : runOf(many as Model), batch: BATCH }];
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

function print(
  about: { readonly file: string; readonly bytes: number; readonly model: string },
  rows: readonly Row[],
  skipped: readonly string[],
): void {
  const metered = rows.some(({ energy_uJ }) => energy_uJ !== null);
  const table = [
    ["engine", "p50 us", "p99 us", "per s (batch)", "vs onnxruntime", ...(metered ? ["uJ"] : [])],
    ...rows.map(({ engine, p50_us, p99_us, rate_hz, batch, ratio, energy_uJ }) => [
      engine,
      p50_us.toFixed(2),
      p99_us.toFixed(2),
      rate_hz === null ? "-" : `${Math.round(rate_hz)} (${batch})`,
      ratio === null ? "-" : `${ratio.toFixed(2)}x`,
      ...(metered ? [energy_uJ?.toFixed(2) ?? "-"] : []),
    ]),
  ];
  const widths = [0, 1, 2, 3, 4, 5].map((i) =>
    Math.max(...table.map((row) => (row[i] ?? "").length)),
  );
  console.log(`${about.file}: ${about.model}, ${about.bytes} bytes`);
  for (const [engine = "", ...figures] of table) {
    const cells = figures.map((figure, i) => figure.padStart(widths[i + 1] ?? 0));
    console.log([engine.padEnd(widths[0] ?? 0), ...cells].join("  "));
  }
  for (const why of skipped) console.log(`not run: ${why}`);
}
