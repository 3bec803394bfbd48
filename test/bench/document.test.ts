import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pages, withTables } from "../../bench/document.js";
import { merge, type Results } from "../../bench/result.js";

const results: Results = {
  machine: { cpu: "X", memory_MB: 100 },
  versions: { node: "24" },
  rows: [
    { name: "a", value: 3, unit: "ms", peer: 2, ratio: 1.5, max: 2, at: "2026-01-02T03:04" },
    { name: "b", value: null, unit: "1", min: 5, note: "x | y" },
  ],
};

test("the tables of docs are those of bench/results: npm run docs:bench", () => {
  const found = pages(join(import.meta.dirname, "../.."));
  expect(found.length).toBeGreaterThan(0);
  for (const { file, text } of found) expect(readFileSync(file, "utf8")).toBe(text);
});

test("a table has each bound with its outcome, and nothing outside of the marks is touched", () => {
  const page = "before\n<!-- bench x -->\nold\n<!-- /bench -->\nafter\n";
  expect(withTables(page, () => results).split("\n")).toEqual([
    "before",
    "<!-- bench x -->",
    "Machine: cpu X, memory 100 MB. Versions: node 24.",
    "",
    "| row | value | peer | ratio | bound | | measured | note |",
    "|---|---|---|---|---|---|---|---|",
    "| a | 3 ms | 2 | 1.5 | ratio <= 2 | pass | 2026-01-02 03:04 |  |",
    "| b | none |  |  | >= 5 | **missed** |  | x / y |",
    "<!-- /bench -->",
    "after",
    "",
  ]);
  expect(withTables(page, () => null)).toContain("Not measured yet.");
});

test("rows measured now replace those of the file, unless the machine is another", () => {
  const fresh = { ...results, rows: [{ name: "b", value: 9, unit: "1", min: 5 }] };
  expect(merge(results, fresh).rows.map(({ name, value }) => [name, value])).toEqual([
    ["a", 3],
    ["b", 9],
  ]);
  const other = { ...fresh, machine: { cpu: "Y" } };
  expect(merge(results, other)).toBe(other);
});
