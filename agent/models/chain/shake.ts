//! Vibration of a drone's frame against what its throttle explains. A propeller chips at once and
//! adds its tone in square; what creeps up, or is more than a propeller survives, is the sensor.
import { Smooth } from "./smooth.js";

const LARGE = 0.2; // log ratio, at least
const SIGMAS = 4;
const START = 0.4; // of large
/** No frame in the air shakes by so much less, with whatever propellers: log ratio. */
const SILENT = -1.4;
const MEAN_s = 10;
const CREEP_s = 20;
/** Share of the rise that came later than a step does. */
const CREPT = 0.5;
const EXCESS_MAX_mps2 = 8; // a third of a gram gone at 0.1 m of radius

export class ShakeWatch {
  readonly #usual: () => number;
  readonly #sigma: () => number;
  readonly #level = new Smooth(MEAN_s);
  readonly #mean = new Smooth(MEAN_s);
  readonly #base = new Smooth(MEAN_s);
  #rising_s = 0;
  /** Level when a step would have been whole. */
  #stepped = 0;
  #crossed = false;
  #creeping = false;
  ratio = Number.NaN;

  /** `usual`: commissioned ratio of vibration to what the throttle explains; `sigma`: its spread. */
  constructor(usual: () => number, sigma: () => number) {
    this.#usual = usual;
    this.#sigma = sigma;
  }

  step(dt_s: number, vibe_mps2: number, throttle: number): void {
    const usual = (0.5 + 4 * throttle) * this.#usual();
    if (Number.isNaN(vibe_mps2) || Number.isNaN(usual)) return;
    this.ratio = vibe_mps2 / usual;
    this.#mean.add(vibe_mps2, dt_s);
    this.#base.add(usual, dt_s);
    const level = this.#level.add(Math.log(Math.max(1e-3, this.ratio)), dt_s);
    this.#watchRise(dt_s, level);
  }

  /** A step that stays below the limit and crosses it later by chance has not crept there. */
  #watchRise(dt_s: number, level: number): void {
    if (level < START * this.#limit) {
      this.#rising_s = 0;
      this.#creeping = false;
    } else {
      this.#rising_s += dt_s;
      if (this.#rising_s <= CREEP_s) this.#stepped = level;
    }
    const crossed = level > this.#limit;
    if (crossed && !this.#crossed) this.#creeping = level - this.#stepped > CREPT * level;
    this.#crossed = crossed;
  }

  /** Real frames shake by a quarter more or less from flight to flight. */
  get #limit(): number {
    const share = this.#sigma() / this.#usual();
    return share > 0 ? Math.max(LARGE, SIGMAS * share) : LARGE;
  }

  get #large(): boolean {
    return this.#level.value > this.#limit;
  }

  /** What the propellers add, m/s2 rms; 0 while usual, NaN when it is the sensor. */
  get excess_mps2(): number {
    if (Number.isNaN(this.#level.value) || this.sensorOff) return Number.NaN;
    if (!this.#large) return 0;
    return Math.sqrt(Math.max(0, this.#mean.value ** 2 - this.#base.value ** 2));
  }

  get sensorOff(): boolean {
    const over = this.#mean.value - this.#base.value > EXCESS_MAX_mps2;
    const silent = this.#level.value < Math.min(SILENT, -this.#limit);
    return silent || (this.#large && (this.#creeping || over));
  }
}
