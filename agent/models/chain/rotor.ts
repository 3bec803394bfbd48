//! The rotor as its own anemometer: which wind explains the power that the shaft takes, at this
//! speed and pitch? Against the nacelle's anemometer that shows soiled or iced blades (a few per
//! cent for long), a nacelle off the wind (by the cosine), and a broken anemometer (at once).
import { airDensity, powerCoefficient, TURBINE } from "../../base/physics.js";
import { BlockMean, Smooth } from "./smooth.js";

export type RotorReadings = {
  readonly wind_mps: number;
  readonly rotor_radps: number;
  readonly pitch_rad: number;
  readonly power_W: number;
  readonly pressure_Pa: number;
  readonly temperature_K: number;
  readonly yaw_rad: number;
};

export type RotorFit = {
  /** Rotor wind over anemometer wind in the healthy machine, and the spread of its block means. */
  readonly ratio: number;
  readonly sigma: number;
};

export const BLOCK_s = 300;
const LAMBDA = [2.5, 14] as const;
const POWER_LEAST = 0.06; // of rated: below it losses dominate
/** Off the wind: as a mean of minutes, or of an hour, which wanders less. */
const YAW_LARGE_rad = (12 * Math.PI) / 180;
const YAW_SLOW = { s: 3600, large_rad: (8 * Math.PI) / 180 } as const;
const WIND_OFF = 0.2; // anemometer against rotor wind: no blade fault is this large
const WIND_s = 240;
const LOSS_s = 1800;
/** No wind explains the power for so long: then a reading is wrong, and no gust passes. */
const BEYOND_s = 60;
const DECIDED = 8;

export class RotorWatch {
  readonly #radius_m: number;
  readonly #rated_W: number;
  readonly #efficiency: number;
  readonly #fit: RotorFit;
  readonly #inertia_kgm2: number;
  readonly #speed = new Smooth(5);
  readonly #estimate = new BlockMean(BLOCK_s);
  readonly #alongWind = new BlockMean(BLOCK_s);
  readonly #anyWind = new BlockMean(BLOCK_s);
  readonly #yaw = new Smooth(BLOCK_s);
  readonly #yawSlow = new Smooth(YAW_SLOW.s);
  readonly #fastEstimate = new Smooth(WIND_s);
  readonly #fastWind = new Smooth(WIND_s);
  readonly #fastAny = new Smooth(WIND_s);
  readonly #loss = new Smooth(LOSS_s);
  #yawOdds = 0;
  #spent_s = 0;
  #beyond_s = 0;
  /**
   * Of the last full block; NaN while there is none, and while a large yaw angle is not yet
   * believed: its cosine would hide a loss or make one up.
   */
  ratio = Number.NaN;
  estimate_mps = Number.NaN;
  wind_mps = Number.NaN;

  constructor(radius_m: number, rated_W: number, efficiency: number, fit: RotorFit) {
    this.#radius_m = radius_m;
    this.#rated_W = rated_W;
    this.#efficiency = efficiency;
    this.#fit = fit;
    this.#inertia_kgm2 = TURBINE.inertia_kgm2 * (radius_m / TURBINE.rotorRadius_m) ** 5;
  }

  /** Call only while the machine runs and has settled. */
  step(dt_s: number, now: RotorReadings): void {
    const found_mps = this.#estimateWind(dt_s, now);
    const more_s = found_mps === Number.POSITIVE_INFINITY ? dt_s : -dt_s;
    this.#beyond_s = Math.max(0, Math.min(2 * BEYOND_s, this.#beyond_s + more_s));
    this.wind_mps = Number.isFinite(found_mps) ? found_mps : Number.NaN;
    const along = now.wind_mps * Math.cos(Number.isNaN(now.yaw_rad) ? 0 : now.yaw_rad);
    this.#yaw.add(now.yaw_rad, dt_s);
    this.#yawSlow.add(now.yaw_rad, dt_s);
    if (Number.isNaN(this.wind_mps) || Number.isNaN(along)) {
      this.ratio = this.estimate_mps = Number.NaN;
      return;
    }
    this.#spent_s += dt_s;
    this.#fastEstimate.add(this.wind_mps, dt_s);
    this.#fastWind.add(along, dt_s);
    this.#fastAny.add(now.wind_mps, dt_s);
    const estimate = this.#estimate.add(this.wind_mps, dt_s);
    const cosine = this.#alongWind.add(along, dt_s);
    const any = this.#anyWind.add(now.wind_mps, dt_s);
    if (Number.isNaN(estimate) || this.windOff) return;
    this.estimate_mps = estimate;
    this.ratio = estimate / cosine / this.#fit.ratio;
    if (Number.isNaN(this.#fit.sigma)) return;
    this.#weighYaw(estimate / any / this.#fit.ratio);
    if (this.#yawLarge && this.#yawOdds < DECIDED) this.ratio = Number.NaN;
    else this.#loss.add(1 - this.ratio ** 3, BLOCK_s);
  }

  /** A stop or a change of state: what was begun is dropped, what was found stays. */
  pause(): void {
    this.#estimate.reset();
    this.#alongWind.reset();
    this.#anyWind.reset();
    this.#fastEstimate.reset();
    this.#fastWind.reset();
    this.#fastAny.reset();
    this.#speed.reset();
    this.#spent_s = this.#beyond_s = 0;
    this.ratio = this.estimate_mps = Number.NaN;
  }

  /** Share of power that the blades lose, over the last half hour. */
  get loss(): number {
    return this.#loss.value;
  }

  /** The anemometer cannot be right, or the rotor has lost more than any fault of it. */
  get windOff(): boolean {
    const rotor_mps = this.#fastEstimate.value / this.#fit.ratio;
    const off = (wind: Smooth): boolean => Math.abs(rotor_mps / wind.value - 1) > WIND_OFF;
    // With the vane's angle and without it: a wrong vane is not the anemometer's fault.
    return this.#spent_s > 2.5 * WIND_s && off(this.#fastWind) && off(this.#fastAny);
  }

  /**
   * Rotor wind over the anemometer's, last minutes; 1 while all is as it was, infinite when no wind
   * gives that power at that pitch.
   */
  get fastRatio(): number {
    if (this.#beyond_s > BEYOND_s) return Number.POSITIVE_INFINITY;
    if (this.#spent_s < WIND_s) return Number.NaN;
    return this.#fastEstimate.value / this.#fastWind.value / this.#fit.ratio;
  }

  /** The vane says large and the power agrees: the angle; 0 when it is small; NaN: undecided. */
  get misalignment_rad(): number {
    if (Number.isNaN(this.#yaw.value)) return Number.NaN;
    if (!this.#yawLarge) return 0;
    return this.#yawOdds >= DECIDED ? this.#angle_rad : Number.NaN;
  }

  /** The vane says large, and the power does not. */
  get vaneOff(): boolean {
    return this.#yawLarge && this.#yawOdds <= -DECIDED;
  }

  get #yawLarge(): boolean {
    const slow = Math.abs(this.#yawSlow.value) > YAW_SLOW.large_rad;
    return slow || Math.abs(this.#yaw.value) > YAW_LARGE_rad;
  }

  get #angle_rad(): number {
    return Math.abs(this.#yaw.value) > YAW_LARGE_rad ? this.#yaw.value : this.#yawSlow.value;
  }

  /** Log-likelihood of "off the wind" against "the vane is wrong". */
  #weighYaw(ratio: number): void {
    if (!this.#yawLarge) {
      this.#yawOdds = 0;
      return;
    }
    const cosine = Math.cos(this.#angle_rad);
    const gain = ((ratio - 1) ** 2 - (ratio - cosine) ** 2) / (2 * this.#fit.sigma ** 2);
    const bounded = Math.max(-6, Math.min(6, gain)); // no single block decides
    this.#yawOdds = Math.max(-2 * DECIDED, Math.min(2 * DECIDED, this.#yawOdds + bounded));
  }

  /** NaN where too little is known; infinite where no wind gives so much. */
  #estimateWind(dt_s: number, now: RotorReadings): number {
    const before = this.#speed.value;
    const speed = this.#speed.add(now.rotor_radps, dt_s);
    const rise_radps2 = Number.isNaN(before) ? 0 : (speed - before) / dt_s;
    if (!(now.power_W > POWER_LEAST * this.#rated_W) || !(speed > 0.1)) return Number.NaN;
    const scale = this.#rated_W / TURBINE.ratedPower_W;
    const shaft_W = now.power_W / this.#efficiency;
    const loss_W = scale * TURBINE.shaftLoss_Nms * speed * speed;
    const taken_W = shaft_W + loss_W + this.#inertia_kgm2 * speed * rise_radps2;
    const density = airDensity(now.pressure_Pa, now.temperature_K);
    const half = 0.5 * density * Math.PI * this.#radius_m ** 2;
    const tip_mps = speed * this.#radius_m;
    const power = (wind: number): number =>
      half * powerCoefficient(tip_mps / wind, now.pitch_rad) * wind ** 3;
    let low = tip_mps / LAMBDA[1];
    let high = tip_mps / LAMBDA[0];
    if (taken_W >= power(high)) return Number.POSITIVE_INFINITY;
    if (!(taken_W > power(low))) return Number.NaN;
    for (let i = 0; i < 24; i++) {
      const middle = 0.5 * (low + high);
      if (power(middle) < taken_W) low = middle;
      else high = middle;
    }
    return 0.5 * (low + high);
  }
}
