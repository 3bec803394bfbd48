//! Blade pitch against its demand. Jammed blades stand still while the demand moves on, or away
//! from where it rests; a drifting sensor moves by itself; a demand above fine pitch for long below
//! rated speed is no demand of a healthy controller.
import { Smooth } from "./smooth.js";

const DEGREE = Math.PI / 180;
const ERROR_rad = 1 * DEGREE;
/** Standing blades flutter by the noise of a live sensor; a dead one does not even do that. */
const STILL_rad = [0.02 * DEGREE, 0.35 * DEGREE] as const;
const MOVED_rad = 1 * DEGREE; // faster than any drift of a sensor within a short window
const SHORT_s = 5;
const LONG_s = 30;
const DRIFT_rad = 0.3 * DEGREE; // per long window
const STANDS = 4; // long windows in a row
const MOVES = 3;
const DEMAND_rad = 1.5 * DEGREE;
const DEMAND_s = 30; // a lull of the wind is over sooner, and the demand with it
const BELOW_RATED = 0.98;

type Verdict = "open" | "jammed" | "pitch wrong" | "demand wrong";

export class PitchWatch {
  readonly #error = new Smooth(3);
  readonly #pitch = new Span();
  readonly #demand = new Span();
  #short_s = 0;
  #long_s = 0;
  #from_rad = Number.NaN;
  #away = false;
  #stands = 0;
  #moves = 0;
  #odd_s = 0;
  /** What was found stands until the blades are back at their demand. */
  #verdict: Verdict = "open";

  /** In every state, for the blades feather in a stop too; `speed` is NaN unless it runs. */
  step(dt_s: number, pitch_rad: number, demand_rad: number, speed: number): void {
    if (Number.isNaN(pitch_rad) || Number.isNaN(demand_rad)) {
      this.pause();
      return;
    }
    const error = Math.abs(this.#error.add(pitch_rad - demand_rad, dt_s));
    this.#away = error > ERROR_rad;
    if (!this.#away) this.#settle();
    const odd = this.#away && demand_rad > DEMAND_rad && speed < BELOW_RATED;
    this.#odd_s = odd ? this.#odd_s + dt_s : 0;
    this.#find(this.#odd_s > DEMAND_s, "demand wrong");
    this.#pitch.add(pitch_rad);
    this.#demand.add(demand_rad);
    this.#short_s += dt_s;
    if (this.#short_s >= SHORT_s) this.#judgeShort();
    this.#long_s += dt_s;
    if (this.#long_s >= LONG_s) this.#judgeLong(pitch_rad);
  }

  pause(): void {
    this.#error.reset();
    this.#away = false;
    this.#settle();
  }

  /** Error once the blades are known to stand still; 0 while well; NaN while that is open. */
  get jam_rad(): number {
    if (Number.isNaN(this.#error.value)) return Number.NaN;
    if (!this.#away) return 0;
    return this.#verdict === "jammed" ? this.#error.value : Number.NaN;
  }

  get sensorOff(): boolean {
    return this.#verdict === "pitch wrong";
  }

  get demandOff(): boolean {
    return this.#verdict === "demand wrong";
  }

  #find(found: boolean, verdict: Verdict): void {
    if (found && this.#verdict === "open") this.#verdict = verdict;
  }

  #settle(): void {
    this.#verdict = "open";
    this.#pitch.reset();
    this.#demand.reset();
    this.#from_rad = Number.NaN;
    this.#short_s = this.#long_s = this.#stands = this.#moves = this.#odd_s = 0;
  }

  /** The demand moved fast and the blades, whose sensor lives, did not. */
  #judgeShort(): void {
    const { span } = this.#pitch;
    const still = span >= STILL_rad[0] && span <= STILL_rad[1];
    this.#find(still && this.#demand.span > MOVED_rad, "jammed");
    this.#pitch.reset();
    this.#demand.reset();
    this.#short_s = 0;
  }

  /** Away from the demand for minutes: standing there, or wandering as only a sensor does. */
  #judgeLong(pitch_rad: number): void {
    const moved = Math.abs(pitch_rad - this.#from_rad) > DRIFT_rad;
    if (!Number.isNaN(this.#from_rad)) {
      this.#stands = moved ? 0 : this.#stands + 1;
      this.#moves = moved ? this.#moves + 1 : 0;
    }
    this.#find(this.#stands >= STANDS && this.#odd_s === 0, "jammed");
    this.#find(this.#moves >= MOVES, "pitch wrong");
    this.#from_rad = pitch_rad;
    this.#long_s = 0;
  }
}

class Span {
  #low = Number.POSITIVE_INFINITY;
  #high = Number.NEGATIVE_INFINITY;

  add(x: number): void {
    this.#low = Math.min(this.#low, x);
    this.#high = Math.max(this.#high, x);
  }

  get span(): number {
    return this.#high - this.#low;
  }

  reset(): void {
    this.#low = Number.POSITIVE_INFINITY;
    this.#high = Number.NEGATIVE_INFINITY;
  }
}
