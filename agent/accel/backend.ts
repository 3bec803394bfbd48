//! The one contract every compute device meets. Consumers import this file and registry.ts only.
import type { Tier } from "../base/telemetry.js";

/**
 * One integer layer (guide: weights -1/0/+1 or int8, row-major `rows x cols`):
 * y[r] = clamp(floor(((sum_c w[r][c] x[c] + bias[r]) * m[r] + 2^(s[r]-1)) / 2^s[r])), relu last.
 * x and y are int8 in [-127, 127]; sums are int32 and exact; |acc + bias| * m < 2^52.
 */
export type Layer = {
  readonly rows: number;
  readonly cols: number;
  readonly weights: Int8Array;
  /** True when every weight is -1, 0 or +1. */
  readonly ternary: boolean;
  readonly bias: Int32Array;
  readonly multiplier: Uint16Array;
  readonly shift: Uint8Array;
  readonly relu: boolean;
};

/** A layer prepared by a backend (packed, uploaded). `matmul` runs `batch` rows of x. */
export type Prepared = {
  /** x: batch x cols, y: batch x rows. */
  run(x: Int8Array, y: Int8Array, batch: number): void;
  /** Raw int32 sums with bias, for a last layer that dequantises. */
  sums(x: Int8Array, y: Int32Array, batch: number): void;
};

export type Backend = {
  readonly name: string;
  readonly tier: Tier;
  /** Columns beyond which the backend refuses a layer. */
  readonly cols_max: number;
  prepare(layer: Layer): Prepared;
};
