import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Aedes } from "aedes";
import mqtt from "mqtt";
import { AttributeIds, OPCUAClient, type ReadValueIdOptions } from "node-opcua-client";
import { expect, test } from "vitest";
import type { Channel, Intake, Item } from "../../agent/base/telemetry.js";
import { startOpcuaServer } from "../../agent/cli/demo/opcua-server.js";
import {
  blockTopic,
  DRONE_GROUPS,
  feedPlant,
  groupTopic,
  nodeId,
  opcuaNodes,
} from "../../agent/cli/demo/plant-feed.js";
import { decodeBlock } from "../../agent/sensors/block.js";
import { createPlant } from "../../agent/sensors/plants/kinds.js";
import { simulatedSource } from "../../agent/sensors/simulated.js";
import { isUnitFault, parseUnit } from "../../agent/units/parse.js";

test("a turbine and a drone reach a real OPC UA server and a real broker", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sterna-feed-"));
  const start_ms = Date.now();
  const now = () => start_ms + (Date.now() - start_ms) * 10;
  const turbine = createPlant("wind-turbine", {
    asset: "WT01",
    seed: 1,
    start_ms,
    blockEvery_ms: 5000,
  });
  const drone = createPlant("quadrotor", { asset: "QD01", seed: 1, start_ms });
  const broker = await Aedes.createBroker();
  const listener = createServer(broker.handle).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
  await client.subscribeAsync("plant/#");
  const received = new Map<string, Buffer>();
  client.on("message", (topic, payload) => received.set(topic, payload));
  const server = await startOpcuaServer({ port: 0, stateDir: folder, nodes: opcuaNodes(turbine) });
  const feeds = [
    feedPlant(turbine, { mqtt: client, opcua: server, now }),
    feedPlant(drone, { mqtt: client, opcua: null, now }),
  ];
  try {
    const topics = [
      blockTopic("WT01"),
      ...Object.keys(DRONE_GROUPS).map((group) => groupTopic("QD01", group)),
    ];
    while (topics.some((t) => !received.has(t))) await sleep(50);
    expect([...received.keys()].sort()).toEqual([...topics].sort());

    const block = decodeBlock(received.get("plant/wt01/hss/accel") ?? Buffer.alloc(0));
    expect(block).toMatchObject({ type: "i16", fs_hz: 25_600, scale: 0.005, unit: "m/s2" });
    const imu = JSON.parse(String(received.get("plant/qd01/imu")));
    expect(Object.keys(imu)).toEqual(["ts", ...(DRONE_GROUPS["imu"] ?? [])]);
    expect(Math.abs(imu.accelZ - 9.8)).toBeLessThan(3);
    const battery = JSON.parse(String(received.get("plant/qd01/battery")));
    expect(battery.ts).toBeGreaterThan(start_ms);

    const reader = OPCUAClient.create({ endpointMustExist: false });
    await reader.withSessionAsync(server.endpoint, async (session) => {
      const read = async (channel: string, attributeId = AttributeIds.Value) => {
        const item: ReadValueIdOptions = { nodeId: nodeId("WT01", channel), attributeId };
        return (await session.read(item)).value.value as number;
      };
      expect(await read("oilTemp")).toBeGreaterThan(10); // degrees, not kelvin
      expect(await read("oilTemp")).toBeLessThan(80);
      expect(await read("generatorSpeed")).toBeGreaterThan(500); // rpm
      expect(await read("gridCurtailment")).toBe(100);
      expect(await read("state")).toBe(2);
    });
  } finally {
    for (const feed of feeds) feed.stop();
    await client.endAsync();
    await server.stop();
    broker.close();
    listener.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

function channelOf(id: number, name: string, unitText: string, shape: "scalar" | "block"): Channel {
  const unit = parseUnit(unitText);
  if (isUnitFault(unit)) throw new Error(unit.fault);
  return {
    id,
    asset: "wt",
    name,
    shape,
    dim: unit.dim,
    unitKind: unit.kind,
    point: unit.affine,
    unit: unitText,
    factor: unit.factor,
    offset: unit.offset,
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    staleAfter_ms: null,
    codes: null,
    pattern: false,
  };
}

test("the simulated source feeds what is bound, in SI, and refuses what it cannot", async () => {
  const items: Item[] = [];
  const refused: string[] = [];
  const intake: Intake = {
    push: (item) => items.push(item),
    reject: (reason, _channel, where) => refused.push(`${reason} ${where}`),
    level: () => null,
    link: () => {},
    refuse: (channel, why) => refused.push(`${channel} ${why}`),
    now: () => performance.timeOrigin + performance.now(),
  };
  const bind = (id: number, port: string, unit: string, shape: "scalar" | "block" = "scalar") => ({
    channel: channelOf(id, port, unit, shape),
    port,
  });
  const source = simulatedSource(
    {
      asset: "wt",
      kind: "wind-turbine",
      seed: 1,
      speed: 20,
      blockEvery_ms: 2000,
      injections: [],
    },
    [
      bind(0, "oilTemp", "Cel"),
      bind(1, "hssAccel", "[g]", "block"),
      bind(2, "tea", "Cel"),
      bind(3, "power", "Pa"),
    ],
  );
  await source.start(intake);
  while (!items.some((item) => item.kind === "block")) await sleep(20);
  await source.stop();
  expect(refused.map((why) => why.slice(0, 24))).toEqual([
    "2 the wind-turbine has n",
    '3 "power" is in kW, the ',
  ]);
  const oil = items.find((item) => item.kind === "sample");
  expect(oil).toMatchObject({ channel: 0, quality: "good" });
  expect(oil?.kind === "sample" ? oil.value : 0).toBeGreaterThan(280);
  expect(items.find((item) => item.kind === "block")).toMatchObject({ channel: 1, fs_hz: 25_600 });
});
