//! The agent as a black box against a real Mosquitto and a script of 20 lines.
//! `--only a,b` runs those rows and keeps the others of the file; `--soak` adds the 10 minutes.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MOSQUITTO } from "../test/fixtures/mosquitto.js";
import { rss, soakGrowth, startTime } from "./footprint.js";
import { latency, latencyOnDisk } from "./latency.js";
import { batches, throughput } from "./rates.js";
import { type Bound, failedRow, ROOT, type Row, report } from "./result.js";

const { values } = parseArgs({
  options: { soak: { type: "boolean", default: false }, only: { type: "string" } },
});
const TMPFS = "/dev/shm";
// Beside the sources: a temporary directory may itself be in memory.
const DISK = join(ROOT, ".cache");

type Work = readonly [name: string, unit: string, bound: Bound, run: () => Promise<Row | Row[]>];
const WORK: readonly Work[] = [
  ["start", "ms", { max: 500 }, startTime],
  ["latency-1k", "ms", { max: 2 }, () => latency("latency-1k", 1_000, TMPFS)],
  ["latency-5k", "ms", { max: 2 }, () => latency("latency-5k", 5_000, TMPFS)],
  ["latency-5k-disk", "ms", { max: 2 }, () => latencyOnDisk("latency-5k-disk", 5_000, DISK)],
  ["throughput", "msg/s", { min: 40_000 }, throughput],
  ["batch-samples", "samples/s", { min: 1_000_000 }, batches],
  ["rss", "MB", { max: 120 }, rss],
  ["soak-growth", "%", { max: 5 }, soakGrowth],
];

if (MOSQUITTO === null) throw new Error("install mosquitto: nothing can be measured without it");
mkdirSync(DISK, { recursive: true });
// Ten minutes of one row are asked for by name or not at all: nothing shorter stands for them.
const quick = WORK.map(([name]) => name).filter((name) => name !== "soak-growth");
const wanted = [...(values.only?.split(",") ?? (values.soak ? [] : quick))];
if (values.soak) wanted.push("soak-growth");
const strange = wanted.filter((name) => !WORK.some(([known]) => known === name));
if (strange.length > 0) throw new Error(`no row ${strange.join(", ")}`);
const rows: Row[] = [];
for (const [name, unit, bound, run] of WORK) {
  if (!wanted.includes(name)) continue;
  console.log(`${name} ...`);
  try {
    rows.push(...[await run()].flat());
  } catch (error) {
    rows.push(failedRow(name, unit, bound, String(error).split("\n")[0] ?? ""));
    console.error(error);
  }
}
process.exitCode = report("pipeline", rows, { mosquitto: versionOf(MOSQUITTO) }, true);

function versionOf(program: string): string {
  try {
    return execFileSync(program, ["-h"], { encoding: "utf8" }).split("\n")[0] ?? "?";
  } catch (error) {
    const { stdout } = error as { stdout?: string }; // older ones print this and exit with 3
    return /version (\S+)/.exec(stdout ?? "")?.[1] ?? "?";
  }
}
