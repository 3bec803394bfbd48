//! Rows throughput and batch-samples: the highest rate held for some seconds without a sample lost
//! or left waiting; and, since the broker and the generator share the machine, what one core of
//! the agent does in process.
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { assemble } from "../agent/assembly.js";
import { wallClock } from "../agent/base/clock.js";
import { silentLog } from "../agent/base/log.js";
import { Ring } from "../agent/base/ring.js";
import type { Item, Reject } from "../agent/base/telemetry.js";
import { CONFIG_KINDS } from "../agent/fitting.js";
import { type Stages, step } from "../agent/pipeline.js";
import { decode } from "../agent/sensors/decode.js";
import { router } from "../agent/sensors/route.js";
import { intakeCounts, intakeOf } from "../agent/sources.js";
import { loadConfig } from "../config/load.js";
import { failedRow, median, type Row } from "./result.js";
import { drive, type Kind, lossOf, start, writeConfig } from "./subject.js";

const CHANNELS = 100;
const TMPFS = "/dev/shm";

type Held = { readonly rate: number; readonly perCore: number };

async function hold(kind: Kind, rate: number, batch: number): Promise<Held | string> {
  const subject = await start(kind, CHANNELS, TMPFS);
  try {
    const load = { rate, channels: CHANNELS, batch, flips: 50, warm_s: 2, run_s: 6 };
    const cpu = subject.cpu_s();
    const done = await drive(subject, load);
    const perCore = done.sent / (subject.cpu_s() - cpu);
    const slow = done.rate < 0.98 * rate ? `only ${Math.round(done.rate)}/s went out` : null;
    return slow ?? lossOf(subject, done) ?? { rate: done.rate, perCore };
  } catch (error) {
    return String(error).split("\n").slice(0, 3).join(" ").slice(0, 200);
  } finally {
    await subject.close();
  }
}

/** Up the ladder until a rate fails twice; the best one held, and why the next was not. */
async function climb(kind: Kind, ladder: readonly number[], batch: number) {
  let best: Held | null = null;
  let why = "the ladder ends here";
  for (const rate of ladder) {
    let held = await hold(kind, rate, batch);
    if (typeof held === "string") held = await hold(kind, rate, batch);
    if (typeof held === "string") {
      why = `${rate}/s: ${held}`;
      break;
    }
    best = held;
  }
  return { best, why };
}

export async function throughput(): Promise<Row> {
  const bound = { min: 40_000 };
  const ladder = [20_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 100_000];
  const own = await climb("agent", ladder, 1);
  const script = await climb("script", ladder, 1);
  if (own.best === null) return failedRow("throughput", "msg/s", bound, own.why);
  const other = script.best === null ? "none" : `${Math.round(script.best.rate)} (${script.why})`;
  const note = `${own.why}; ${Math.round(own.best.perCore)} a core second; script ${other}`;
  return { name: "throughput", value: own.best.rate, unit: "msg/s", ...bound, note };
}

export async function batches(): Promise<Row[]> {
  const runs = [1, 2, 3, 4].map(() => inProcess()).slice(1); // the first warms up
  const note = `in process: decode, queue, rules; runs ${runs.map(Math.round).join(" ")}`;
  const unit = "samples/s";
  const alone = { name: "batch-samples", value: median(runs), unit, min: 1_000_000, note };
  const { best, why } = await climb("agent", [2_500, 5_000, 7_500, 10_000, 12_500, 15_000], 100);
  const name = "batch-samples-broker";
  if (best === null) return [alone, failedRow(name, unit, {}, why)];
  const core = `${Math.round(best.perCore * 100)} a core second; ${why}`;
  return [alone, { name, value: best.rate * 100, unit, note: core }];
}

/** Samples a second from payload bytes to judged rules, everything but socket and disk. */
function inProcess(): number {
  const dir = mkdtempSync(join(TMPFS, "sterna-bench-"));
  const config = loadConfig(writeConfig(dir, "mqtt://localhost", CHANNELS), CONFIG_KINDS, {});
  rmSync(dir, { recursive: true });
  const assembly = assemble(config);
  const clock = wallClock();
  const ring = new Ring<Item>(config.intake.ring);
  const lost: Reject[] = [];
  const intake = intakeOf(assembly, intakeCounts(), silentLog, clock, (item) => ring.push(item));
  const stages: Stages = {
    intake: ring,
    watchOf: (channel) => assembly.watchOf(channel),
    watches: assembly.watches,
    limits: config.time,
    reject: (reason) => lost.push(reason),
    commit() {},
  };
  const bound = assembly.channels.flatMap((channel) => {
    const { binding } = assembly.configOf(channel.id);
    return binding.via === "mqtt" ? [{ channel, binding }] : [];
  });
  const routeOf = router(bound, new Map(bound.map(({ binding }) => [binding.topic, 0])));
  const values = Array.from({ length: 100 }, (_, i) => (10 + i / 100).toFixed(2)).join(",");
  const BATCHES = 20_000;
  const start_ms = clock.now();
  const payloads = Array.from({ length: BATCHES }, (_, i) =>
    Buffer.from(`{"ts":${(start_ms + i * 0.1).toFixed(3)},"dt":0.001,"v":[${values}]}`),
  );
  const begin = performance.now();
  payloads.forEach((payload, i) => {
    const topic = `bench/c${i % CHANNELS}`;
    const route = routeOf(topic, intake);
    if (route === null) throw new Error(`${topic} has no route`);
    decode(route.targets, { topic, payload, r_ms: clock.now(), retained: false }, intake);
    // As many as one 64 KB read of a socket brings, then a tick.
    if (i % 100 === 99) while (step(stages, clock.now()));
  });
  const took_s = (performance.now() - begin) / 1_000;
  if (lost.length > 0 || ring.dropped > 0) throw new Error(`lost: ${lost[0]} ${ring.dropped}`);
  return (BATCHES * 100) / took_s;
}
