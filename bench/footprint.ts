//! Rows rss, start and soak-growth: what the agent costs to have, and whether that grows.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { percentile, type Row, ratioRow } from "./result.js";
import {
  drive,
  freshBroker,
  type Kind,
  lossOf,
  spawnSubject,
  start,
  writeConfig,
} from "./subject.js";

const TMPFS = "/dev/shm";
const MANY = 1_000;

/** Resident memory in MB, once a second for as long as the load runs. */
async function memory(rate: number, channels: number, run_s: number) {
  const subject = await start("agent", channels, TMPFS);
  const rss_MB: number[] = [];
  const timer = setInterval(() => rss_MB.push(subject.rss_MB()), 1_000);
  try {
    const load = { rate, channels, batch: 1, flips: 50, warm_s: 0, run_s };
    const done = await drive(subject, load);
    return { rss_MB, loss: lossOf(subject, done) };
  } finally {
    clearInterval(timer);
    await subject.close();
  }
}

export async function rss(): Promise<Row> {
  const { rss_MB, loss } = await memory(5_000, MANY, 20);
  const note = `the most seen in 20 s at 5,000 msg/s over ${MANY} channels${why(loss)}`;
  return { name: "rss", value: Math.max(...rss_MB), unit: "MB", max: 120, note };
}

/** Median of the second minute against that of the tenth. */
export async function soakGrowth(): Promise<Row> {
  const { rss_MB, loss } = await memory(5_000, 100, 600);
  const early = percentile(rss_MB.slice(60, 120), 0.5);
  const late = percentile(rss_MB.slice(-60), 0.5);
  const note = `${early.toFixed(1)} to ${late.toFixed(1)} MB in 10 min at 5,000 msg/s${why(loss)}`;
  return { name: "soak-growth", value: 100 * (late / early - 1), unit: "%", max: 5, note };
}

const why = (loss: string | null): string => (loss === null ? "" : `; ${loss}`);

export async function startTime(): Promise<Row> {
  const runs: Record<Kind, number[]> = { agent: [], script: [] };
  for (let run = 0; run < 6; run++) {
    for (const kind of ["agent", "script"] as const) {
      const took = await firstAlarm(kind);
      if (run > 0) runs[kind].push(took); // the first fills the file and compile caches
    }
  }
  const { value, peer, note } = ratioRow("start", "ms", runs.agent, runs.script, {});
  const row = { name: "start", value, unit: "ms", max: 500, note: note ?? "" };
  return peer === undefined ? row : { ...row, peer };
}

/** Process start to first alarm; a retained sample over the limit waits at the broker. */
async function firstAlarm(kind: Kind): Promise<number> {
  const broker = await freshBroker();
  const dir = mkdtempSync(join(TMPFS, "sterna-bench-"));
  const client = await mqtt.connectAsync(broker.url);
  await client.subscribeAsync("sterna/v1/bench/line/alarm/over-c0/event", { qos: 1 });
  const sample = JSON.stringify({ ts: Date.now(), v: 20 });
  await client.publishAsync("bench/c0", sample, { qos: 1, retain: true });
  const alarm = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${kind}: no alarm in 20 s`)), 20_000);
    client.once("message", () => {
      clearTimeout(late);
      resolve();
    });
  });
  const config = writeConfig(dir, broker.url, 1);
  const begin = performance.now();
  const child = spawnSubject(kind, config, broker.url);
  child.stdout?.resume();
  child.stderr?.resume();
  try {
    await alarm;
    return performance.now() - begin;
  } finally {
    const exited = child.exitCode === null ? once(child, "exit") : null;
    child.kill("SIGTERM");
    await exited;
    await client.endAsync(true);
    await broker.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
