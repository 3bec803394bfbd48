import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type OpcuaUnit,
  type RunningOpcuaServer,
  startOpcuaServer,
} from "../../agent/cli/demo/opcua-server.js";
import { codeOf, unitIdOf } from "../../agent/sensors/eu.js";
import { uneceUnit } from "../../agent/units/unece.js";
import {
  bound,
  channel,
  gather,
  options,
  stage,
  unitConflict,
  unitNode,
  until,
} from "./opcua-fixture.js";

const UNECE = "http://www.opcfoundation.org/UA/units/un/cefact";
const here = stage();
const FOREIGN = "ns=2;s=Foreign";
// What the server declares, what the config says, and whether the channel may run.
const CASES = [
  ["Cel", unitIdOf("CEL"), "°C", "Cel", true],
  ["Minus", -1, "°C", "Cel", true],
  ["Flow", unitIdOf("MQH"), "", "m3/h", true],
  ["Torque", unitIdOf("NU"), "N·m", "N.m/rad", true],
  ["Rms", unitIdOf("C16"), "mm/s", "mm/s{rms}", true],
  ["Gauge", unitIdOf("BAR"), "bar", "bar{g}", true],
  ["Silent", -1, "", "kW", true],
  ["Odd", unitIdOf("ZZQ"), "kW", "kW", true],
  ["Fahrenheit", unitIdOf("FAH"), "°F", "Cel", false],
  ["Dimension", unitIdOf("KWH"), "kWh", "kW", false],
  ["Peak", -1, "mm/s{peak}", "mm/s{rms}", false],
  ["Unknown", unitIdOf("ZZQ"), "", "kW", false],
  ["Level", unitIdOf("2N"), "dB", "1", false],
  ["Words", -1, "furlongs", "m", false],
  ["Energy", unitIdOf("KWH"), "kWh", "kWh", true],
  ["Shaft", -1, "RPM", "rpm", true],
  ["Turns", unitIdOf("RPM"), "1/min", "rpm", true],
  ["Degrees", -1, "deg C", "degC", true],
  ["Frequency", unitIdOf("HTZ"), "Hz", "rpm", false],
  ["Gram", unitIdOf("GRM"), "g", "[g]", false],
  ["Percent", unitIdOf("P1"), "%", "1", false],
  ["Rate", -1, "°C/min", "Cel", false],
  ["Lookalike", -1, "м/s", "m/s", false],
  ["Prototype", -1, "__proto__", "kW", false],
  ["Long", -1, "m.".repeat(5_000), "m", false],
  ["Clash", unitIdOf("KWT"), "W", "kW", false],
] as const;
const nodeOf = (name: string): string => `ns=2;s=${name}`;

let server: RunningOpcuaServer;

beforeAll(async () => {
  const foreign = unitNode(FOREIGN, unitIdOf("WTT"), "kW");
  const unit = { unitId: 1, displayName: "kW", description: "", namespaceUri: "urn:iec:62720" };
  server = await startOpcuaServer({
    port: 0,
    stateDir: here.folder(),
    nodes: [
      ...CASES.map(([name, unitId, display]) => unitNode(nodeOf(name), unitId, display)),
      { ...foreign, unit: { ...unit, unitId: unitIdOf("WTT") } },
    ],
  });
});
afterAll(async () => {
  await here.clear();
  await server.stop();
});

test("a real server's EngineeringUnits decide which channels run, and every refusal says why", async () => {
  const got = gather();
  const t = Date.now();
  for (const [name] of CASES) server.set(nodeOf(name), 2, t);
  server.set(FOREIGN, 2, t);
  const bindings = CASES.map(([name, , , unit], i) => bound(channel(i, name, unit), nodeOf(name)));
  const last = CASES.length;
  bindings.push(bound(channel(last, "foreign", "kW"), FOREIGN));
  await here.source(options(server.endpoint), bindings, here.folder(), got);
  const good = CASES.flatMap(([, , , , runs], i) => (runs ? [i] : [])).concat(last);
  const bad = CASES.flatMap(([, , , , runs], i) => (runs ? [] : [i]));
  await until("all channels", () => new Set(got.samples.map((s) => s.channel)).size >= good.length);
  expect([...new Set(got.samples.map((s) => s.channel))].sort((a, b) => a - b)).toEqual(good);
  expect([...got.refusals.keys()].sort((a, b) => a - b)).toEqual(bad);
  const reading = (i: number) => got.samples.find((s) => s.channel === i)?.value;
  expect(reading(0)).toBe(275.15);
  expect(reading(1)).toBe(275.15);
  expect(reading(2)).toBeCloseTo(2 / 3600, 12);
  expect(reading(last)).toBe(2000);
  const texts = bad.map((i) => got.refusals.get(i) ?? "");
  for (const text of texts) expect(text.split("\n").length).toBeLessThanOrEqual(3);
  expect(texts.join("\n")).toMatchSnapshot();
});

test("a config without a unit takes the server's, and is refused where nobody states one", async () => {
  const nodes = ["Cel", "Flow", "Dimension", "Silent"] as const;
  const units = ["K", "m3/h", "kW", "kW"];
  const got = gather();
  for (const name of nodes) server.set(nodeOf(name), 2, Date.now());
  const bindings = nodes.map((name, i) => ({
    ...bound({ ...channel(i, name, units[i] ?? ""), difference: i === 0 }, nodeOf(name)),
    unitStated: false,
  }));
  await here.source(options(server.endpoint), bindings, here.folder(), got);
  await until("two refusals", () => got.refusals.size === 2);
  await until("two channels", () => new Set(got.samples.map((s) => s.channel)).size === 2);
  const reading = (i: number) => got.samples.find((s) => s.channel === i)?.value;
  expect(reading(0)).toBe(2); // the port in K takes differences
  expect(reading(1)).toBeCloseTo(2 / 3600, 12);
  expect([got.refusals.get(2), got.refusals.get(3)]).toMatchSnapshot();
});

const SHARED = join(import.meta.dirname, "../../../shared/data/units_wire");
const NODESETS = ["LaserSystem-Example", "Opc.Ua.PADIM", "Opc.Ua.PnEm", "Opc.Ua.Powertrain"];

/** Every distinct EngineeringUnits value of the published nodesets. */
function publishedUnits(): OpcuaUnit[] {
  const found = new Map<string, OpcuaUnit>();
  for (const name of NODESETS) {
    const xml = gunzipSync(readFileSync(join(SHARED, `${name}.NodeSet2.xml.gz`))).toString();
    for (const [, body = ""] of xml.matchAll(
      /<\w+:EUInformation[^>]*>(.*?)<\/\w+:EUInformation>/gs,
    )) {
      const pick = (tag: string): string =>
        new RegExp(`<\\w+:${tag}>\\s*(?:<\\w+:Text>)?([^<]*)`).exec(body)?.[1]?.trim() ?? "";
      const unitId = Number(pick("UnitId"));
      const displayName = pick("DisplayName");
      const unit = { unitId, displayName, description: "", namespaceUri: pick("NamespaceUri") };
      found.set(JSON.stringify(unit), unit);
    }
  }
  return [...found.values()];
}

test.skipIf(!existsSync(SHARED))(
  "the units of published nodesets bind on a real server",
  async () => {
    const units = publishedUnits();
    expect(units.length).toBeGreaterThan(20);
    const published = await startOpcuaServer({
      port: 0,
      stateDir: here.folder(),
      nodes: units.map((unit, i) => ({ ...unitNode(nodeOf(`P${i}`), 0, ""), unit })),
    });
    const got = gather();
    const bindings = units.map(({ unitId }, i) => {
      const unece = uneceUnit(codeOf(unitId) ?? "");
      const said = unece === null || typeof unece === "string" ? "1" : unece.ucum;
      return bound(channel(i, `p${i}`, said), nodeOf(`P${i}`));
    });
    units.forEach((_, i) => {
      published.set(nodeOf(`P${i}`), 2, Date.now());
    });
    await here.source(options(published.endpoint), bindings, here.folder(), got);
    await until(
      "all of them",
      () => new Set(got.samples.map((s) => s.channel)).size === units.length,
    );
    await here.clear();
    await published.stop();
    expect([...got.refusals.values()]).toEqual([]);
    // Some state none: unitId 0 or -1 and no name.
    const silent = units.filter(({ unitId }) => codeOf(unitId) === null);
    expect(silent.map(({ displayName }) => displayName).join("")).toBe("");
    const ofCelsius = units.findIndex(({ unitId }) => codeOf(unitId) === "CEL");
    expect(got.samples.find((s) => s.channel === ofCelsius)?.value).toBe(275.15);
  },
);

test("a point is no difference, gauge is no absolute, and Celsius is no kelvin", () => {
  const says = (unit: string, unitId: number, displayName: string) =>
    unitConflict(channel(0, "x", unit), { namespaceUri: UNECE, unitId, displayName });
  expect(says("K", unitIdOf("CEL"), "")).toContain('write unit: "Cel"');
  expect(says("Cel", unitIdOf("KEL"), "")).toContain('write unit: "K"');
  expect(says("bar{g}", -1, "bar{abs}")).toContain("another kind");
  expect(says("Cel/min", unitIdOf("CEL"), "")).toContain("dimension K against K/s");
  expect(says("deg", unitIdOf("DD"), "")).toBeNull();
  expect(says("[g]", -1, "g")).toContain("dimension kg against m/s2");
  expect(says("%", unitIdOf("C62"), "")).toContain('write unit: "1"');
});
