//! Whatever stands in the file: a config, or a list of faults with their places.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError } from "../../agent/base/errors.js";
import { packageFile } from "../../agent/base/files.js";
import { parseConfig } from "../../config/load.js";
import { KINDS } from "./kinds.js";

const GUIDE = readFileSync(packageFile("test/fixtures/guide.yaml"), "utf8");

function outcome(text: string | Uint8Array): "config" | "faults" {
  try {
    parseConfig(text, "sterna.yaml", KINDS, {});
    return "config";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.faults.length).toBeGreaterThan(0);
    for (const fault of error.faults) {
      expect(fault.line).toBeGreaterThanOrEqual(0);
      expect(fault.column).toBeGreaterThanOrEqual(0);
      expect(fault.what).not.toBe("");
      expect(`${fault.what}${fault.instead}`).not.toMatch(/[\n\t]/);
    }
    return "faults";
  }
}

test("whatever the text, a config or its faults", () => {
  const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(fc.oneof(fc.string(), json), (text) => void outcome(text)),
    {
      numRuns: 300,
    },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void outcome(bytes)));
});

test("whatever is cut, doubled or exchanged in a good config, a config or its faults", () => {
  const words = GUIDE.split(/(?<=[\s:,{}[\]"])/);
  const odd = fc.constantFrom(..."{}[]:,\"'&*|>-?\t\n", "null", "1e999", ".nan", "__proto__", "<<");
  const edit = fc.record({ at: fc.nat(words.length - 1), put: fc.option(odd) });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      const changed = [...words];
      for (const { at, put } of edits) changed[at] = put ?? "";
      outcome(changed.join(""));
    }),
    { numRuns: 200 },
  );
});

test("every value by every other type, a config or its faults", () => {
  const values: readonly unknown[] = [null, 1, -1, 1.5, true, "", "x", "5 s", [], [1], { a: 1 }];
  const places = GUIDE.matchAll(/: ("[^"]*"|[\w.$/-]+(?: \w+)?)(?=[ ,}\n])/g);
  for (const { index, 0: found } of places) {
    for (const value of values) {
      const rest = GUIDE.slice(index + found.length);
      outcome(`${GUIDE.slice(0, index)}: ${JSON.stringify(value)}${rest}`);
    }
  }
});

test("hostile sizes end at once", () => {
  const texts = ["[", "{a: ", "- ", "? ", "a: ", "a:\n ", "&a ", "!a "].map((part) => {
    return part.repeat(8_192);
  });
  const stairs = Array.from({ length: 600 }, (_, i) => `${" ".repeat(i)}a:\n`).join("");
  const long = "x".repeat((1 << 20) + 1);
  for (const text of [...texts, stairs, long]) expect(outcome(text)).toBe("faults");
});
