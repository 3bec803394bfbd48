//! Four rotors that share one load: each against the other three. A weak rotor turns faster and
//! draws the cube of that; a wrong sensor breaks the cube law and names itself.
import { Smooth } from "./smooth.js";

const SPEED_OFF = 0.03;
const CURRENT_OFF = 0.04;
const ESC_RISE_K = 12;
const ESC_START_K = 4;
/** Lost cooling heats an ESC by that much within minutes; what creeps is taken for its sensor. */
const ESC_FAST_s = 120;

export type RotorSuspect = "rotorSpeed" | "escCurrent" | null;

export class RotorShare {
  readonly #speed = new Smooth(10);
  readonly #current = new Smooth(10);
  readonly #excess = new Smooth(5);
  #age_s = 0;
  #rising_s = 0;
  #creeping = false;
  /** Speed and current do not fit each other: one of them lies, whichever it will turn out to be. */
  odd = false;
  /** Speed over the mean of the others, less 1. */
  asymmetry = Number.NaN;

  /** In flight; `others` are means over the three other rotors. */
  step(
    dt_s: number,
    own: { radps: number; A: number; K: number },
    others: { radps: number; A: number; K: number },
  ): RotorSuspect {
    this.#age_s += dt_s;
    const speed = this.#speed.add(own.radps / others.radps, dt_s);
    const current = this.#current.add(own.A / others.A, dt_s);
    this.#watchHeat(dt_s, own.K - others.K);
    const cube = speed ** 3;
    const fits = Math.abs(current - cube) < CURRENT_OFF + 0.25 * Math.abs(cube - 1);
    this.odd = !fits && !Number.isNaN(current + cube);
    if (this.#age_s < 20) return null;
    this.asymmetry = fits || Number.isNaN(current) ? speed - 1 : Number.NaN;
    if (fits) return null;
    if (Math.abs(current - 1) > CURRENT_OFF && Math.abs(speed - 1) < SPEED_OFF) return "escCurrent";
    return Math.abs(speed - 1) > SPEED_OFF ? "rotorSpeed" : null;
  }

  pause(): void {
    this.#speed.reset();
    this.#current.reset();
    this.#age_s = 0;
    this.odd = false;
    this.asymmetry = Number.NaN;
  }

  /** Temperature over the other controllers, once it rose as lost cooling does; else 0. */
  get heat_K(): number {
    const excess = this.#excess.value;
    if (!(excess > ESC_RISE_K)) return Number.isNaN(excess) ? excess : 0;
    return this.#creeping ? Number.NaN : excess;
  }

  get heatSensorOff(): boolean {
    const excess = this.#excess.value;
    return excess < -ESC_RISE_K || (excess > ESC_RISE_K && this.#creeping);
  }

  #watchHeat(dt_s: number, excess_K: number): void {
    const excess = this.#excess.add(excess_K, dt_s);
    if (!(excess > ESC_START_K)) {
      this.#rising_s = 0;
      this.#creeping = false;
    } else if (excess < ESC_RISE_K) {
      this.#rising_s += dt_s;
      if (this.#rising_s > ESC_FAST_s) this.#creeping = true;
    }
  }
}
