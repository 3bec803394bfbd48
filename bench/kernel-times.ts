//! The kernels and their peers timed in turns, and rows made of the times. All runs of a row take
//! part in each round, so what else runs on the machine slows all alike; medians are compared, and
//! each note has the medians and quartiles of everything that ran.
import { type Bound, percentile, type Row, shown } from "./result.js";

export type Run = () => void;
/** One that is timed: "onnxruntime fp32" with two threads. */
export type Entry = {
  readonly name: string;
  readonly threads: 1 | 2;
  readonly run: Run;
  /** Puts its threads to sleep when its turn is over, where they would spin on for long. */
  readonly rest?: Run;
};
/** Microseconds of one call: the median of the rounds and their quartiles. */
export type Timed = Entry & { readonly us: number; readonly low: number; readonly high: number };

const ROUNDS = 9;
const ROUND_ms = 40;
// Threads of ONNX Runtime spin on for some milliseconds after a run, on a core that the next run
// may need: each turn begins when they sleep.
const SETTLE_ms = 25;
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Each entry's time, all of them in turns. */
export function race(entries: readonly Entry[]): Timed[] {
  const counts = entries.map(({ run, rest }) => {
    const count = fill(run);
    rest?.();
    return count;
  });
  const times: number[][] = entries.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { run, rest }] of entries.entries()) {
      const count = counts[i] ?? 1;
      Atomics.wait(nothing, 0, 0, SETTLE_ms);
      spent_ms(run, Math.ceil(count / 8));
      times[i]?.push((1000 * spent_ms(run, count)) / count);
      rest?.();
    }
  }
  return entries.map((entry, i) => {
    const [low = 0, us = 0, high = 0] = [0.25, 0.5, 0.75].map((p) => percentile(times[i] ?? [], p));
    return { ...entry, us, low, high };
  });
}

/** How many calls fill a round. */
function fill(run: Run): number {
  let count = 1;
  run();
  while (spent_ms(run, count) < ROUND_ms / 2) count *= 2;
  return count;
}

function spent_ms(run: Run, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) run();
  return performance.now() - start;
}

/** The same run with one and with two threads. */
export function both(name: string, run: (threads: 1 | 2) => Run): Entry[] {
  return ([1, 2] as const).map((threads) => ({ name, threads, run: run(threads) }));
}

export function fastest(times: readonly Timed[]): Timed {
  return times.reduce((best, each) => (each.us < best.us ? each : best));
}

const SCALES = { us: 1, ms: 1000 } as const;
export type Unit = keyof typeof SCALES;
const THREADS = { 1: "one thread", 2: "two threads" } as const;

/** "onnxruntime fp32, two threads". */
export const label = ({ name, threads }: Entry): string => `${name}, ${THREADS[threads]}`;

/** Every time with its quartiles: "us with one and two threads: ours 40.9 (40.1..41.8) and ...". */
export function listed(times: readonly Timed[], unit: Unit): string {
  const names = [...new Set(times.map(({ name }) => name))];
  const figure = (value: number): string => shown(value / SCALES[unit]);
  const each = names.map((name) => {
    const own = times.filter((time) => time.name === name);
    const figures = own.map((time) => {
      const [us, low, high] = [time.us, time.low, time.high].map(figure);
      return `${us} (${low}..${high})${own.length === 1 ? ` ${THREADS[time.threads]}` : ""}`;
    });
    return `${name} ${figures.join(" and ")}`;
  });
  const pairs = names.length < times.length ? " with one and two threads" : "";
  return `${unit}${pairs}: ${each.join("; ")}`;
}

/** Who is compared; `also` is only listed. */
export type Sides = {
  readonly ours: readonly Entry[];
  readonly peers: readonly Entry[];
  readonly also?: readonly Entry[];
};

/** How many times faster the best of ours is than the best of the peers. */
export function faster(name: string, bound: Bound, sides: Sides, unit: Unit = "us"): Row {
  const { ours, peers, also = [] } = sides;
  return fasterOf(name, bound, race([...ours, ...also, ...peers]), sides, unit);
}

/** The same out of a race that is over, in which others may have run, too. */
export function fasterOf(
  name: string,
  bound: Bound,
  times: readonly Timed[],
  { ours, peers, also = [] }: Sides,
  unit: Unit = "us",
): Row {
  const of = (entries: readonly Entry[]): Timed[] =>
    times.filter(({ run }) => entries.some((entry) => entry.run === run));
  const [best, peer] = [fastest(of(ours)), fastest(of(peers))];
  const [value, other] = [best.us / SCALES[unit], peer.us / SCALES[unit]];
  const note = `times faster than ${label(peer)}; ${listed(of([...ours, ...also, ...peers]), unit)}`;
  return { name, value, unit, peer: other, ratio: other / value, ...bound, note };
}
