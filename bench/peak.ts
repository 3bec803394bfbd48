//! What vpdpbusd alone reaches on this CPU, with one and with two threads: a network's share of it is
//! how well a kernel uses the machine. The second thread is a worker; the two take parts one by one,
//! as the kernels do, so that what else runs on one core costs both no more than it must.
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { runPeak } from "../agent/accel/native.js";
import type { Entry } from "./kernel-times.js";

/** Of one part: some 14 us on one core. */
const ROUNDS = 10_000;
/** Some 14 ms on two: waking the other thread costs less than a hundredth of it. */
const PARTS = 2_000;
const [ASKED, TAKEN, DONE] = [0, 1, 2];

/** One thread or two at the peak, and the multiply-adds of one call. */
export type Peak = Entry & { readonly macs: number };

export function openPeak(threads: 1 | 2): Peak {
  const name = "vpdpbusd alone";
  const macs = runPeak(ROUNDS);
  if (threads === 1) return { name, threads, macs, run: () => void runPeak(ROUNDS) };
  const state = new Int32Array(new SharedArrayBuffer(12));
  new Worker(new URL(import.meta.url), { workerData: state }).unref();
  let turn = 0;
  const run = (): void => {
    Atomics.store(state, TAKEN, 0);
    Atomics.store(state, ASKED, ++turn);
    Atomics.notify(state, ASKED);
    takeParts(state);
    while (Atomics.load(state, DONE) !== turn);
  };
  return { name, threads, macs: PARTS * macs, run };
}

function takeParts(state: Int32Array): void {
  while (Atomics.add(state, TAKEN, 1) < PARTS) runPeak(ROUNDS);
}

function serve(state: Int32Array): never {
  for (let turn = 0; ; turn++) {
    Atomics.wait(state, ASKED, turn);
    takeParts(state);
    Atomics.store(state, DONE, turn + 1);
  }
}

if (!isMainThread && workerData instanceof Int32Array) serve(workerData);
