//! One row of `sterna bench`: the clock, and the energy that the processor says it used meanwhile.
import type { EnergyMeter } from "../base/energy.js";

/** A sample of the clock is at least this long: several runs where one is shorter. */
const SAMPLE_us = 20;
/** No row takes longer than twice this. */
const ROW_ms = 2_000;

export type Row = {
  readonly engine: string;
  readonly p50_us: number;
  readonly p99_us: number;
  /** Inferences a second in calls of `batch`; null where the engine takes one at a time. */
  readonly rate_hz: number | null;
  readonly batch: number;
  /** Of one inference alone in its call; null where nothing counts it. */
  readonly energy_uJ: number | null;
  /** Times as fast as the better row of ONNX Runtime, at the median. */
  ratio: number | null;
};

/** One inference, and one call of a whole batch. */
export type Engine = {
  readonly name: string;
  readonly one: () => void;
  readonly many: (() => void) | null;
  readonly batch: number;
};

export function timed(engine: Engine, runs: number, meter: EnergyMeter | null): Row {
  const { name, one, many, batch } = engine;
  meter?.used_uJ();
  const { samples_us, count } = sample(one, runs);
  const used_uJ = meter?.used_uJ() ?? null;
  const at = (share: number): number =>
    samples_us[Math.floor(share * (samples_us.length - 1))] as number;
  const calls = many === null ? [] : sample(many, Math.max(10, runs / 20)).samples_us;
  const middle = calls[Math.floor(calls.length / 2)];
  return {
    engine: name,
    p50_us: at(0.5),
    p99_us: at(0.99),
    rate_hz: middle === undefined ? null : (1e6 * batch) / middle,
    batch,
    energy_uJ: used_uJ === null ? null : used_uJ / count,
    ratio: null,
  };
}

/** Microseconds of one run each, sorted, and how often it ran in all. */
function sample(run: () => void, runs: number): { samples_us: number[]; count: number } {
  let count = 0;
  const clock = (times: number): number => {
    const start = performance.now();
    for (let i = 0; i < times; i++) run();
    count += times;
    return (1000 * (performance.now() - start)) / times;
  };
  for (let i = 0; i < 3; i++) clock(1);
  const each = Math.max(1, Math.ceil(SAMPLE_us / clock(10)));
  const until = performance.now() + ROW_ms;
  const found: number[] = [];
  for (let i = 0; i < runs && performance.now() < until; i++) found.push(clock(each));
  return { samples_us: found.sort((a, b) => a - b), count };
}
