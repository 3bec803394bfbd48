//! Small memories of a signal, each exact for uneven steps.

/** Exponentially weighted mean over `tau_s`; starts at its first value. */
export class Smooth {
  readonly #tau_s: number;
  value = Number.NaN;

  constructor(tau_s: number) {
    this.#tau_s = tau_s;
  }

  add(x: number, dt_s: number): number {
    if (Number.isNaN(x)) return this.value;
    if (Number.isNaN(this.value)) this.value = x;
    else this.value += (x - this.value) * -Math.expm1(-dt_s / this.#tau_s);
    return this.value;
  }

  reset(): void {
    this.value = Number.NaN;
  }
}

/** Means over blocks of `length_s`; `add` gives the mean when a block is full, else NaN. */
export class BlockMean {
  readonly #length_s: number;
  #sum = 0;
  #time_s = 0;

  constructor(length_s: number) {
    this.#length_s = length_s;
  }

  add(x: number, dt_s: number): number {
    if (Number.isNaN(x)) return Number.NaN;
    this.#sum += x * dt_s;
    this.#time_s += dt_s;
    if (this.#time_s < this.#length_s) return Number.NaN;
    const mean = this.#sum / this.#time_s;
    this.reset();
    return mean;
  }

  reset(): void {
    this.#sum = 0;
    this.#time_s = 0;
  }
}

const CLIP = 4;

/** S <- max(0, S + clip(z, +-clip) - k): evidence that grows only while a shift lasts. */
export class Cusum {
  readonly #slack: number;
  readonly #most: number;
  readonly #clip: number;
  value = 0;

  /** `most` bounds the evidence, so that it can fade again once the cause is gone. */
  constructor(slack: number, most: number, clip = CLIP) {
    this.#slack = slack;
    this.#most = most;
    this.#clip = clip;
  }

  add(z: number): number {
    if (Number.isNaN(z)) return this.value;
    const step = Math.max(-this.#clip, Math.min(this.#clip, z)) - this.#slack;
    this.value = Math.min(this.#most, Math.max(0, this.value + step));
    return this.value;
  }

  /** Goes on from what was kept over a restart. */
  resume(value: number): void {
    this.value = Math.min(this.#most, Math.max(0, value));
  }
}
