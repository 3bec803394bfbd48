//! What one value of a config may look like: how it reads, what it becomes, and what to write
//! instead. The same formats check the scalars (through convict), the list items and name the types
//! in docs/configuration.md.
import { parseMavlinkUnit } from "../agent/units/mavlink.js";
import {
  type Amount,
  isUnitFault,
  parseAmount,
  parseUnit,
  type Unit,
} from "../agent/units/parse.js";
import { type Price, parsePrice } from "../agent/units/price.js";

/** Says why a value cannot be used; `at` is the offset of the offending part in its text. */
export type Refuse = (what: string, instead: string, at?: number) => null;

export type Format<T> = {
  /** As the documentation names it. */
  readonly name: string;
  /** What one could write. */
  readonly example: string;
  /** The value as the program takes it, or null after saying why not. */
  readonly read: (value: unknown, refuse: Refuse) => T | null;
};

const SHOWN_CHARS_MAX = 60;

/** Stands for a mapping where convict would take one for a group of its schema. */
export const A_MAPPING = Symbol("a mapping");

/** A value as a message shows it: one line, of bounded length. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  if (typeof value !== "string") return value === A_MAPPING ? "a mapping" : String(value);
  const text = JSON.stringify(value);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…"` : text;
}

export const flag: Format<boolean> = {
  name: "true or false",
  example: "true",
  read(value, refuse) {
    if (typeof value === "boolean") return value;
    return refuse(`${show(value)} is neither true nor false`, "write true or false, no quotes");
  },
};

export function whole(least: number, most: number): Format<number> {
  const name = `whole number, ${least} to ${most}`;
  return {
    name,
    example: `${least}`,
    read(value, refuse) {
      const fits = typeof value === "number" && Number.isInteger(value);
      if (fits && value >= least && value <= most) return value;
      const wrong = fits ? "is out of bounds" : "is no whole number";
      return refuse(`${show(value)} ${wrong}`, `write a ${name}`);
    },
  };
}

/** One of a closed list; `5` and `"5"` are the same choice. */
export function choice<const T extends string>(...known: readonly T[]): Format<T> {
  const list = known.join(", ");
  return {
    name: `one of ${list}`,
    example: known.join(" or "),
    read(value, refuse) {
      const found = known.find((word) => word === value || word === String(value));
      return found ?? refuse(`${show(value)} is not a choice here`, `write one of ${list}`);
    },
  };
}

const NOUNS: ReadonlyMap<string, string> = new Map([
  ["1", "a plain number"],
  ["s", "a time"],
  ["m", "a length"],
  ["kg", "a mass"],
  ["K", "a temperature"],
  ["A", "a current"],
  ["V", "a voltage"],
  ["W", "a power"],
  ["J", "an energy"],
  ["N", "a force"],
  ["Pa", "a pressure"],
  ["C", "a charge"],
  ["rad", "an angle"],
  ["rad/s", "a speed of rotation"],
  ["1/s", "a frequency"],
  ["m/s", "a speed"],
  ["m/s2", "an acceleration"],
  ["bit", "an amount of data"],
]);

/** A dimension in words: `a length`, `in J/K`. */
export const noun = (dim: string): string => NOUNS.get(dim) ?? `in ${dim}`;

/** `60 s`, `5 MW`, and plain numbers. */
export const amount: Format<Amount> = {
  name: "amount",
  example: "5 MW",
  read(value, refuse) {
    if (typeof value !== "string" && typeof value !== "number") {
      return refuse(`${show(value)} is no amount`, 'write a number with its unit, such as "5 MW"');
    }
    const found = parseAmount(String(value));
    return "fault" in found ? refuse(found.fault, "", found.at) : found;
  },
};

/** A plain number stands for the channel's unit. */
export const bound: Format<Amount | number> = {
  name: "amount, or a number in the channel's unit",
  example: "16 A",
  read(value, refuse) {
    if (typeof value !== "number") return amount.read(value, refuse);
    return Number.isFinite(value) ? value : refuse(`${value} is no bound`, "delete the line");
  },
};

/** An amount of one dimension within bounds, in the unit the program counts in. */
function measured(
  name: string,
  dim: string,
  per: number,
  [least, most]: readonly [string, string],
  example: string,
): Format<number> {
  const [low, high] = [least, most].map((text) => {
    const found = parseAmount(text);
    return "fault" in found ? Number.NaN : found.value;
  });
  return {
    name: `${name}, ${least} to ${most}`,
    example,
    read(value, refuse) {
      const found = amount.read(value, refuse);
      if (found === null) return null;
      if (found.unit.dim !== dim) {
        const minutes = found.unit.text === "m" && dim === "s" ? '; minutes are "min"' : "";
        const advice = `write a ${name} such as ${example}${minutes}`;
        return refuse(`${show(value)} is ${noun(found.unit.dim)}`, advice);
      }
      if (found.value >= (low ?? 0) && found.value <= (high ?? 0)) return found.value / per;
      return refuse(`${show(value)} is out of bounds`, `write ${least} to ${most}`);
    },
  };
}

/** Times in ms; sizes in bytes. */
export const time = (least: string, most: string): Format<number> =>
  measured("time", "s", 1e-3, [least, most], "60 s");
export const frequency = (least: string, most: string): Format<number> =>
  measured("frequency", "1/s", 1, [least, most], "6 MHz");
export const size = (least: string, most: string): Format<number> =>
  measured("size", "bit", 8, [least, most], "200 MBy");

/** Power in W. */
export const power = (least: string, most: string): Format<number> =>
  measured("power", "W", 1, [least, most], "5 W");

/** A number from 0 to 1. */
export const share: Format<number> = {
  name: "share, 0 to 1",
  example: "0.001",
  read(value, refuse) {
    if (typeof value === "number" && value >= 0 && value <= 1) return value;
    return refuse(`${show(value)} is no share`, "write a number from 0 to 1");
  },
};

export type Draw = { readonly device: string; readonly power_W: number };
const watts = power("0 W", "10 kW");
/** What a device draws while it computes: `fpga 50 mW`. */
export const draw: Format<Draw> = {
  name: "device with its draw",
  example: '"fpga 50 mW"',
  read(value, refuse) {
    const found = typeof value === "string" ? /^(\S+) +(.+)$/.exec(value) : null;
    const [, device, amount] = found ?? [];
    if (device === undefined || amount === undefined) {
      return refuse(`${show(value)} is no device with its draw`, 'write such as "fpga 50 mW"');
    }
    const power_W = watts.read(amount, refuse);
    return power_W === null ? null : { device, power_W };
  },
};

export const unit: Format<Unit> = {
  name: "unit",
  example: "A",
  read(value, refuse) {
    // YAML reads `unit: 1` as a number; it can only mean the plain number.
    const written = value === 1 ? "1" : value;
    if (typeof written !== "string") return refuse(`${show(value)} is no unit`, "write unit: A");
    const found = parseUnit(written);
    return isUnitFault(found) ? refuse(found.fault, "", found.at) : found;
  },
};

/** One for all, or a list with one for each. */
export const units: Format<readonly Unit[]> = {
  ...listOf(unit, 1_024),
  name: "unit, or list of units",
  example: unit.example,
};

/** The spelling of MAVLink's own dialect files, taken as it stands there. */
export const mavlinkUnit: Format<Unit> = {
  name: "MAVLink unit",
  example: "cdeg",
  read(value, refuse) {
    const instead = "copy the units attribute of the field, such as cdeg";
    if (typeof value !== "string") return refuse(`${show(value)} is no MAVLink unit`, instead);
    const found = parseMavlinkUnit(value);
    return isUnitFault(found) ? refuse(found.fault, "", found.at) : found;
  },
};

export const price: Format<Price> = {
  name: "price",
  example: "0.12 EUR/kWh",
  read(value, refuse) {
    const instead = "write price: 0.12 EUR/kWh";
    if (typeof value !== "string") return refuse(`${show(value)} is no price`, instead);
    const found = parsePrice(value);
    return typeof found === "string" ? refuse(found, "") : found;
  },
};

/** Every item through `of`; one item alone needs no list. */
export function listOf<T>(of: Format<T>, most: number): Format<readonly T[]> {
  return {
    name: `list of ${of.name}`,
    example: `[${of.example}]`,
    read(value, refuse) {
      const items: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (items.length > most) return refuse(`${items.length} items`, `write at most ${most}`);
      const found = items.map((item) => of.read(item, refuse));
      return found.every((item) => item !== null) ? found : null;
    },
  };
}

const CODES = "{ STOP: 0, RUN: 1 }";
/** What the texts of a status channel mean. */
export const codes: Format<Readonly<Record<string, number>>> = {
  name: "mapping of texts to numbers",
  example: CODES,
  read(value, refuse) {
    const wrong = `write texts with their numbers, such as ${CODES}`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return refuse(`${show(value)} is no table of codes`, wrong);
    }
    const entries = Object.entries(value as Readonly<Record<string, unknown>>);
    const found: [string, number][] = [];
    for (const [key, code] of entries) {
      if (typeof code === "number" && Number.isFinite(code)) found.push([key, code]);
      else return refuse(`the code of ${show(key)} is ${show(code)}`, wrong);
    }
    return Object.fromEntries(found);
  },
};

/** Checked by its own reader; here only for the documentation. */
export const part = (name: string, example: string): Format<unknown> => ({
  name,
  example,
  read: (value) => value,
});
