//! What ties the readings of a wind turbine to one another and to the wind.
import { BETZ_MAX, ISA_RHO0 } from "../../units/constants.js";
import type { UnitLaw } from "../suspect.js";
import {
  air,
  angle,
  celsius,
  DEG,
  NOT,
  type Plate,
  plateOf,
  RPM,
  range,
  shakes,
  warmer,
} from "./kit.js";

/** Power of the wind through the rotor at standard density, W. */
function windPower(wind: number, plate: Plate): number {
  return 0.5 * ISA_RHO0 * Math.PI * plateOf(plate, "rotorRadius") ** 2 * wind ** 3;
}

/** At partial load, told by the wind: told by the power, a wrong unit of power would hide itself. */
const inWind = (wind: number): boolean => wind > 5 && wind < 11;
const TURNING = { channel: "state", is: (state: number): boolean => state === 2 || state === 4 };
/** Least share of rated power that is no idling; a thousandth of a real load is still above it. */
const SOME = 1e-4;

export const WIND_TURBINE: readonly UnitLaw[] = [
  range("windSpeed", 0, 60, "lies between 0 and 60 m/s"),
  shakes("windSpeed", 1.5, 18, "between 1.5 and 18 m/s"),
  {
    name: "power over wind power lies between 0.08 and Betz at partial load",
    reads: ["power", "windSpeed"],
    of: ([power = NOT, wind = NOT], plate) =>
      inWind(wind) && !(power <= SOME * plateOf(plate, "ratedPower"))
        ? power / windPower(wind, plate)
        : NOT,
    low: 0.08,
    high: BETZ_MAX,
    holds: "middle",
    only: TURNING,
  },
  {
    name: "the tip moves 4 to 14 times as fast as the wind at partial load",
    reads: ["rotorSpeed", "windSpeed"],
    of: ([speed = NOT, wind = NOT], plate) =>
      inWind(wind) && speed !== 0 ? (Math.abs(speed) * plateOf(plate, "rotorRadius")) / wind : NOT,
    low: 4,
    high: 14,
    holds: "middle",
    only: TURNING,
  },
  {
    name: "the tip moves slower than 200 m/s", // a runaway reaches 150
    reads: ["rotorSpeed"],
    of: ([speed = NOT], plate) => Math.abs(speed) * plateOf(plate, "rotorRadius"),
    low: 0,
    high: 200,
    holds: "most",
  },
  {
    name: "the rotor turns, when it does, at 2 to 60 rpm",
    reads: ["rotorSpeed"],
    of: ([speed = NOT]) => (Math.abs(speed) > 0.02 ? Math.abs(speed) : NOT),
    low: 2 * RPM,
    high: 60 * RPM,
    holds: "middle",
    only: TURNING,
  },
  {
    name: "power stays within 1.2 times rated",
    reads: ["power"],
    of: ([power = NOT], plate) => power / plateOf(plate, "ratedPower"),
    low: -0.2,
    high: 1.2,
    holds: "most",
  },
  range("power", -1e6, 20e6, "stays below 20 MW"),
  {
    name: "generatorSpeed is rotorSpeed times the gear ratio",
    reads: ["generatorSpeed", "rotorSpeed"],
    of: ([fast = NOT, slow = NOT], plate) =>
      Math.abs(fast) > 1 ? fast / (slow * plateOf(plate, "gearRatio")) : NOT,
    low: 0.95,
    high: 1.05,
    holds: "middle",
  },
  {
    name: "power is generatorTorque times generatorSpeed, less losses",
    reads: ["power", "generatorTorque", "generatorSpeed"],
    of: ([power = NOT, torque = NOT, speed = NOT]) =>
      torque > 0 && speed > 2 && power > 0 ? power / (torque * speed) : NOT,
    low: 0.8,
    high: 1.03,
    holds: "middle",
    only: TURNING,
  },
  celsius("ambientTemp", -45, 55),
  air("ambientPressure"),
  celsius("nacelleTemp", -40, 70),
  celsius("windingTemp", -40, 175),
  celsius("oilTemp", -40, 100),
  celsius("hssBearingTemp", -40, 115),
  celsius("mainBearingTemp", -40, 85),
  warmer("nacelleTemp", "ambientTemp", 35),
  warmer("windingTemp", "ambientTemp", 150),
  warmer("oilTemp", "ambientTemp", 75),
  warmer("hssBearingTemp", "ambientTemp", 90),
  warmer("mainBearingTemp", "ambientTemp", 60),
  {
    name: "pitch is within eight times of pitchDemand",
    reads: ["pitch", "pitchDemand"],
    // At fine pitch both are noise; and a jammed drive stands off its demand, but not 57 times.
    of: ([is = NOT, wanted = NOT]) =>
      Math.max(is, wanted) > DEG && Math.min(is, wanted) > DEG / 50 ? is / wanted : NOT,
    low: 1 / 8,
    high: 8,
    holds: "middle",
  },
  range("pitch", -10 * DEG, 95 * DEG, "lies between -10 and 95 deg"),
  range("pitchDemand", -10 * DEG, 95 * DEG, "lies between -10 and 95 deg"),
  range("yawError", -Math.PI, Math.PI, "lies between -180 and 180 deg"),
  angle("yawError", 45),
  range("gridCurtailment", 0, 1.01, "lies between 0 and 100 %"),
  {
    name: "power stays below what gridCurtailment allows",
    reads: ["power", "gridCurtailment"],
    of: ([power = NOT, allowed = NOT], plate) => power / plateOf(plate, "ratedPower") - allowed,
    low: -2,
    high: 0.1,
    holds: "most",
  },
  range("towerAccel", 0, 5, "lies between 0 and 5 m/s2"),
  shakes("hssAccel", 0.05, 150, "between 0.05 and 150 m/s2 rms"),
];
