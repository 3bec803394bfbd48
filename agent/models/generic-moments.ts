//! Means and products of rows of numbers, and the ridge regression of any of them on any others:
//! one table of correlations holds every model of a machine.
import { inverse, solve } from "./generic-ridge.js";

export type Moments = {
  readonly count: number;
  readonly sums: readonly number[];
  readonly products: readonly (readonly number[])[];
};

export type Correlations = {
  readonly means: readonly number[];
  /** 0: it never moved. */
  readonly scales: readonly number[];
  readonly table: readonly (readonly number[])[];
};

/** One linear model over the features `at`, standardised. */
export type Fit = {
  readonly at: readonly number[];
  readonly weights: readonly number[];
  /** What is left of the target's spread, as a share. */
  readonly rest: number;
};

const RIDGE = 0.003;
const STILL = 1e-9;

/** Of rows without a gap. */
export function momentsOf(rows: readonly (readonly number[])[], size: number): Moments {
  const sums = new Array<number>(size).fill(0);
  const products = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (const row of rows) {
    for (let p = 0; p < size; p++) {
      const x = row[p] as number;
      sums[p] = (sums[p] as number) + x;
      const line = products[p] as number[];
      for (let q = 0; q <= p; q++) line[q] = (line[q] as number) + x * (row[q] as number);
    }
  }
  for (let p = 0; p < size; p++) {
    const line = products[p] as number[];
    for (let q = p + 1; q < size; q++) line[q] = products[q]?.[p] as number;
  }
  return { count: rows.length, sums, products };
}

/** `sign` 1 adds, -1 takes away. */
export function joined(a: Moments, b: Moments, sign: 1 | -1): Moments {
  const plus = (x: readonly number[], y: readonly number[]) =>
    x.map((v, i) => v + sign * (y[i] as number));
  return {
    count: a.count + sign * b.count,
    sums: plus(a.sums, b.sums),
    products: a.products.map((line, p) => plus(line, b.products[p] as number[])),
  };
}

export function correlationsOf({ count, sums, products }: Moments): Correlations {
  const means = sums.map((sum) => sum / count);
  const scales = means.map((mean, p) => {
    const square = (products[p]?.[p] as number) / count;
    const variance = square - mean * mean;
    return variance > STILL * Math.max(square, STILL) ? Math.sqrt(variance) : 0;
  });
  const table = products.map((line, p) =>
    line.map((product, q) => {
      const scale = (scales[p] as number) * (scales[q] as number);
      if (scale === 0) return Number(p === q);
      return (product / count - (means[p] as number) * (means[q] as number)) / scale;
    }),
  );
  return { means, scales, table };
}

/** `inputs` that never moved are left out. */
export function fitOn(known: Correlations, inputs: readonly number[], target: number): Fit {
  const at = inputs.filter((p) => (known.scales[p] as number) > 0);
  const toward = at.map((p) => known.table[p]?.[target] as number);
  const weights = solve(ridged(known, at), [...toward]);
  const explained = weights.reduce((sum, w, i) => sum + w * (toward[i] as number), 0);
  return { at, weights, rest: Math.sqrt(Math.max(0, 1 - explained)) };
}

/** Of the ridged correlations of `at`: how uncertain a model is at a point. */
export const inverseOf = (known: Correlations, at: readonly number[]): number[][] =>
  inverse(ridged(known, at));

function ridged({ table }: Correlations, at: readonly number[]): number[][] {
  return at.map((p) => at.map((q) => (table[p]?.[q] as number) + (p === q ? RIDGE : 0)));
}
