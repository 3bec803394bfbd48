//! Money per energy, such as `0.12 EUR/kWh`, in any of the currencies.
import { CURRENCIES } from "./atoms.js";
import { combineDimensions, parseAmount } from "./parse.js";

/** Money per joule, with the currency it is paid in. */
export type Price = { readonly perJoule: number; readonly currency: string };

/** The price, or why the text is none. */
export function parsePrice(text: string): Price | string {
  const amount = parseAmount(text);
  if ("fault" in amount) return amount.fault;
  const { value, unit } = amount;
  const currency = CURRENCIES.find((money) => combineDimensions(money, "J", -1) === unit.dim);
  if (currency === undefined) {
    return `"${text}" is no money per energy; write it as in "0.12 EUR/kWh"`;
  }
  if (!(value >= 0)) return `the price "${text}" is negative; write 0 or more`;
  return { perJoule: value, currency };
}
