//! The one contract every compute device meets. Consumers import this file and registry.ts only.
import type { Tier } from "../base/telemetry.js";
import type { EncoderPlan } from "./encoder.js";

/**
 * The weights of one integer layer (-1/0/+1 or int8, row-major `rows x cols`):
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
  /** y is clipped to +-limit; `STEP_MAX` without. */
  readonly limit?: number;
};

/** Where rows of channels lie in the arena: place p of line l begins at at + l * line + p * step. */
export type Rows = { readonly at: number; readonly step: number; readonly line: number };

/** How many rows a stage writes: 1 x 1 for a dense layer, 1 x n for one dimension. */
export type Grid = { readonly lines: number; readonly places: number };

/**
 * A layer over every row of x. Rows may overlap (a convolution). With `runs` a row is gathered: from
 * each offset after its beginning `cols / runs.length` bytes (2-D, dilation, groups, padded planes).
 */
export type Matmul = Grid & {
  readonly kind: "matmul";
  readonly layer: Layer;
  readonly x: Rows;
  readonly runs: Uint32Array | null;
  readonly y: Rows;
};

/** One filter a channel; `layer` is channels x taps, tap t of a row lies `taps[t]` bytes after it. */
export type Depthwise = Grid & {
  readonly kind: "depthwise";
  readonly layer: Layer;
  readonly taps: Uint32Array;
  readonly x: Rows;
  readonly y: Rows;
};

/** `wide` rows hold int16 in [-32767, 32767], little-endian, two bytes a value. */
export type Operand = Rows & { readonly wide: boolean };

/**
 * y = clamp(floor((a * gainA[c] + b * gainB[c] + bias[c] + 2^(s[c]-1)) / 2^s[c])), relu last: the
 * residual sum, a gain and an offset by channel, a step of a diagonal state. Within 2^52.
 */
export type Add = Grid & {
  readonly kind: "add";
  readonly channels: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly y: Operand;
  readonly gainA: Int32Array;
  readonly gainB: Int32Array;
  readonly bias: Int32Array;
  readonly shift: Uint8Array;
  readonly relu: boolean;
};

/** y = clamp(floor((a * b * multiplier + 2^(shift-1)) / 2^shift)): a gate. */
export type Mul = Grid & {
  readonly kind: "mul";
  readonly channels: number;
  readonly a: Rows;
  readonly b: Rows;
  readonly y: Rows;
  readonly multiplier: number;
  readonly shift: number;
};

/** y = table[x + 128]: an activation, another step, a copy into a slice. 256 values, +-127. */
export type Table = Grid & {
  readonly kind: "table";
  readonly channels: number;
  readonly x: Rows;
  readonly y: Rows;
  readonly table: Int8Array;
};

/**
 * The largest, or the sum, over a window cut to the plane of height x width rows; `x.at` is its
 * first row, `x.step` and `x.line` the distances within it. Window (l, p) begins at line
 * l * stride[0] - pad[0] and place p * stride[1] - pad[1]. A sum of n values becomes
 * clamp(floor((sum * multiplier[n-1] + 2^(shift[n-1]-1)) / 2^shift[n-1])): the average. No window
 * is empty.
 */
export type Pool = Grid & {
  readonly kind: "pool";
  readonly mode: "max" | "average";
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pad: readonly [number, number];
  readonly x: Rows;
  readonly y: Rows;
  readonly multiplier: Uint16Array;
  readonly shift: Uint8Array;
};

/** One step of a plan, on the arena; no stage writes where it reads. */
export type Stage = Matmul | Depthwise | Add | Mul | Table | Pool;

/**
 * A whole network, planned once. Values outside are float32 and channel-first, in the arena int8
 * and channel-last: in = clamp(floor(x * inverse + 0.5)), out = value * scale[channel], both in
 * float64. A NaN or infinity in x makes every y of that asset NaN and leaves its state as it was.
 */
export type Plan = {
  /** channels x lines x length values; line l begins at at + l * line. */
  readonly input: {
    readonly channels: number;
    readonly lines: number;
    readonly length: number;
    readonly at: number;
    readonly line: number;
    readonly inverse: number;
    /** Its steps are clipped to +-limit; `STEP_MAX` without. */
    readonly limit?: number;
  };
  readonly stages: readonly Stage[];
  /** Copied from `from` to `to` when every stage is done: what the next call of the asset reads. */
  readonly state: readonly { readonly from: number; readonly to: number; readonly bytes: number }[];
  readonly output: {
    readonly channels: number;
    readonly places: number;
    readonly at: number;
    readonly scale: Float64Array;
    /** True: y comes from the sums of the last stage, a matmul, with its bias. */
    readonly sums: boolean;
    readonly relu: boolean;
  };
  /** Bytes of one asset; zero at first, and only stages write, so pads stay zero. */
  readonly arena_bytes: number;
};

/** Steps lie within this. */
export const STEP_MAX = 127;

/**
 * Steps of 4 bits, for models trained so: where all x of a layer is clipped to this, a backend may
 * look sums up instead of multiplying. The integers are those of any other layer.
 */
export const STEP_MAX_SMALL = 7;

/** Kernels read x four bytes at a time: y of a stage begins no sooner than this after its x. */
export const ROW_GAP_BYTES = 4;

/** Most assets of one call. */
export const BATCH_MAX = 256;

/** A network loaded by a backend (packed, uploaded): no allocation per inference. */
export type Loaded = {
  /** x: batch x input, y: batch x output; batch is at most that of `load`. */
  infer(x: Float32Array, y: Float32Array, batch: number): void;
  /** Forgets the state of one asset: its place in a batch. */
  reset(asset: number): void;
  /** Of what `infer` gives now; absent: the backend's. */
  readonly tier?: Tier;
  /** The state of one asset, its parts one behind another; absent where it cannot be read. */
  stateOf?(asset: number): Int8Array;
  /** The next inference of the asset begins from it. Only who stands in for a device needs it. */
  setState?(asset: number, state: Int8Array): void;
  /** Gives back what a device holds for it; it is not used after that. */
  close?(): void;
};

export type Backend = {
  readonly name: string;
  readonly tier: Tier;
  /** Columns beyond which the backend refuses a layer. */
  readonly cols_max: number;
  /** Kinds of stages that it runs; all where it says nothing. */
  readonly kinds?: readonly Stage["kind"][];
  /** Weights that it holds; absent where that is no matter. */
  readonly memory_bytes?: number;
  /** Why it computes nothing of a network, known before it is loaded; null: at least a part. */
  lack?(plan: Plan): string | null;
  /** So many first stages of a network are one piece to it, the only one that it takes. */
  leads?(plan: Plan): number;
  /** The name of who computes encoders in its place; absent: it does. */
  readonly encoders?: string;
  load(plan: Plan, batch: number): Loaded;
  /** A transformer encoder, each layer within `layerBound`; batch counts sequences. */
  loadEncoder(plan: EncoderPlan, batch: number): Loaded;
};

/** It says its tier itself, whoever stands before its backend. */
export function withTier(loaded: Loaded, { tier }: Backend): Loaded {
  return loaded.tier === undefined ? { ...loaded, tier } : loaded;
}

/** Bytes of the state of one asset. */
export function stateBytes({ state }: Pick<Plan, "state">): number {
  return state.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A layer over one row that lies at `from`. */
export function denseStage(layer: Layer, from: number, to: number): Matmul {
  const [x, y] = [from, to].map((at) => ({ at, step: 0, line: 0 })) as [Rows, Rows];
  return { kind: "matmul", layer, lines: 1, places: 1, x, runs: null, y };
}
