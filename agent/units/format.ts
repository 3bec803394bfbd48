//! SI numbers for people: on the page, in alarm lines, in messages.
import { isUnitFault, parseUnit, type Unit } from "./parse.js";

/** Significant digits that people read; instruments rarely know more. */
const DIGITS = 4;
/** Unit texts come from configs and rules, so there are few; the bound is against a mistake. */
const CACHE_MAX = 4096;
const cache = new Map<string, Unit>();
const READABLE: ReadonlyMap<string, string> = new Map([
  ["Cel", "°C"],
  ["[degF]", "°F"],
  ["circ/min", "rpm"],
  ["deg", "°"],
  ["[g]", "g"],
  ["[kn_i]", "kn"],
  ["[psi]", "psi"],
  ["kW.h", "kWh"],
  ["MW.h", "MWh"],
]);

/** The number of an SI value in `unit`: `valueIn(353.15, "Cel")` is 80. NaN for no unit. */
export function valueIn(si: number, unit: string): number {
  const parsed = known(unit);
  return parsed === null ? Number.NaN : (si - parsed.offset) / parsed.factor;
}

/** An SI value in a unit, spelt as UCUM does: `formatIn(353.15, "degC")` is `80 Cel`. */
export function formatIn(si: number, unit: string): string {
  return `${digits(valueIn(si, unit))} ${known(unit)?.ucum ?? unit}`;
}

/** In the signs people read: `80 °C`, `1500 rpm`, `4.5 mm/s rms`. Never for the wire. */
export function readable(si: number, unit: string): string {
  const [bare = "", kind] = (known(unit)?.ucum ?? unit).split(/[{}]/);
  const sign = READABLE.get(bare) ?? bare.replaceAll(".", "·");
  const value = digits(valueIn(si, unit));
  const words = sign === "" || sign === "1" ? [value] : [value, sign];
  return (kind === undefined ? words : [...words, kind]).join(" ");
}

/** 4 significant digits, but never fewer than the integer has: 123456 stays 123456. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "?" : String(value);
  if (Math.abs(value) >= 10 ** DIGITS && Math.abs(value) < 1e9) return String(Math.round(value));
  return String(Number(value.toPrecision(DIGITS)));
}

function known(unit: string): Unit | null {
  const found = cache.get(unit);
  if (found !== undefined) return found;
  const read = parseUnit(unit);
  if (isUnitFault(read)) return null;
  if (cache.size === CACHE_MAX) cache.clear();
  cache.set(unit, read);
  return read;
}
