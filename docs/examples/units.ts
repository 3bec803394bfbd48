//! The article's three examples in TypeScript, and what else a unit can say. The tests compile this
//! file with TypeScript 5.9, 6.0 and 7.0, and run it.
import {
  type Col,
  div,
  fromZero,
  mul,
  numberOf,
  type PhysicsAwareModel,
  type Pt,
  type Qty,
  shift,
  span,
  sqrt,
  square,
  sub,
  type TernaryModel,
  unit,
} from "../../agent/units/index.js";
import "./register.js";

// A drone controller: each model says what goes in and what comes out.
export type DroneController = {
  readonly altitude: TernaryModel<"Pa", "m">;
  readonly thrust: TernaryModel<"m/s^2", "N">;
  readonly power: TernaryModel<"N.m/s", "W">;
};

const Wh = unit("W.h");

/** BatteryLife = BatteryCapacity / powerDraw: seconds, or this function would not compile. */
export function batteryLife(
  drone: DroneController,
  climb: Qty<"m/s^2">,
  speed: Qty<"m/s">,
  capacity_Wh: number,
): Qty<"s"> {
  const thrust: Qty<"N"> = drone.thrust.infer(climb);
  const draw: Qty<"W"> = drone.power.infer(mul(thrust, speed));
  return div(Wh(capacity_Wh), draw);
}

// A turbine monitor: limits and readings of one dimension compare, others do not compile.
const mps2 = unit("m/s^2{peak}");
const Pa = unit("Pa");
const percent = unit("%");
const Cel = unit("Cel");
const LIMITS = {
  vibration: mps2(9.8),
  stress: Pa(100_000),
  efficiency: percent(85),
  oil: Cel.point(80),
};

export type TurbineMonitor = {
  readonly stress: TernaryModel<"K", "Pa">;
  /** Power expected of the wind, held to what the wind carries. */
  readonly output: PhysicsAwareModel<"m/s", "W", "W">;
};

export function alarms(
  turbine: TurbineMonitor,
  vibration: Qty<"m/s^2{peak}">,
  warming: Qty<"K">,
  oil: Pt<"Cel">,
  wind: Qty<"m/s">,
  power: Qty<"W">,
): string[] {
  const found: string[] = [];
  if (vibration > LIMITS.vibration) found.push("critical: vibration");
  if (turbine.stress.infer(warming) > LIMITS.stress) found.push("warning: thermal stress");
  if (oil > LIMITS.oil) found.push("warning: oil hot");
  const { output, broken } = turbine.output.inferChecked(wind);
  if (broken.length > 0) found.push(`sensor: ${broken.map((law) => law.name).join(", ")}`);
  else if (div(power, output) < LIMITS.efficiency) found.push("warning: efficiency");
  return found;
}

// Money: a rate has a direction, and nothing adds euros to dollars.
const USD = unit("USD");
const EUR_PER_USD = unit("EUR/USD");
const USD_PER_BTC = unit("USD/BTC");
const EUR_PER_KWH = unit("EUR/kWh");

export const inEuro: Qty<"EUR"> = mul(USD(100), EUR_PER_USD(0.92));
export const inBitcoin: Qty<"BTC"> = div(USD(100), USD_PER_BTC(50_000));

/** What an alarm costs while it stands. */
export function costOf(lost: Qty<"W">, lasted: Qty<"s">): Qty<"EUR"> {
  return mul(mul(lost, lasted), EUR_PER_KWH(0.08));
}

// Points and differences: a temperature moves by kelvin, and two of them are kelvin apart.
const cold: Pt<"Cel"> = Cel.point(-20);
const warm: Pt<"Cel"> = shift(cold, Cel(45));
export const warming: Qty<"K"> = span(warm, cold);
export const colderThanHot: boolean = cold < Cel.point(80);
/** Carnot needs amounts from the true zero. */
export const carnot: number = numberOf(
  div(sub(fromZero(Cel.point(1_200)), fromZero(warm)), fromZero(Cel.point(1_200))),
);

// Half exponents: noise in V/Hz^(1/2) over a bandwidth is a voltage.
const noise = unit("nV/Hz^(1/2)")(15);
export const amplitude: Qty<"V"> = mul(noise, sqrt(unit("kHz")(10)));

// Columns: the typed array itself, converted in place.
export const pressures: Col<"Pa"> = unit("hPa").column(Float64Array.of(1013, 1009));

// Counts of one's own, from register.ts.
export const pace: Qty<"pallet/h"> = div(unit("pallet")(30), unit("min")(20));

export const kinetic: Qty<"J"> = mul(unit("kg")(2), square(unit("m/s")(3)));
