//! Any table of numbers through the monitor of a generic machine: a row is an instant, a column a
//! channel. The sets of ../shared become recordings in memory, and are never copied.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { reference } from "../../agent/accel/reference.js";
import { type Fitted, KINDS } from "../../agent/assets.js";
import type { Want } from "../../agent/models/commission-stage.js";
import type { GenericUse } from "../../agent/models/generic-spec.js";
import type { Baseline } from "../../agent/models/setup.js";

/** Beside the repository, in which both vitest and the benchmarks run. */
export const SHARED = join(process.cwd(), "../shared/data");

export type Column = { readonly name: string; readonly unit: string };

export class GenericRig {
  readonly fitted: Fitted;
  readonly #columns: readonly Column[];
  readonly #values: Float64Array;
  readonly #said = new Map<string, number>();

  constructor(
    columns: readonly Column[],
    use: GenericUse,
    learn: { readonly want?: Want; readonly baseline?: Baseline; readonly adapts?: boolean },
  ) {
    const kind = KINDS["generic"];
    if (kind === undefined) throw new Error("generic");
    this.#columns = columns;
    this.#values = new Float64Array(columns.length).fill(Number.NaN);
    this.fitted = kind.monitors({
      id: "g",
      nameplate: {},
      baseline: learn.baseline ?? null,
      backend: reference,
      channels: new Set(columns.map((c) => c.name)),
      declared: columns.map((c) => ({ ...c, point: false, coded: c.name === "state" })),
      want: learn.want ?? null,
      adapts: learn.adapts ?? true,
      generic: use,
    });
    if (this.fitted.faults.length > 0) throw new Error(JSON.stringify(this.fitted.faults));
  }

  feed(t_ms: number, row: readonly number[]): void {
    const [monitor] = this.fitted.monitors;
    if (monitor === undefined) return;
    // As Watch does: each sample into the frame, then the monitors that read it.
    const at = monitor.inputs.map((name) => this.#columns.findIndex((c) => c.name === name));
    const frame = {
      get: (input: number) => this.#values[at[input] ?? -1] ?? Number.NaN,
      set: (output: number, value: number) => {
        this.#said.set(monitor.outputs[output]?.name ?? "", value);
      },
    };
    at.forEach((column, input) => {
      this.#values[column] = row[column] ?? Number.NaN;
      monitor.onSample(frame, input, t_ms);
    });
  }

  get(name: string): number {
    return this.#said.get(name) ?? Number.NaN;
  }

  /** What the rules `unusual` and `sensor-*` would raise now. */
  get alarm(): "machine" | "sensor" | null {
    if (this.get("health.index") > this.get("health.limit")) return "machine";
    const odd = this.#columns.some((c) => this.get(`${c.name}.fault`) > 0);
    return odd ? "sensor" : null;
  }
}

export const readGzip = (...path: readonly string[]): string =>
  gunzipSync(readFileSync(join(SHARED, ...path))).toString("utf8");

/** C-MAPSS: 26 columns, one row a cycle, one asset whose cycle counter falls at each engine. */
export const CMAPSS_COLUMNS: readonly Column[] = [
  ["cycle", "1"],
  ["altitude", "[ft_i]"],
  ["mach", "1"],
  ["tra", "1"],
  ...["T2", "T24", "T30", "T50"].map((name): [string, string] => [name, "[degR]"]),
  ...["P2", "P15", "P30"].map((name): [string, string] => [name, "[psi]"]),
  ["Nf", "rpm"],
  ["Nc", "rpm"],
  ["epr", "1"],
  ["Ps30", "[psi]"],
  ["phi", "1"],
  ["NRf", "rpm"],
  ["NRc", "rpm"],
  ["BPR", "1"],
  ["farB", "1"],
  ["htBleed", "1"],
  ["NfDmd", "rpm"],
  ["NRfDmd", "rpm"],
  ["W31", "1"],
  ["W32", "1"],
].map(([name = "", unit = ""]) => ({ name, unit }));
export const CMAPSS_SETTINGS = ["altitude", "mach", "tra"];

export type Engine = {
  readonly rows: readonly (readonly number[])[];
  readonly rul: readonly number[];
};

/** Engines of a set; `rul` counts down to the last cycle, plus what the RUL file says of a test one. */
export function readEngines(part: "train" | "test", set: string): Engine[] {
  const left = readGzip("cmapss", `RUL_${set}.txt.gz`).trim().split(/\s+/).map(Number);
  const engines = new Map<number, number[][]>();
  for (const line of readGzip("cmapss", `${part}_${set}.txt.gz`).trim().split("\n")) {
    const [unit = 0, ...row] = line.trim().split(/\s+/).map(Number);
    const rows = engines.get(unit) ?? [];
    rows.push(row);
    engines.set(unit, rows);
  }
  return [...engines].map(([unit, rows]) => {
    const more = part === "test" ? (left[unit - 1] ?? 0) : 0;
    return { rows, rul: rows.map((_, i) => rows.length - 1 - i + more) };
  });
}
