//! Once-per-turn shaking of the tower. An imbalance grows with the square of the speed, an offset
//! of the accelerometer does not: over a stretch of changing speed the two leave other errors.
import { Smooth } from "./smooth.js";

export type TowerFit = {
  /** Measured over expected in the healthy machine, and the spread of the log ratio. */
  readonly ratio: number;
};

type Verdict = "machine" | "sensor" | "open";

const SHORT_s = 60;
const LARGE = 0.4; // log ratio: half as much again
const START = 0.12;
const CREEP_s = 75; // a weight lost at once is faster, even behind the mean
const POINTS = 90;
const POINTS_MIN = 12;
const POINT_s = 10;
const VARIED = 0.12; // speeds must differ by so much of rated to tell the two apart
const CLEAR = 1.5;

export class TowerWatch {
  readonly #fit: TowerFit;
  readonly #level = new Smooth(SHORT_s);
  /** Excess in m/s2 (rms) and squared speed, one point every ten seconds of a large level. */
  readonly #points: { excess2: number; plain: number; speed2: number }[] = [];
  readonly #measured = new Smooth(POINT_s / 2);
  readonly #expected = new Smooth(POINT_s / 2);
  readonly #turn = new Smooth(POINT_s / 2);
  #since_s = 0;
  #rising_s = 0;
  /** What changing speed has decided stands while the level stays large. */
  #decided: Verdict = "open";
  ratio = Number.NaN;

  constructor(fit: TowerFit) {
    this.#fit = fit;
  }

  step(dt_s: number, measured_mps2: number, wind_mps: number, speed: number): void {
    const usual = (0.03 + 0.006 * wind_mps) * (0.3 + 0.7 * speed) * this.#fit.ratio;
    if (Number.isNaN(measured_mps2) || Number.isNaN(usual)) return;
    this.ratio = measured_mps2 / usual;
    this.#level.add(Math.log(Math.max(this.ratio, 1e-3)), dt_s);
    this.#measured.add(measured_mps2, dt_s);
    this.#expected.add(usual, dt_s);
    this.#turn.add(speed, dt_s);
    if (!(this.#level.value > START)) this.#rising_s = 0;
    else if (!this.large) this.#rising_s += dt_s;
    if (!this.large) {
      this.#points.length = 0;
      this.#decided = "open";
      this.#since_s = 0;
      return;
    }
    this.#since_s += dt_s;
    if (this.#since_s < POINT_s) return;
    this.#since_s = 0;
    const [m, e] = [this.#measured.value, this.#expected.value];
    const speed2 = this.#turn.value ** 2;
    this.#points.push({ excess2: Math.max(0, m * m - e * e), plain: m - e, speed2 });
    if (this.#points.length > POINTS) this.#points.shift();
    this.#decide();
  }

  get large(): boolean {
    return this.#level.value > LARGE;
  }

  /** Amplitude at rated speed in m/s2 rms once it is known to be the machine; else NaN, or 0. */
  get imbalance_mps2(): number {
    if (Number.isNaN(this.#level.value)) return Number.NaN;
    if (!this.large) return 0;
    return this.#verdict() === "machine" ? Math.sqrt(this.#slope()) : Number.NaN;
  }

  get sensorOff(): boolean {
    return this.large && this.#verdict() === "sensor";
  }

  #slope(): number {
    let top = 0;
    let bottom = 0;
    for (const { excess2, speed2 } of this.#points) {
      top += excess2 * speed2 * speed2;
      bottom += speed2 ** 4;
    }
    return top / bottom;
  }

  #verdict(): Verdict {
    if (this.#decided !== "open" || this.#points.length < POINTS) return this.#decided;
    // A quarter of an hour at one speed tells nothing but how the level came: at once, or creeping.
    return this.#rising_s > CREEP_s ? "sensor" : "machine";
  }

  #decide(): void {
    const points = this.#points;
    const speeds = points.map((p) => Math.sqrt(p.speed2));
    const varied = Math.max(...speeds) - Math.min(...speeds) >= VARIED;
    if (this.#decided !== "open" || points.length < POINTS_MIN || !varied) return;
    const slope = this.#slope();
    const offset = points.reduce((sum, p) => sum + p.plain, 0) / points.length;
    let machine = 0;
    let sensor = 0;
    for (const { excess2, plain, speed2 } of points) {
      machine += (Math.sqrt(excess2) - Math.sqrt(slope) * speed2) ** 2;
      sensor += (plain - offset) ** 2;
    }
    if (sensor > CLEAR * machine) this.#decided = "machine";
    else if (machine > CLEAR * sensor) this.#decided = "sensor";
  }
}
