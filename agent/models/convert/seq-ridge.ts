//! Ridge regression over a window: the simple method that a sequence network must beat. It sees
//! each column's last value, and its means over the last hour and the whole window.
import { solve } from "../generic-ridge.js";
import { PLACES } from "./scadaseq.js";
import type { Examples } from "./trainer.js";

const RIDGE = 1e-3;
const HOUR = 6;

/** Fitted to `set`; gives the answers for rows of windows. */
export function ridgeSeq(set: Examples): (x: Float64Array) => Float64Array {
  const cols = set.x.length / set.count;
  const size = set.y.length / set.count;
  const width = termsOf(set.x.subarray(0, cols)).length;
  const square = Array.from({ length: width }, () => new Array<number>(width).fill(0));
  const cross = Array.from({ length: size }, () => new Array<number>(width).fill(0));
  for (let i = 0; i < set.count; i++) {
    const terms = termsOf(set.x.subarray(i * cols, (i + 1) * cols));
    terms.forEach((a, j) => {
      const line = square[j] as number[];
      terms.forEach((b, k) => {
        line[k] = (line[k] as number) + (a * b) / set.count;
      });
      cross.forEach((sums, t) => {
        sums[j] = (sums[j] as number) + (a * (set.y[i * size + t] as number)) / set.count;
      });
    });
  }
  square.forEach((line, j) => {
    line[j] = (line[j] as number) + RIDGE;
  });
  const weights = cross.map((sums) =>
    solve(
      square.map((line) => [...line]),
      [...sums],
    ),
  );
  return (x) => {
    const y = new Float64Array((x.length / cols) * size);
    for (let i = 0; i * cols < x.length; i++) {
      const terms = termsOf(x.subarray(i * cols, (i + 1) * cols));
      weights.forEach((w, t) => {
        y[i * size + t] = terms.reduce((sum, v, j) => sum + v * (w[j] as number), 0);
      });
    }
    return y;
  };
}

function termsOf(window: Float64Array): number[] {
  const terms = [1];
  for (let at = 0; at < window.length; at += PLACES) {
    const mean = (count: number): number => {
      const part = window.subarray(at + PLACES - count, at + PLACES);
      return part.reduce((a, b) => a + b, 0) / count;
    };
    const now = mean(1);
    terms.push(now, now * now, mean(HOUR), mean(PLACES));
  }
  return terms;
}
