//! Rows latency-*: p99 of publish -> alarm received, agent and script in turns. On a disk the
//! script is given what durability costs there: one WAL-FULL commit, measured between the runs.
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { median, percentile, type Row, ratioRow } from "./result.js";
import { drive, type Kind, lossOf, type Place, start } from "./subject.js";

/** One program's own p99 differs threefold between runs: more than the three that would do. */
const RUNS = 5;
const FLIPS = 100;
const CHANNELS = 100;

async function once(kind: Kind, rate: number, place: Place): Promise<number[]> {
  const subject = await start(kind, CHANNELS, place);
  try {
    const load = { rate, channels: CHANNELS, batch: 1, flips: FLIPS, warm_s: 3, run_s: 8 };
    const done = await drive(subject, load);
    const loss = lossOf(subject, done);
    if (loss !== null) throw new Error(`${kind} at ${rate}/s: ${loss}`);
    return done.latencies_ms;
  } finally {
    await subject.close();
  }
}

const p99 = (values: readonly number[]) => percentile(values, 0.99);

export async function latency(name: string, rate: number, place: Place): Promise<Row> {
  const ours: number[] = [];
  const peers: number[] = [];
  const middles: number[][] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    const agent = await once("agent", rate, place);
    const script = await once("script", rate, place);
    ours.push(p99(agent));
    peers.push(p99(script));
    middles[0]?.push(median(agent));
    middles[1]?.push(median(script));
  }
  const row = ratioRow(name, "ms", ours, peers, { max: 2 });
  const [own, other] = middles.map((runs) => median(runs).toFixed(2));
  return { ...row, note: `p50 ${own}, peer's ${other}; p99 of ${row.note}` };
}

export async function latencyOnDisk(name: string, rate: number, place: string): Promise<Row> {
  const ours: number[] = [];
  const peers: number[] = [];
  const commits: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    ours.push(p99(await once("agent", rate, place)));
    const cost = await commitTimes(place);
    commits.push(...cost);
    const script = await once("script", rate, place);
    // Distribution of the sum, not the sum of two p99: the stricter of the two readings.
    peers.push(p99(script.map((ms, i) => ms + (cost[i % cost.length] as number))));
  }
  const row = ratioRow(name, "ms", ours, peers, { max: 2 });
  const [p50, high] = [median(commits).toFixed(2), p99(commits).toFixed(2)];
  return { ...row, note: `one commit p50 ${p50}, p99 ${high} ms; p99 of ${row.note}` };
}

/** As many a second as alarms come, of the size of an alarm's rows. */
async function commitTimes(place: string): Promise<number[]> {
  const dir = mkdtempSync(join(place, "sterna-commit-"));
  const db = new Database(join(dir, "probe.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)");
  const put = db.prepare("INSERT INTO rows (body) VALUES (?)");
  const body = "x".repeat(1_000);
  const commit = db.transaction(() => {
    put.run(body);
    put.run(body);
  });
  const times: number[] = [];
  for (let i = 0; i < 500; i++) {
    const begin = performance.now();
    commit();
    times.push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 1_000 / FLIPS));
  }
  db.close();
  rmSync(dir, { recursive: true });
  return times;
}
