import mqtt from "mqtt";
import { describe, expect, test } from "vitest";
import { type Alarms, applyChange } from "../../agent/alerts/apply.js";
import { stateDocument } from "../../agent/alerts/message.js";
import { type Collected, collectRetained, reconcile } from "../../agent/alerts/reconcile.js";
import { MOSQUITTO } from "../fixtures/mosquitto.js";
import {
  churn,
  clients,
  eachWithGateway,
  hear,
  link,
  now,
  peer,
  publisher,
  start,
  store,
} from "./gateway.js";
import { until } from "./listen.js";
import { alarmOf, HSS, NOW_ms, PLACE } from "./sample.js";

describe.skipIf(MOSQUITTO === null)("what the broker retains, at the start", () => {
  eachWithGateway();

  const settle = async (alarms: Alarms) => {
    const done: { notes: readonly string[] }[] = [];
    const end = collectRetained(link, PLACE, ["wt07"], (retained) => {
      const outcome = reconcile(PLACE, alarms, retained, now(), (_, rule) => rule !== "forged");
      const { applied, messages } = outcome;
      const all = [...applied.flatMap((one) => one.messages), ...messages];
      const rows = applied.map((one) => one.alarm);
      store.commit({ alarms: rows, latches: [], messages: all }, now());
      publisher.wake();
      done.push(outcome);
    });
    link.start();
    await until(() => done.length > 0 && store.waiting() === 0 && publisher.inFlight() === 0);
    end();
    return done[0]?.notes ?? [];
  };
  const retain = async (rule: string, payload: string) => {
    const client = mqtt.connect(peer.url);
    const topic = `sterna/v1/site-a/wt07/alarm/${rule}/state`;
    await client.publishAsync(topic, payload, { qos: 1, retain: true });
    await client.endAsync();
  };
  const retained = async (count = 1) => {
    const heard = await hear("sterna/v1/site-a/wt07/alarm/+/state");
    await until(() => heard.length >= count);
    return new Map(heard.map((m) => [m.topic.split("/")[5], JSON.parse(m.payload).data]));
  };
  const raised = (rule: string) =>
    alarmOf(applyChange(PLACE, new Map(), "raise", { ...HSS, rule }, NOW_ms));

  test("active there and unknown here is cleared above its seq", async () => {
    await peer.start();
    await retain("old", stateDocument({ ...raised("old"), seq: 41 }, PLACE));
    start(peer.url);
    const alarms: Alarms = new Map();
    expect(await settle(alarms)).toEqual(["wt07/old: active at the broker but not here; cleared"]);
    expect(alarms.get("wt07/old")).toMatchObject({ seq: 42, active: false });
    expect((await retained()).get("old")).toMatchObject({ seq: 42, active: false });
    expect(store.load().alarms).toHaveLength(1);
  });

  test("alarms that go on all the time do not keep the comparison open", async () => {
    await peer.start();
    start(peer.url);
    const alarms: Alarms = new Map();
    const going = setInterval(() => churn(alarms, "wt07", 1), 150);
    const begin_ms = performance.now();
    await settle(alarms);
    clearInterval(going);
    expect(performance.now() - begin_ms).toBeLessThan(8_000); // 10 s is where it gives up
  });

  test("of what anybody can retain only so much is held, in number and in bytes", async () => {
    await peer.start();
    const client = mqtt.connect(peer.url);
    clients.push(client);
    const topic = (i: number) => `sterna/v1/site-a/wt07/alarm/forged-${i}/state`;
    const long = "x".repeat(60_000);
    for (let i = 0; i < 200; i++) client.publish(topic(i), long, { retain: true });
    await client.publishAsync(topic(200), long, { qos: 1, retain: true });
    start(peer.url);
    const held = await new Promise<Collected>((resolve) => {
      const end = collectRetained(link, PLACE, ["wt07"], (found) => {
        end();
        resolve(found);
      });
      link.start();
    });
    const bytes = held.states.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(bytes).toBeLessThanOrEqual(8 * 1_048_576);
    expect(bytes).toBeGreaterThan(7 * 1_048_576);
    expect(held.states.length + held.beyond).toBe(201);
    const notes = reconcile(PLACE, new Map(), held, now(), () => true).notes;
    expect(notes.at(-1)).toMatch(/^\d+ more retained states than can be compared: left$/);
  });

  test("what the broker lost, or holds in an older form, is sent again", async () => {
    await peer.start();
    const older = raised("older");
    await retain("older", stateDocument(older, PLACE));
    start(peer.url);
    const lost = raised("lost");
    const alarms: Alarms = new Map([
      ["wt07/lost", lost],
      ["wt07/older", { ...older, seq: 9, id: "X", active: false }],
    ]);
    await settle(alarms);
    const states = await retained(2);
    expect(states.get("lost")).toMatchObject({ seq: 1, active: true });
    expect(states.get("older")).toMatchObject({ seq: 9, active: false });
  });

  test("a seq beyond ours is outrun; unreadable is replaced if ours, left if not", async () => {
    await peer.start();
    const mine = raised("mine");
    await retain("mine", stateDocument({ ...mine, seq: 70, id: "OTHER" }, PLACE));
    await retain("garbled", '"who wrote this?"');
    await retain("foreign", '"who wrote this?"');
    start(peer.url);
    const alarms: Alarms = new Map([
      ["wt07/mine", mine],
      ["wt07/garbled", raised("garbled")],
    ]);
    const notes = await settle(alarms);
    expect(notes).toContain("wt07/foreign: the retained state cannot be read; left");
    expect(alarms.get("wt07/mine")).toMatchObject({ seq: 71, active: true });
    const states = await retained(3);
    expect(states.get("mine")).toMatchObject({ seq: 71, active: true });
    expect(states.get("garbled")).toMatchObject({ seq: 1 });
    expect(states.get("foreign")).toBeUndefined();
  });
});
