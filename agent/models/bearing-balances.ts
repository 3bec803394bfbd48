//! The balances of a rolling bearing, as its alarms tell them.
import type { Balance } from "./balance.js";

export const BEARING_BALANCES: readonly Balance[] = [
  {
    name: "friction by torque",
    output: "friction.excess",
    beyond: 0.7,
    reads: ["torque", "load", "shaftSpeed"],
    otherwise: "more grease than usual, or a load that is not measured",
  },
  {
    name: "friction by heat",
    output: "heat.residual",
    beyond: 4,
    sigma: "heat.residual.sigma",
    reads: ["bearingTemp", "load", "shaftSpeed", "ambientTemp"],
    otherwise: "another source of heat beside the bearing",
  },
  {
    name: "loudness as in the healthy period",
    output: "vibration.rise",
    beyond: 0.69,
    reads: ["accel", "accelRms", "accelRms2", "shaftSpeed"],
    otherwise: "something else shakes the housing, or the sensor's mounting has changed",
  },
  {
    name: "spectrum of a sound bearing",
    output: "bearing.damage",
    beyond: 8,
    reads: ["accel", "shaftSpeed"],
    otherwise: "gear mesh or currents near an order of the bearing, or another bearing's geometry",
  },
];
