//! The encoder in doubles, readable first: what every backend is held to within `encoderBound`.
import { assert } from "../base/errors.js";
import type { Loaded } from "./backend.js";
import {
  checkEncoder,
  type EncoderLayer,
  type EncoderPlan,
  type Norm,
  type Projection,
} from "./encoder.js";

/** Rows of values, one a place. */
type Rows = readonly Float64Array[];

export function loadReferenceEncoder(plan: EncoderPlan, batch: number): Loaded {
  checkEncoder(plan, batch);
  const { sequence, width, layers } = plan;
  const size = sequence * width;
  return {
    infer(x, y, count): void {
      assert(count >= 1 && count <= batch, "infer: more sequences than it was loaded for");
      assert(x.length === count * size && y.length === count * size, "infer: sizes");
      for (let at = 0; at < x.length; at += size) {
        const given = x.subarray(at, at + size);
        if (!given.every(Number.isFinite)) {
          y.fill(Number.NaN, at, at + size);
          continue;
        }
        let rows: Rows = Array.from({ length: sequence }, (_, place) => {
          return Float64Array.from(given.subarray(place * width, (place + 1) * width));
        });
        for (const layer of layers) rows = runLayer(plan, layer, rows);
        for (const [place, row] of rows.entries()) y.set(row, at + place * width);
      }
    },
    reset(): void {},
  };
}

function runLayer(plan: EncoderPlan, layer: EncoderLayer, x: Rows): Rows {
  const inner = x.map((row) => project(plan, layer.in, row));
  const attended = attend(plan, inner).map((row) => project(plan, layer.out, row));
  const mid = x.map((row, place) => normalise(plan, layer.norms[0], row, attended[place]));
  return mid.map((row) => {
    const hidden = project(plan, layer.up, row).map(gelu);
    return normalise(plan, layer.norms[1], row, project(plan, layer.down, hidden));
  });
}

function project({ limit }: EncoderPlan, projection: Projection, x: Float64Array): Float64Array {
  const { rows, cols, weights, scale, bias, inverse } = projection;
  const steps = x.map((v) => Math.max(-limit, Math.min(limit, Math.floor(v * inverse + 0.5))));
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let c = 0; c < cols; c++) sum += (weights[row * cols + c] ?? 0) * (steps[c] as number);
    return sum * (scale[row] as number) + (bias[row] as number);
  });
}

function attend({ width, heads }: EncoderPlan, inner: Rows): Rows {
  const head = width / heads;
  return inner.map((query) => {
    const result = new Float64Array(width);
    for (let from = 0; from < width; from += head) {
      const scores = inner.map((key) => {
        let sum = 0;
        for (let c = from; c < from + head; c++) {
          sum += (query[c] as number) * (key[width + c] as number);
        }
        return sum / Math.sqrt(head);
      });
      const most = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - most));
      const total = weights.reduce((a, b) => a + b, 0);
      for (const [place, value] of inner.entries()) {
        const share = (weights[place] as number) / total;
        for (let c = from; c < from + head; c++) {
          result[c] = (result[c] as number) + share * (value[2 * width + c] as number);
        }
      }
    }
    return result;
  });
}

function normalise(
  { epsilon }: EncoderPlan,
  { gain, offset }: Norm,
  x: Float64Array,
  more: Float64Array | undefined,
): Float64Array {
  const sum = x.map((v, i) => v + (more?.[i] ?? 0));
  const mean = sum.reduce((a, b) => a + b, 0) / sum.length;
  const variance = sum.reduce((a, b) => a + (b - mean) ** 2, 0) / sum.length;
  const by = 1 / Math.sqrt(variance + epsilon);
  return sum.map((v, i) => (v - mean) * by * (gain[i] as number) + (offset[i] as number));
}

/** Hendrycks and Gimpel 2016, tanh form; ONNX Gelu with approximate = "tanh". */
function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}
