import fc from "fast-check";
import { expect, test } from "vitest";
import { formatIn } from "../../agent/units/format.js";
import { isUnitFault, parseAmount, parseUnit, type Unit } from "../../agent/units/parse.js";

function unit(text: string): Unit {
  const parsed = parseUnit(text);
  if (isUnitFault(parsed)) throw new Error(`${text}: ${parsed.fault}`);
  return parsed;
}

test.each([
  ["m/s^2", "m/s2", 1, 0],
  ["m/s2", "m/s2", 1, 0],
  ["m.s-2", "m/s2", 1, 0],
  ["kg.m/s^2", "N", 1, 0],
  ["mm/s{rms}", "m/s", 1e-3, 0],
  ["kPa", "Pa", 1e3, 0],
  ["degC", "K", 1, 273.15],
  ["Cel/min", "K/s", 1 / 60, 0],
  ["[degF]", "K", 5 / 9, 459.67 * (5 / 9)],
  ["rpm", "rad/s", Math.PI / 30, 0],
  ["r/min", "rad/s", Math.PI / 30, 0],
  ["kWh", "J", 3.6e6, 0],
  ["m3/h", "m3/s", 1 / 3600, 0],
  ["[g]", "m/s2", 9.80665, 0],
  ["g", "kg", 1e-3, 0],
  ["%", "1", 0.01, 0],
  ["W/(m2.K)", "kg/s3/K", 1, 0],
  ["V/Hz^(1/2)", "kg.m2/s^(5/2)/A", 1, 0],
  ["MBy", "bit", 8e6, 0],
])("%s is %s", (text, dim, factor, offset) => {
  const parsed = unit(text);
  expect(parsed.dim).toBe(dim);
  expect(parsed.factor).toBeCloseTo(factor, 12);
  expect(parsed.offset).toBeCloseTo(offset, 9);
});

test.each(["", "mtr/s", "m/", "m^9", "m^(1/3)", "(m", "__proto__", "constructor", "м/s", "m//s"])(
  "%j is refused with a place",
  (text) => {
    const parsed = parseUnit(text);
    expect(isUnitFault(parsed) && parsed.fault.length > 0 && parsed.at >= 0).toBe(true);
  },
);

test("a 10 kB string is refused at once, and a near miss is named", () => {
  expect(parseUnit("m.".repeat(5_000))).toMatchObject({ at: 0 });
  expect(parseUnit("PSI")).toMatchObject({ fault: 'unknown unit "PSI"; write "[psi]"' });
});

test("the canonical spelling parses back to the same unit", () => {
  const atoms = fc.constantFrom("m", "s", "kg", "N", "kPa", "K", "rad", "mm", "min", "V", "A");
  const power = fc.constantFrom("", "2", "^2", "^-1", "^(1/2)", "-2");
  const factor = fc.tuple(atoms, power).map(([a, p]) => a + p);
  const expression = fc
    .array(fc.tuple(fc.constantFrom(".", "/"), factor), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.map(([op, f], i) => (i === 0 ? f : op + f)).join(""));
  fc.assert(
    fc.property(expression, (text) => {
      const first = parseUnit(text);
      if (isUnitFault(first)) return;
      const again = unit(first.ucum);
      expect(again.dim).toBe(first.dim);
      expect(again.factor).toBeCloseTo(first.factor, 12);
      expect(unit(first.dim).dim).toBe(first.dim);
    }),
    { numRuns: 2_000 },
  );
});

test("no string crashes the parser", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseUnit(text)));
});

test("amounts and formatting", () => {
  expect(parseAmount("5 MW")).toMatchObject({ value: 5e6 });
  expect(parseAmount("80 Cel")).toMatchObject({ value: 353.15 });
  expect(parseAmount("x")).toMatchObject({ fault: 'no number in "x"' });
  expect(formatIn(353.15, "degC")).toBe("80 Cel");
});
