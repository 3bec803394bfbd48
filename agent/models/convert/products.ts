//! The three products of matrices that training spends its time in; row-major, in float64.

const at = (values: Float64Array, i: number): number => values[i] as number;
function add(values: Float64Array, i: number, by: number): void {
  values[i] = at(values, i) + by;
}

/** c (n x m) = a (n x k) bT (m x k): four sums at once, or JavaScript waits for each addition. */
export function multiplyTransposed(
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  n: number,
  m: number,
  k: number,
): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      const [p, q] = [i * k, j * k];
      let l = 0;
      for (; l + 3 < k; l += 4) {
        s0 += at(a, p + l) * at(b, q + l);
        s1 += at(a, p + l + 1) * at(b, q + l + 1);
        s2 += at(a, p + l + 2) * at(b, q + l + 2);
        s3 += at(a, p + l + 3) * at(b, q + l + 3);
      }
      for (; l < k; l++) s0 += at(a, p + l) * at(b, q + l);
      c[i * m + j] = s0 + s1 + (s2 + s3);
    }
  }
}

/** c (n x m) += a (n x k) b (k x m). */
export function addProduct(
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  n: number,
  m: number,
  k: number,
): void {
  for (let i = 0; i < n; i++) {
    for (let l = 0; l < k; l++) {
      const factor = at(a, i * k + l);
      if (factor === 0) continue;
      for (let j = 0; j < m; j++) add(c, i * m + j, factor * at(b, l * m + j));
    }
  }
}

/** c (n x m) += aT (k x n) b (k x m). */
export function addTransposedProduct(
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  n: number,
  m: number,
  k: number,
): void {
  for (let l = 0; l < k; l++) {
    for (let i = 0; i < n; i++) {
      const factor = at(a, l * n + i);
      if (factor === 0) continue;
      for (let j = 0; j < m; j++) add(c, i * m + j, factor * at(b, l * m + j));
    }
  }
}
