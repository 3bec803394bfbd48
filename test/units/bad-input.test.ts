//! What people and plants write of a unit, from the config to the wire: habits bind to the port that
//! declares the rest, what looks alike is told apart, and a contradiction is one clear error.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError } from "../../agent/base/errors.js";
import { CONFIG_KINDS } from "../../agent/fitting.js";
import { decode, targetOf } from "../../agent/sensors/decode.js";
import { unitBridge, unitIdOf } from "../../agent/sensors/eu.js";
import { parseMavlinkUnit } from "../../agent/units/mavlink.js";
import { isUnitFault } from "../../agent/units/parse.js";
import { parseWireUnit } from "../../agent/units/wire.js";
import { parseConfig } from "../../config/load.js";
import { channel, gather } from "../sensors/opcua-fixture.js";

const HEAD = `gateway: { id: gw, site: s }
mqtt: { url: "mqtt://localhost" }
opcua: { plc: { endpoint: "opc.tcp://localhost:4840" } }
`;

/** The channel of a config as loaded, or the faults that are printed. */
function load(kind: string, name: string, keys: string) {
  const text = `${HEAD}assets:\n  - id: a\n    kind: ${kind}\n    channels:\n      ${name}: { ${keys} }\n`;
  try {
    const found = parseConfig(Buffer.from(text), "a.yaml", CONFIG_KINDS, {}).assets[0]?.channels[0];
    if (found === undefined) throw new Error("no channel");
    return found;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

/** What the port takes of a unit as the config writes it: dimension, kind, factor, offset, point. */
function taken(kind: string, name: string, unit: string) {
  const found = load(kind, name, `mqtt: t, unit: ${JSON.stringify(unit)}`);
  if (typeof found === "string") throw new Error(found);
  const { dim, kind: unitKind, factor, offset, affine } = found.unit;
  return [dim, unitKind, Number(factor.toPrecision(9)), offset, affine];
}

test.each([
  ["wind-turbine", "generatorTorque", "N.m", ["J", "", 1, 0, false]],
  ["bearing", "torque", "N.m", ["J", "", 1, 0, false]],
  ["gas-turbine", "vibration1", "mm/s", ["m/s", "rms", 1e-3, 0, false]],
  ["wind-turbine", "rotorSpeed", "rpm", ["rad/s", "", 0.104719755, 0, false]],
  ["wind-turbine", "oilTemp", "degC", ["K", "", 1, 273.15, true]],
  ["generic", "energy", "kWh", ["J", "", 3.6e6, 0, false]],
  ["generic", "flow", "m3/h", ["m3/s", "", 0.000277777778, 0, false]],
  // The port says what is a point and what a difference: K alone does not.
  ["wind-turbine", "oilTemp", "K", ["K", "", 1, 0, true]],
  ["gas-turbine", "exhaustSpread", "Cel", ["K", "", 1, 0, false]],
  ["gas-turbine", "exhaustSpread", "[degF]", ["K", "", 0.555555556, 0, false]],
  // Percent and fraction are one quantity in two units, so each is converted, never guessed.
  ["wind-turbine", "gridCurtailment", "%", ["1", "", 0.01, 0, false]],
  ["wind-turbine", "gridCurtailment", "1", ["1", "", 1, 0, false]],
])("%s %s in %s binds to what the port declares", (kind, name, unit, wanted) => {
  expect(taken(kind, name, unit)).toEqual(wanted);
});

const LONG = "m.".repeat(5_000);
const WRONG = [
  ["unknown atom", "wind-turbine", "power", "kilowatt"],
  ["bad exponent", "wind-turbine", "windSpeed", "m/s^9"],
  ["a third", "wind-turbine", "windSpeed", "m^(1/3)"],
  ["empty", "wind-turbine", "power", ""],
  ["10 kB", "wind-turbine", "power", LONG],
  ["10 kB of parentheses", "wind-turbine", "power", "(".repeat(10_000)],
  ["prototype", "wind-turbine", "power", "__proto__"],
  ["constructor", "generic", "x", "constructor"],
  ["Cyrillic м", "wind-turbine", "windSpeed", "м/s"],
  ["Greek ρ for p", "generic", "x", "kρ"],
  ["Ohm behind a prefix", "generic", "x", "kΩ"],
  ["Cyrillic, all of it", "generic", "x", "кВт"],
  ["one sign for kW", "wind-turbine", "power", "㎾"],
  ["the sign of the kelvin", "generic", "x", "\u212a"],
  ["blank that does not break", "generic", "x", "km\u00a0/h"],
  ["nothing to see", "generic", "x", "k\u200bW"],
  ["fullwidth Ｗ", "wind-turbine", "power", "kＷ"],
  ["division slash", "wind-turbine", "windSpeed", "m∕s"],
  ["a rate at a point", "wind-turbine", "oilTemp", "Cel/min"],
  ["Hz at rpm", "wind-turbine", "rotorSpeed", "Hz"],
  ["rpm at Hz", "wind-turbine", "rotorSpeed", "1/min"],
  ["gram for gravity", "wind-turbine", "hssAccel", "g"],
  ["gravity in capitals", "wind-turbine", "hssAccel", "G"],
  ["energy as power", "wind-turbine", "power", "kWh"],
  ["percent of power", "wind-turbine", "power", "%"],
  ["another kind", "gas-turbine", "vibration1", "mm/s{peak}"],
  ["blanks", "generic", "x", "km / h"],
  ["no ASCII", "wind-turbine", "oilTemp", "°C"],
] as const;

test.each(WRONG)("config: %s", (_, kind, name, unit) => {
  const found = load(kind, name, `mqtt: t, unit: ${JSON.stringify(unit)}`);
  if (typeof found !== "string") throw new Error(`accepted as ${JSON.stringify(found.unit)}`);
  expect(found.split("\n").length).toBeLessThanOrEqual(3);
  expect(Math.max(...found.split("\n").map((line) => line.length))).toBeLessThan(240);
  expect(found).toMatchSnapshot();
});

test("a unit that nobody states is an error, unless the value is a plain number", () => {
  const said = [
    load("wind-turbine", "power", "mqtt: t"),
    load("generic", "x", "mqtt: t"),
    load("generic", "x", "opcua: plc, node: i=1"),
  ];
  expect(said.join("\n")).toMatchSnapshot();
  expect(load("wind-turbine", "state", "mqtt: t")).toMatchObject({ unitStated: false });
  expect(load("wind-turbine", "power", "simulated: power")).toMatchObject({ unitStated: false });
  // Over OPC UA the server may state it; opcua-bind.ts refuses where it does not.
  expect(load("wind-turbine", "power", "opcua: plc, node: i=1")).toMatchObject({
    unitStated: false,
  });
});

test("the attribute of a MAVLink field gives the unit, and must agree with `unit`", () => {
  const lone = load("quadrotor", "roll", "mqtt: t, mavlinkUnit: cdeg");
  expect(lone).toMatchObject({ unit: { text: "10*-2.deg", dim: "rad" }, unitStated: true });
  expect(load("quadrotor", "airTemp", "mqtt: t, mavlinkUnit: cdegC")).toMatchObject({
    unit: { factor: 0.01, offset: 273.15, affine: true },
  });
  expect(load("quadrotor", "accelZ", 'mqtt: t, mavlinkUnit: mG, unit: "10*-3.[g]"')).toMatchObject({
    unit: { factor: 9.80665e-3 },
  });
  const said = [
    load("quadrotor", "roll", "mqtt: t, unit: deg, mavlinkUnit: cdeg"),
    load("quadrotor", "roll", "mqtt: t, mavlinkUnit: cm"),
    load("quadrotor", "throttle", "mqtt: t, mavlinkUnit: dB"),
    load("generic", "x", "mqtt: t, mavlinkUnit: furlong"),
    load("generic", "x", "mqtt: t, mavlinkUnit: 7"),
  ];
  for (const text of said) expect(String(text).split("\n").length).toBeLessThanOrEqual(3);
  expect(said.join("\n")).toMatchSnapshot();
});

const UNECE = "http://www.opcfoundation.org/UA/units/un/cefact";
const server = (code: string | null, displayName: string, namespaceUri = UNECE) => ({
  namespaceUri,
  unitId: code === null ? -1 : unitIdOf(code),
  displayName,
});

test.each([
  ["N.m/rad", "NU", "N·m", 1, 0],
  ["mm/s{rms}", "C16", "mm/s", 1e-3, 0],
  ["mm/s{rms}", null, "mm/s RMS", 1e-3, 0],
  ["rpm", "RPM", "1/min", Math.PI / 30, 0],
  ["rpm", null, "RPM", Math.PI / 30, 0],
  ["Cel", null, "degC", 1, 273.15],
  ["Cel", null, "deg C", 1, 273.15],
  ["kWh", "KWH", "kWh", 3.6e6, 0],
  ["m3/h", null, "m³/hr", 1 / 3600, 0],
  ["bar{g}", null, "barg", 1e5, 0],
  ["kW", null, "KW", 1e3, 0],
  ["%", "P1", "%RH", 0.01, 0],
])("a port in %s takes what a server declares as %s %j", (port, code, shown, factor, offset) => {
  const found = unitBridge(channel(0, "x", port), server(code, shown), false);
  if (typeof found === "string") throw new Error(found);
  expect(found.factor).toBeCloseTo(factor, 12);
  expect(found.offset).toBeCloseTo(offset, 9);
});

test("what the server alone states is converted; silence on both sides is refused", () => {
  const kW = channel(0, "power", "kW");
  expect(unitBridge(kW, server("WTT", "W"), false)).toMatchObject({ factor: 1, unit: "kW" });
  expect(unitBridge(kW, server("MAW", ""), false)).toMatchObject({ factor: 1e6 });
  expect(unitBridge(kW, server(null, ""), true)).toBe(kW);
  // A spread in Celsius is a spread in kelvin; a temperature in kelvin is none in Celsius.
  const spread = { ...channel(0, "spread", "K"), difference: true };
  expect(unitBridge(spread, server("CEL", "°C"), false)).toMatchObject({ factor: 1, offset: 0 });
  expect(unitBridge(channel(0, "t", "Cel"), server("KEL", "K"), false)).toMatchObject({
    offset: 0,
  });
  expect(unitBridge(spread, server("CEL", "°C"), true)).toBe(spread);
  expect(message("K", { v: 20, u: "°C" }, true)).toBe(20);
  expect(message("K", { v: 20, u: "°C" })).toBe(293.15);
  expect(unitBridge(channel(0, "state", "1"), null, false)).toMatchObject({ factor: 1 });
  expect([
    unitBridge(kW, null, false),
    unitBridge(kW, server(null, ""), false),
    unitBridge(kW, server("KWH", "kWh"), false),
    unitBridge(kW, server("KWT", "W"), true),
    unitBridge(kW, server("KWT", "MW"), false),
  ]).toMatchSnapshot();
});

test.each([
  ["unknown atom", "kW", null, "kilofurlong"],
  ["10 kB", "kW", null, LONG],
  ["prototype", "kW", null, "__proto__"],
  ["Cyrillic м", "m/s", null, "м/s"],
  ["a rate at a point", "Cel", null, "°C/min"],
  ["Hz at rpm", "rpm", "HTZ", "Hz"],
  ["a bare rate", "rpm", "C94", "1/min"],
  ["gram for gravity", "m/s2", "GRM", "g"],
  ["energy as power", "kW", "KWH", "kWh"],
  ["percent for fraction", "1", "P1", "%"],
  ["fraction for percent", "%", "C62", "1"],
  ["peak for rms", "mm/s{rms}", null, "mm/s peak"],
  ["IEC 62720 by its text", "kW", "WTT", "W", "http://www.iec.ch/62720"],
])("OPC UA: %s", (_, unit, code, shown, space = UNECE) => {
  const found = unitBridge(channel(0, "x", unit), server(code, shown, space), true);
  if (typeof found !== "string") throw new Error("accepted");
  expect(found.split("\n").length).toBeLessThanOrEqual(3);
  expect(found.length).toBeLessThan(320);
  expect(found).toMatchSnapshot();
});

/** A JSON message to a channel: its SI value, or the reject with what the log says. */
function message(unit: string, json: object, difference = false) {
  const binding = { topic: "t", qos: 0, codec: "json", path: "$.v", time: null } as const;
  const own = { ...channel(0, "x", unit), difference };
  const target = targetOf(own, { ...binding, unitPath: "$.u", timeUnit: "ms" });
  const got = gather();
  const payload = Buffer.from(JSON.stringify(json));
  decode([target], { topic: "t", payload, r_ms: 1, retained: false }, got.intake);
  return got.samples[0]?.value ?? got.rejects[0];
}

test("no text crashes what reads the wire, and an accepted one is a scale", () => {
  const signs = "mskgNCelPbar.()/^{}12-[]% °µ·³×*rpm'Ω".split("");
  const scrap = fc.array(fc.constantFrom(...signs), { maxLength: 200 }).map((a) => a.join(""));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), scrap), (text) => {
      for (const read of [parseWireUnit(text), parseMavlinkUnit(text)]) {
        if (!isUnitFault(read)) expect(read.factor > 0 && Number.isFinite(read.offset)).toBe(true);
      }
    }),
    { numRuns: 5_000 },
  );
});

test("a message that states a unit is converted, or refused by a text that names both", () => {
  expect(message("kW", { v: 2, u: "MW" })).toBe(2e6);
  expect(message("Cel", { v: 20, u: "°F" })).toBeCloseTo(266.48, 2);
  expect(message("rpm", { v: 60, u: "rev/min" })).toBeCloseTo(2 * Math.PI, 12);
  expect(message("%", { v: 0.5, u: "1" })).toBe(0.5);
  const said = [
    message("kW", { v: 2, u: "kWh" }),
    message("rpm", { v: 2, u: "Hz" }),
    message("m/s2", { v: 2, u: "g" }),
    message("kW", { v: 2, u: LONG }),
    message("kW", { v: 2, u: "" }),
    message("kW", { v: 2, u: "__proto__" }),
    message("kW", { v: 2, u: { toString: 1 } }),
    message("mm/s{rms}", { v: 2, u: "mm/s{peak}" }),
  ];
  for (const text of said) expect(String(text).split("\n").length).toBeLessThanOrEqual(3);
  expect(said).toMatchSnapshot();
});

test("the engUnit of a Sparkplug metric in JSON, by the path that docs/unit-bridge.md gives", () => {
  const paths = 'path: "$.metrics[0].value", unitPath: "$.metrics[0].properties.engUnit.value"';
  const found = load("wind-turbine", "oilTemp", `mqtt: t, ${paths}, unit: Cel`);
  if (typeof found === "string" || found.binding.via !== "mqtt") throw new Error(String(found));
  const target = targetOf(channel(0, "oilTemp", "Cel"), found.binding);
  const read = (value: number, engUnit: string) => {
    const properties = { engUnit: { type: "String", value: engUnit } };
    const metrics = [{ name: "oilTemp", type: "Float", value, properties }];
    const got = gather();
    const payload = Buffer.from(JSON.stringify({ timestamp: 1, metrics, seq: 0 }));
    decode([target], { topic: "t", payload, r_ms: 1, retained: false }, got.intake);
    return got.samples[0]?.value ?? got.rejects[0];
  };
  expect(read(20, "°C")).toBe(293.15);
  expect(read(68, "degF")).toBeCloseTo(293.15, 9);
  expect(read(20, "bar")).toContain('the message says "bar" (dimension Pa against K)');
});
