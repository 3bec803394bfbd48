//! A million strings through every parser of units and rules: no crash, no hang, bounded time.
import fc from "fast-check";
import { compileCondition } from "../agent/rules/compile.js";
import type { Signal } from "../agent/rules/rule.js";
import { isUnitFault, parseAmount, parseUnit } from "../agent/units/parse.js";
import { parseWireUnit } from "../agent/units/wire.js";
import type { Row } from "./result.js";

const COUNT = 1_000_000;
const SLOWEST_MS = 5;
const PIECES = "m s kg N kPa Cel % [psi] {rms} {g . / ^ ( ) ^(1/2) 2 -1 10* 10*3 [ ] ' EUR r/min"
  .concat(" 5 1e9 - && || ! not and > <= == + * , abs( avg( rate( min( x y.z 10 s true __proto__")
  .concat(" constructor µ ° ² · м 𝛀 \u0000 \u202e")
  .split(" ");
const ATOMS = "m s kg mm N kPa bar K A V rad % EUR min h [psi] 10*3 (m/s) {rms} mtr".split(" ");
const SIGNALS = new Map<string, Signal>(
  ["x", "y.z"].map((name, index) => [name, { name, index, dim: "m", kind: "", point: false }]),
);

/** How many of the slowest strings are tried again. */
const KEPT = 100;

const parseAll = (text: string) =>
  [
    parseUnit(text),
    parseAmount(text),
    parseWireUnit(text),
    compileCondition(text, SIGNALS),
  ] as const;

function timed_ms(text: string): number {
  const from_ms = performance.now();
  parseAll(text);
  return performance.now() - from_ms;
}

export function fuzzRows(): Row[] {
  const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 24 }).map((all) => all.join(""));
  const factor = fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom("", "", "2", "^-1", "^(1/2)"));
  const unit = fc
    .array(fc.tuple(fc.constantFrom(".", "/"), factor), { minLength: 1, maxLength: 5 })
    .map((all) => all.map(([op, [a, e]], i) => (i === 0 ? a + e : op + a + e)).join(""));
  const rule = fc
    .tuple(fc.constantFrom("x", "y.z", "abs(x)", "avg(y.z, 10 s)"), fc.constantFrom(..."<>"), unit)
    .map(([left, op, right]) => `${left} ${op} 5 ${right}`);
  const texts = fc.oneof(
    { weight: 3, arbitrary: pieces },
    { weight: 2, arbitrary: unit },
    { weight: 2, arbitrary: fc.array(rule, { maxLength: 3 }).map((all) => all.join(" && ")) },
    { weight: 3, arbitrary: fc.string({ maxLength: 60 }) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
    {
      weight: 1,
      arbitrary: fc.tuple(pieces, fc.nat(400)).map(([text, times]) => text.repeat(times)),
    },
  );
  let accepted = 0;
  let slowest: (readonly [text: string, ms: number])[] = [];
  const property = fc.property(texts, (text) => {
    const from_ms = performance.now();
    const found = parseAll(text);
    const [, limit_ms] = slowest.at(-1) ?? ["", 0];
    const took_ms = performance.now() - from_ms;
    if (slowest.length < KEPT || took_ms > limit_ms) {
      slowest = [...slowest, [text, took_ms] as const].sort(([, a], [, b]) => b - a).slice(0, KEPT);
    }
    const [unit] = found;
    accepted += found.some((one) => !("fault" in one)) ? 1 : 0;
    if (isUnitFault(unit)) return unit.at >= 0 && unit.fault.length < 400;
    return Number.isFinite(unit.factor) && unit.factor > 0;
  });
  fc.assert(property, { numRuns: COUNT, seed: 1 });
  // Again, for what was slow was mostly the collector or another process.
  const again = slowest.map(([text]) =>
    Math.min(...Array.from({ length: 5 }, () => timed_ms(text))),
  );
  return [
    {
      name: "fuzz-strings",
      unit: "1",
      value: COUNT,
      min: COUNT,
      note: `${accepted} of them read as a unit, an amount or a rule`,
    },
    {
      name: "fuzz-slowest",
      unit: "ms",
      value: Math.max(...again),
      max: SLOWEST_MS,
      note: `the ${KEPT} slowest again, best of 5: four parsers on one string`,
    },
  ];
}
