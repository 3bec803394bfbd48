//! The channels of the simulated bearing rig; the names are those of the asset kind.
import type { PlantChannel } from "./plant.js";

const row = (
  name: string,
  unit: string,
  span: readonly [number, number],
  noise: number,
  step: number,
  about: string,
): PlantChannel => {
  const shape = name === "accel" ? "block" : "scalar";
  return { name, unit, shape, span, noise, step, about };
};

export const BEARING_CHANNELS: readonly PlantChannel[] = [
  row("shaftSpeed", "rpm", [0, 2000], 0.5, 0.05, "inner race"),
  row("load", "kN", [0, 6], 0.01, 0.001, "radial"),
  row("torque", "N.m", [0, 3], 0.003, 0.0002, "friction, between drive and bearing"),
  row("ambientTemp", "Cel", [0, 40], 0.1, 0.01, "air around the housing"),
  row("bearingTemp", "Cel", [0, 120], 0.1, 0.01, "outer race"),
  row("accel", "m/s2", [-100, 100], 0, 0, "accelerometer on the housing"),
];
