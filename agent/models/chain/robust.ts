//! Statistics that a few bad hours cannot move, in bounded memory.

/** Consistent with the standard deviation of Gaussian noise. */
const MAD_SIGMA = 1.4826;

/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : 0.5 * (upper + (sorted[half - 1] ?? Number.NaN));
}

/** Spread about `middle` as a standard deviation, by the median of absolute deviations. */
export function spread(values: readonly number[], middle = median(values)): number {
  return MAD_SIGMA * median(values.map((v) => Math.abs(v - middle)));
}

/** Every k-th of all that came, evenly spaced, `most` of them at most: k doubles as needed. */
export class Thinned<T> {
  readonly values: T[] = [];
  readonly #most: number;
  #every = 1;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(x: T): void {
    this.offer(() => x);
  }

  /** As `add`, for what is dear to make: it is made when it will be kept. */
  offer(make: () => T): void {
    if (this.#count++ % this.#every !== 0) return;
    this.values.push(make());
    if (this.values.length <= this.#most) return;
    this.#every *= 2;
    const kept = this.values.filter((_, i) => i % 2 === 0);
    this.values.length = 0;
    this.values.push(...kept);
  }

  get count(): number {
    return this.#count;
  }
}
