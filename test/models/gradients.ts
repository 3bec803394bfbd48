//! Central differences against the gradients of the tape.
import { expect } from "vitest";
import { prng } from "../../agent/base/prng.js";
import { createTape, type Matrix, matrix, type Tape } from "../../agent/models/convert/autodiff.js";

const random = prng(11, "gradients");

export const draw = (rows: number, cols: number): Matrix =>
  matrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, () => random.normal()),
  );

/** Every leaf's gradient against a central difference of the loss. */
export function checkGradients(leaves: readonly Matrix[], loss: (tape: Tape) => Matrix): void {
  for (const { grad } of leaves) grad.fill(0);
  const tape = createTape();
  tape.backward(loss(tape));
  const value = (): number => loss(createTape()).data[0] ?? Number.NaN;
  for (const { data, grad } of leaves) {
    for (let i = 0; i < data.length; i++) {
      const kept = data[i] as number;
      data[i] = kept + 1e-5;
      const above = value();
      data[i] = kept - 1e-5;
      const below = value();
      data[i] = kept;
      expect(grad[i]).toBeCloseTo((above - below) / 2e-5, 5);
    }
  }
}
