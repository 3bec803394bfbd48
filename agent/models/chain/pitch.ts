//! Blade pitch against its demand. Jammed blades leave an error that shrinks where the demand comes
//! up to where they stand, down to nothing there; an offset of a sensor leaves the same at every
//! demand, a wrong gain one in proportion to it, and a drifting sensor moves by itself. While the
//! demand rests, power tells: with the blades really off, the rotor takes less from the wind.
import { type Line, Slope } from "./slope.js";
import { Smooth } from "./smooth.js";

const DEGREE = Math.PI / 180;
const ERROR_rad = 1 * DEGREE;
const LARGE_rad = 4 * DEGREE; // power shows so much within minutes
const POWER_OFF = 0.06; // rotor wind over the anemometer's
const LONG_s = 30;
const DRIFT_rad = 0.12 * DEGREE; // per long window: four times the noise of a good sensor
const STANDS = 4; // long windows in a row
const STANDS_LARGE = 20; // until the wind that the rotor feels is one since then
const MOVES = 3;
const DEMAND_rad = 1.5 * DEGREE;
const DEMAND_s = 30; // a lull of the wind is over sooner, and the demand with it
const BELOW_RATED = 0.98;
/** Points and spread of the demand that a line through the errors needs. */
const FAST = { s: 600, count: 20, width_rad: 0.3 * DEGREE } as const;
const SLOW = { s: 6 * 3600, count: 360, width_rad: 1 * DEGREE } as const;
const SLOPE_LEAST = 0.02;
const SURE = 4; // standard errors
/**
 * Where blades stand that jammed at work: a gain that is wrong has its zero at zero, and an offset
 * that lags a little where no blade stands.
 */
const STANDS_AT_rad = { least: 1.5 * DEGREE, most: 30 * DEGREE } as const;

type Verdict = "open" | "jammed" | "pitch wrong" | "demand wrong";

export type PitchReadings = {
  readonly pitch_rad: number;
  readonly demand_rad: number;
  /** Share of rated; NaN unless the machine runs. */
  readonly speed: number;
  /** Rotor wind over the anemometer's, 1 where the pitch is as it is read; NaN: not known. */
  readonly windRatio: number;
};

export class PitchWatch {
  readonly #error = new Smooth(3);
  readonly #fast = new Slope(FAST.s);
  readonly #slow = new Slope(SLOW.s);
  #long_s = 0;
  #from_rad = Number.NaN;
  #away = false;
  #stands = 0;
  #moves = 0;
  #odd_s = 0;
  #slip_rad = Number.NaN;
  /** What was found stands until the blades are back at their demand. */
  #verdict: Verdict = "open";

  /** In every state, for the blades feather in a stop too. */
  step(dt_s: number, now: PitchReadings): void {
    const { pitch_rad, demand_rad, speed } = now;
    if (Number.isNaN(pitch_rad) || Number.isNaN(demand_rad)) {
      this.pause();
      return;
    }
    const off_rad = pitch_rad - demand_rad;
    const error = Math.abs(this.#error.add(off_rad, dt_s));
    this.#away = error > ERROR_rad;
    if (!this.#away) this.#settle();
    if (!Number.isNaN(speed)) {
      // One that is far off is judged at once; in the slow line it would be a slope for hours.
      if (this.#away) this.#judgeLine(demand_rad, off_rad, dt_s);
      else this.#slow.add(demand_rad, off_rad, dt_s);
      this.#slip_rad = slipOf(this.#slow.line);
    }
    const odd = this.#away && demand_rad > DEMAND_rad && speed < BELOW_RATED;
    this.#odd_s = odd ? this.#odd_s + dt_s : 0;
    this.#find(this.#odd_s > DEMAND_s, "demand wrong");
    this.#long_s += dt_s;
    if (this.#long_s >= LONG_s) this.#judgeLong(now);
  }

  pause(): void {
    this.#error.reset();
    this.#slow.reset();
    this.#slip_rad = Number.NaN;
    this.#away = false;
    this.#settle();
  }

  /** Error once the blades are known to stand still; 0 while well; NaN while that is open. */
  get jam_rad(): number {
    if (Number.isNaN(this.#error.value)) return Number.NaN;
    if (!this.#away) return 0;
    return this.#verdict === "jammed" ? this.#error.value : Number.NaN;
  }

  /** Error at fine pitch of blades that follow their demand less and less; 0: they follow. */
  get slip_rad(): number {
    return this.sensorOff || this.demandOff ? Number.NaN : this.#slip_rad;
  }

  /** The two do not fit, whichever is wrong. */
  get away(): boolean {
    return this.#away;
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
    this.#fast.reset();
    this.#from_rad = Number.NaN;
    this.#long_s = this.#stands = this.#moves = this.#odd_s = 0;
  }

  #judgeLine(demand_rad: number, off_rad: number, dt_s: number): void {
    this.#fast.add(demand_rad, off_rad, dt_s);
    const { line } = this.#fast;
    if (line.count < FAST.count || line.width < FAST.width_rad || this.#odd_s > 0) return;
    if (slipOf(line, FAST) > 0) this.#find(true, "jammed");
    else this.#find(line.slope + SURE * line.slopeError > -SLOPE_LEAST, "pitch wrong");
  }

  /** Away from the demand for minutes: standing there, or wandering as only a sensor does. */
  #judgeLong({ pitch_rad, windRatio }: PitchReadings): void {
    const moved = Math.abs(pitch_rad - this.#from_rad) > DRIFT_rad;
    if (!Number.isNaN(this.#from_rad)) {
      this.#stands = moved ? 0 : this.#stands + 1;
      this.#moves = moved ? this.#moves + 1 : 0;
    }
    const rests = this.#fast.line.width < FAST.width_rad;
    const stands = this.#stands >= STANDS && this.#odd_s === 0 && rests;
    const large = Math.abs(this.#error.value) > LARGE_rad;
    this.#find(stands && large && windRatio > 1 + POWER_OFF, "pitch wrong");
    const same = this.#stands >= STANDS_LARGE && Math.abs(windRatio - 1) <= POWER_OFF;
    this.#find(stands && (!large || same), "jammed");
    this.#find(this.#moves >= MOVES && rests, "pitch wrong");
    this.#from_rad = pitch_rad;
    this.#long_s = 0;
  }
}

/** Error at fine pitch where the line is one of jamming blades, else 0; NaN: not to be told. */
function slipOf(line: Line, least: typeof FAST | typeof SLOW = SLOW): number {
  if (line.count < least.count || !(line.width >= least.width_rad)) return Number.NaN;
  const sure = line.slope < -Math.max(SLOPE_LEAST, SURE * line.slopeError);
  const stands_rad = -line.atZero / line.slope;
  const stands = stands_rad > STANDS_AT_rad.least && stands_rad < STANDS_AT_rad.most;
  return sure && stands ? line.atZero : 0;
}
