//! Power of a quadrotor: what momentum theory asks for this thrust, what the battery gives, and for
//! how long.
import {
  airDensity,
  type Battery,
  cellVoltage,
  QUADROTOR,
  timeToReserve,
} from "../base/physics.js";
import { Smooth } from "./chain/smooth.js";
import { DRONE_PLATE } from "./drone-ports.js";
import type { Readings, Said } from "./monitor-machine.js";
import { plateValue, type Setup } from "./setup.js";

const MEAN_s = 5;
const ROTORS = 4;

export class DronePower {
  readonly says: Said;
  readonly #on: Readings;
  readonly #mass_kg: number;
  readonly #disc_m2: number;
  readonly #merit: number;
  readonly #reserve: number;
  readonly #pack: Battery;
  readonly #drawn = new Smooth(MEAN_s);
  readonly #load = new Smooth(MEAN_s);
  #thrust_N = Number.NaN;
  #charge = Number.NaN;

  constructor(readings: Readings, setup: Setup, pack: Battery) {
    const plate = (key: string): number => plateValue(setup, DRONE_PLATE, key);
    this.#on = readings;
    this.#pack = pack;
    this.#mass_kg = plate("mass");
    this.#disc_m2 = Math.PI * plate("rotorRadius") ** 2;
    this.#merit = plate("figureOfMerit");
    this.#reserve = plate("reserve");
    this.says = {
      thrust: () => this.#thrust_N,
      "power.expected": () => this.#load.value,
      "power.residual": () => this.#drawn.value - this.#load.value,
      timeToReserve: () => this.#timeToReserve(),
    };
  }

  step(dt_s: number, flying: boolean, charge: number): void {
    const { value } = this.#on;
    this.#charge = charge;
    const force = Math.hypot(value("accelX"), value("accelY"), value("accelZ"));
    this.#thrust_N = flying ? this.#mass_kg * force : Number.NaN;
    if (!flying) {
      this.#load.reset();
      this.#drawn.reset();
      return;
    }
    const density = airDensity(value("pressure"), value("airTemp"));
    const ideal_W =
      (ROTORS * (this.#thrust_N / ROTORS) ** 1.5) / Math.sqrt(2 * density * this.#disc_m2);
    const asked_W = ideal_W / this.#merit / QUADROTOR.motorEfficiency + QUADROTOR.avionics_W;
    this.#load.add(asked_W, dt_s);
    this.#drawn.add(value("batteryVoltage") * value("batteryCurrent"), dt_s);
  }

  /** On the ground nothing is drawn: NaN. */
  #timeToReserve(): number {
    const power_W = this.#drawn.value;
    const enough = power_W > 0 && cellVoltage(this.#charge) > 0;
    return enough ? timeToReserve(this.#pack, this.#charge, power_W, this.#reserve) : Number.NaN;
  }
}
