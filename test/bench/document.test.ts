import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pages, withTables } from "../../bench/document.js";
import { TEST_SEED } from "../../bench/fleet-plan.js";
import { WORK } from "../../bench/monitor-rows.js";
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

test("the evaluation names rows that are measured, and the seeds that the command takes", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/evaluation.md"), "utf8");
  const prose = page.replace(/<!-- bench [\s\S]*?<!-- \/bench -->|<!-- missed.*?\/missed -->/g, "");
  const rows = ["eval-minutes", ...WORK.flatMap(({ names }) => names)];
  const named = [...prose.matchAll(/`([a-z0-9]+(?:-[a-z0-9]+)+)(-\*|-\.\.\.)?`/g)];
  expect(named.length).toBeGreaterThan(10);
  const strange = named.filter(([, name = "", rest]) =>
    rest === undefined ? !rows.includes(name) : !rows.some((row) => row.startsWith(`${name}-`)),
  );
  expect(strange.map(([text]) => text)).toEqual([]);
  expect(prose).toContain(`have the seeds ${TEST_SEED} to `);
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

test("the sentence about missed bounds names them", () => {
  const page = "In short: <!-- missed x -->old<!-- /missed -->";
  const begin = "In short: <!-- missed x -->";
  expect(withTables(page, () => results)).toBe(
    `${begin}Of 2 bounds 1 missed: \`b\`.<!-- /missed -->`,
  );
  const kept = { ...results, rows: results.rows.slice(0, 1) };
  expect(withTables(page, () => kept)).toContain("Of 1 bounds none is missed.");
  expect(withTables(page, () => null)).toContain("Not measured yet.<!--");
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
