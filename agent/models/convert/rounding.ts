//! How real weights and values become the integers that will run: trits by a threshold of their
//! row, int8 by the largest of it, activations by a static step.
import type { Matrix } from "./autodiff.js";

/** Threshold over E|w|: leaves half of a Gaussian's weights at zero. */
const THRESHOLD = 0.845;

export type RowOf = (w: Matrix, row: number) => { weights: Int8Array; scale: number };

/** Zero below the threshold, else the sign; the scale is the mean of what is kept. */
export const ternaryRow: RowOf = (w, row) => {
  const values = w.data.subarray(row * w.cols, (row + 1) * w.cols);
  let sum = 0;
  for (const v of values) sum += Math.abs(v);
  const threshold = (THRESHOLD * sum) / w.cols;
  const weights = new Int8Array(w.cols);
  let kept = 0;
  let count = 0;
  values.forEach((v, c) => {
    if (!(Math.abs(v) > threshold)) return;
    weights[c] = v < 0 ? -1 : 1;
    kept += Math.abs(v);
    count += 1;
  });
  return { weights, scale: count === 0 ? 1 : kept / count };
};

export const int8Row: RowOf = (w, row) => {
  const values = w.data.subarray(row * w.cols, (row + 1) * w.cols);
  const top = values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-12);
  return {
    weights: Int8Array.from(values, (v) => Math.floor((v * 127) / top + 0.5)),
    scale: top / 127,
  };
};

/** Every row of `w` as the integers say it, in real units. */
export function roundRows(rowOf: RowOf): (w: Matrix, y: Float64Array) => void {
  return (w, y) => {
    for (let r = 0; r < w.rows; r++) {
      const { weights, scale } = rowOf(w, r);
      for (let c = 0; c < w.cols; c++) y[r * w.cols + c] = scale * (weights[c] as number);
    }
  };
}

/** Half goes up, as in every backend; what lies beyond 127 steps is cut. */
export function roundSteps(step: number): (x: Matrix, y: Float64Array) => void {
  return (x, y) => {
    for (let i = 0; i < y.length; i++) {
      const k = Math.floor((x.data[i] as number) / step + 0.5);
      y[i] = step * Math.max(-127, Math.min(127, k));
    }
  };
}
