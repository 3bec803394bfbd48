import { expect, test } from "vitest";
import { formatFault } from "../../agent/base/errors.js";

const FAULT = { file: "a.yaml", line: 7, column: 31, what: "cannot compare", instead: "" };
const said = (text: string, at: number, length: number): string[] =>
  formatFault({ ...FAULT, excerpt: { text, at, length } }).split("\n");

test("a fault within a text is three lines, the last with a caret below what is meant", () => {
  expect(formatFault({ ...FAULT, instead: "write A" })).toBe(
    "a.yaml:7:31: cannot compare; write A",
  );
  expect(said("x > 3 V && y", 0, 7)).toEqual([
    "a.yaml:7:31: cannot compare",
    "  x > 3 V && y",
    "  ^^^^^^^",
  ]);
  // At the end of the text there is nothing to stand under.
  expect(said("x >", 3, 1).at(-1)).toBe("     ^");
});

test("of a text of many lines or too long for a terminal the part around the fault is shown", () => {
  expect(said("x > 3 A &&\n\ty > 3 V\n&& z", 12, 7).slice(1)).toEqual(["   y > 3 V", "   ^^^^^^^"]);
  const long = `${"x > 3 A && ".repeat(30)}y > 3 V`;
  const [, line = "", caret = ""] = said(long, 330, 7);
  expect(line.length).toBeLessThan(100);
  expect(line.slice(caret.indexOf("^"))).toBe("y > 3 V");
  expect(said(long, 0, long.length).at(-1)?.length).toBeLessThan(100);
});
