import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCondition } from "../../agent/rules/compile.js";
import type { Signal } from "../../agent/rules/rule.js";

/** Powers of two: rescaling them is exact, so verdicts must be equal to the last bit. */
const TIMES: Readonly<Record<string, number>> = { A: 2, V: 8, W: 16, K: 0.5, "1": 1 };
const NAMES = ["a", "b", "u", "t", "dt", "n"] as const;
const DIMS = { a: "A", b: "A", u: "V", t: "K", dt: "K", n: "1" } as const;
const SIGNALS = new Map<string, Signal>(
  NAMES.map((name, index) => [
    name,
    { name, index, dim: DIMS[name], kind: "", point: name === "t" },
  ]),
);

/** A rule as a function of the world: each literal is written in its units. */
type Text = (world: "ours" | "scaled") => string;
const signal = fc.constantFrom(...NAMES).map(
  (name): Text =>
    () =>
      name,
);
const literal = fc
  .tuple(fc.integer({ min: -8, max: 8 }), fc.constantFrom("A", "V", "W", "K", "1"))
  .map(([value, unit]): Text => {
    return (world) => {
      const times = world === "ours" ? 1 : (TIMES[unit] as number);
      return `${value * times}${unit === "1" ? "" : ` ${unit}`}`;
    };
  });
const { number, truth } = fc.letrec<{ number: Text; truth: Text }>((tie) => ({
  number: fc.oneof(
    { weight: 5, arbitrary: signal },
    { weight: 3, arbitrary: literal },
    fc.tuple(tie("number"), fc.constantFrom("+", "-", "*", "/"), tie("number")).map(
      ([l, op, r]): Text =>
        (w) =>
          `(${l(w)} ${op} ${r(w)})`,
    ),
    fc.tuple(fc.constantFrom("min", "max"), tie("number"), tie("number")).map(
      ([f, l, r]): Text =>
        (w) =>
          `${f}(${l(w)}, ${r(w)})`,
    ),
    tie("number").map(
      (of): Text =>
        (w) =>
          `abs(${of(w)})`,
    ),
  ),
  truth: fc.oneof(
    { weight: 4, arbitrary: comparison(tie("number"), tie("number")) },
    fc.tuple(tie("truth"), fc.constantFrom("&&", "||"), tie("truth")).map(
      ([l, op, r]): Text =>
        (w) =>
          `(${l(w)} ${op} ${r(w)})`,
    ),
    tie("truth").map(
      (of): Text =>
        (w) =>
          `!(${of(w)})`,
    ),
  ),
}));

function comparison(left: fc.Arbitrary<Text>, right: fc.Arbitrary<Text>): fc.Arbitrary<Text> {
  return fc.tuple(left, fc.constantFrom("<", "<=", ">", ">="), right).map(
    ([l, op, r]): Text =>
      (w) =>
        `${l(w)} ${op} ${r(w)}`,
  );
}

test("a rule that is accepted gives one verdict in any system of units", () => {
  let accepted = 0;
  const values = fc.array(fc.integer({ min: -8, max: 8 }), {
    minLength: NAMES.length,
    maxLength: NAMES.length,
  });
  fc.assert(
    fc.property(fc.oneof(truth, comparison(number, number)), values, (text, given) => {
      const ours = compileCondition(text("ours"), SIGNALS);
      const scaled = compileCondition(text("scaled"), SIGNALS);
      // Whether a rule is accepted depends on its units, not on its numbers.
      expect("fault" in ours).toBe("fault" in scaled);
      if ("fault" in ours || "fault" in scaled) return;
      accepted += 1;
      const there = given.map((value, i) => value * (TIMES[DIMS[NAMES[i] ?? "n"]] as number));
      const verdict = ours.judge(new Float64Array(given));
      expect(scaled.judge(new Float64Array(there)), text("ours")).toBe(verdict);
    }),
    { numRuns: 20_000 },
  );
  expect(accepted).toBeGreaterThan(1_000);
});
