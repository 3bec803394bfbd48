//! The error function in doubles, to some 1e-13: what every GELU here is held to.

/** Abramowitz and Stegun 7.1.5 (series) to 3, beyond it 7.1.14 (continued fraction). */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size <= 3) {
    let [term, sum] = [x, x];
    for (let n = 1; n < 60; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = size;
  for (let k = 60; k >= 1; k--) fraction = size + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction));
}
