//! What every benchmark ends with: one table on the terminal, one file under bench/results.
//!
//!   const rows: Row[] = [ratioRow("latency-1k", "ms", agent, script, { max: 2 }), ...];
//!   process.exitCode = report("pipeline", rows, { mosquitto: "2.0.11" });
//!
//! A run of some rows keeps the others of the file, each with the time at which it was measured.
//! A row's bound holds for `ratio` where there is one, else for `value`. A figure that could not
//! be measured is `failedRow(...)`: its value is null, and it counts as a missed bound.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { join } from "node:path";

/** The repository; this file runs as dist/bench/result.js. */
export const ROOT = join(import.meta.dirname, "../..");

export type Bound = { readonly min?: number; readonly max?: number };
export type Row = Bound & {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  readonly peer?: number;
  readonly ratio?: number;
  readonly note?: string;
  /** When it was measured; set by `report`. */
  readonly at?: string;
};

export type Results = {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
};

export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/** A row against a peer measured in the same run: the medians of both and their ratio. */
export function ratioRow(
  name: string,
  unit: string,
  ours: readonly number[],
  peers: readonly number[],
  bound: Bound,
): Row {
  const [value, peer] = [median(ours), median(peers)];
  const spread = (runs: readonly number[]) => runs.map(shown).join(" ");
  const note = `runs ${spread(ours)}; peer ${spread(peers)}`;
  return { name, value, unit, peer, ratio: value / peer, ...bound, note };
}

export function failedRow(name: string, unit: string, bound: Bound, why: string): Row {
  return { name, value: null, unit, ...bound, note: why };
}

/** False also for NaN and for what could not be measured; true where no bound is set. */
export function holds({ value, ratio, min, max }: Row): boolean {
  if (value === null) return false;
  const judged = ratio ?? value;
  return (min === undefined || judged >= min) && (max === undefined || judged <= max);
}

export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.name,
    shown(row.value),
    row.unit,
    shown(row.peer),
    shown(row.ratio),
    row.min !== undefined ? `>= ${row.min}` : row.max !== undefined ? `<= ${row.max}` : "",
    row.min === undefined && row.max === undefined ? "-" : holds(row) ? "pass" : "MISSED",
    row.note ?? "",
  ]);
  const all = [["row", "value", "unit", "peer", "ratio", "bound", "", "note"], ...lines];
  const wide = all[0]?.map((_, i) => Math.max(...all.map((line) => line[i]?.length ?? 0))) ?? [];
  return all
    .map((line) =>
      line
        .map((t, i) => t.padEnd(wide[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * Prints the table, writes the file, and returns the exit code, that of the rows just measured.
 * `partial`: rows of the file that this run did not measure stay.
 */
export function report(
  name: string,
  rows: readonly Row[],
  versions: Readonly<Record<string, string>> = {},
  partial = false,
): number {
  const folder = join(ROOT, "bench/results");
  mkdirSync(folder, { recursive: true });
  const machine = {
    cpu: cpus()[0]?.model ?? "?",
    cores: cpus().length,
    memory_MB: Math.round(totalmem() / 1e6),
    os: `${process.platform} ${release()} ${arch()}`,
  };
  const at = new Date().toISOString().slice(0, 16);
  const all = { node: process.versions.node, sterna: ownVersion(), ...versions };
  const measured = { machine, versions: all, rows: rows.map((row) => ({ ...row, at })) };
  const file = join(folder, `${name}.json`);
  const known = partial && existsSync(file) ? readResults(file) : null;
  const merged = known === null ? measured : merge(known, measured);
  if (known !== null && merged === measured) {
    console.log("the file is of another machine or version: only the rows of this run are kept");
  }
  writeFileSync(file, `${JSON.stringify(merged, null, 2)}\n`);
  console.log(`\n${table(rows)}`);
  return rows.every(holds) ? 0 : 1;
}

/** Fresh rows in the place of old ones; old ones of another machine or version count for nothing. */
export function merge(known: Results, fresh: Results): Results {
  // The kernel may differ: a gateway, like a build host, is updated between two measurements.
  const source = ({ machine: { cpu, cores }, versions }: Results) =>
    JSON.stringify([cpu, cores, versions]);
  if (source(known) !== source(fresh)) return fresh;
  const byName = new Map([...known.rows, ...fresh.rows].map((row) => [row.name, row]));
  return { ...fresh, rows: [...byName.values()] };
}

export function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, "utf8")) as Results;
}

/** A peer that is no number is named by a text. */
export function shown(value: number | string | null | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  if (value === null) return "none";
  return Math.abs(value) >= 1_000
    ? String(Math.round(value))
    : String(Number(value.toPrecision(3)));
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return String((manifest as { version?: unknown }).version);
}
