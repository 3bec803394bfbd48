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

/**
 * A layer at work on the arena: for each place p, row x = arena[from + p * step ..] and row
 * y = arena[to + p * rows ..]. Rows of x may overlap (a convolution); places is 1 for a dense layer.
 */
export type Stage = {
  readonly layer: Layer;
  readonly places: number;
  readonly step: number;
  readonly from: number;
  readonly to: number;
};

/**
 * A whole network, planned once. Values outside are float32 and channel-first, in the arena int8
 * and channel-last: in = clamp(floor(x * inverse + 0.5)), out = value * scale[channel], both in
 * float64. A NaN or infinity in x makes every y of that asset NaN.
 */
export type Plan = {
  readonly input: {
    readonly channels: number;
    readonly length: number;
    readonly at: number;
    readonly inverse: number;
  };
  readonly stages: readonly Stage[];
  readonly output: {
    readonly channels: number;
    readonly places: number;
    readonly at: number;
    readonly scale: Float64Array;
    /** True: y comes from the sums of the last stage, with its bias, not from its int8 steps. */
    readonly sums: boolean;
    readonly relu: boolean;
  };
  /** Bytes of one asset; zero at first, and only stages write, so pads stay zero. */
  readonly arena_bytes: number;
};

/** Kernels read x four bytes at a time: y of a stage begins no sooner than this after its x. */
export const ROW_GAP_BYTES = 4;

/** Most assets of one call. */
export const BATCH_MAX = 256;

/** A network loaded by a backend (packed, uploaded): no allocation per inference. */
export type Loaded = {
  /** x: batch x input, y: batch x output; batch is at most that of `load`. */
  infer(x: Float32Array, y: Float32Array, batch: number): void;
};

/** What a device did, for logs and metrics; it changes while the backend is in use. */
export type DeviceState = {
  readonly name: string;
  /** Why it is out of use and the CPU computes everything; null while it is sound. */
  readonly fault: string | null;
  /** Inferences it computed, and how many of its answers the CPU has compared. */
  readonly inferences: number;
  readonly checked: number;
  /** Why layers of the loaded networks run on the CPU. */
  readonly onCpu: readonly string[];
};

export type Backend = {
  readonly name: string;
  readonly tier: Tier;
  /** Columns beyond which the backend refuses a layer. */
  readonly cols_max: number;
  /** Absent where the CPU alone computes. */
  readonly device?: DeviceState;
  load(plan: Plan, batch: number): Loaded;
};
