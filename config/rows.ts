//! Row tables: one row a key, from which both the check and docs/configuration.md come.
import { assert } from "../agent/base/errors.js";
import { nearest } from "../agent/units/nearest.js";
import type { Path } from "./config.js";
import { type Format, listOf, type Refuse, show } from "./formats.js";
import type { Reading } from "./yaml.js";

export type Row<T> = {
  readonly doc: string;
  readonly format: Format<unknown>;
  /** The value when the key is absent; undefined: the key must stand. */
  readonly otherwise: T | undefined;
  /** The default as one would write it; null: none. */
  readonly written: string | number | boolean | null;
};
export type Table = Readonly<Record<string, Row<unknown>>>;
export type Values<T extends Table> = {
  readonly [K in keyof T]: Exclude<T[K]["otherwise"], undefined>;
};
export type Mapping = Readonly<Record<string, unknown>>;

export function required<T>(format: Format<T>, doc: string): Row<T> {
  return { doc, format, otherwise: undefined, written: null };
}

export function optional<T>(format: Format<T>, doc: string): Row<T | null> {
  return { doc, format, otherwise: null, written: null };
}

export function given<T>(
  format: Format<T>,
  written: string | number | boolean,
  doc: string,
): Row<T> {
  const otherwise = format.read(written, () => null);
  assert(otherwise !== null, `the default ${written} is no ${format.name}`);
  return { doc, format, otherwise, written };
}

/** A list, empty where the key is absent; one item alone needs no brackets. */
export function several<T>(of: Format<T>, most: number, doc: string): Row<readonly T[]> {
  return { doc, format: listOf(of, most), otherwise: [], written: null };
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of an own key: `constructor` is a name like any other. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** A fault of the value at `path`, in the shape that formats call. */
export const refuseAt =
  (reading: Reading, path: Path): Refuse =>
  (what, instead, at) =>
    reading.fault(path, what, instead, at);

/** One item by its table; null when it cannot be used further. `name` as in "a rule". */
export function readItem<T extends Table>(
  table: T,
  item: unknown,
  path: Path,
  reading: Reading,
  name: string,
): Values<T> | null {
  if (!isMapping(item)) {
    const instead = `write ${name} as a mapping of keys, such as { ${example(table)} }`;
    return reading.fault(path, `${show(item)} stands where ${name} belongs`, instead);
  }
  checkKeys(item, Object.keys(table), path, reading);
  const found: Record<string, unknown> = {};
  let whole = true;
  for (const [key, row] of Object.entries(table)) {
    const at = [...path, key];
    found[key] = row.otherwise;
    if (!Object.hasOwn(item, key)) {
      if (row.otherwise !== undefined) continue;
      reading.fault(path, `${name} has no ${key}`, `write ${key}: ${row.format.example}`);
    } else if (item[key] !== null) {
      const value = row.format.read(item[key], refuseAt(reading, at));
      if (value !== null) {
        found[key] = value;
        continue;
      }
    }
    if (row.otherwise === undefined) whole = false;
  }
  // Every key was read by the format of its row, so the record has the types of the table.
  return whole ? (found as Values<T>) : null;
}

function example(table: Table): string {
  const must = Object.entries(table).filter(([, row]) => row.otherwise === undefined);
  const shown = must.length > 0 ? must : Object.entries(table).slice(0, 1);
  return shown.map(([key]) => `${key}: ...`).join(", ");
}

/** Unknown keys are errors: a typo must never be a silent default. So are keys without a value. */
export function checkKeys(
  found: Mapping,
  known: readonly string[],
  path: Path,
  reading: Reading,
): void {
  for (const [key, value] of Object.entries(found)) {
    const at = [...path, key];
    if (isAfterComma(key, value)) reading.faultAtKey(at, ...COMMA);
    else if (!known.includes(key)) {
      reading.faultAtKey(at, `unknown key ${show(key)}`, insteadOf(key, known));
    } else if (value === null) {
      reading.faultAtKey(at, `${key} has no value`, "write one or delete the line");
    }
  }
}

/** In braces `max: 3,5 MW` reads as `max: 3` and an entry `5 MW` without a value. */
export const isAfterComma = (key: string, value: unknown): boolean =>
  value === null && /^\d+( |$)/.test(key);

export const COMMA = [
  "a decimal comma has cut the number before it",
  "write a decimal point, such as 3.5 MW",
] as const;

function insteadOf(key: string, known: readonly string[]): string {
  if (/^(pass(word|wd)?|secret|token)$/i.test(key) && known.includes("passwordFile")) {
    return "write passwordFile: FILE or passwordCredential: NAME; a config holds no secrets";
  }
  const close = nearest(key, known);
  return close === null ? `known here: ${known.join(", ")}` : `write ${close}`;
}

/** `write "wt07"`, or the whole list when nothing is near. */
export function suggest(word: string, known: readonly string[], none: string): string {
  if (known.length === 0) return none;
  const close = nearest(word, known);
  return close === null ? `known here: ${known.join(", ")}` : `write ${close}`;
}

/** Ids of a list that stand twice, whatever else is wrong with the items. */
export function checkUnique(items: readonly unknown[], path: Path, reading: Reading): void {
  const seen = new Set<unknown>();
  items.forEach((item, index) => {
    const id = isMapping(item) ? item["id"] : undefined;
    if (typeof id !== "string") return;
    const at = [...path, index, "id"];
    if (seen.has(id)) reading.fault(at, `${show(id)} is used twice`, "rename one");
    seen.add(id);
  });
}
