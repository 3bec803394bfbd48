import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError } from "../../agent/base/errors.js";
import { loadConfig, parseConfig } from "../../config/load.js";

test("the shipped example loads", () => {
  const config = loadConfig(join(import.meta.dirname, "../../config/examples/threshold.yaml"));
  expect(config.assets[0]?.channels[0]).toMatchObject({ name: "current", staleAfter_ms: 30_000 });
});

test("whatever the text, a config or its faults", () => {
  const line = fc.constantFrom(
    "assets:",
    "  - id: a",
    "    channels:",
    "      x: { unit: A }",
    "- 1",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(line).map((l) => l.join("\n")),
  );
  fc.assert(
    fc.property(text, (content) => {
      try {
        parseConfig(content, "x.yaml");
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["brackets", "a:\n  " + "[".repeat(1_000_000), "x.yaml:2:67: nested too deeply"],
  ["braces", "{a: ".repeat(250_000), "x.yaml:1:257: nested too deeply"],
  ["dashes", "- ".repeat(400_000), "x.yaml:1:129: nested too deeply"],
])("a million %s are a fault, not the end of the process", (_, text, said) => {
  expect(() => parseConfig(text, "x.yaml")).toThrow(said);
});

test("aliases cannot blow a config up", () => {
  const bomb =
    "a: &a [x, x]\n" +
    Array.from({ length: 20 }, (_, i) => {
      const [to, from] = [String.fromCharCode(98 + i), String.fromCharCode(97 + i)];
      return `${to}: &${to} [*${from}, *${from}]`;
    }).join("\n");
  expect(() => parseConfig(bomb, "x.yaml")).toThrow(ConfigError);
});
