//! Round trips of 4 KiB: the ring in shared memory between two processes, spinning and on a futex,
//! against a unix socket and postMessage in the same run.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { arenaBytes, openReceiver, openSender } from "../agent/base/arena.js";
import { openShared } from "../agent/base/shared-buffer.js";
import { FRAME, PLAIN } from "./peers/echo.js";
import { median, percentile, type Row } from "./result.js";

const ECHO = join(import.meta.dirname, "peers/echo.js");
const ROUNDS = 20_000;
const ROUNDS_SLOW = 5_000;
const WARM = 500;
const SPIN_us = 5_000;

const frame = new Uint8Array(FRAME.frame_bytes).fill(3);
const child = (...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [ECHO, ...args], { stdio: ["ignore", "pipe", "inherit"] });

/** Microseconds of each round trip between two processes. */
async function ring(spin_us: number): Promise<number[]> {
  const bytes = arenaBytes(FRAME);
  const names = ["there", "back"].map((end) => `sterna-bench-${process.pid}-${spin_us}-${end}`);
  const [there = "", back = ""] = names;
  const memory = [await openShared(there, bytes), await openShared(back, bytes)] as const;
  const sender = openSender(memory[0], FRAME, PLAIN, { spin_us });
  const receiver = openReceiver(memory[1], FRAME, PLAIN, { spin_us });
  if (typeof sender === "string" || typeof receiver === "string") throw new Error("taken");
  const echo = child("ring", there, back, `${bytes}`, `${spin_us}`);
  if (echo.stdout !== null) await once(echo.stdout, "data");
  const times: number[] = [];
  for (let i = 0; i < WARM + ROUNDS; i++) {
    const begin = process.hrtime.bigint();
    sender.claim()?.bytes.set(frame);
    sender.publish(FRAME.frame_bytes);
    while (!receiver.wait(1_000));
    receiver.release();
    if (i >= WARM) times.push(Number(process.hrtime.bigint() - begin) / 1_000);
  }
  sender.close();
  receiver.close();
  await once(echo, "exit");
  for (const shared of memory) shared.unlink();
  return times;
}

async function socket(): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "sterna-bench-"));
  const server = createServer().listen(join(folder, "socket"));
  await once(server, "listening");
  const echo = child("socket", join(folder, "socket"));
  const [peer] = (await once(server, "connection")) as [Socket];
  const times: number[] = [];
  for (let i = 0; i < WARM + ROUNDS_SLOW; i++) {
    const begin = process.hrtime.bigint();
    peer.write(frame);
    for (let came = 0; came < frame.length; ) {
      const [bytes] = (await once(peer, "data")) as [Buffer];
      came += bytes.length;
    }
    if (i >= WARM) times.push(Number(process.hrtime.bigint() - begin) / 1_000);
  }
  peer.destroy();
  server.close();
  echo.kill();
  rmSync(folder, { recursive: true });
  return times;
}

async function message(): Promise<number[]> {
  const worker = new Worker(ECHO);
  const times: number[] = [];
  for (let i = 0; i < WARM + ROUNDS_SLOW; i++) {
    const begin = process.hrtime.bigint();
    worker.postMessage(frame);
    await once(worker, "message");
    if (i >= WARM) times.push(Number(process.hrtime.bigint() - begin) / 1_000);
  }
  await worker.terminate();
  return times;
}

/** Medians of one run each; spinning needs a core for either side. */
export async function sharedMemoryRows(): Promise<Row[]> {
  const unix = await socket();
  const post = await message();
  const row = (name: string, times: readonly number[], max: number): Row => ({
    name,
    value: median(times),
    unit: "us",
    max,
    note: `p99 ${percentile(times, 0.99).toFixed(1)}; unix socket ${median(unix).toFixed(1)}, postMessage ${median(post).toFixed(1)}`,
  });
  return [row("shm-futex-us", await ring(0), 15), row("shm-spin-us", await ring(SPIN_us), 1)];
}
