//! What an alarm costs: lost power x price x time. The types hold the algebra.
import type { Price } from "../units/price.js";
import { max, mul, type Qty, sub, unit } from "../units/quantity.js";
import type { Measured } from "./alarm.js";

const watt = unit("W");
const second = unit("s");
const euro = unit("EUR");
const euroPerJoule = unit("EUR/J");

/** Euros that were not earned: `EUR/kW/h` and `EUR/kWh` are one type. */
export function costOf(lost: Qty<"W">, price: Qty<"EUR/kW/h">, lasted: Qty<"s">): Qty<"EUR"> {
  return mul(mul(lost, lasted), price);
}

/** A machine that gives more than expected loses nothing. */
export function lostPower(expected: Qty<"W">, given: Qty<"W">): Qty<"W"> {
  return max(sub(expected, given), watt(0));
}

/** The cost for the payload of an alarm; null when power or time are not known. */
export function costFor(price: Price, lost_W: number, lasted_ms: number): Measured | null {
  if (!Number.isFinite(lost_W) || !(lasted_ms >= 0)) return null;
  const lost = max(watt(lost_W), watt(0));
  // The number is the same in every currency: only the name of the money differs.
  const paid = costOf(lost, euroPerJoule(price.perJoule), second(lasted_ms / 1000));
  return { v: euro.of(paid), u: price.currency };
}
