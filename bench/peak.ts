//! What vpdpbusd alone reaches on this CPU, with one and with two threads: a network's share of it is
//! how well a kernel uses the machine. The second thread is a worker that runs the same chain.
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { runPeak } from "../agent/accel/native.js";
import type { Entry } from "./kernel-times.js";

/** Some 14 us on one core. */
const ROUNDS = 10_000;
/** Some 14 ms: waking the other thread costs less than a hundredth of it. */
const ROUNDS_TWO = 10_000_000;
const [ASKED, DONE] = [0, 1];

/** One thread or two at the peak, and the multiply-adds of one call. */
export type Peak = Entry & { readonly macs: number };

export function openPeak(threads: 1 | 2): Peak {
  const name = "vpdpbusd alone";
  if (threads === 1) {
    return { name, threads, macs: runPeak(ROUNDS), run: () => void runPeak(ROUNDS) };
  }
  const state = new Int32Array(new SharedArrayBuffer(8));
  new Worker(new URL(import.meta.url), { workerData: state }).unref();
  let turn = 0;
  const run = (): void => {
    Atomics.store(state, ASKED, ++turn);
    Atomics.notify(state, ASKED);
    runPeak(ROUNDS_TWO);
    while (Atomics.load(state, DONE) !== turn);
  };
  return { name, threads, macs: (2 * ROUNDS_TWO * runPeak(ROUNDS)) / ROUNDS, run };
}

function serve(state: Int32Array): never {
  for (let turn = 0; ; turn++) {
    Atomics.wait(state, ASKED, turn);
    runPeak(ROUNDS_TWO);
    Atomics.store(state, DONE, turn + 1);
  }
}

if (!isMainThread && workerData instanceof Int32Array) serve(workerData);
