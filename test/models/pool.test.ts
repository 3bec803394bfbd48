//! Blocks read by the worker and by the monitor itself are the same to the last bit, keep their
//! order, and none is lost when the worker dies. Needs the built worker (`npm run build`).
import type { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { silentLog } from "../../agent/base/log.js";
import { prng } from "../../agent/base/prng.js";
import type { Block } from "../../agent/base/telemetry.js";
import { Analysers } from "../../agent/models/features/analyser.js";
import { type BlockPool, startBlockPool } from "../../agent/models/features/pool.js";

const FS_HZ = 25_600;
const random = prng(5, "blocks");
const block = (t_ms: number, length: number): Block => {
  const values = Float32Array.from({ length }, () => 20 * (random.next() - 0.5));
  const rest = { r_ms: t_ms, fs_hz: FS_HZ, speed_radps: 122 };
  return { kind: "block", channel: 3, t_ms, values, ...rest };
};

async function all(pool: BlockPool, blocks: readonly Block[]): Promise<Block[]> {
  const got: Block[] = [];
  for (const one of blocks) pool.read(one, (read) => got.push(read));
  await vi.waitFor(() => expect(got.length).toBe(blocks.length), 20_000);
  return got;
}

/** One block, once the worker runs. */
async function warm(pool: BlockPool): Promise<void> {
  await vi.waitFor(async () => {
    const [got] = await all(pool, [block(0, 4096)]);
    expect(got?.analysis).toBeDefined();
  }, 20_000);
}

test("the worker's analysis is that of the analyser, in order, whatever the lengths", async () => {
  const pool = startBlockPool(silentLog);
  await warm(pool);
  const blocks = [32_768, 4096, 100, 8192, 50_000, 20_000].map((n, i) => block(1000 * i, n));
  const got = await all(pool, blocks);
  expect(got.map((one) => one.t_ms)).toEqual(blocks.map((one) => one.t_ms));
  const analysers = new Analysers();
  for (const [i, one] of got.entries()) {
    const sent = blocks[i] as Block;
    expect(one.values).toBe(sent.values);
    const analyser = analysers.for(sent.values);
    // Too short to say anything, or too long for a slot: the monitor decides.
    if (analyser === null || sent.values.length > 32_768) expect(one.analysis).toBeUndefined();
    else expect(one.analysis).toEqual(structuredClone(analyser.analyse(sent.values, FS_HZ)));
  }
  await pool.stop();
});

test("rings on a memory node of choice; one that is not there leaves the blocks to the agent", async () => {
  const pool = startBlockPool(silentLog, 0);
  await warm(pool);
  await pool.stop();
  const warned: object[] = [];
  const none = startBlockPool({ ...silentLog, warn: (fields) => warned.push(fields) }, 1_000);
  const [got] = await all(none, [block(0, 4096)]);
  expect(got?.analysis).toBeUndefined();
  await vi.waitFor(() => expect(JSON.stringify(warned)).toMatch(/memory node 1000: errno/));
  await none.stop();
});

test("more than it can hold: all go on, in order", async () => {
  const pool = startBlockPool(silentLog);
  await warm(pool);
  const before = pool.counts.unread;
  const blocks = Array.from({ length: 300 }, (_, i) => block(i, 4096));
  const got = await all(pool, blocks);
  expect(got.map((one) => one.t_ms)).toEqual(blocks.map((one) => one.t_ms));
  const unread = got.filter((one) => one.analysis === undefined).length;
  expect(unread).toBeGreaterThan(0);
  expect(pool.counts.unread - before).toBe(unread);
  await pool.stop();
});

test("a worker that dies costs no block, and is back after a second", async () => {
  const warned: string[] = [];
  let worker: Worker | undefined;
  process.once("worker", (started: Worker) => {
    worker = started;
  });
  const pool = startBlockPool({ ...silentLog, warn: (_, message) => warned.push(message) });
  await warm(pool);
  const got: Block[] = [];
  const blocks = Array.from({ length: 20 }, (_, i) => block(i, 32_768));
  for (const one of blocks) pool.read(one, (read) => got.push(read));
  await worker?.terminate();
  await vi.waitFor(() => expect(got.length).toBe(20), 20_000);
  expect(got.map((one) => one.t_ms)).toEqual(blocks.map((one) => one.t_ms));
  expect(warned).toEqual(["the block worker ended; blocks are read by the agent until it is back"]);
  await warm(pool);
  expect(pool.counts.restarts).toBe(1);
  await pool.stop();
});
