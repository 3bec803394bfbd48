import fc from "fast-check";
import { expect, test } from "vitest";
import { formatIn, readable, valueIn } from "../../agent/units/format.js";
import { fromDecibel, toDecibel } from "../../agent/units/level.js";
import {
  combineDimensions,
  isUnitFault,
  parseAmount,
  parseUnit,
  type Unit,
} from "../../agent/units/parse.js";
import { registerBases } from "../../agent/units/vector.js";
import { parseWireUnit } from "../../agent/units/wire.js";

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

test("a 10 kB string is refused before it is read", () => {
  const fault = "a unit has at most 128 characters, this one 10000";
  expect(parseUnit("m.".repeat(5_000))).toEqual({ fault, at: 0, length: 128 });
  expect(parseUnit("(".repeat(128))).toMatchObject({ at: 4 });
  expect(parseAmount(`5 ${"m.".repeat(5_000)}`)).toHaveProperty("fault");
});

test.each([
  "",
  "m/",
  ".m",
  "m..s",
  "mtr",
  "PSI",
  "khz",
  "°C",
  "µm",
  "m²",
  "m·s",
  "N*m",
  "km / h",
  "barg",
  "percent",
  "dB",
  "G",
  "m^9",
  "m^(1/3)",
  "m0",
  "m^(2/2)",
  "m8.m",
  "N^8",
  "(m",
  "m)",
  "(m/s)2",
  "m{rms",
  "m{}",
  "m{a}/s{b}",
  "m{rms}2",
  "0",
  "__proto__",
  "constructor",
  "м/s",
  "2^3",
  "kΩ",
  "kρ",
  "(((((m)))))",
  `m{${"x".repeat(40)}}`,
  "10*123",
  "10^",
  "m^(1/2",
  "m.s^(17/2)",
  "m ",
  "k€",
  "((((((m))))))",
  `m{${"k".repeat(33)}}`,
  "[foo]",
  "m{rms}s",
])("the fault of %j has a place and a way out", (text) => {
  const parsed = parseUnit(text);
  if (!isUnitFault(parsed)) throw new Error(`accepted as ${parsed.dim}`);
  expect(parsed.fault.split("\n").length).toBeLessThanOrEqual(3);
  const caret = " ".repeat(parsed.at) + "^".repeat(parsed.length);
  expect(`${parsed.fault}\n${text}\n${caret}`).toMatchSnapshot();
});

test.each([
  ["m/s^2", "m/s2"],
  ["m/s/s", "m/s/s"],
  ["rpm", "circ/min"],
  ["r/min", "circ/min"],
  ["W/rpm", "W/(circ/min)"],
  ["kWh", "kW.h"],
  ["EUR/kWh", "EUR/(kW.h)"],
  ["mAh", "mA.h"],
  ["degC", "Cel"],
  ["psi{g}", "[psi]{g}"],
  ["mm/s{rms}", "mm/s{rms}"],
  ["{cells}/uL", "/uL{cells}"],
  ["{rms}", "{rms}"],
  ["10^3.m", "10^3.m"],
  ["W/(m^2.K)", "W/(m2.K)"],
  ["V/Hz^(1/2)", "V/Hz^(1/2)"],
  ["kNm", "kN.m"],
])("%s is spelt %s on the wire", (text, ucum) => {
  expect(unit(text).ucum).toBe(ucum);
});

test("what looks alike is told apart", () => {
  expect(unit("g")).toMatchObject({ dim: "kg", factor: 1e-3 });
  expect(unit("[g]")).toMatchObject({ dim: "m/s2", factor: 9.80665 });
  expect(unit("rpm").dim).not.toBe(unit("Hz").dim);
  expect(unit("N.m/rad").dim).not.toBe(unit("J").dim);
  expect(unit("kWh").dim).toBe("J");
  expect(unit("Cel/min")).toMatchObject({ affine: false, offset: 0, dim: "K/s" });
  expect(unit("mCel")).toMatchObject({ affine: true, offset: 273.15 });
  expect(unit("mm3").factor).toBe(1e-9);
  expect(unit("EUR").dim).not.toBe(unit("USD").dim);
  expect(unit("m/(s.A)").dim).toBe(unit("m/s/A").dim);
  expect(unit("m/s.A").dim).toBe("m.A/s");
});

test("a base of one's own", () => {
  expect(isUnitFault(parseUnit("pallet/h"))).toBe(true);
  registerBases("pallet");
  expect(unit("pallet/h").dim).toBe("pallet/s");
  expect(unit("m.pallet").dim).toBe("m.pallet");
});

test.each([
  ["°C", "Cel"],
  ["m³/h", "m3/h"],
  ["N·m", "N.m"],
  [" µm ", "um"],
  ["km / h", "km/h"],
  ["mm/s", "mm/s"],
])("the wire may say %j for %s", (text, ucum) => {
  expect(parseWireUnit(text)).toMatchObject({ ucum });
});

test("dimensions multiply and divide", () => {
  expect(combineDimensions("N", "m/s", 1)).toBe("W");
  expect(combineDimensions("W", "V", -1)).toBe("A");
  expect(combineDimensions("m8", "m", 1)).toBe(null);
  expect(combineDimensions("m^(1/2)", "m^(1/2)", 1)).toBe("m");
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

test("no string crashes the parser, and a fault points inside its text", () => {
  const signs = "mskgN.()/^{}12-[]%°'10*rpm".split("");
  const scrap = fc.array(fc.constantFrom(...signs)).map((a) => a.join(""));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), scrap), (text) => {
      const parsed = parseUnit(text);
      if (!isUnitFault(parsed)) return Number.isFinite(parsed.factor) && parsed.factor > 0;
      return parsed.at >= 0 && parsed.at + parsed.length <= Math.max(text.length, 128);
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ["5 MW", 5e6],
  ["5MW", 5e6],
  ["60 s", 60],
  ["200 MBy", 1.6e9],
  ["0 deg", 0],
  ["80 Cel", 353.15],
  ["-20 Cel", 253.15],
  ["5 %", 0.05],
  ["0.85", 0.85],
  [" 1e3 Pa ", 1e3],
  [".5 s", 0.5],
])("the amount %j", (text, value) => {
  const amount = parseAmount(text);
  if ("fault" in amount) throw new Error(amount.fault);
  expect(amount.value).toBeCloseTo(value, 12);
});

test.each(["x", "", "5,5 m", "1 h 30 min", "1e999 m", "5 mtr", "NaN m", "0x10 m"])(
  "the amount %j is refused",
  (text) => {
    expect(parseAmount(text)).toMatchSnapshot();
  },
);

test("numbers for people and for the wire", () => {
  expect(formatIn(353.15, "degC")).toBe("80 Cel");
  expect(formatIn(0.0045, "mm/s{rms}")).toBe("4.5 mm/s{rms}");
  expect(formatIn(123456, "W")).toBe("123456 W");
  expect(readable(353.15, "Cel")).toBe("80 °C");
  expect(readable(50 * Math.PI, "r/min")).toBe("1500 rpm");
  expect(readable(0.0045, "mm/s{rms}")).toBe("4.5 mm/s rms");
  expect(readable(0.85, "1")).toBe("0.85");
  expect(readable(Number.NaN, "W")).toBe("? W");
  expect(valueIn(0, "degF")).toBeCloseTo(-459.67, 9);
});

test("levels in decibel", () => {
  expect(fromDecibel(3, "power")).toBeCloseTo(1.9953, 4);
  expect(toDecibel(10, "field")).toBeCloseTo(20, 12);
  expect(toDecibel(-1, "power")).toBeNaN();
});
