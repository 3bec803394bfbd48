//! What an alarm costs: lost power x price x time. The types hold the algebra.
import type { Price } from "../units/price.js";
import { max, mul, type Qty, unit } from "../units/quantity.js";
import type { Measured } from "./alarm.js";

const joule = unit("J");
const euro = unit("EUR");
const euroPerJoule = unit("EUR/J");

/** Energy that was not given while a power was lost for a time. */
export function energyOf(lost: Qty<"W">, lasted: Qty<"s">): Qty<"J"> {
  return mul(lost, lasted);
}

/** Euros that were not earned: `EUR/kW/h` and `EUR/kWh` are one type. */
export function costOf(energy: Qty<"J">, price: Qty<"EUR/kW/h">): Qty<"EUR"> {
  return mul(energy, price);
}

/** The cost for the payload of an alarm. A machine that gave more than expected has lost nothing. */
export function costFor(price: Price, lost: Qty<"J">): Measured {
  // The number is the same in every currency: only the name of the money differs.
  const paid = costOf(max(lost, joule(0)), euroPerJoule(price.perJoule));
  return { v: euro.of(paid), u: price.currency };
}
