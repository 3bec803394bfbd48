//! What ties the readings of a quadrotor in flight to one another.
import type { UnitLaw } from "../suspect.js";
import { angle, celsius, middle, NOT, range, shakes, warmer } from "./kit.js";

const FLYING = { channel: "throttle", is: (share: number): boolean => share > 0.02 };
const flying = (law: UnitLaw): UnitLaw => ({ ...law, only: FLYING });

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const four = (name: string): string[] => [1, 2, 3, 4].map((i) => `${name}${i}`);

/** Each of four alike shares the load: no reading is thrice the mean of the other three. */
function alike(name: string): UnitLaw[] {
  return four(name).map((one) => ({
    name: `${one} is near its three like`,
    reads: [one, ...four(name).filter((other) => other !== one)],
    of: ([x = NOT, ...others]) => (sum(others) > 0 ? (3 * x) / sum(others) : NOT),
    low: 0.5,
    high: 2,
    holds: "middle",
    only: FLYING,
  }));
}

export const QUADROTOR: readonly UnitLaw[] = [
  range("pressure", 30_000, 109_000, "lies between 300 and 1090 hPa"),
  celsius("airTemp", -45, 50),
  flying(middle(range("accelZ", 6, 14, "is near 9.8 m/s2 in flight"))),
  range("accelX", -40, 40, "stays below 4 g"),
  range("accelY", -40, 40, "stays below 4 g"),
  range("altitudeRef", -500, 9000, "lies between -500 and 9000 m"),
  range("velocity", -1, 45, "stays below 45 m/s"),
  range("climbRate", -15, 15, "stays below 15 m/s"),
  angle("roll", 45),
  angle("pitch", 45),
  {
    ...middle(range("throttle", 0.1, 1, "is between 10 and 100 % in flight")),
    of: ([share = NOT]) => (share > 1e-3 ? share : NOT),
  },
  ...alike("rotorSpeed"),
  ...four("rotorSpeed").map((name) => flying(middle(range(name, 100, 2000, "turns in flight")))),
  ...alike("escCurrent"),
  {
    name: "the four controllers draw the battery's current",
    reads: ["batteryCurrent", ...four("escCurrent")],
    of: ([all = NOT, ...each]) => (sum(each) > 0.1 ? all / sum(each) : NOT),
    low: 0.8,
    high: 1.4,
    holds: "middle",
    only: FLYING,
  },
  {
    name: "the cells add up to the battery's voltage",
    reads: ["batteryVoltage", ...four("cellVoltage")],
    of: ([all = NOT, ...each]) => all / sum(each),
    low: 0.93,
    high: 1.07,
    holds: "middle",
  },
  middle(range("batteryVoltage", 3, 70, "is a drone's battery")),
  ...four("cellVoltage").map((name) => middle(range(name, 2.5, 4.5, "is a lithium cell"))),
  ...four("escTemp").map((name) => celsius(name, -40, 120)),
  ...four("escTemp").map((name) => warmer(name, "airTemp", 100)),
  flying(shakes("vibe", 0.05, 150, "between 0.05 and 150 m/s2 rms")),
  middle(range("magField", 15e-6, 90e-6, "is the field of the Earth")),
];
