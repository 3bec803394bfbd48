//! Once-per-turn shaking of the tower. An imbalance adds in square to the shaking that the wind
//! brings and so damps its flutter; an offset of the accelerometer leaves the flutter as it is, and
//! a wrong gain raises it. That tells them apart at any speed, the sooner the larger the excess.
import { Smooth } from "./smooth.js";

export type TowerFit = {
  /** Measured over expected in the healthy machine. */
  readonly ratio: number;
  /** Square of its flutter between readings, in shares of the expected level; NaN: not learnt. */
  readonly flutter: number;
};

type Verdict = "machine" | "sensor" | "open";

/** Levels as log ratios: half as much again within a minute, or a few per cent for hours. */
const FAST = { s: 60, from: 0.4, until: 0.3 } as const;
const SLOW = { s: 7200, from: 0.06, until: 0.03 } as const;
const FLUTTER_s = 600;
const SETTLE_s = 180;
/** Between an offset (0) and what adds in square (-2), in logs of the level. */
const BORDER = -1;
const SURE = 2.5; // standard errors
/** Variance of the log of a mean of n squared differences, times n. */
const SPREAD = 3;
const DIFFERENCES_MIN = 60;
/** Share of the flutter that a change of speed may bring to a reading whose flutter counts. */
const STILL = 0.1;

export class TowerWatch {
  readonly #fit: TowerFit;
  readonly #fast = new Smooth(FAST.s);
  readonly #slow = new Smooth(SLOW.s);
  readonly #usual = new Smooth(FAST.s);
  readonly #flutter = new Smooth(FLUTTER_s);
  readonly #amplitude2 = new Smooth(FLUTTER_s);
  #rest_mps2 = Number.NaN;
  #expected_mps2 = Number.NaN;
  #raised = false;
  #raised_s = 0;
  /** Sums since the level rose: of squared flutter over the usual, and of the log ratio. */
  #squares = 0;
  #logs = 0;
  #count = 0;
  #verdict: Verdict = "open";
  ratio = Number.NaN;

  constructor(fit: TowerFit) {
    this.#fit = fit;
    // As commissioned until more is heard: begun at one reading, its noise would stand for an hour.
    this.#fast.value = this.#slow.value = 0;
  }

  step(dt_s: number, measured_mps2: number, wind_mps: number, speed: number): void {
    const usual = (0.03 + 0.006 * wind_mps) * (0.3 + 0.7 * speed) * this.#fit.ratio;
    if (Number.isNaN(measured_mps2) || Number.isNaN(usual)) return this.pause();
    this.ratio = measured_mps2 / usual;
    const level = Math.log(Math.max(this.ratio, 1e-3));
    const calm = this.#usual.add(usual, dt_s);
    // What an imbalance of that size would do at this speed is no flutter.
    const excess2 = Math.max(0, this.#amplitude2.value || 0) * speed ** 4;
    const expected_mps2 = Math.sqrt(calm * calm + excess2);
    const rest_mps2 = measured_mps2 - expected_mps2;
    const square = (rest_mps2 - this.#rest_mps2) ** 2 / (2 * calm * calm);
    const moved2 = (expected_mps2 - this.#expected_mps2) ** 2 / (2 * calm * calm);
    this.#rest_mps2 = rest_mps2;
    this.#expected_mps2 = expected_mps2;
    this.#flutter.add(square, dt_s);
    const [fast, slow] = [this.#fast.add(level, dt_s), this.#slow.add(level, dt_s)];
    const stays = this.#raised && (fast > FAST.until || slow > SLOW.until);
    if (!(stays || fast > FAST.from || slow > SLOW.from)) {
      this.#settle();
      return;
    }
    this.#raised = true;
    // The way up is no flutter.
    this.#raised_s += dt_s;
    if (this.#raised_s < SETTLE_s) return;
    const first = Number.isNaN(this.#amplitude2.value);
    const found2 = Math.max(0, measured_mps2 ** 2 - calm * calm);
    this.#amplitude2.add(found2 / Math.max(0.1, speed) ** 4, dt_s);
    if (first) this.#rest_mps2 = Number.NaN;
    else if (moved2 < STILL * this.#fit.flutter && !Number.isNaN(square))
      this.#weigh(square, level);
  }

  /** The machine rests: what was found stands until it is heard again. */
  pause(): void {
    this.ratio = Number.NaN;
    this.#rest_mps2 = Number.NaN;
  }

  /** Its levels, for a restart. */
  recollect(): Readonly<Record<string, number>> {
    return { "tower.fast": this.#fast.value, "tower.slow": this.#slow.value };
  }

  recall(kept: Readonly<Record<string, number>>): void {
    this.#fast.value = kept["tower.fast"] ?? 0;
    this.#slow.value = kept["tower.slow"] ?? 0;
  }

  /** Square of the flutter, for commissioning. */
  get flutter(): number {
    return Number.isNaN(this.ratio) ? Number.NaN : this.#flutter.value;
  }

  /** Amplitude at rated speed in m/s2 rms once it is known to be the machine; else NaN, or 0. */
  get imbalance_mps2(): number {
    if (Number.isNaN(this.#usual.value)) return Number.NaN;
    if (!this.#raised) return 0;
    return this.#verdict === "machine" ? Math.sqrt(this.#amplitude2.value) : Number.NaN;
  }

  get sensorOff(): boolean {
    return this.#verdict === "sensor";
  }

  #settle(): void {
    this.#raised = false;
    this.#raised_s = 0;
    this.#verdict = "open";
    this.#squares = this.#logs = this.#count = 0;
    this.#amplitude2.reset();
  }

  #weigh(square: number, level: number): void {
    this.#squares += square;
    this.#logs += level;
    this.#count += 1;
    if (this.#count < DIFFERENCES_MIN) return;
    const mean = this.#logs / this.#count;
    const away = Math.log(this.#squares / this.#count / this.#fit.flutter) - BORDER * mean;
    const error = Math.sqrt(SPREAD / this.#count);
    // NaN before the flutter is learnt: open.
    if (away > SURE * error) this.#verdict = "sensor";
    else if (away < -SURE * error) this.#verdict = "machine";
  }
}
