import { expect, test } from "vitest";
import { publishPacket } from "../../bench/load.js";
import { failedRow, holds, median, percentile, ratioRow, table } from "../../bench/result.js";

test("percentile takes a measured value, never one in between", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile(values, 1)).toBe(100);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
  expect(values[0]).toBe(100);
});

test("median of odd, even and no runs", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test("a bound holds for the ratio where there is one, else for the value", () => {
  expect(holds({ name: "a", value: 900, unit: "ms", ratio: 2, max: 2 })).toBe(true);
  expect(holds({ name: "a", value: 1, unit: "ms", ratio: 2.01, max: 2 })).toBe(false);
  expect(holds({ name: "a", value: 40_000, unit: "msg/s", min: 40_000 })).toBe(true);
  expect(holds({ name: "a", value: 39_999, unit: "msg/s", min: 40_000 })).toBe(false);
  expect(holds({ name: "a", value: 1, unit: "s" })).toBe(true);
});

test("what could not be measured is a missed bound", () => {
  expect(holds(failedRow("a", "ms", { max: 2 }, "no broker"))).toBe(false);
  expect(holds({ name: "a", value: Number.NaN, unit: "ms", max: 2 })).toBe(false);
  expect(holds(ratioRow("a", "ms", [], [1], { max: 2 }))).toBe(false);
});

test("a ratio is that of the medians", () => {
  const row = ratioRow("a", "ms", [9, 2, 3], [1, 8, 2], { max: 2 });
  expect(row).toMatchObject({ value: 3, peer: 2, ratio: 1.5, max: 2 });
});

test("the table names the bound and the outcome of each row", () => {
  const rows = [
    { name: "good", value: 1.5, unit: "ms", max: 2 },
    { name: "bad", value: 12_345.6, unit: "msg/s", min: 40_000 },
    { name: "plain", value: 1, unit: "s" },
  ];
  expect(
    table(rows)
      .split("\n")
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ["row", "value", "unit", "peer", "ratio", "bound", "note"],
    ["good", "1.5", "ms", "<= 2", "pass"],
    ["bad", "12346", "msg/s", ">= 40000", "MISSED"],
    ["plain", "1", "s", "-"],
  ]);
});

test("PUBLISH by hand is PUBLISH, beyond 127 bytes too", () => {
  expect(publishPacket("a/b", "hi").toString("hex")).toBe("30070003612f626869");
  const long = publishPacket("a/b", "x".repeat(200));
  expect([...long.subarray(0, 5)]).toEqual([0x30, 0xcd, 0x01, 0, 3]);
  expect(long.length).toBe(3 + 205);
});
