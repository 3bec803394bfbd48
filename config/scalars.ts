//! The scalars of the config through convict: its schema is made from the same rows as the tables.
import convict from "convict";
import type { Path } from "./config.js";
import { A_MAPPING } from "./formats.js";
import { checkKeys, isMapping, type Mapping, type Row, type Table, type Values } from "./rows.js";
import { SCALARS, TOP } from "./schema.js";
import type { Reading } from "./yaml.js";

type Groups = { readonly [K in keyof typeof SCALARS]: Values<(typeof SCALARS)[K]> };
export type Scalars = Groups & Values<typeof TOP>;

/** Groups that may be absent as a whole, although they have required keys. */
const OPTIONAL_GROUPS = ["mqtt"];
const GROUPS: Readonly<Record<string, Table>> = SCALARS;
/** What parts a message of convict into the fields of a fault. */
const SEPARATOR = "\t";

/**
 * Every scalar, each fault said. A wrong one reads as its default, so that what depends on it is
 * still checked: a config with faults is never returned.
 */
export function readScalars(root: Mapping, reading: Reading): Scalars {
  const absent = Object.keys(GROUPS).filter((group) => {
    const optional = OPTIONAL_GROUPS.includes(group) && !Object.hasOwn(root, group);
    return optional || (Object.hasOwn(root, group) && !isMapping(root[group]));
  });
  const settings = convict<Record<string, unknown>>(schemaWithout(absent), { env: {}, args: [] });
  settings.load(knownOf(root, reading));
  try {
    settings.validate({ allowed: "strict" });
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    for (const line of message.split("\n")) report(line, reading);
  }
  const checked: Mapping = settings.getProperties();
  const found: Record<string, unknown> = valuesOf(TOP, checked);
  for (const [group, table] of Object.entries(GROUPS)) {
    const values = checked[group];
    found[group] = valuesOf(table, isMapping(values) ? values : {});
  }
  // Each group holds what its rows read.
  return found as Scalars;
}

function valuesOf(table: Table, checked: Mapping): Record<string, unknown> {
  const entries = Object.entries(table).map(([key, row]): [string, unknown] => {
    const written = checked[key] ?? null;
    const value = written === null ? null : row.format.read(written, () => null);
    return [key, value ?? (row.otherwise === undefined ? "" : row.otherwise)];
  });
  return Object.fromEntries(entries);
}

/** The keys that convict knows; the others are faults, and so is a group that is no mapping. */
function knownOf(root: Mapping, reading: Reading): Record<string, unknown> {
  const known: Record<string, unknown> = {};
  for (const key of Object.keys(TOP)) {
    if (root[key] !== undefined && root[key] !== null) known[key] = leaf(root[key]);
  }
  for (const [group, table] of Object.entries(GROUPS)) {
    const given = root[group];
    if (given === undefined || given === null) continue;
    if (!isMapping(given)) {
      reading.fault([group], `${group} is a group of keys`, `write ${group}: { key: value }`);
      continue;
    }
    checkKeys(given, Object.keys(table), [group], reading);
    const entries = Object.entries(given).filter(([k, v]) => Object.hasOwn(table, k) && v !== null);
    known[group] = Object.fromEntries(entries.map(([k, v]) => [k, leaf(v)]));
  }
  return known;
}

const leaf = (value: unknown): unknown => (isMapping(value) ? A_MAPPING : value);

function schemaWithout(absent: readonly string[]): convict.Schema<Record<string, unknown>> {
  const schema: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(TOP)) schema[key] = propertyOf(row);
  for (const [group, table] of Object.entries(GROUPS)) {
    if (absent.includes(group)) continue;
    const rows = Object.entries(table).map(([key, row]) => [key, propertyOf(row)]);
    schema[group] = Object.fromEntries(rows);
  }
  // A tree of properties is what convict calls a schema.
  return schema as convict.Schema<Record<string, unknown>>;
}

function propertyOf(row: Row<unknown>): convict.SchemaObj {
  const { format, doc, written } = row;
  // convict coerces texts to the type of the default ("no" would be true) unless a format does it.
  convict.addFormat({
    name: format.name,
    coerce: (value: unknown) => value,
    validate(value: unknown) {
      if (value === null) throw new Error(["", "missing", format.example].join(SEPARATOR));
      format.read(value, (what, instead, at = 0) => {
        throw new Error(["", what, instead, at].join(SEPARATOR));
      });
    },
  });
  const name = format.name as "*"; // the types of convict list its own formats only
  const nullable = row.otherwise !== undefined && written === null;
  // Sensitive: convict must not print values, some of which are secrets put in the wrong place.
  return { doc, format: name, default: written, nullable, sensitive: true };
}

/** One line of convict's message: `mqtt.url: TAB what TAB instead TAB offset`. */
function report(line: string, reading: Reading): void {
  const [name = "", what = "", instead = "", at = "0"] = line.split(SEPARATOR);
  const path: Path = name.replace(/: $/, "").split(".");
  if (what !== "missing") {
    reading.fault(path, what, instead, Number(at));
    return;
  }
  const [group = "", key = ""] = path.map(String);
  reading.fault([group], `${group} has no ${key}`, `write ${key}: ${instead}`);
}
