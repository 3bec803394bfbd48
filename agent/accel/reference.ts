//! The scalar truth. Slow on purpose: readable first; every other backend is tested against it.
import type { Backend, Layer, Prepared } from "./backend.js";

export const reference: Backend = {
  name: "reference",
  tier: "exact",
  cols_max: 65_536,
  prepare(layer: Layer): Prepared {
    return {
      run(x, y, batch): void {
        const { rows, cols, weights, bias, multiplier, shift, relu } = layer;
        for (let b = 0; b < batch; b++) {
          for (let row = 0; row < rows; row++) {
            const sum = dot(weights, row * cols, x, b * cols, cols) + (bias[row] as number);
            const value = requantise(sum, multiplier[row] as number, shift[row] as number);
            y[b * rows + row] = relu && value < 0 ? 0 : value;
          }
        }
      },
      sums(x, y, batch): void {
        const { rows, cols, weights, bias } = layer;
        for (let b = 0; b < batch; b++) {
          for (let row = 0; row < rows; row++) {
            y[b * rows + row] = dot(weights, row * cols, x, b * cols, cols) + (bias[row] as number);
          }
        }
      },
    };
  },
};

function dot(w: Int8Array, at: number, x: Int8Array, from: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += (w[at + i] as number) * (x[from + i] as number);
  return sum;
}

/** Normative: exact in a double because |sum| * multiplier < 2^52. Rounds half up. */
export function requantise(sum: number, multiplier: number, shift: number): number {
  const value = Math.floor((sum * multiplier + 2 ** (shift - 1)) / 2 ** shift);
  return Math.max(-127, Math.min(127, value));
}
