import fc from "fast-check";
import { expect, test } from "vitest";
import { between, bridge, claim, claimOf, fits } from "../../agent/units/bridge.js";
import { parseMavlinkUnit } from "../../agent/units/mavlink.js";
import { isUnitFault, parseUnit, type Unit } from "../../agent/units/parse.js";
import { boundCodes, refusedCodes, uneceUnit } from "../../agent/units/unece.js";

function unit(text: string): Unit {
  const parsed = parseUnit(text);
  if (isUnitFault(parsed)) throw new Error(`${text}: ${parsed.fault}`);
  return parsed;
}

function unece(code: string): Unit {
  const found = uneceUnit(code);
  if (found === null || typeof found === "string") throw new Error(`${code}: ${found}`);
  return found;
}

const port = (text: string) => ({ dim: unit(text).dim, unitKind: unit(text).kind });
const config = (text: string) => claimOf("the config says", text, unit(text));

// By hand from the column "conversion factor" of UNECE Recommendation 20, rev. 17, annex I; the
// dimension as SI writes it. Turns and byte are 2 pi rad and 8 bit here.
test.each([
  ["MTR", 1, "m"],
  ["CMT", 1e-2, "m"],
  ["MMT", 1e-3, "m"],
  ["4H", 1e-6, "m"],
  ["KMT", 1e3, "m"],
  ["FOT", 0.3048, "m"],
  ["INH", 0.0254, "m"],
  ["YRD", 0.9144, "m"],
  ["SMI", 1609.344, "m"],
  ["NMI", 1852, "m"],
  ["77", 25.4e-6, "m"],
  ["MTK", 1, "m2"],
  ["ACR", 4046.856, "m2"],
  ["MTQ", 1, "m3"],
  ["LTR", 1e-3, "m3"],
  ["GLL", 3.785412e-3, "m3"],
  ["GLI", 4.54609e-3, "m3"],
  ["BLL", 158.9873e-3, "m3"],
  ["OZA", 2.957353e-5, "m3"],
  ["PTI", 5.6826125e-4, "m3"],
  ["SEC", 1, "s"],
  ["MIN", 60, "s"],
  ["HUR", 3600, "s"],
  ["DAY", 86400, "s"],
  ["MTS", 1, "m/s"],
  ["KMH", 0.2777778, "m/s"],
  ["KNT", 0.5144444, "m/s"],
  ["FS", 0.3048, "m/s"],
  ["MSK", 1, "m/s2"],
  ["K40", 9.80665, "m/s2"],
  ["KGM", 1, "kg"],
  ["GRM", 1e-3, "kg"],
  ["TNE", 1e3, "kg"],
  ["LBR", 0.45359237, "kg"],
  ["ONZ", 2.834952e-2, "kg"],
  ["F13", 14.5939, "kg"],
  ["STI", 6.350293, "kg"],
  ["NEW", 1, "N"],
  ["C78", 4.448222, "N"],
  ["PAL", 1, "Pa"],
  ["BAR", 1e5, "Pa"],
  ["MBR", 100, "Pa"],
  ["ATM", 101325, "Pa"],
  ["PS", 6894.757, "Pa"],
  ["UA", 133.3224, "Pa"],
  ["N23", 9806.65, "Pa"],
  ["WTT", 1, "W"],
  ["KWT", 1e3, "W"],
  ["MAW", 1e6, "W"],
  ["HJ", 735.49875, "W"],
  ["JOU", 1, "J"],
  ["KWH", 3.6e6, "J"],
  ["WHR", 3600, "J"],
  ["D35", 4.184, "J"],
  ["BTU", 1055.056, "J"],
  ["NU", 1, "J"],
  ["85", 1.355818, "J"],
  ["AMP", 1, "A"],
  ["AMH", 3600, "C"],
  ["VLT", 1, "V"],
  ["OHM", 1, "Ohm"],
  ["HTZ", 1, "1/s"],
  ["D33", 1, "T"],
  ["76", 1e-4, "T"],
  ["DD", 1.745329e-2, "rad"],
  ["2A", 1, "rad/s"],
  ["RPM", 2 * Math.PI * 1.6666667e-2, "rad/s"],
  ["RPS", 2 * Math.PI, "rad/s"],
  ["KEL", 1, "K"],
  ["A48", 5 / 9, "K"],
  ["P1", 0.01, "1"],
  ["59", 1e-6, "1"],
  ["NX", 1e-3, "1"],
  ["DZN", 12, "1"],
  ["MQH", 2.777778e-4, "m3/s"],
  ["L2", 1.666667e-5, "m3/s"],
  ["AD", 8, "bit"],
])("UNECE %s is %d %s", (code, factor, dim) => {
  const found = unece(code);
  expect(found.dim).toBe(dim);
  expect(Math.abs(found.factor / factor - 1)).toBeLessThan(5e-7);
});

test("Celsius and Fahrenheit are points; levels, packages and withdrawn codes are refused", () => {
  expect(unece("CEL")).toMatchObject({ affine: true, offset: 273.15 });
  expect(unece("FAH").offset).toBeCloseTo(255.3722222, 6);
  for (const code of ["2N", "DBM", "Q30", "NM3", "80", "XBX", "EA", "05"]) {
    expect(typeof (uneceUnit(code) ?? "none"), code).toBe("string");
  }
  expect([uneceUnit("2N"), uneceUnit("NM3"), uneceUnit("ZZQ"), uneceUnit("__proto__")]).toEqual([
    "a level: it is logarithmic, and no factor carries it",
    "a volume of gas at a reference state that the code does not tell",
    null,
    null,
  ]);
});

test("every code is read, once, as a unit or as a reason", () => {
  const codes = [...boundCodes(), ...refusedCodes()];
  expect(new Set(codes).size).toBe(codes.length);
  expect(boundCodes().length).toBeGreaterThanOrEqual(1374);
  for (const code of boundCodes()) {
    const { factor, dim } = unece(code);
    expect(factor > 0 && Number.isFinite(factor) && dim !== "", code).toBe(true);
  }
});

test("MAVLink spells units its own way", () => {
  const read = (text: string) => {
    const found = parseMavlinkUnit(text);
    return isUnitFault(found) ? found.fault : [found.factor, found.offset, found.dim];
  };
  expect(read("degE7")).toEqual([(1e-7 * Math.PI) / 180, 0, "rad"]);
  expect(read("cdegC")).toEqual([0.01, 273.15, "K"]);
  expect(read("mG")).toEqual([9.80665e-3, 0, "m/s2"]);
  expect(read("m/s*5")).toEqual([0.2, 0, "m/s"]);
  expect(read("deg/2")).toEqual([Math.PI / 90, 0, "rad"]);
  expect(read("mV")).toEqual([1e-3, 0, "V"]);
  expect(read("dBm")).toBe("a level is logarithmic; convert it at the sender");
  expect(read("furlong")).toContain("unknown unit");
});

test("sources that agree give one scale, and an unsaid kind or turn is the port's", () => {
  const spark = claim("the Sparkplug engUnit says", " °C ");
  const server = claimOf("the server says", "CEL", unece("CEL"));
  expect(bridge(port("Cel"), [config("degC"), server, spark])).toMatchObject({
    factor: 1,
    offset: 273.15,
  });
  expect(bridge(port("mm/s{rms}"), [config("mm/s")])).toMatchObject({ factor: 1e-3 });
  expect(bridge(port("N.m/rad"), [claim("engUnit says", "N·m")])).toMatchObject({ factor: 1 });
});

test("a conflict names every source and what it says, in at most three lines", () => {
  const engUnit = (text: string) => claim("the Sparkplug engUnit says", text);
  const texts = [
    bridge(port("kW"), [config("kW"), engUnit("W"), claim("the server says", "kW")]),
    bridge(port("kW"), [config("kW"), engUnit("kWh")]),
    bridge(port("mm/s{rms}"), [config("mm/s{rms}"), engUnit("mm/s{peak}")]),
    bridge(port("Pa{abs}"), [config("bar{g}")]),
    bridge(port("K"), [config("K"), engUnit("°C")]),
    bridge(port("K"), [config("Cel"), engUnit("°F")]),
    bridge(port("Hz"), [config("Hz"), engUnit("rpm")]),
    bridge(port("m/s2"), [config("[g]"), engUnit("furlongs")]),
    bridge(port("%"), []),
  ];
  for (const text of texts) {
    expect(typeof text).toBe("string");
    expect(String(text).split("\n").length).toBeLessThanOrEqual(3);
  }
  expect(texts.join("\n")).toMatchSnapshot();
});

const VALUES = fc
  .double({ min: -1e6, max: 1e6, noNaN: true })
  .map((x) => (Math.abs(x) < 1e-200 ? 0 : x)); // beneath, digits are lost by underflow

test("there and back is identity within 1e-12, over every code of one dimension", () => {
  const units = boundCodes().map(unece);
  const alike = [...Map.groupBy(units, (u) => `${u.dim}{${u.kind}}`).values()];
  const pair = fc
    .constantFrom(...alike)
    .chain((group) => fc.tuple(fc.constantFrom(...group), fc.constantFrom(...group)));
  fc.assert(
    fc.property(pair, VALUES, ([a, b], x) => {
      const there = between(a, b);
      const back = between(b, a);
      expect(fits({ dim: b.dim, unitKind: b.kind }, a)).toBe(true);
      if (there === null || back === null) throw new Error("no bridge");
      const y = (x * there.factor + there.offset) * back.factor + back.offset;
      const scale = Math.max(Math.abs(x), Math.abs(back.offset), Number.MIN_VALUE);
      expect(Math.abs(y - x) / scale).toBeLessThan(1e-12);
    }),
    { numRuns: 2000 },
  );
  expect(between(unit("kW"), unit("kWh"))).toBeNull();
  expect(between(unit("bar{g}"), unit("bar{abs}"))).toBeNull();
});
