//! The last layer once more, in closed form: least squares of the values against what the layers
//! before it give as integers. Training by small batches leaves it a little off, and a bias there
//! is a bias of every answer.
import { createTape, matrix } from "./autodiff.js";
import { forward, type Net } from "./ternary.js";
import type { Examples } from "./trainer.js";

const ROWS_MAX = 256;
/** Of the mean square of an input; pulls towards the weights as trained. */
const PULL = 1e-3;
const SWEEPS = 300;

/** Changes the net's last layer; a rising one keeps weights of at least 0. */
export function refitLast(net: Net, set: Examples, quantised: boolean): void {
  const last = net.layers.at(-1);
  if (last === undefined) return;
  const { w, beta } = last;
  const hidden = inputsOfLast(net, set.x, quantised);
  for (let r = 0; r < w.rows; r++) {
    const target = Float64Array.from(
      { length: set.count },
      (_, i) => set.y[i * w.rows + r] as number,
    );
    const row = w.data.subarray(r * w.cols, (r + 1) * w.cols);
    const { square, cross, means, mean } = momentsOf(hidden, target, w.cols);
    descendBy(row, square, cross, last.spec.rising !== undefined);
    beta.data[r] = row.reduce((rest, v, c) => rest - v * (means[c] as number), mean);
  }
}

/** What the last layer reads, one example a row. */
function inputsOfLast(net: Net, x: Float64Array, quantised: boolean): Float64Array {
  const cols = net.spec.channels * net.spec.places;
  const parts: Float64Array[] = [];
  for (let from = 0; from < x.length; from += ROWS_MAX * cols) {
    const part = x.slice(from, from + ROWS_MAX * cols);
    const keep = ({ data }: { data: Float64Array }): void => void parts.push(data.slice());
    const input = matrix(part.length / cols, cols, part);
    forward(createTape(), net, input, { quantised, learn: false, last: keep });
  }
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function momentsOf(hidden: Float64Array, target: Float64Array, cols: number) {
  const count = target.length;
  const mean = target.reduce((a, b) => a + b, 0) / count;
  const means = new Float64Array(cols);
  hidden.forEach((v, i) => {
    means[i % cols] = (means[i % cols] as number) + v / count;
  });
  const square = new Float64Array(cols * cols);
  const cross = new Float64Array(cols);
  const row = new Float64Array(cols);
  for (let i = 0; i < count; i++) {
    const off = (target[i] as number) - mean;
    for (let c = 0; c < cols; c++) row[c] = (hidden[i * cols + c] as number) - (means[c] as number);
    for (let c = 0; c < cols; c++) {
      const v = (row[c] as number) / count;
      if (v === 0) continue;
      cross[c] = (cross[c] as number) + v * off;
      for (let d = 0; d < cols; d++) {
        square[c * cols + d] = (square[c * cols + d] as number) + v * (row[d] as number);
      }
    }
  }
  return { square, cross, means, mean };
}

/** Coordinate by coordinate, from the weights as they are. */
function descendBy(
  row: Float64Array,
  square: Float64Array,
  cross: Float64Array,
  rising: boolean,
): void {
  const cols = row.length;
  const start = row.slice();
  let trace = 0;
  for (let c = 0; c < cols; c++) trace += square[c * cols + c] as number;
  const pull = (PULL * trace) / cols + 1e-12;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let c = 0; c < cols; c++) {
      let rest = (cross[c] as number) + pull * (start[c] as number);
      for (let d = 0; d < cols; d++) {
        if (d !== c) rest -= (square[c * cols + d] as number) * (row[d] as number);
      }
      const best = rest / ((square[c * cols + c] as number) + pull);
      row[c] = rising ? Math.max(0, best) : best;
    }
  }
}
