//! Rows of ternary weights, four at a time: what is counted of millions of them at every load.

/** -1, 0 and +1 of a row; null where a value is none of them. */
export type Counts = { readonly plus: number; readonly minus: number };

/** A counter for rows of `cols`: by words where rows begin on one, else one by one. */
export function tritCounter(weights: Int8Array, cols: number): (row: number) => Counts | null {
  const whole = cols % 4 === 0 && weights.byteOffset % 4 === 0;
  if (!whole) return (row) => countSingly(weights.subarray(row * cols, (row + 1) * cols));
  const words = new Int32Array(weights.buffer, weights.byteOffset, weights.length >> 2);
  const each = cols >> 2;
  return (row) => {
    let [odd, minus, wrong] = [0, 0, 0];
    const end = (row + 1) * each;
    for (let i = row * each; i < end; i++) {
      const word = words[i] as number;
      // Each byte one more, without a carry: 0, 1 and 2 are right.
      const more = ((word & 0x7f7f7f7f) + 0x01010101) ^ (word & 0x80808080);
      wrong |= (more & 0xfcfcfcfc) | (more & (more >>> 1) & 0x01010101);
      odd += Math.imul(word & 0x01010101, 0x01010101) >>> 24;
      minus += Math.imul((word >>> 7) & 0x01010101, 0x01010101) >>> 24;
    }
    return wrong === 0 ? { plus: odd - minus, minus } : null;
  };
}

function countSingly(row: Int8Array): Counts | null {
  let [plus, minus] = [0, 0];
  for (const weight of row) {
    if (weight === 1) plus += 1;
    else if (weight === -1) minus += 1;
    else if (weight !== 0) return null;
  }
  return { plus, minus };
}
