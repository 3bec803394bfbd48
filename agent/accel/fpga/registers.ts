//! The register map of the core (agent/accel/rtl/ternary_core.v, docs/fpga.md), in 32-bit words. A
//! word address counts words; AXI4-Lite has it times four.

export const ID = 0x5445_524e;
/** The major number changes when a driver of before would misread the core. */
export const MAJOR = 1;

export const REGISTER = {
  id: 0,
  version: 1,
  shape: 2,
  limits: 3,
  control: 4,
  status: 5,
  cycles: 6,
  checkA: 7,
  checkB: 8,
} as const;

export const CONTROL = { start: 1, reset: 2, acknowledge: 4 } as const;
export const STATUS = { busy: 1, done: 2 } as const;

/** Where the memories begin. */
export const AT = { data: 0x4000, params: 0x8000, stages: 0xc000, weights: 0x2_0000 } as const;

/** A stage of the core: eight words, 16 bits of each in use. */
export const STAGE_WORDS = 8;
export const FLAG = { raw: 0x8000, relu: 0x4000 } as const;
/** Rows and places of a stage stand in 13 bits. */
export const FIELD_MAX = 8191;

export const MULTIPLIER_MAX = 32_767;
export const SHIFT_MAX = 31;

/** What a core is built with. Sizes are powers of two. */
export type Shape = {
  /** Rows computed at once. */
  readonly lanes: number;
  /** Bits of a sum with its bias. */
  readonly acc_bits: number;
  /** Words of 2 * lanes bits: one column of a block of rows each. */
  readonly weight_words: number;
  readonly data_bytes: number;
  /** Rows of all layers together. */
  readonly rows: number;
  readonly stages: number;
};

/** The core in the bitstream for iCE40UP5K. */
export const UP5K: Shape = {
  lanes: 32,
  acc_bits: 20,
  weight_words: 2 ** 14,
  data_bytes: 2 ** 13,
  rows: 2 ** 10,
  stages: 2 ** 5,
};

export function shapeWords(shape: Shape): readonly [number, number] {
  const { lanes, acc_bits, weight_words, data_bytes, rows, stages } = shape;
  const log = Math.log2;
  const a = (log(data_bytes) << 24) | (log(weight_words) << 16) | (acc_bits << 8) | lanes;
  return [a >>> 0, (log(stages) << 8) | log(rows)];
}

/** Null when the words are none of a core that this driver could use. */
export function readShape(a: number, b: number): Shape | null {
  const byte = (word: number, at: number): number => (word >>> at) & 0xff;
  const within = (value: number, least: number, most: number): boolean =>
    value >= least && value <= most;
  const [lanes, acc_bits, weights, data] = [byte(a, 0), byte(a, 8), byte(a, 16), byte(a, 24)];
  const [rows, stages] = [byte(b, 0), byte(b, 8)];
  const sound =
    [16, 32, 64, 128].includes(lanes) &&
    within(acc_bits, 16, 32) &&
    within(weights, 8, 17 - Math.log2(lanes / 16)) &&
    within(data, 8, 15) &&
    within(rows, 5, 13) &&
    within(stages, 1, 8) &&
    b >>> 16 === 0;
  if (!sound) return null;
  const [weight_words, data_bytes] = [2 ** weights, 2 ** data];
  return { lanes, acc_bits, weight_words, data_bytes, rows: 2 ** rows, stages: 2 ** stages };
}
