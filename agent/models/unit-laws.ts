//! What the readings of a healthy or sick machine of each kind cannot leave, wide enough for a poor
//! sensor and narrow enough to tell a unit. In SI. Used to judge declarations, never to alarm.
import type { UnitLaw } from "./suspect.js";
import { BEARING } from "./unit-laws/bearing.js";
import { GAS_TURBINE } from "./unit-laws/gas-turbine.js";
import { QUADROTOR } from "./unit-laws/quadrotor.js";
import { WIND_TURBINE } from "./unit-laws/wind-turbine.js";

/** By asset kind; a kind without a row is not judged. */
export const UNIT_LAWS: ReadonlyMap<string, readonly UnitLaw[]> = new Map([
  ["wind-turbine", WIND_TURBINE],
  ["quadrotor", QUADROTOR],
  ["gas-turbine", GAS_TURBINE],
  ["bearing", BEARING],
]);
