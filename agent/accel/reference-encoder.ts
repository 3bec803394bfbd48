//! The encoder in doubles, readable first: what every backend is held to within `layerBound`.
import { assert } from "../base/errors.js";
import type { Loaded } from "./backend.js";
import {
  checkEncoder,
  type EncoderLayer,
  type EncoderPlan,
  FUNCTIONS,
  MASK_LEAST,
  type Norm,
  type Projection,
  placeIn,
} from "./encoder.js";

/** Rows of values, one a place. */
type Rows = readonly Float64Array[];

export function loadReferenceEncoder(plan: EncoderPlan, batch: number): Loaded {
  checkEncoder(plan, batch);
  const { sequence, width, layers, end } = plan;
  const place_in = placeIn(plan);
  const [sizeIn, sizeOut] = [sequence * place_in, sequence * width];
  return {
    infer(x, y, count): void {
      assert(count >= 1 && count <= batch, "infer: more sequences than it was loaded for");
      assert(x.length === count * sizeIn && y.length === count * sizeOut, "infer: sizes");
      for (let i = 0; i < count; i++) {
        const given = x.subarray(i * sizeIn, (i + 1) * sizeIn);
        const to = y.subarray(i * sizeOut, (i + 1) * sizeOut);
        if (!given.every(Number.isFinite)) {
          to.fill(Number.NaN);
          continue;
        }
        const places = Array.from({ length: sequence }, (_, place) => {
          return Float64Array.from(given.subarray(place * place_in, (place + 1) * place_in));
        });
        const mask = places.map((values) => Math.max(MASK_LEAST, values[width] ?? 0));
        let rows: Rows = places.map((values) => values.subarray(0, width));
        // Between layers lie float32, so that a whole is its layers one after another, bit for bit.
        for (const layer of layers) {
          rows = runLayer(plan, layer, rows, mask).map((row) => row.map(Math.fround));
        }
        if (end !== null) rows = rows.map((row) => normalise(plan, end, row));
        for (const [place, row] of rows.entries()) to.set(row, place * width);
      }
    },
    reset(): void {},
  };
}

function runLayer(plan: EncoderPlan, layer: EncoderLayer, x: Rows, mask: readonly number[]): Rows {
  const pre = plan.order === "pre";
  const [first, second] = layer.norms;
  const inner = x.map((row) => project(plan, layer.in, pre ? normalise(plan, first, row) : row));
  const attended = attend(plan, inner, mask).map((row) => project(plan, layer.out, row));
  return x.map((row, place) => {
    const sum = added(row, attended[place] as Float64Array);
    const mid = pre ? sum : normalise(plan, first, sum);
    const up = project(plan, layer.up, pre ? normalise(plan, second, mid) : mid);
    const y = added(mid, project(plan, layer.down, up.map(FUNCTIONS[plan.activation])));
    return pre ? y : normalise(plan, second, y);
  });
}

function added(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + (b[i] as number));
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

function attend(plan: EncoderPlan, inner: Rows, mask: readonly number[]): Rows {
  const { width, heads, causal } = plan;
  const head = width / heads;
  return inner.map((query, at) => {
    const result = new Float64Array(width);
    const seen = causal ? inner.slice(0, at + 1) : inner;
    for (let from = 0; from < width; from += head) {
      const scores = seen.map((key, place) => {
        let sum = 0;
        for (let c = from; c < from + head; c++) {
          sum += (query[c] as number) * (key[width + c] as number);
        }
        return sum / Math.sqrt(head) + (mask[place] as number);
      });
      const most = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - most));
      const total = weights.reduce((a, b) => a + b, 0);
      for (const [place, value] of seen.entries()) {
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
  { epsilon, norm }: EncoderPlan,
  { gain, offset }: Norm,
  x: Float64Array,
): Float64Array {
  const mean = norm === "rms" ? 0 : x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
  const by = 1 / Math.sqrt(variance + epsilon);
  return x.map((v, i) => (v - mean) * by * (gain[i] as number) + (offset[i] as number));
}
