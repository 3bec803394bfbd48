//! The article's three examples in TypeScript. The tests compile this file.
import { div, mul, type Qty, type TernaryModel, unit } from "../../agent/units/index.js";
import type { PhysicsAwareModel, Pt } from "../../agent/units/index.js";

// A drone controller: each model says what goes in and what comes out.
export type Drone = {
  readonly altitude: TernaryModel<"Pa", "m">;
  readonly thrust: TernaryModel<"m/s^2", "N">;
  readonly power: TernaryModel<"N.m/s", "W">;
};

const WATT_HOUR = unit("W.h");

/** Flight time that is left; `div` gives seconds, or this function would not compile. */
export function batteryLife(
  drone: Drone,
  climb: Qty<"m/s^2">,
  speed: Qty<"m/s">,
  capacity_Wh: number,
): Qty<"s"> {
  const thrust: Qty<"N"> = drone.thrust.infer(climb);
  const draw: Qty<"W"> = drone.power.infer(mul(thrust, speed));
  return div(WATT_HOUR(capacity_Wh), draw);
}

// A turbine monitor: limits and readings of one dimension compare, others do not compile.
const mps2 = unit("m/s^2{peak}");
const MPa = unit("MPa");
const Cel = unit("Cel");
const LIMITS = { vibration: mps2(9.8), stress: MPa(60), oil: Cel.point(80) };

export type Turbine = {
  readonly stress: TernaryModel<"K", "Pa">;
  readonly output: PhysicsAwareModel<"W", "W", "W">;
};

export function alarms(
  turbine: Turbine,
  vibration: Qty<"m/s^2{peak}">,
  warming: Qty<"K">,
  oil: Pt<"Cel">,
): string[] {
  const found: string[] = [];
  if (vibration > LIMITS.vibration) found.push("vibration");
  if (turbine.stress.infer(warming) > LIMITS.stress) found.push("thermal stress");
  if (oil > LIMITS.oil) found.push("oil hot");
  return found;
}

// Money: a rate has a direction, and nothing adds euros to dollars.
const USD = unit("USD");
const EUR_PER_USD = unit("EUR/USD");
const EUR_PER_KWH = unit("EUR/kWh");

export const inEuro: Qty<"EUR"> = mul(USD(100), EUR_PER_USD(0.92));

/** What an alarm costs while it stands. */
export function costOf(lost: Qty<"W">, lasted: Qty<"s">): Qty<"EUR"> {
  return mul(mul(lost, lasted), EUR_PER_KWH(0.08));
}
