//! Writes the tables of docs/ out of bench/results: what stands between `<!-- bench NAME -->` and
//! `<!-- /bench -->` is made, and so is the sentence about missed bounds between `<!-- missed NAME -->`
//! and `<!-- /missed -->`; a test holds both to the files.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { holds, type Results, ROOT, type Row, readResults, shown } from "./result.js";

const BLOCK = /(<!-- bench ([\w-]+) -->\n)[\s\S]*?(<!-- \/bench -->)/g;
const MISSED = /(<!-- missed ([\w-]+) -->)[\s\S]*?(<!-- \/missed -->)/g;

/** A page with its tables made anew; `read` gives the results of a benchmark, null where none are. */
export function withTables(page: string, read: (name: string) => Results | null): string {
  const made =
    (make: (results: Results) => string, after: string) =>
    (_: string, begin: string, name: string, end: string): string => {
      const results = read(name);
      return `${begin}${results === null ? `Not measured yet.${after}` : make(results)}${end}`;
    };
  return page.replace(BLOCK, made(tableOf, "\n")).replace(MISSED, made(missedOf, ""));
}

function missedOf({ rows }: Results): string {
  const bounded = rows.filter(({ min, max }) => min !== undefined || max !== undefined);
  const missed = bounded.filter((row) => !holds(row)).map(({ name }) => `\`${name}\``);
  if (missed.length === 0) return `Of ${bounded.length} bounds none is missed.`;
  return `Of ${bounded.length} bounds ${missed.length} missed: ${missed.join(", ")}.`;
}

function tableOf({ machine, versions, rows }: Results): string {
  const of = (parts: Readonly<Record<string, string | number>>) =>
    Object.entries(parts)
      .map(
        ([key, value]) => `${key.replace(/_.*/, "")} ${value}${key.endsWith("_MB") ? " MB" : ""}`,
      )
      .join(", ");
  const lines = [
    `Machine: ${of(machine)}. Versions: ${of(versions)}.`,
    "",
    "| row | value | peer | ratio | bound | | measured | note |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map(lineOf),
  ];
  return `${lines.join("\n")}\n`;
}

function lineOf(row: Row): string {
  const { name, value, unit, peer, ratio, min, max, at, note } = row;
  const bounded = min !== undefined || max !== undefined;
  const bound = min !== undefined ? `>= ${min}` : max !== undefined ? `<= ${max}` : "";
  const cells = [
    name,
    `${shown(value)} ${unit === "1" ? "" : unit}`.trim(),
    shown(peer),
    shown(ratio),
    bounded && ratio !== undefined ? `ratio ${bound}` : bound,
    bounded ? (holds(row) ? "pass" : "**missed**") : "",
    at?.replace("T", " ") ?? "",
    (note ?? "").replaceAll("|", "/"),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Every page of docs that has tables, with its text as it should be. */
export function pages(root: string): { readonly file: string; readonly text: string }[] {
  const read = (name: string): Results | null => {
    const file = join(root, "bench/results", `${name}.json`);
    return existsSync(file) ? readResults(file) : null;
  };
  return readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(root, "docs", name))
    .filter((file) => readFileSync(file, "utf8").includes("<!-- bench "))
    .map((file) => ({ file, text: withTables(readFileSync(file, "utf8"), read) }));
}

if (import.meta.main) for (const { file, text } of pages(ROOT)) writeFileSync(file, text);
