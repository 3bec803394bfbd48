//! Weights as the kernels read them: tiles of 64 outputs x 4 inputs, 64-byte aligned, so that no
//! kernel ever sums across lanes.
import type { Layer } from "./backend.js";

/** Outputs side by side in a tile. */
export const TILE = 64;

/**
 * Tiles of 64 outputs x 4 inputs in 64 bytes: byte 4n + j holds the codes w + 1 of input j for the
 * outputs n, 16 + n, 32 + n and 48 + n, two bits each.
 */
export function packTernary({ rows, cols, weights }: Layer): Uint8Array {
  const quads = Math.ceil(cols / 4);
  // Code 1 is the weight 0, so what lies beyond the edges counts for nothing.
  const packed = new Uint8Array(Math.ceil(rows / TILE) * quads * TILE).fill(0b01_01_01_01);
  for (let row = 0; row < rows; row++) {
    const field = 2 * Math.floor((row % TILE) / 16);
    const from = row * cols;
    let at = Math.floor(row / TILE) * quads * TILE + (row % 16) * 4;
    // Adding w << field to the code of 0 in it never borrows from its neighbour: 0 <= w + 1 <= 2.
    for (let col = 0; col < cols; col++) {
      packed[at] = (packed[at] as number) + ((weights[from + col] as number) << field);
      at += (col & 3) === 3 ? TILE - 3 : 1;
    }
  }
  return packed;
}

/** The same tiles with a byte a weight: byte 4n + j of 256 is input j of output n. */
export function packWide({ rows, cols, weights }: Layer): Int8Array {
  const quads = Math.ceil(cols / 4);
  const packed = new Int8Array(Math.ceil(rows / TILE) * quads * TILE * 4);
  for (let row = 0; row < rows; row++) {
    const tile = Math.floor(row / TILE) * quads * TILE * 4;
    for (let col = 0; col < cols; col++) {
      const at = tile + (col >> 2) * TILE * 4 + (row % TILE) * 4 + (col & 3);
      packed[at] = weights[row * cols + col] as number;
    }
  }
  return packed;
}
