import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  freePort,
  type RunningOpcuaServer,
  startOpcuaServer,
} from "../../agent/cli/demo/opcua-server.js";
import { unitIdOf } from "../../agent/sensors/eu.js";
import { backoff_ms } from "../../agent/sensors/opcua.js";
import { bound, channel, gather, options, QUICK, stage, unitNode, until } from "./opcua-fixture.js";

const here = stage();
const shared = stage();
const POWER = "ns=2;s=WT07.Power";
const OIL = "ns=2;s=WT07.OilTemp";
const ODD = "ns=2;s=WT07.Odd";
const COUNT = "ns=2;s=WT07.Count";
const ON = "ns=2;s=WT07.On";
const STATE = "ns=2;s=WT07.State";
const NODES = [
  unitNode(POWER, unitIdOf("KWT"), "kW", [0, 6000]),
  unitNode(OIL, -1, "°C", [-40, 120]),
  unitNode(ODD, unitIdOf("WTT"), "W"),
  { nodeId: COUNT, name: "Count", unit: null, range: [0, 1], type: "Int64" } as const,
  { nodeId: ON, name: "On", unit: null, range: [0, 1], type: "Boolean" } as const,
  { nodeId: STATE, name: "State", unit: null, range: [0, 1], type: "String" } as const,
];

let server: RunningOpcuaServer;
let pki = "";

beforeAll(async () => {
  pki = shared.folder();
  server = await startOpcuaServer({ port: 0, stateDir: shared.folder(), nodes: NODES });
});
afterEach(() => here.clear());
afterAll(async () => {
  await server.stop();
  await shared.clear();
});

test("values arrive in SI with their source time and quality", async () => {
  const t = Date.now();
  server.set(POWER, 1500, t);
  server.set(OIL, 55, t);
  const got = gather();
  await here.source(
    options(server.endpoint),
    [bound(channel(0, "power", "kW"), POWER), bound(channel(1, "oilTemp", "Cel"), OIL)],
    pki,
    got,
  );
  await until(
    "both channels",
    () => got.samples.some((s) => s.channel === 1) && got.samples.some((s) => s.channel === 0),
  );
  await until("the link", () => got.links.length > 0);
  expect(got.links).toEqual(["plc up"]);
  const power = got.samples.find((s) => s.channel === 0);
  expect(power).toMatchObject({ value: 1.5e6, t_ms: t, quality: "good" });
  expect(got.samples.find((s) => s.channel === 1)?.value).toBeCloseTo(328.15, 9);

  // The same value with a new source time is news: a steady channel must not look stale.
  server.set(POWER, 1500, t + 100);
  await until("the repeat", () => got.samples.some((s) => s.channel === 0 && s.t_ms === t + 100));
  server.set(POWER, 1600, t + 200, "UncertainSensorNotAccurate");
  await until("uncertain", () => got.samples.some((s) => s.quality === "uncertain"));
  server.set(POWER, 0, t + 300, "BadSensorFailure");
  await until("bad", () => got.samples.some((s) => s.quality === "bad"));
  server.set(POWER, Number.NaN, t + 400);
  await until("not a number", () => got.rejects.length > 0);
  expect([...new Set(got.rejects)]).toEqual([`not-finite 0 ${POWER}`]);
  expect(got.refusals.size).toBe(0);
});

test("integers, truths and coded texts are read; an uncoded text is not", async () => {
  const t = Date.now();
  server.set(ON, true, t);
  server.set(STATE, "RUN", t);
  const got = gather();
  const codes = { RUN: 3, STOP: 0 };
  await here.source(
    options(server.endpoint),
    [
      bound(channel(1, "on", "1"), ON),
      bound({ ...channel(2, "state", "1"), codes }, STATE),
      bound(channel(3, "bare", "1"), STATE),
    ],
    pki,
    got,
  );
  await until("all three", () => got.samples.length >= 2 && got.rejects.length >= 1);
  expect(got.samples.find((s) => s.channel === 1)?.value).toBe(1);
  expect(got.samples.find((s) => s.channel === 2)?.value).toBe(3);
  expect(got.rejects).toEqual([`wrong-type 3 ${STATE}`]);
});

test("a unit that contradicts the config is refused by name, and the others go on", async () => {
  server.set(POWER, 1, Date.now());
  server.set(ODD, 7, Date.now());
  const got = gather();
  await here.source(
    options(server.endpoint),
    [
      bound(channel(0, "power", "kW"), POWER),
      bound(channel(1, "odd", "kW"), ODD),
      bound(channel(2, "oil", "kPa"), OIL),
      bound(channel(3, "forced", "kW"), ODD, true),
      bound(channel(4, "absent", "kW"), "ns=2;s=No.Such"),
      bound(channel(5, "typo", "kW"), "ns=2,s=Typo"),
    ],
    pki,
    got,
  );
  await until("the good ones", () => new Set(got.samples.map((s) => s.channel)).size === 2);
  expect(got.samples.find((s) => s.channel === 3)?.value).toBe(7000);
  expect(new Set(got.samples.map((s) => s.channel))).toEqual(new Set([0, 3]));
  expect(got.refusals.get(1)).toBe(
    `plc ${ODD}: the config says unit "kW", the server's EngineeringUnits say "W" ` +
      '(unitId 5723220 = WTT); write unit: "W", or write "overrideUnit: true" ' +
      "if the server is wrong",
  );
  expect(got.refusals.get(2)).toContain('"°C" (unitId -1) (dimension K against Pa)');
  expect(got.refusals.get(4)).toBe(
    "plc ns=2;s=No.Such: the server has no such node; correct the node id",
  );
  expect(got.refusals.get(5)).toContain("this is no node id");
});

test("a unit that changes while it runs stops the channel until it is mended", async () => {
  const unit = (code: string, displayName: string) => ({
    unitId: unitIdOf(code),
    displayName,
    description: "",
  });
  server.set(POWER, 3, Date.now());
  const got = gather();
  await here.source(options(server.endpoint), [bound(channel(0, "power", "kW"), POWER)], pki, got);
  await until("data", () => got.samples.length > 0);
  server.declare(POWER, unit("WTT", "W"));
  server.set(POWER, 4000, Date.now());
  await until("the refusal", () => got.refusals.has(0));
  expect(got.refusals.get(0)).toContain('the server\'s EngineeringUnits say "W"');
  server.set(POWER, 5, Date.now());
  server.declare(POWER, unit("KWT", "kW"));
  await until("the mended unit", () => got.samples.at(-1)?.value === 5000);
  expect(got.samples.every((s) => s.value <= 5000)).toBe(true);
});

test("a server that is absent, comes, dies and returns: data flows again each time", async () => {
  const stateDir = here.folder();
  const port = await freePort();
  const endpoint = `opc.tcp://127.0.0.1:${port}`;

  const got = gather();
  await here.source(options(endpoint), [bound(channel(0, "power", "kW"), POWER)], pki, got);
  await until("the absence is said", () => got.links.length > 0);
  expect(got.links[0]).toContain(`plc down: ${endpoint}: `);
  expect(got.samples).toEqual([]);

  for (const value of [1, 2]) {
    const running = await startOpcuaServer({ port, stateDir, nodes: NODES });
    running.set(POWER, value, Date.now());
    await until(`value ${value}`, () => got.samples.at(-1)?.value === value * 1000);
    await until("the link", () => got.links.at(-1) === "plc up");
    const before = got.samples.length;
    await running.stop();
    await until("the loss is said", () => got.links.at(-1)?.includes("down") ?? false);
    expect(got.samples.slice(before).every((s) => s.quality === "good")).toBe(true);
  }
});

test("connected but silent is noticed, and the session is made anew", async () => {
  server.set(POWER, 10, Date.now());
  const tap = await openTap(Number(server.endpoint.split(":").at(-1)));
  const got = gather();
  const timing = { ...QUICK, silence_ms: 3_000 };
  const power = [bound(channel(0, "power", "kW"), POWER)];
  await here.source(options(tap.endpoint), power, pki, got, timing);
  await until("data", () => got.samples.length > 0);
  tap.hold(true);
  await until("the silence is said", () => got.links.at(-1)?.includes("silent") ?? false);
  expect(got.links.at(-1)).toContain("connected but silent: no heartbeat for 3 s");
  tap.hold(false);
  server.set(POWER, 11, Date.now());
  await until("data again", () => got.samples.at(-1)?.value === 11_000);
  await until("the link", () => got.links.at(-1) === "plc up");
  // One session lost, one made: the library must not reconnect beside us.
  expect(tap.connections()).toBe(2);
  await here.clear();
  await tap.close();
});

test("a stop at any moment of the opening ends it", async () => {
  for (const delay_ms of [0, 1, 5, 20, 50, 100, 200, 400]) {
    const bindings = [bound(channel(0, "power", "kW"), POWER)];
    const source = await here.source(options(server.endpoint), bindings, pki, gather());
    await new Promise((resolve) => setTimeout(resolve, delay_ms));
    await source.stop(); // it hung when the certificate store was being opened
  }
});

test("the wait between attempts doubles, is bounded and is jittered", () => {
  expect(backoff_ms(QUICK, 1, 1)).toBe(200);
  expect(backoff_ms(QUICK, 1, 0)).toBe(100);
  expect(backoff_ms(QUICK, 60, 1)).toBe(1_000);
});

/** A relay that can go dead without closing, as a hung controller or a lost route does. */
async function openTap(port: number) {
  const sockets = new Set<Socket>();
  let held = false;
  let connections = 0;
  const relay: Server = createServer((near) => {
    connections += 1;
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => held || to.write(bytes));
      from.on("close", () => to.destroy());
      from.on("error", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const address = relay.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;
  return {
    endpoint: `opc.tcp://127.0.0.1:${own}`,
    connections: () => connections,
    hold: (on: boolean) => {
      held = on;
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => relay.close(resolve));
    },
  };
}
