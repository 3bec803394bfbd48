//! A small lasting shift of a residual, far inside its noise: deviations of ten-minute means add up
//! to evidence while the shift lasts (CUSUM). Time in which nothing is known neither adds nor takes.
import { BlockMean, Cusum } from "./smooth.js";

export const SHIFT_s = 600;
/** Half of the shift to be found soon, in spreads. */
const SLACK = 0.25;
/** So that evidence fades within a day of a repair. */
const EVIDENCE_MAX = 30;

export class ShiftTest {
  readonly #mean = new BlockMean(SHIFT_s);
  readonly #cusum: Cusum;
  readonly #scale: number;

  /** `scale`: spread of ten-minute means, as if they were independent; NaN: not learnt. */
  constructor(scale: number, most = EVIDENCE_MAX) {
    this.#scale = scale;
    this.#cusum = new Cusum(SLACK, most);
  }

  /** NaN drops what was begun: a reading that is doubted now was wrong before it was doubted. */
  step(dt_s: number, residual: number): void {
    if (Number.isNaN(residual)) {
      this.#mean.reset();
      return;
    }
    this.#cusum.add(this.#mean.add(residual, dt_s) / this.#scale);
  }

  get evidence(): number {
    return Number.isNaN(this.#scale) ? Number.NaN : this.#cusum.value;
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
