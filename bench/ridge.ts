//! Ridge regression of one column on others and their squares: the strongest simple baseline.
import { spread } from "../agent/models/chain/robust.js";
import { solve } from "../agent/models/generic-ridge.js";

const RIDGE = 1;

type Rows = readonly (readonly number[])[];

/** Fits the weights; gives what they leave of a row's `y`. */
export function fitRidge(rows: Rows, y: number, drivers: readonly number[]) {
  const scale = drivers.map((j) => {
    const mean = rows.reduce((sum, row) => sum + (row[j] ?? 0), 0) / rows.length;
    const variance = rows.reduce((sum, row) => sum + ((row[j] ?? 0) - mean) ** 2, 0) / rows.length;
    return { mean, sd: Math.max(Math.sqrt(variance), 1e-12) };
  });
  const terms = (row: readonly number[]): number[] => {
    const z = drivers.map((j, k) => ((row[j] ?? 0) - (scale[k]?.mean ?? 0)) / (scale[k]?.sd ?? 1));
    return [1, ...z, ...z.map((v) => v * v)];
  };
  const size = 1 + 2 * drivers.length;
  const a = Array.from({ length: size }, (_, j) =>
    Array.from({ length: size }, (_, k): number => (j === k ? RIDGE : 0)),
  );
  const b = new Array<number>(size).fill(0);
  for (const row of rows) {
    const x = terms(row);
    for (let j = 0; j < size; j++) {
      b[j] = (b[j] ?? 0) + (x[j] ?? 0) * (row[y] ?? 0);
      const line = a[j] ?? [];
      for (let k = 0; k < size; k++) line[k] = (line[k] ?? 0) + (x[j] ?? 0) * (x[k] ?? 0);
    }
  }
  const weights = solve(a, b);
  return (row: readonly number[]): number =>
    (row[y] ?? 0) - terms(row).reduce((sum, x, j) => sum + x * (weights[j] ?? 0), 0);
}

/** The same in robust spreads of the rows it was fitted to. */
export function ridgeRest(rows: Rows, y: number, drivers: readonly number[]) {
  const rest = fitRidge(rows, y, drivers);
  const sigma = spread(rows.map(rest), 0);
  return (row: readonly number[]): number => rest(row) / sigma;
}
