//! What ties the readings of a bearing to one another.
import type { UnitLaw } from "../suspect.js";
import { celsius, NOT, plateOf, RPM, shakes, warmer } from "./kit.js";

export const BEARING: readonly UnitLaw[] = [
  {
    name: "the shaft turns, when it does, at 20 to 40000 rpm",
    reads: ["shaftSpeed"],
    of: ([speed = NOT]) => (Math.abs(speed) > 0.5 ? Math.abs(speed) : NOT),
    low: 20 * RPM,
    high: 40_000 * RPM,
    holds: "middle",
  },
  celsius("ambientTemp", -40, 60),
  celsius("bearingTemp", -40, 150),
  warmer("bearingTemp", "ambientTemp", 110),
  {
    // Friction of a rolling bearing: torque = mu F d / 2, mu 0.0005 to 0.02 (SKF), seals included.
    name: "torque is the friction that the load explains",
    reads: ["torque", "load"],
    of: ([torque = NOT, load = NOT], plate) =>
      load > 0 && torque > 0 ? (2 * torque) / (load * plateOf(plate, "pitchDiameter")) : NOT,
    low: 3e-4,
    high: 0.06,
    holds: "middle",
    only: { channel: "shaftSpeed", is: (speed) => Math.abs(speed) > 0.5 },
  },
  shakes("accel", 0.05, 300, "between 0.05 and 300 m/s2 rms"),
];
