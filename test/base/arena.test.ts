//! The ring between threads and between processes: order, bounds, both sides dying at bad moments.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import {
  arenaBytes,
  markGone,
  openReceiver,
  openSender,
  type Receiver,
  type Sender,
} from "../../agent/base/arena.js";
import { openShared, type SharedBuffer, threadBuffer } from "../../agent/base/shared-buffer.js";
import { unit } from "../../agent/units/quantity.js";

const SHAPE = { slots: 8, frame_bytes: 4096 };
const BYTES = arenaBytes(SHAPE);
const LOADER = join(import.meta.dirname, "../chaos/loader.js");
const PEER = join(import.meta.dirname, "arena-peer.ts");
const accel = unit("m/s2");
const pressure = unit("Pa");
const gravity = unit("[g]");
const CALM = { spin_us: 0 };

const memory = (): SharedBuffer => threadBuffer(new SharedArrayBuffer(BYTES));
function good<T>(value: T | string): T {
  if (typeof value === "string") throw new Error(value);
  return value;
}

const children: ChildProcess[] = [];
/** What each has printed. */
const said = new Map<ChildProcess, string>();
const opened: SharedBuffer[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const shared of opened.splice(0)) shared.unlink();
});

let names = 0;
async function shared(): Promise<{ readonly name: string; readonly buffer: SharedBuffer }> {
  names += 1;
  const name = `sterna-test-${process.pid}-${names}`;
  const buffer = await openShared(name, BYTES);
  opened.push(buffer);
  return { name, buffer };
}

/** A process at the other side, once it is there. */
async function peer(
  there: string,
  back: string,
  role: string,
  count: number,
): Promise<ChildProcess> {
  const args = ["--import", LOADER, PEER, "peer", there, back, `${BYTES}`, role, `${count}`, "0"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  child.stdout?.on("data", (bytes: Buffer) => said.set(child, `${said.get(child) ?? ""}${bytes}`));
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

test("any order of sending and receiving keeps frames whole, in order, and never more than fit", () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 200 }),
      fc.integer({ min: 1, max: 9 }),
      (turns, slots) => {
        const shape = { slots, frame_bytes: 100 };
        const buffer = threadBuffer(new SharedArrayBuffer(arenaBytes(shape)));
        const sender = good(openSender(buffer, shape, accel, CALM));
        const receiver = good(openReceiver(buffer, shape, accel, CALM));
        const model: number[] = [];
        let sent = 0;
        for (const send of turns) {
          if (send) {
            const slot = sender.claim();
            expect(slot === null).toBe(model.length === slots);
            if (slot === null) continue;
            slot.floats.fill(sent);
            slot.meta[0] = sent * 2;
            sender.publish(sent % 101, sent);
            model.push(sent);
            sent += 1;
            continue;
          }
          const slot = receiver.front();
          expect(slot === null).toBe(model.length === 0);
          if (slot === null) continue;
          const wanted = model.shift() as number;
          expect(slot.size()).toEqual({ bytes: wanted % 101, tag: wanted });
          expect([...slot.floats].every((v) => v === wanted)).toBe(true);
          expect(slot.meta[0]).toBe(wanted * 2);
          receiver.release();
        }
      },
    ),
  );
});

test("counters go on beyond 2^31 and 2^32", () => {
  const buffer = memory();
  for (const start of [2 ** 31 - 8, -8]) {
    buffer.words.fill(0);
    buffer.words[32] = start;
    buffer.words[48] = start;
    const sender = good(openSender(buffer, SHAPE, accel, CALM));
    const receiver = good(openReceiver(buffer, SHAPE, accel, CALM));
    for (let i = 0; i < 40; i++) {
      for (let k = 0; k < 8; k++) {
        (sender.claim() as NonNullable<ReturnType<typeof sender.claim>>).floats[0] = 8 * i + k;
        sender.publish(4, k);
      }
      expect(sender.claim()).toBeNull();
      for (let k = 0; k < 8; k++) {
        expect(receiver.front()?.floats[0]).toBe(8 * i + k);
        receiver.release();
      }
    }
  }
});

test("the two sides must agree on unit and shape, and each end is held once", () => {
  const buffer = memory();
  good(openSender(buffer, SHAPE, accel, CALM));
  expect(openReceiver(buffer, SHAPE, pressure, CALM)).toBe("the ring carries m/s2, not Pa");
  expect(openReceiver(buffer, { ...SHAPE, slots: 4 }, accel, CALM)).toBe(
    "the ring has 8 slots of 4160 bytes, not 4 of 4160",
  );
  expect(openSender(buffer, SHAPE, accel, CALM)).toBe("the ring has a sender already");
  const small = threadBuffer(new SharedArrayBuffer(1024));
  expect(openSender(small, SHAPE, accel, CALM)).toMatch(/has 1024 bytes; this ring takes 33792/);
  expect(() => openSender(memory(), SHAPE, gravity, CALM)).toThrow(/a ring carries SI/);
});

test("what is in a slot is typed, without a copy and without a write", () => {
  const buffer = memory();
  const sender = good(openSender(buffer, SHAPE, accel, CALM));
  const slot = good(sender.claim() ?? "full");
  slot.column[0] = accel(9.81);
  expect(slot.floats[0]).toBe(Math.fround(9.81));
  // @ts-expect-error a pressure is no acceleration
  slot.column[1] = pressure(1);
});

test("a wild length in shared memory stays within the slot", () => {
  const buffer = memory();
  const sender = good(openSender(buffer, SHAPE, accel, CALM));
  const receiver = good(openReceiver(buffer, SHAPE, accel, CALM));
  sender.claim();
  sender.publish(16, 1);
  for (const wild of [-1, 2 ** 31 - 1]) {
    buffer.words[128] = wild;
    const { bytes } = good(receiver.front() ?? "none").size();
    expect(bytes).toBe(wild < 0 ? 0 : SHAPE.frame_bytes);
  }
});

test("between threads: every frame once, in order, and a worker that dies is told and replaced", async () => {
  const there = new SharedArrayBuffer(BYTES);
  const data = (role: string, count: number) => ({
    workerData: { there, back: new SharedArrayBuffer(BYTES), task: { role, count, spin_us: 20 } },
    execArgv: ["--import", LOADER],
  });
  const buffer = threadBuffer(there);
  const first = new Worker(PEER, data("send", 100_000));
  await once(first, "message");
  const receiver = good(openReceiver(buffer, SHAPE, accel, CALM));
  for (let i = 0; i < 2_000; i++) {
    while (!(await receiver.watch(1000)));
    expect(receiver.front()?.size().tag).toBe(i);
    receiver.release();
  }
  await first.terminate();
  markGone(buffer, "sender");
  expect(receiver.peer()).toBe("gone");
  while (receiver.front() !== null) receiver.release();
  expect(receiver.wait(60_000)).toBe(false); // at once, not after a minute
  const second = new Worker(PEER, data("send", 50));
  await once(second, "message");
  for (let i = 0; i < 50; i++) {
    while (!(await receiver.watch(1000)));
    expect(receiver.front()?.size().tag).toBe(i);
    receiver.release();
  }
  await once(second, "exit");
  expect(receiver.peer()).toBe("closed");
});

async function take(receiver: Receiver<"m/s2">, count: number): Promise<number[]> {
  const tags: number[] = [];
  while (tags.length < count) {
    const slot = receiver.front();
    if (slot === null) {
      await receiver.watch(100);
      continue;
    }
    expect(slot.floats.every((v) => v === slot.floats[0])).toBe(true);
    tags.push(slot.size().tag);
    receiver.release();
  }
  return tags;
}

test("between processes: a sender killed over a half-written frame costs that frame alone", async () => {
  const there = await shared();
  const back = await shared();
  const receiver = good(openReceiver(there.buffer, SHAPE, accel, CALM));
  const child = await peer(there.name, back.name, "half", 5);
  expect(await take(receiver, 4)).toEqual([0, 1, 2, 3]);
  expect(openSender(there.buffer, SHAPE, accel, CALM)).toBe("the ring has a sender already");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(receiver.peer()).toBe("gone");
  expect(receiver.front()).toBeNull();
  await peer(there.name, back.name, "send", 20);
  expect(await take(receiver, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

/** Frames of ones, as many as the receiver takes. */
async function send(sender: Sender<"m/s2">, count: number): Promise<void> {
  for (let sent = 0; sent < count; ) {
    const slot = sender.claim();
    if (slot === null) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    slot.floats.fill(1);
    sender.publish(SHAPE.frame_bytes, sent);
    sent += 1;
  }
}

test("between processes: a receiver killed while it holds frames; its successor sees them", async () => {
  const there = await shared();
  const back = await shared();
  const sender = good(openSender(there.buffer, SHAPE, accel, CALM));
  const first = await peer(there.name, back.name, "sum", 1_000_000);
  await send(sender, 500);
  first.kill("SIGSTOP");
  const state = (): string => readFileSync(`/proc/${first.pid}/stat`, "utf8").split(") ")[1] ?? "";
  while (!state().startsWith("T")) await new Promise((resolve) => setTimeout(resolve, 1));
  for (let slot = sender.claim(); slot !== null; slot = sender.claim()) {
    slot.floats.fill(1);
    sender.publish(4, 7);
  }
  expect(sender.wait(20)).toBe(false); // full, and the other side lives
  first.kill("SIGKILL");
  await once(first, "exit");
  expect(sender.peer()).toBe("gone");
  expect(sender.wait(60_000)).toBe(false);
  const second = await peer(there.name, back.name, "sum", SHAPE.slots);
  await once(second, "close");
  expect(said.get(second)).toBe(`ready\nsum ${SHAPE.slots}\n`);
});

test("shared memory of others, of another size, or with a bad name is refused", async () => {
  const { name } = await shared();
  await expect(openShared(name, BYTES + 64)).rejects.toThrow(/has 33792 bytes, not 33856/);
  chmodSync(`/dev/shm/${name}`, 0o666);
  await expect(openShared(name, BYTES)).rejects.toThrow(/others may read or write it/);
  await expect(openShared("../etc/passwd", BYTES)).rejects.toThrow(/its name may have/);
  await expect(openShared("x", 2 ** 40)).rejects.toThrow(/bytes/);
  opened[0]?.unlink();
  expect(existsSync(`/dev/shm/${name}`)).toBe(false);
});
