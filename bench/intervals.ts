//! Bootstrap intervals over whole units (engines, turbines, bearings), never over their samples.
import { prng } from "../agent/base/prng.js";
import { percentile } from "./result.js";

const ROUNDS = 1000;

/** 95 % of the resampled figures lie within. */
export type Interval = readonly [low: number, high: number];

/** Draws the units anew with the same chances each run; a draw without a figure is left out. */
export function bootstrap<T>(units: readonly T[], figure: (drawn: T[]) => number): Interval {
  const chance = prng(1, "bootstrap");
  const figures: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const drawn = units.map(() => units[Math.floor(chance.next() * units.length)] as T);
    const value = figure(drawn);
    if (Number.isFinite(value)) figures.push(value);
  }
  return [percentile(figures, 0.025), percentile(figures, 0.975)];
}

/** By how much less `ours` is than `peer`, in per cent; NaN where the peer has none either. */
export const reduction_pct = (ours: number, peer: number): number =>
  peer === 0 ? Number.NaN : 100 * (1 - ours / peer);

export const intervalText = ([low, high]: Interval, digits = 1): string =>
  `95 % interval ${low.toFixed(digits)} to ${high.toFixed(digits)}`;
