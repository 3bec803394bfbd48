//! What the drone's network sees: the state of flight, slow enough for the noise of its instruments,
//! each with its unit and the range that it was trained on. Training and the monitor share this file.
import { AIR_GAS_CONSTANT } from "../base/physics.js";
import { Smooth } from "./chain/smooth.js";
import { type Column, normalised } from "./columns.js";

type Value = (channel: string) => number;

/** `from` and `to` in SI: beyond them no flight was trained on. */
type Feature = { readonly column: Column; readonly of: (value: Value) => number };

const rotors = [1, 2, 3, 4] as const;
const speed = (value: Value): number =>
  rotors.reduce((sum, i) => sum + value(`rotorSpeed${i}`), 0) / rotors.length;
const density = (value: Value): number => value("pressure") / (AIR_GAS_CONSTANT * value("airTemp"));

type Range = readonly [from: number, to: number];
const feature = (name: string, unit: string, [from, to]: Range, of?: Feature["of"]): Feature => ({
  column: { name, unit, from, to },
  of: of ?? ((value) => value(name)),
});

const FEATURES: readonly Feature[] = [
  feature("velocity", "m/s", [-12, 12]),
  feature("climbRate", "m/s", [-3, 3]),
  feature("roll", "rad", [-0.3, 0.3]),
  feature("pitch", "rad", [-0.3, 0.3]),
  feature("accelX", "m/s2", [-2, 2]),
  feature("accelY", "m/s2", [-2, 2]),
  feature("accelZ", "m/s2", [7.8, 11.8]),
  feature("density", "kg/m3", [0.95, 1.45], density),
  feature("airTemp", "K", [255, 315]),
  feature("altitudeRef", "m", [-20, 100]),
  feature("rotorSpeed", "rad/s", [650, 950], speed),
];
export const DRONE_COLUMNS: readonly Column[] = FEATURES.map(({ column }) => column);

const MEAN_s = 3;

export class DroneFeatures {
  /** SI, in the order of DRONE_COLUMNS. */
  readonly values = new Float64Array(FEATURES.length);
  readonly #means = FEATURES.map(() => new Smooth(MEAN_s));

  /** False: something that it reads is not known, and the memory begins anew; or is out of reach. */
  step(value: Value, dt_s: number): boolean {
    const now = FEATURES.map(({ of }) => of(value));
    if (now.some(Number.isNaN)) {
      for (const mean of this.#means) mean.reset();
      return false;
    }
    now.forEach((v, i) => {
      this.values[i] = (this.#means[i] as Smooth).add(v, dt_s);
    });
    return FEATURES.every(({ column }, i) => {
      return Math.abs(normalised(column, this.values[i] as number)) <= 1;
    });
  }
}
