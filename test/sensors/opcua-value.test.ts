import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, rangeDoubt, unitIdOf } from "../../agent/sensors/eu.js";
import { qualityOf, type Reading, takeReading } from "../../agent/sensors/opcua-value.js";
import { channel, gather, unitConflict } from "./opcua-fixture.js";

const UNECE = "http://www.opcfoundation.org/UA/units/un/cefact";
const declared = (unitId: number, displayName = "", namespaceUri: string = UNECE) => ({
  namespaceUri,
  unitId,
  displayName,
});

test("a unitId is the common code as bytes", () => {
  expect([codeOf(4408652), codeOf(5067595), codeOf(20529)]).toEqual(["CEL", "MSK", "P1"]);
  expect([codeOf(-1), codeOf(0), codeOf(7)]).toEqual([null, null, null]);
  expect(unitIdOf("CEL")).toBe(4408652);
});

test.each([
  ["Cel", "CEL"],
  ["degC", "CEL"],
  ["m/s^2", "MSK"],
  ["kW", "KWT"],
  ["W", "WTT"],
  ["rpm", "RPM"],
  ["r/min", "RPM"],
  ["m/s", "MTS"],
  ["mm/s{rms}", "C16"],
  ["bar", "BAR"],
  ["bar{g}", "BAR"],
  ["Pa", "PAL"],
  ["kPa", "KPA"],
  ["V", "VLT"],
  ["A", "AMP"],
  ["Hz", "HTZ"],
  ["%", "P1"],
  ["N.m/rad", "NU"],
  ["N.m", "NU"],
  ["deg", "DD"],
  ["kWh", "KWH"],
  ["L/min", "L2"],
  ["psi", "PS"],
])("%s agrees with UNECE %s", (unit, code) => {
  expect(unitConflict(channel(0, "x", unit), declared(unitIdOf(code)))).toBeNull();
});

test.each([
  ["Cel", "°C"],
  ["Cel", "degC"],
  ["rpm", "r/min"],
  ["rpm", "rpm"],
  ["m3/h", "m³/h"],
  ["psi", "psi"],
  ["N.m/rad", "N·m"],
  ["um", "µm"],
  ["Ohm", "Ω"],
  ["m/s^2", "m/s²"],
])("%s agrees with the printed %s where unitId is -1", (unit, display) => {
  expect(unitConflict(channel(0, "x", unit), declared(-1, display))).toBeNull();
});

test.each([
  ["kW", unitIdOf("WTT"), "W", "another factor"],
  ["K", unitIdOf("CEL"), "°C", "another zero"],
  ["Cel", unitIdOf("FAH"), "°F", "another scale"],
  ["Hz", unitIdOf("RPM"), "rpm", "turns are no cycles"],
  ["rad/s", unitIdOf("HTZ"), "Hz", "nor radians"],
  ["rpm", unitIdOf("C94"), "1/min", "a bare rate is ambiguous"],
  ["Cel", -1, "C", "coulomb, as written"],
  ["mm/s{rms}", -1, "mm/s{peak}", "another kind"],
  ["kW", unitIdOf("ZZZ"), "", "an unknown code"],
  ["kW", -1, "furlongs", "an unreadable text"],
])("%s against unitId %i %s is a conflict (%s)", (unit, unitId, display) => {
  const why = unitConflict(channel(0, "x", unit), declared(unitId, display));
  expect(why).toContain(`the config says unit "${unit}"`);
  expect(why).toContain(`"${display}" (unitId ${unitId}`);
});

test("no declaration is no conflict; a foreign namespace is read by its text", () => {
  expect(unitConflict(channel(0, "x", "kW"), declared(-1))).toBeNull();
  expect(unitConflict(channel(0, "x", "kW"), declared(0))).toBeNull();
  const iec = declared(unitIdOf("WTT"), "kW", "http://www.iec.ch/62720");
  expect(unitConflict(channel(0, "x", "kW"), iec)).toBeNull();
});

test("an EURange beside the config's limits is doubted, 0 to 0 is none", () => {
  const oil = { ...channel(0, "oil", "Cel"), min: 250, max: 450 };
  expect(rangeDoubt(oil, -40, 120)).toBeNull();
  expect(rangeDoubt(oil, 0, 0)).toBeNull();
  expect(rangeDoubt(oil, 500, 900)).toContain("no reading fits both");
});

const DOUBLE = 11;
const reading = (value: unknown, more: Partial<Reading> = {}, dataType = DOUBLE): Reading => ({
  value: { dataType, arrayType: 0, value },
  statusCode: { value: 0 },
  sourceTimestamp: new Date(1000),
  serverTimestamp: new Date(2000),
  ...more,
});

function take(written: Reading, unit = "kW") {
  const got = gather();
  takeReading(channel(4, "x", unit), written, 3000, got.intake, "n");
  return got.samples[0] ?? got.rejects[0];
}

test("source time, else server time, else arrival; 1601 is no time", () => {
  const none = { sourceTimestamp: null };
  expect(take(reading(1))).toMatchObject({ t_ms: 1000, r_ms: 3000, value: 1000 });
  expect(take(reading(1, none))).toMatchObject({ t_ms: 2000 });
  expect(take(reading(1, { ...none, serverTimestamp: null }))).toMatchObject({ t_ms: 3000 });
  const zero = { sourceTimestamp: new Date("1601-01-01"), serverTimestamp: null };
  expect(take(reading(1, zero))).toMatchObject({ t_ms: 3000 });
});

test("64-bit integers come as words, arrays and times are no scalars", () => {
  const INT64 = 8;
  expect(take(reading([0xffffffff, 0xfffffffb], {}, INT64), "1")).toMatchObject({ value: -5 });
  expect(take(reading([1, 2], {}, 9), "1")).toMatchObject({ value: 4294967298 });
  const array = { dataType: DOUBLE, arrayType: 1, value: new Float64Array([1, 2]) };
  expect(take(reading(0, { value: array }))).toBe("wrong-type 4 n");
  expect(take(reading(new Date(), {}, 13))).toBe("wrong-type 4 n");
  expect(take(reading(null))).toBe("empty 4 n");
});

test("a localized text is read through the codes of the channel", () => {
  const got = gather();
  const state = { ...channel(4, "state", "1"), codes: { "": 9, RUN: 1 } };
  const text = (value: string | null) => reading({ text: value, locale: "en" }, {}, 21);
  takeReading(state, text("RUN"), 0, got.intake, "n");
  takeReading(state, text("FLY"), 0, got.intake, "n");
  expect(got.samples.map((s) => s.value)).toEqual([1]);
  expect(got.rejects).toEqual(["unknown-code 4 n"]);
});

test("whatever a server sends: one finite sample or one reject, and bad is never good", () => {
  const value = fc.oneof(fc.double(), fc.anything());
  const status = fc.nat(0xffffffff);
  fc.assert(
    fc.property(
      value,
      fc.integer({ min: 0, max: 30 }),
      fc.nat(3),
      status,
      (v, type, array, code) => {
        const got = gather();
        const held = { dataType: type, arrayType: array, value: v };
        const sent = reading(0, { value: held, statusCode: { value: code } });
        takeReading(channel(4, "x", "kW"), sent, 3000, got.intake, "n");
        expect(got.samples.length + got.rejects.length).toBe(1);
        for (const sample of got.samples) {
          expect(Number.isFinite(sample.value)).toBe(true);
          expect(sample.quality).toBe(qualityOf(code));
          expect(sample.quality === "good").toBe(code < 0x40000000);
        }
      },
    ),
  );
});
