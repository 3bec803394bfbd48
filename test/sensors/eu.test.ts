import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningOpcuaServer, startOpcuaServer } from "../../agent/cli/demo/opcua-server.js";
import { unitConflict, unitIdOf } from "../../agent/sensors/eu.js";
import { bound, channel, gather, options, stage, unitNode, until } from "./opcua-fixture.js";

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
