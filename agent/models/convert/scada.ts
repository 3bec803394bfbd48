//! Rows of a turbine's records from a CSV file, in SI. A column is named by its header; its unit
//! stands in the header's parentheses, or behind an equals sign: `--power "P_avg=kW"`.
import { isUnitFault, parseUnit, type Unit } from "../../units/parse.js";

export type Scada = Readonly<Record<string, Float64Array>>;

/** `wanted`: what each is to be, by the name it gets: a header and a unit of its dimension. */
export type Wanted = Readonly<Record<string, { readonly header: string; readonly unit: string }>>;

const ROWS_MAX = 5_000_000;

/** Rows in which every wanted value is a number, in the file's order; a text says what is wrong. */
export function readScada(text: string, wanted: Wanted): Scada | string {
  const [head = "", ...lines] = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.length > ROWS_MAX) return `at most ${ROWS_MAX} rows are read`;
  const separator = head.includes(";") ? ";" : head.includes("\t") ? "\t" : ",";
  const headers = head.split(separator).map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
  const columns: { readonly name: string; readonly at: number; readonly unit: Unit }[] = [];
  for (const [name, { header, unit }] of Object.entries(wanted)) {
    const found = findColumn(headers, header, unit);
    if (typeof found === "string") return `${name}: ${found}`;
    columns.push({ name, ...found });
  }
  const values = columns.map((): number[] => []);
  for (const line of lines) {
    const cells = line.split(separator);
    const row = columns.map(({ at, unit }) => {
      return numberOf(cells[at], separator) * unit.factor + unit.offset;
    });
    if (!row.every(Number.isFinite)) continue;
    for (const [i, value] of row.entries()) values[i]?.push(value);
  }
  return Object.fromEntries(
    columns.map(({ name }, i) => [name, Float64Array.from(values[i] ?? [])]),
  );
}

/** An empty cell is no zero. Where commas do not separate, one is a decimal point. */
function numberOf(cell: string | undefined, separator: string): number {
  const plain = cell?.trim() ?? "";
  const text = separator === "," ? plain : plain.replace(",", ".");
  return text === "" ? Number.NaN : Number(text);
}

function findColumn(headers: readonly string[], header: string, expected: string) {
  const [, named = header, stated] = /^(.*)=([^=]+)$/.exec(header) ?? [];
  const at = headers.indexOf(named);
  if (at < 0) return `no column "${named}"; there are ${headers.map((h) => `"${h}"`).join(", ")}`;
  const text = stated ?? /\(([^()]+)\)\s*$/.exec(named)?.[1];
  if (text === undefined) return `column "${named}" states no unit; write "${named}=${expected}"`;
  const [unit, like] = [parseUnit(text), parseUnit(expected)];
  if (isUnitFault(unit)) return `column "${named}": unit ${text}: ${unit.fault}`;
  if (!isUnitFault(like) && unit.dim !== like.dim) {
    return `column "${named}" is in ${text}; it must be of the dimension of ${expected}`;
  }
  return { at, unit };
}
