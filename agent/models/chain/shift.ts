//! A small lasting shift of a residual, far inside its noise: deviations of ten-minute means add up
//! to evidence while the shift lasts (CUSUM). Time in which nothing is known neither adds nor takes.
import { BlockMean, Cusum } from "./smooth.js";

export const SHIFT_s = 600;
/** Half of the shift to be found soonest, in spreads. */
const SLACK = 0.25;
/**
 * As that, of a shift beyond one spread: its sum stays so much smaller in noise, and weighs more.
 * Clipped lower, so that it still takes five means of any size.
 */
const LARGE = { slack: 0.6, weight: 2.2, clip: 2.5 } as const;
/** So that evidence fades within a day of a repair. */
const EVIDENCE_MAX = 30;

export class ShiftTest {
  readonly #mean = new BlockMean(SHIFT_s);
  readonly #small: Cusum;
  readonly #large: Cusum | null;
  readonly #scale: number;

  /**
   * `scale`: spread of ten-minute means, as if they were independent; NaN: not learnt. `large`: a
   * shift beyond one spread is found sooner.
   */
  constructor(scale: number, large = false, most = EVIDENCE_MAX) {
    this.#scale = scale;
    this.#small = new Cusum(SLACK, most);
    this.#large = large ? new Cusum(LARGE.slack, most / LARGE.weight, LARGE.clip) : null;
  }

  /** NaN drops what was begun: a reading that is doubted now was wrong before it was doubted. */
  step(dt_s: number, residual: number): void {
    if (Number.isNaN(residual)) {
      this.#mean.reset();
      return;
    }
    const z = this.#mean.add(residual, dt_s) / this.#scale;
    this.#small.add(z);
    this.#large?.add(z);
  }

  /** Both sums, for a restart. */
  get sums(): readonly [number, number] {
    return [this.#small.value, this.#large?.value ?? 0];
  }

  resume([small, large]: readonly [number, number]): void {
    this.#small.resume(small);
    this.#large?.resume(large);
  }

  get evidence(): number {
    if (Number.isNaN(this.#scale)) return Number.NaN;
    return Math.max(this.#small.value, LARGE.weight * (this.#large?.value ?? 0));
  }
}

/**
 * Spread of ten-minute means that would give hours of this spread and correlation, were they
 * independent: what lasts from hour to hour weighs as much less as it tells less.
 */
export function independentScale(hour: number, correlation: number): number {
  const rho = Math.min(0.9, Math.max(0, correlation));
  return hour * Math.sqrt((3600 / SHIFT_s) * ((1 + rho) / (1 - rho)));
}
