//! The balances of a wind turbine, as its alarms tell them.
import type { Balance } from "./balance.js";
import { COMPONENTS } from "./turbine-outputs.js";

const DEGREE = Math.PI / 180;
const WHAT: Readonly<Record<string, string>> = {
  generator: "heat of the winding",
  gearbox: "heat of the gear oil",
  hssBearing: "heat of the high-speed bearing",
  mainBearing: "heat of the main bearing",
};

export const TURBINE_BALANCES: readonly Balance[] = [
  ...COMPONENTS.map(
    ({ name, channel, reference }): Balance => ({
      name: WHAT[name] ?? name,
      output: `${name}.residual`,
      also: [`${name}.evidence`, ...(name === "hssBearing" ? ["thermal.stress"] : [])],
      beyond: `${name}.limit`,
      sigma: `${name}.sigma`,
      reads: [channel, "power", "generatorSpeed", reference],
      otherwise: `${channel} reads high, or ${reference} or power reads low`,
    }),
  ),
  {
    name: "nacelle air against the outside",
    output: "nacelle.residual",
    beyond: 6,
    sigma: "nacelle.sigma",
    reads: ["nacelleTemp", "ambientTemp"],
    otherwise: "a heater, a fan or an open hatch",
  },
  {
    name: "power against the wind",
    output: "wind.ratio",
    also: ["rotor.evidence", "rotor.loss"],
    about: 1,
    beyond: 0.035,
    sigma: "wind.sigma",
    reads: ["windSpeed", "power", "pitch", "rotorSpeed", "ambientTemp", "ambientPressure"],
    otherwise: "the anemometer reads high, or the wind at the nacelle is disturbed",
  },
  {
    name: "wind direction",
    output: "yaw.misalignment",
    beyond: 7 * DEGREE,
    reads: ["yawError", "windSpeed", "power"],
    otherwise: "the vane has turned on its post, and the blades have lost power besides",
  },
  {
    name: "pitch against its demand",
    output: "pitch.error",
    also: ["pitch.slip"],
    beyond: 1 * DEGREE,
    reads: ["pitch", "pitchDemand"],
    otherwise: "the pitch sensor has an offset, and came by it while the demand rested",
  },
  {
    name: "shaking of the tower",
    output: "tower.imbalance",
    also: ["tower.evidence"],
    beyond: 0.01,
    reads: ["towerAccel", "windSpeed", "rotorSpeed"],
    otherwise: "the accelerometer sits otherwise than when it was commissioned",
  },
  {
    name: "drive train (speeds, torque and power)",
    output: null,
    beyond: 0,
    reads: ["rotorSpeed", "generatorSpeed", "generatorTorque", "power"],
    otherwise: "",
  },
];
