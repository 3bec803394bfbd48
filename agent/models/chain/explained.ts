//! What one machine's own normal adds to its physics prior: a small ridge regression of a residual
//! on what drives it, learnt in commissioning. What it explains is bounded, so that it can hide no
//! fault larger than `most`; beyond what commissioning saw of a driver the line goes on straight.
import { solve } from "../generic-ridge.js";
import { bounded } from "./correction.js";
import { spread } from "./robust.js";

export type Sample = { readonly y: number; readonly drivers: readonly number[] };

const RIDGE = 0.01; // of the number of samples
const SAMPLES = 3; // for each weight, at least
const OUTLIER = 5; // spreads
/** Of each driver: middle, spread, least, most, and the weights of it and of its square. */
const WIDTH = 6;

/** The weights as a row of numbers, as a baseline keeps them; null: too few samples. */
export function fitExplained(samples: readonly Sample[]): number[] | null {
  const first = fitOnce(samples);
  if (first === null) return null;
  // A few bad hours are told by what the rest leaves of them.
  const rests = samples.map(({ y, drivers }) => y - linear(first, drivers));
  const limit = OUTLIER * spread(rests, 0);
  return fitOnce(samples.filter((_, i) => Math.abs(rests[i] ?? 0) <= limit)) ?? first;
}

/** What the drivers explain, at most `most`; NaN while one of them is unknown. */
export function explained(
  fit: readonly number[] | undefined,
  drivers: readonly number[],
  most: number,
): number {
  return fit === undefined ? 0 : bounded(0, linear(fit, drivers) / most, most);
}

/** The first number is the constant. */
function linear(fit: readonly number[], drivers: readonly number[]): number {
  return drivers.reduce((sum, driver, j) => {
    const [middle = 0, scale = 1, low = 0, high = 0, w = 0, w2 = 0] = fit.slice(1 + WIDTH * j);
    const z = (driver - middle) / scale;
    const seen = (Math.min(high, Math.max(low, driver)) - middle) / scale;
    return sum + w * z + w2 * seen * seen;
  }, fit[0] ?? 0);
}

function fitOnce(samples: readonly Sample[]): number[] | null {
  const count = samples[0]?.drivers.length ?? 0;
  const size = 1 + 2 * count;
  if (samples.length < SAMPLES * size) return null;
  const scales = Array.from({ length: count }, (_, j) => {
    const values = samples.map(({ drivers }) => drivers[j] ?? 0);
    const middle = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - middle) ** 2, 0) / values.length;
    const scale = Math.max(Math.sqrt(variance), 1e-9);
    return { middle, scale, low: Math.min(...values), high: Math.max(...values) };
  });
  const a = Array.from({ length: size }, (_, j) =>
    Array.from({ length: size }, (_, k) => (j === k && j > 0 ? RIDGE * samples.length : 0)),
  );
  const b = new Array<number>(size).fill(0);
  for (const { y, drivers } of samples) {
    const z = drivers.map((driver, j) => {
      return (driver - (scales[j]?.middle ?? 0)) / (scales[j]?.scale ?? 1);
    });
    const x = [1, ...z.flatMap((v) => [v, v * v])];
    x.forEach((left, j) => {
      b[j] = (b[j] ?? 0) + left * y;
      const line = a[j] ?? [];
      x.forEach((right, k) => {
        line[k] = (line[k] ?? 0) + left * right;
      });
    });
  }
  const weights = solve(a, b);
  const round = (value: number): number => Number(value.toPrecision(7));
  return [
    weights[0] ?? 0,
    ...scales.flatMap(({ middle, scale, low, high }, j) => {
      return [middle, scale, low, high, weights[1 + 2 * j] ?? 0, weights[2 + 2 * j] ?? 0];
    }),
  ].map(round);
}
