//! Solves the small symmetric systems of a ridge regression.

/** x of A x = b for a positive definite A, by Cholesky; A and b are used up. */
export function solve(a: number[][], b: number[]): number[] {
  const n = b.length;
  const at = (i: number, j: number): number => a[i]?.[j] ?? 0;
  for (let j = 0; j < n; j++) {
    const row = a[j] as number[];
    for (let k = 0; k < j; k++) row[j] = (row[j] as number) - at(j, k) ** 2;
    row[j] = Math.sqrt(Math.max(row[j] as number, Number.MIN_VALUE));
    for (let i = j + 1; i < n; i++) {
      const below = a[i] as number[];
      for (let k = 0; k < j; k++) below[j] = (below[j] as number) - at(i, k) * at(j, k);
      below[j] = (below[j] as number) / (row[j] as number);
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) b[i] = (b[i] as number) - at(i, k) * (b[k] as number);
    b[i] = (b[i] as number) / at(i, i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) b[i] = (b[i] as number) - at(k, i) * (b[k] as number);
    b[i] = (b[i] as number) / at(i, i);
  }
  return b;
}
