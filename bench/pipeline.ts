//! The agent as a black box against a real Mosquitto and a script of 20 lines.
//! `--soak` runs soak-growth for its 10 minutes; `--only a,b` runs those rows.
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
  ["soak-growth", "%", { max: 5 }, () => soakGrowth(values.soak)],
];

if (MOSQUITTO === null) throw new Error("install mosquitto: nothing can be measured without it");
mkdirSync(DISK, { recursive: true });
const only = values.only?.split(",");
const rows: Row[] = [];
for (const [name, unit, bound, run] of WORK) {
  if (only !== undefined && !only.includes(name)) continue;
  console.log(`${name} ...`);
  try {
    rows.push(...[await run()].flat());
  } catch (error) {
    rows.push(failedRow(name, unit, bound, String(error).split("\n")[0] ?? ""));
    console.error(error);
  }
}
// Partial runs have their own file: half a table must not stand for the whole one.
const name = only === undefined ? "pipeline" : "pipeline-part";
process.exitCode = report(name, rows, { mosquitto: versionOf(MOSQUITTO) });

function versionOf(program: string): string {
  try {
    return execFileSync(program, ["-h"], { encoding: "utf8" }).split("\n")[0] ?? "?";
  } catch (error) {
    const { stdout } = error as { stdout?: string }; // older ones print this and exit with 3
    return /version (\S+)/.exec(stdout ?? "")?.[1] ?? "?";
  }
}
