//! Solves the small symmetric systems of a ridge regression, by Cholesky.

/** x of A x = b for a positive definite A; A and b are used up. */
export function solve(a: number[][], b: number[]): number[] {
  factor(a);
  return substitute(a, b);
}

/** Of a positive definite A, which is used up. */
export function inverse(a: number[][]): number[][] {
  factor(a);
  return a.map((_, j) =>
    substitute(
      a,
      a.map((_unused, i) => Number(i === j)),
    ),
  );
}

/** A becomes its lower factor. */
function factor(a: number[][]): void {
  for (let j = 0; j < a.length; j++) {
    const row = a[j] as number[];
    for (let k = 0; k < j; k++) row[j] = (row[j] as number) - (row[k] as number) ** 2;
    const root = Math.sqrt(Math.max(row[j] as number, Number.MIN_VALUE));
    row[j] = root;
    for (let i = j + 1; i < a.length; i++) {
      const below = a[i] as number[];
      let sum = below[j] as number;
      for (let k = 0; k < j; k++) sum -= (below[k] as number) * (row[k] as number);
      below[j] = sum / root;
    }
  }
}

function substitute(low: readonly (readonly number[])[], b: number[]): number[] {
  const n = b.length;
  for (let i = 0; i < n; i++) {
    const row = low[i] as readonly number[];
    let sum = b[i] as number;
    for (let k = 0; k < i; k++) sum -= (row[k] as number) * (b[k] as number);
    b[i] = sum / (row[i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i] as number;
    for (let k = i + 1; k < n; k++)
      sum -= ((low[k] as readonly number[])[i] as number) * (b[k] as number);
    b[i] = sum / ((low[i] as readonly number[])[i] as number);
  }
  return b;
}
