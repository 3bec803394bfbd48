import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCondition } from "../../agent/rules/compile.js";
import { type Condition, type Signal, UNKNOWN, type Verdict } from "../../agent/rules/rule.js";

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
    fc.tuple(fc.constantFrom("avg", "rms", "min", "max", "rate"), tie("number")).map(
      ([f, of]): Text =>
        (w) =>
          `${f}(${of(w)}, 8 s)`,
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
    tie("truth").map(
      (of): Text =>
        (w) =>
          `held(${of(w)}, 8 s)`,
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

/** After 16 s at two values, so that windows over windows are full and have something to tell. */
function judge(condition: Condition, values: readonly number[]): Verdict {
  const before = new Float64Array(values.map((value) => value * 0.5));
  const now = new Float64Array(values);
  for (let s = 0; s < 16; s++) condition.observe(s < 12 ? before : now, s * 1_000);
  return condition.judge(now);
}

test("a rule that is accepted gives one verdict in any system of units", () => {
  let accepted = 0;
  let decided = 0;
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
      const verdict = judge(ours, given);
      if (verdict !== UNKNOWN) decided += 1;
      expect(judge(scaled, there), text("ours")).toBe(verdict);
    }),
    { numRuns: 20_000 },
  );
  expect(accepted).toBeGreaterThan(1_000);
  expect(decided).toBeGreaterThan(900);
});

/** Two points and a difference of one dimension; all values are exact in binary. */
const PLACES = new Map<string, Signal>(
  ["p", "q", "d"].map((name, index) => [
    name,
    { name, index, dim: "m", kind: "", point: name !== "d" },
  ]),
);
const place = fc.letrec<{ of: string }>((tie) => ({
  of: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("p", "q", "d", "2") },
    fc
      .tuple(tie("of"), fc.constantFrom("+", "-", "*"), tie("of"))
      .map(([l, op, r]) => `(${l} ${op} ${r})`),
    fc
      .tuple(fc.constantFrom("min", "max"), tie("of"), tie("of"))
      .map(([f, l, r]) => `${f}(${l}, ${r})`),
    fc
      .tuple(fc.constantFrom("abs", "avg", "min", "max", "rate", "rms"), tie("of"))
      .map(([f, of]) => (f === "abs" ? `abs(${of})` : `${f}(${of}, 8 s)`)),
  ),
})).of;

test("a rule that is accepted does not depend on where points are counted from", () => {
  let decided = 0;
  const three = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(place, fc.constantFrom("<", "<=", ">", ">="), place, three, (l, op, r, given) => {
      const [here, there] = [0, 1].map(() => compileCondition(`${l} ${op} ${r}`, PLACES));
      if (here === undefined || there === undefined || "fault" in here || "fault" in there) return;
      const [p = 0, q = 0, d = 0] = given;
      const shifted = (frame: Float64Array): Float64Array =>
        frame.map((value, i) => (i === 2 ? value : value + 64));
      let verdict: Verdict = UNKNOWN;
      for (let s = 0; s < 17; s++) {
        const frame = s < 12 ? Float64Array.of(q, p, d) : Float64Array.of(p, q, d);
        here.observe(frame, s * 1_000);
        there.observe(shifted(frame), s * 1_000);
        verdict = here.judge(frame);
        expect(there.judge(shifted(frame)), `${l} ${op} ${r}`).toBe(verdict);
      }
      if (verdict !== UNKNOWN) decided += 1;
    }),
    { numRuns: 5_000 },
  );
  expect(decided).toBeGreaterThan(300);
});
