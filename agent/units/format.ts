//! SI numbers for people: at most four significant digits in the unit that they think in.
import { isUnitFault, parseUnit } from "./parse.js";

/** The number an SI value is in `unit`: 353.15 in `Cel` is 80. An unknown unit leaves it in SI. */
export function valueIn(si: number, unit: string): number {
  const parsed = parseUnit(unit);
  return isUnitFault(parsed) ? si : (si - parsed.offset) / parsed.factor;
}

/** `formatIn(353.15, "Cel")` is `80 Cel`. */
export function formatIn(si: number, unit: string): string {
  const parsed = parseUnit(unit);
  const name = isUnitFault(parsed) ? unit : parsed.ucum;
  return `${Number(valueIn(si, unit).toPrecision(4))} ${name}`;
}
