//! What the drone's network sees: the state of flight, slow enough for the noise of its instruments,
//! each value scaled to about +-1. Training and the monitor share this file.
import { AIR_GAS_CONSTANT } from "../base/physics.js";
import { Smooth } from "./chain/smooth.js";

type Value = (channel: string) => number;

export type DroneFeature = {
  readonly name: string;
  readonly unit: string;
  /** In SI; scaled value = (x - middle) / reach. Beyond +-1 no flight was trained on. */
  readonly middle: number;
  readonly reach: number;
  readonly of: (value: Value) => number;
};

const rotors = [1, 2, 3, 4] as const;
const speed = (value: Value): number =>
  rotors.reduce((sum, i) => sum + value(`rotorSpeed${i}`), 0) / rotors.length;
const density = (value: Value): number => value("pressure") / (AIR_GAS_CONSTANT * value("airTemp"));

const plain = (name: string, unit: string, middle: number, reach: number): DroneFeature => ({
  name,
  unit,
  middle,
  reach,
  of: (value) => value(name),
});

export const DRONE_FEATURES: readonly DroneFeature[] = [
  plain("velocity", "m/s", 0, 12),
  plain("climbRate", "m/s", 0, 3),
  plain("roll", "rad", 0, 0.3),
  plain("pitch", "rad", 0, 0.3),
  plain("accelX", "m/s2", 0, 2),
  plain("accelY", "m/s2", 0, 2),
  plain("accelZ", "m/s2", 9.8, 2),
  { name: "density", unit: "kg/m3", middle: 1.2, reach: 0.25, of: density },
  plain("airTemp", "K", 285, 30),
  plain("altitudeRef", "m", 40, 60),
  { name: "rotorSpeed", unit: "rad/s", middle: 800, reach: 150, of: speed },
];

const MEAN_s = 3;

export class DroneFeatures {
  readonly values = new Float32Array(DRONE_FEATURES.length);
  readonly #means = DRONE_FEATURES.map(() => new Smooth(MEAN_s));

  /** False: something that it reads is not known, and the memory begins anew; or is out of reach. */
  step(value: Value, dt_s: number): boolean {
    const now = DRONE_FEATURES.map(({ of }) => of(value));
    if (now.some(Number.isNaN)) {
      for (const mean of this.#means) mean.reset();
      return false;
    }
    DRONE_FEATURES.forEach(({ middle, reach }, i) => {
      const mean = (this.#means[i] as Smooth).add(now[i] as number, dt_s);
      this.values[i] = (mean - middle) / reach;
    });
    return this.values.every((x) => Math.abs(x) <= 1);
  }
}
