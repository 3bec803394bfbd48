//! What is measured, as a black box: the built agent, or the script, as a process of its own
//! against a broker of its own. Nothing of a run is left for the next one.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Broker, startMosquitto } from "../test/fixtures/mosquitto.js";
import type { Load, Loaded } from "./load.js";
import { ROOT } from "./result.js";

export type Kind = "agent" | "script";
export type Place = "/dev/shm" | string;

export type Subject = {
  readonly broker: Broker;
  readonly rss_MB: () => number;
  /** Processor seconds used so far. */
  readonly cpu_s: () => number;
  readonly log: () => string;
  close(): Promise<void>;
};

export const freshBroker = (): Promise<Broker> => startMosquitto({ config: ["sys_interval 1"] });

/** A config of many scalar channels with one threshold each, all of one asset. */
export function writeConfig(dir: string, url: string, channels: number): string {
  const names = Array.from({ length: channels }, (_, i) => `c${i}`);
  const file = join(dir, "sterna.yaml");
  const channel = (n: string) =>
    `      ${n}: { mqtt: bench/${n}, path: $.v, time: $.ts, period: $.dt, unit: A }`;
  const rule = (n: string) =>
    `      - { id: over-${n}, when: "${n} > 15 A", clear: "${n} < 15 A", severity: critical }`;
  const lines = [
    "gateway: { id: gw, site: bench }",
    `mqtt: { url: "${url}" }`,
    "store: { dir: ./state }",
    "assets:",
    "  - id: line",
    "    channels:",
    ...names.map(channel),
    "    rules:",
    ...names.map(rule),
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

export function spawnSubject(kind: Kind, config: string, url: string): ChildProcess {
  // For looking into the agent: BENCH_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/prof", "--trace-gc".
  const flags = process.env["BENCH_FLAGS"]?.split(" ") ?? [];
  const args =
    kind === "agent"
      ? [...flags, join(ROOT, "dist/agent/main.js"), "run", "--config", config]
      : [join(ROOT, "bench/peers/threshold.mjs"), url];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], cwd: ROOT });
}

export async function start(kind: Kind, channels: number, place: Place): Promise<Subject> {
  const broker = await freshBroker();
  const dir = mkdtempSync(join(place, "sterna-bench-"));
  const child = spawnSubject(kind, writeConfig(dir, broker.url, channels), broker.url);
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (bytes: Buffer) => {
      log = (log + bytes.toString()).slice(-200_000);
    });
  }
  const proc = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, "utf8");
  return {
    broker,
    rss_MB: () => (Number(/VmRSS:\s+(\d+) kB/.exec(proc("status"))?.[1]) * 1_024) / 1e6,
    cpu_s: () => {
      const fields = proc("stat").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100; // USER_HZ is 100 on Linux
    },
    log: () => log,
    async close(): Promise<void> {
      const exited = child.exitCode === null ? once(child, "exit") : null;
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await exited;
      clearTimeout(late);
      await broker.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Runs the generator in its own process. */
export async function drive(subject: Subject, load: Omit<Load, "url">): Promise<Loaded> {
  const argument = JSON.stringify({ url: subject.broker.url, ...load });
  const program = [join(ROOT, "dist/bench/load.js"), argument];
  const options = { maxBuffer: 64e6, cwd: ROOT };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, program, options);
    return JSON.parse(stdout) as Loaded;
  } catch (error) {
    throw new Error(`load failed: ${String(error)}\nlog: ${subject.log().slice(-1_000)}`);
  }
}

/**
 * Why samples were lost or left waiting, or null. The alarms spread over the run are witnesses of
 * the samples around them; the one place to read the agent's own counters instead.
 */
export function lossOf(subject: Subject, done: Loaded): string | null {
  if (done.missing > 0) return `${done.missing} alarms never came`;
  if (done.drain_ms > 500) return `backlog of ${Math.round(done.drain_ms)} ms`;
  if ((done.brokerDropped ?? 0) > 0) return `the broker dropped ${done.brokerDropped}`;
  if (/input not used|not used/.test(subject.log())) return "the agent says that it left input out";
  return null;
}
