//! Weights as the kernels read them: tiles of 64 outputs x 4 inputs, 64-byte aligned, so that no
//! kernel ever sums across lanes. Where most of a layer is zero, blocks of 64 outputs x 16 inputs
//! without a weight are left out.

/** What of a layer is packed: its weights, row by row. */
export type Shape = {
  readonly rows: number;
  readonly cols: number;
  readonly weights: Int8Array;
  readonly ternary: boolean;
};

/** Outputs side by side in a tile. */
export const TILE = 64;
/** Inputs of a block that is kept or left out as a whole. */
export const BLOCK = 16;
/** A larger share of kept blocks than this is faster dense: copying x together costs some. */
const DENSITY_MAX = 0.75;
/** Fewer outputs than this don't pay for the tables of a look-up. */
const LOOKUP_ROWS_MIN = 256;

/** How weights lie: `Form` in native/layout.hpp. */
export const FORM = { wide: 0, ternary: 1, lookup: 2 } as const;

export type Packed = {
  readonly form: (typeof FORM)[keyof typeof FORM];
  readonly weights: Uint8Array;
  /** The first kept block of each tile and the end (uint32), then the blocks' places (uint16). */
  readonly sparse: Uint8Array | null;
};

/** The most that `packLayer` makes of a layer, whatever its weights are. */
export function packedBytes({ rows, cols, ternary }: Omit<Shape, "weights">): number {
  const [down, across] = [Math.ceil(rows / TILE) * TILE, Math.ceil(cols / BLOCK) * BLOCK];
  return (down * across) / (ternary ? 4 : 1);
}

/** `small`: x lies within +-7 and the kernel looks sums up. */
export function packLayer(layer: Shape, small: boolean): Packed {
  const { rows, cols, ternary } = layer;
  const kept = keptBlocks(layer);
  const tiles = Math.ceil(rows / TILE);
  const blocks = Math.ceil(cols / BLOCK);
  const count = kept.reduce((sum, list) => sum + list.length, 0);
  const form = ternary ? FORM.ternary : FORM.wide;
  if (count > DENSITY_MAX * tiles * blocks) {
    if (small && ternary && rows >= LOOKUP_ROWS_MIN) {
      return { form: FORM.lookup, weights: packPatterns(layer), sparse: null };
    }
    return { form, weights: ternary ? packTernary(layer) : packWide(layer), sparse: null };
  }
  const quads = blocks * (BLOCK / 4);
  const whole = ternary ? packTernary(layer, quads) : packWide(layer, quads);
  const bytes = (ternary ? TILE : 4 * TILE) * (BLOCK / 4);
  const weights = new Uint8Array(count * bytes);
  const sparse = new Uint8Array(4 * (tiles + 1) + 2 * count);
  const begin = new Uint32Array(sparse.buffer, 0, tiles + 1);
  const places = new Uint16Array(sparse.buffer, 4 * (tiles + 1), count);
  let at = 0;
  for (const [tile, list] of kept.entries()) {
    begin[tile] = at;
    for (const block of list) {
      const from = (tile * blocks + block) * bytes;
      weights.set(whole.subarray(from, from + bytes), at * bytes);
      places[at++] = block;
    }
  }
  begin[tiles] = at;
  return { form, weights, sparse };
}

/** For each tile the blocks with a weight other than 0. */
function keptBlocks({ rows, cols, weights }: Shape): number[][] {
  const holds = (row: number, col: number): boolean => {
    const [bottom, right] = [Math.min(rows, row + TILE), Math.min(cols, col + BLOCK)];
    for (let r = row; r < bottom; r++) {
      for (let c = col; c < right; c++) if (weights[r * cols + c] !== 0) return true;
    }
    return false;
  };
  const kept: number[][] = [];
  for (let row = 0; row < rows; row += TILE) {
    const list: number[] = [];
    for (let col = 0; col < cols; col += BLOCK) if (holds(row, col)) list.push(col / BLOCK);
    kept.push(list);
  }
  return kept;
}

/**
 * Tiles of 64 outputs x 4 inputs in 64 bytes: byte 4n + j holds the codes w + 1 of input j for the
 * outputs n, 16 + n, 32 + n and 48 + n, two bits each.
 */
export function packTernary(layer: Shape, quads = Math.ceil(layer.cols / 4)): Uint8Array {
  const { rows } = layer;
  const fours = inFours(layer, quads);
  const lines = Math.ceil(rows / TILE) * TILE;
  const packed = new Int32Array((lines / 4) * quads);
  for (let row = 0; row < lines; row++) {
    const field = 2 * Math.floor((row % TILE) / 16);
    let at = Math.floor(row / TILE) * quads * 16 + (row % 16);
    for (let from = row * quads, end = from + quads; from < end; from++, at += 16) {
      // Four bytes w to four codes w + 1, with no carry between them. Code 1 is the weight 0, so
      // what lies beyond the edges counts for nothing.
      const w = row < rows ? (fours[from] as number) : 0;
      const codes = ((w & 0x7f7f7f7f) + 0x01010101) ^ (w & 0x80808080);
      packed[at] = (packed[at] as number) | (codes << field);
    }
  }
  return new Uint8Array(packed.buffer);
}

/** Weights four by four, each row filled up with zeros to `quads` words. */
function inFours({ rows, cols, weights }: Shape, quads: number): Int32Array {
  const { buffer, byteOffset } = weights;
  if (cols === quads * 4 && byteOffset % 4 === 0) {
    return new Int32Array(buffer, byteOffset, rows * quads);
  }
  const filled = new Int8Array(rows * quads * 4);
  for (let row = 0; row < rows; row++) {
    filled.set(weights.subarray(row * cols, (row + 1) * cols), row * quads * 4);
  }
  return new Int32Array(filled.buffer);
}

/** The same tiles with a byte a weight: byte 4n + j of 256 is input j of output n. */
export function packWide(layer: Shape, quads = Math.ceil(layer.cols / 4)): Uint8Array {
  const { rows, cols, weights } = layer;
  const packed = new Uint8Array(Math.ceil(rows / TILE) * quads * TILE * 4);
  for (let row = 0; row < rows; row++) {
    const tile = Math.floor(row / TILE) * quads * TILE * 4;
    for (let col = 0; col < cols; col++) {
      const at = tile + (col >> 2) * TILE * 4 + (row % TILE) * 4 + (col & 3);
      packed[at] = weights[row * cols + col] as number;
    }
  }
  return packed;
}

/** For look-ups: byte n of 64 is the pattern of output n, its four trits in base 3. */
export function packPatterns({ rows, cols, weights }: Shape): Uint8Array {
  // Look-ups go four quads at a time.
  const quads = Math.ceil(cols / BLOCK) * (BLOCK / 4);
  // 40 is 0, 0, 0, 0.
  const packed = new Uint8Array(Math.ceil(rows / TILE) * quads * TILE).fill(40);
  const place = [27, 9, 3, 1] as const;
  for (let row = 0; row < rows; row++) {
    const tile = Math.floor(row / TILE) * quads * TILE + (row % TILE);
    for (let col = 0; col < cols; col++) {
      const at = tile + (col >> 2) * TILE;
      const weight = weights[row * cols + col] as number;
      packed[at] = (packed[at] as number) + weight * (place[col & 3] as number);
    }
  }
  return packed;
}
