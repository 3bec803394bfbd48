//! Height three ways: air pressure, satellite, and the sum of the climb rate since the other two
//! last agreed. The third says which of the two went its own way.
import { barometricAltitude, SEA_LEVEL } from "../../base/physics.js";
import { BlockMean, Smooth } from "./smooth.js";

const AGREE_m = 2;
const APART_m = 6;
const OFFSET_s = 1800;
const CLIMB_s = 20;
const RISE_s = 1;
const CLIMB_OFF_mps = 0.8;

export type AltitudeSuspect = "pressure" | "altitudeRef" | "climbRate" | null;

export class AltitudeWatch {
  readonly #offset = new Smooth(OFFSET_s);
  readonly #climb = new BlockMean(CLIMB_s);
  readonly #rise = new Smooth(RISE_s);
  readonly #apart = new Smooth(1);
  #start = { baro_m: Number.NaN, ref_m: Number.NaN };
  #agreed = { baro_m: Number.NaN, ref_m: Number.NaN, climbed_m: 0 };
  /** Height above take-off from pressure; NaN when unknown. */
  height_m = Number.NaN;
  residual_m = Number.NaN;

  /** Climb by air pressure over the last second, whatever the satellite says; NaN: not known. */
  get rise_mps(): number {
    return this.#rise.value;
  }

  step(
    dt_s: number,
    pressure_Pa: number,
    temperature_K: number,
    ref_m: number,
    climb_mps: number,
  ): AltitudeSuspect {
    // The column of air is warmer or colder than the standard one by the same share all the way.
    const warm = Number.isNaN(temperature_K) ? 1 : temperature_K / SEA_LEVEL.temperature_K;
    const baro_m = barometricAltitude(pressure_Pa) * warm;
    if (Number.isNaN(baro_m) || Number.isNaN(ref_m)) {
      this.height_m = Number.NaN;
      this.residual_m = Number.NaN;
      return null;
    }
    if (Number.isNaN(this.#offset.value)) this.#offset.add(baro_m - ref_m, dt_s);
    const before_m = this.height_m;
    this.height_m = baro_m - this.#offset.value;
    this.#rise.add((this.height_m - before_m) / dt_s, dt_s);
    this.residual_m = this.height_m - ref_m;
    const apart_m = this.#apart.add(this.residual_m, dt_s);
    if (!Number.isNaN(climb_mps)) this.#agreed.climbed_m += climb_mps * dt_s;
    const wrong = this.#checkClimb(dt_s, baro_m, ref_m, climb_mps);
    if (Math.abs(apart_m) < AGREE_m) {
      this.#offset.add(baro_m - ref_m, dt_s);
      this.#agreed = { baro_m, ref_m, climbed_m: 0 };
    }
    if (wrong) return "climbRate";
    if (!(Math.abs(apart_m) > APART_m)) return null;
    const { baro_m: baro0_m, ref_m: ref0_m, climbed_m } = this.#agreed;
    if (Number.isNaN(baro0_m)) return null; // they have never agreed since they were heard again
    const baroOff = Math.abs(baro_m - baro0_m - climbed_m);
    const refOff = Math.abs(ref_m - ref0_m - climbed_m);
    return baroOff > refOff ? "pressure" : "altitudeRef";
  }

  /** Nothing was heard for a while: how far it climbed meanwhile is not known. */
  pause(): void {
    this.#agreed = { baro_m: Number.NaN, ref_m: Number.NaN, climbed_m: 0 };
    this.#start = { baro_m: Number.NaN, ref_m: Number.NaN };
    this.#climb.reset();
    this.#apart.reset();
  }

  /** Both heights agree with each other and not with the climb rate. */
  #checkClimb(dt_s: number, baro_m: number, ref_m: number, climb_mps: number): boolean {
    const mean = this.#climb.add(climb_mps, dt_s);
    if (Number.isNaN(mean)) return false;
    const { baro_m: baro0_m, ref_m: ref0_m } = this.#start;
    this.#start = { baro_m, ref_m };
    const baro = (baro_m - baro0_m) / CLIMB_s - mean;
    const ref = (ref_m - ref0_m) / CLIMB_s - mean;
    return Math.abs(baro) > CLIMB_OFF_mps && Math.abs(ref) > CLIMB_OFF_mps;
  }
}
