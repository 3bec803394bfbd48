//! Redundancy of the drive train: rotor speed, generator speed, torque and power say the same thing
//! three times over. When they disagree, the one that stands in every broken balance is named.
import { TURBINE } from "../../base/physics.js";
import { Smooth } from "./smooth.js";

export type DriveReadings = {
  readonly rotor_radps: number;
  readonly generator_radps: number;
  readonly torque_Nm: number;
  readonly power_W: number;
  /** True while the controller follows its torque curve. */
  readonly steady: boolean;
  readonly allowed: number;
};
export type DriveSuspect = "rotorSpeed" | "generatorSpeed" | "generatorTorque" | "power" | null;

const TAU_s = 10;
const READINGS = 6;
const SPEED_SHARE = 0.02; // of rated
const POWER_SHARE = 0.03;
const SETTLE_s = 5; // all means of a balance must have seen the fault
const INSTANTS = 4; // where readings are seconds apart one alone is no proof
const REGION = { low: 0.95, high: 0.99 } as const; // of rated speed: the step to constant power

export class DriveBalance {
  readonly #ratio: number;
  readonly #rated_W: number;
  readonly #rated_radps: number;
  readonly #efficiency: number;
  readonly #speeds = new Smooth(TAU_s);
  readonly #fromGenerator = new Smooth(TAU_s);
  readonly #fromRotor = new Smooth(TAU_s);
  readonly #offCurve = new Smooth(TAU_s);
  #broken_s = 0;
  #broken = 0;

  constructor(ratio: number, rated_W: number, rated_radps: number, efficiency: number) {
    this.#ratio = ratio;
    this.#rated_W = rated_W;
    this.#rated_radps = rated_radps;
    this.#efficiency = efficiency;
  }

  /** The channel that does not fit; null while the balances hold or too little is known. */
  step(dt_s: number, now: DriveReadings): DriveSuspect {
    const fast_radps = now.rotor_radps * this.#ratio;
    const turn_W = this.#efficiency * now.torque_Nm;
    // Where readings are seconds apart, some of them and not a few seconds make a mean.
    const share_s = Math.min(dt_s, TAU_s / READINGS);
    const mean = (of: Smooth, x: number): number => {
      if (Number.isNaN(x)) of.reset();
      return of.add(x, share_s);
    };
    const a = mean(this.#speeds, (now.generator_radps - fast_radps) / this.#rated_radps);
    const b = mean(
      this.#fromGenerator,
      (now.power_W - turn_W * now.generator_radps) / this.#rated_W,
    );
    const c = mean(this.#fromRotor, (now.power_W - turn_W * fast_radps) / this.#rated_W);
    this.#watchCurve(share_s, now);
    const broken = [a / SPEED_SHARE, b / POWER_SHARE, c / POWER_SHARE].some((v) => Math.abs(v) > 1);
    this.#broken_s = broken ? this.#broken_s + dt_s : 0;
    this.#broken = broken ? this.#broken + 1 : 0;
    if (this.#broken_s < SETTLE_s || this.#broken < INSTANTS) return null;
    const speeds = Math.abs(a) > SPEED_SHARE;
    const generator = Math.abs(b) > POWER_SHARE;
    const rotor = Math.abs(c) > POWER_SHARE;
    if (generator && rotor && !speeds) {
      const off = Math.abs(this.#offCurve.value);
      if (Number.isNaN(off)) return null;
      return off > 0.5 * Math.abs(b) ? "generatorTorque" : "power";
    }
    if (!speeds) return null;
    if (generator && !rotor) return "generatorSpeed";
    if (rotor && !generator) return "rotorSpeed";
    return null;
  }

  /** Torque that the speed asks for: K w^2 below, constant power above, a line between. */
  #watchCurve(share_s: number, now: DriveReadings): void {
    const speed = now.generator_radps / this.#rated_radps;
    if (!now.steady || !(speed > 0.7) || Number.isNaN(now.torque_Nm)) {
      this.#offCurve.reset(); // or what it was before would speak of now
      return;
    }
    const scale = this.#rated_W / TURBINE.ratedPower_W;
    const full_Nm = (now.allowed * this.#rated_W) / this.#efficiency / now.generator_radps;
    const best = (share: number): number =>
      scale * TURBINE.optimalTorque * (share * TURBINE.ratedGenerator_radps) ** 2;
    const { low, high } = REGION;
    const top_Nm = this.#rated_W / this.#efficiency / (high * this.#rated_radps);
    const part = (Math.min(speed, high) - low) / (high - low);
    const below_Nm = speed < low ? best(speed) : best(low) + part * (top_Nm - best(low));
    const wanted_Nm = Math.min(below_Nm, full_Nm);
    const rated_Nm = this.#rated_W / this.#efficiency / this.#rated_radps;
    this.#offCurve.add((now.torque_Nm - wanted_Nm) / rated_Nm, share_s);
  }
}
