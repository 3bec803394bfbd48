import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Process, startRun } from "../fixtures/agent.js";
import { type Broker, mosquitto, mosquittoProgram } from "../fixtures/mosquitto.js";

if (mosquittoProgram === null) console.log("skipped: Mosquitto is not installed (e2e alarms)");

const KILLS = Number(process.env["STERNA_CHAOS_KILLS"] ?? 10);
let dir: string;
let broker: Broker;
let agent: Process | null = null;
let client: MqttClient | null = null;
let seen: { topic: string; id: string; active: boolean; transition?: string }[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "sterna-e2e-"));
  seen = [];
  if (mosquittoProgram !== null) broker = await mosquitto();
});
afterEach(async () => {
  await client?.endAsync(true);
  client = null;
  await agent?.kill("SIGKILL");
  agent = null;
  await broker?.kill();
  rmSync(dir, { recursive: true });
});

function config(version = "3.1.1"): string {
  const file = join(dir, "sterna.yaml");
  writeFileSync(
    file,
    `gateway: { id: gw, site: north }
mqtt: { url: "${broker.url}", version: "${version}" }
store: { dir: ./state }
assets:
  - id: line3
    channels:
      current: { mqtt: plant/line3/current, qos: 1, path: $.v, unit: A }
      phase: { mqtt: plant/+/phase, qos: 1, unit: A }
    rules:
      - { id: over, when: "current > 16 A", clear: "current < 15 A", severity: critical }
      - { id: phase-over, when: "phase > 1 kA", severity: warning }
`,
  );
  return file;
}

async function connect(): Promise<MqttClient> {
  const made = mqtt.connect(broker.url, { reconnectPeriod: 50 });
  made.on("message", (topic, payload) => {
    const { id, data } = JSON.parse(payload.toString());
    seen.push({ topic, id, active: data.active, transition: data.transition });
  });
  made.on("error", () => {});
  await new Promise<void>((resolve) => made.once("connect", () => resolve()));
  await made.subscribeAsync("sterna/v1/north/+/alarm/+/+", { qos: 1 });
  client = made;
  return made;
}

/** Each transition once: what is repeated after a lost connection has the same id. */
const events = (rule: string) => {
  const heard = seen.filter((s) => s.topic.endsWith(`/${rule}/event`));
  return [...new Map(heard.map((event) => [event.id, event])).values()];
};
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** Publishes until the agent, which may just be connecting, has reacted; once at least. */
async function send(topic: string, payload: string, holds: () => boolean): Promise<void> {
  do {
    await client?.publishAsync(topic, payload, { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (!holds());
}

describe.skipIf(mosquittoProgram === null)("the daemon against a real Mosquitto", () => {
  test.each(["3.1.1", "5"])(
    "raises and clears over MQTT %s, bad input notwithstanding",
    async (v) => {
      await broker.start();
      const peer = await connect();
      agent = await startRun(config(v));
      const topic = "plant/line3/current";
      for (const bad of ["", "{", "[]", '{"v":"x"}', '{"v":1e999}', "x".repeat(10_000_000)]) {
        await peer.publishAsync(topic, bad, { qos: 1 });
      }
      await send(topic, '{"v":16.5}', () => events("over").length === 1);
      await send(topic, '{"v":15.5}', () => true);
      await send(topic, '{"v":14}', () => events("over").length === 2);
      await send("plant/L2/phase", "1200", () => events("phase-over-L2").length === 1);
      expect(events("over").map((e) => e.transition)).toEqual(["raise", "clear"]);
      await until(() => seen.some((s) => s.topic.endsWith("/phase-over-L2/state")));
      expect(await agent.kill("SIGTERM")).toBe(0);
      agent = null;
    },
  );

  test("a broker absent at start, then killed with an alarm waiting, loses nothing", async () => {
    agent = await startRun(config());
    await broker.start();
    await connect();
    await send("plant/line3/current", '{"v":20}', () => events("over").length === 1);
    await broker.kill();
    await broker.start();
    // A subscription that stands before the value is sent: an event is not retained.
    await client?.endAsync(true);
    await connect();
    await send("plant/line3/current", '{"v":10}', () => events("over").length === 2);
    expect(events("over").map((e) => e.transition)).toEqual(["raise", "clear"]);
  });

  test(
    `${KILLS} times kill -9: every raise arrives, and repeats only under its id`,
    async () => {
      await broker.start();
      await connect();
      const file = config();
      for (let round = 0; round < KILLS; round++) {
        agent = await startRun(file);
        const active = round % 2 === 0;
        const value = `{"v":${active ? 20 : 10}}`;
        await send("plant/line3/current", value, () => events("over").length > round);
        await agent.kill("SIGKILL");
        agent = null;
      }
      const order = events("over").map((e) => e.transition);
      expect(order).toEqual(Array.from({ length: KILLS }, (_, i) => (i % 2 ? "clear" : "raise")));
    },
    60_000 + KILLS * 5_000,
  );
});
