import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Command } from "../../agent/alerts/alarm.js";
import {
  type Alarms,
  type Applied,
  alarmKey,
  applyChange,
  applyCommand,
} from "../../agent/alerts/apply.js";
import { type Commands, startCommands } from "../../agent/alerts/commands.js";
import { gatewayStatus, Link } from "../../agent/alerts/link.js";
import { stateDocument } from "../../agent/alerts/message.js";
import { type Publisher, startPublisher } from "../../agent/alerts/publish.js";
import { type Collected, collectRetained, reconcile } from "../../agent/alerts/reconcile.js";
import { openStore, type Store } from "../../agent/alerts/store.js";
import { silentLog } from "../../agent/base/log.js";
import { proxy } from "../chaos/proxy.js";
import { type Broker, MOSQUITTO, startMosquitto } from "../fixtures/mosquitto.js";
import { listen, pause, until } from "./listen.js";
import { alarmOf, HSS, NOW_ms, PLACE } from "./sample.js";

const GATEWAY = "gw-1";
const STATUS = gatewayStatus("sterna/v1/site-a/gw-1/status", GATEWAY, "1.2.3");
let leap_ms = 0;
let wait_ms = 0;
const steady = () => performance.now() + wait_ms;
const now = () => performance.timeOrigin + performance.now() + leap_ms;

let dir: string;
let peer: Broker;
let store: Store;
let link: Link;
let publisher: Publisher;
let reports: string[];
const clients: MqttClient[] = [];

function start(url: string, protocolVersion: 4 | 5 = 4): void {
  reports = [];
  link = new Link({
    url,
    client: { clientId: GATEWAY, protocolVersion },
    status: STATUS,
    now,
    random: () => 0,
    report: (up, why) => reports.push(up ? "up" : why),
  });
  publisher = startPublisher(link, store, { now, steady }, silentLog);
}

async function hear(filter: string, qos: 0 | 1 = 1) {
  const { heard, client } = await listen(peer.url, filter, qos);
  clients.push(client);
  return heard;
}

function applied(outcome: Applied | string): Applied {
  if (typeof outcome === "string") throw new Error(outcome);
  return outcome;
}

/** Raises and clears in turn; each transition commits alone, as ticks would. */
function churn(alarms: Alarms, asset: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const key = alarmKey(asset, HSS.rule);
    const to = alarms.get(key)?.active ? "clear" : "raise";
    const change = applyChange(PLACE, alarms, to, { ...HSS, asset }, NOW_ms + i);
    const { alarm, messages } = applied(change);
    store.commit({ alarms: [alarm], latches: [], messages }, now());
    publisher.wake();
  }
}

const seqs = (heard: readonly { topic: string; payload: string }[], topic: RegExp) =>
  heard.filter((m) => topic.test(m.topic)).map((m) => Number(JSON.parse(m.payload).data.seq));

const all = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe.skipIf(MOSQUITTO === null)("against Mosquitto", () => {
  beforeEach(async () => {
    leap_ms = 0;
    dir = mkdtempSync(join(tmpdir(), "sterna-publish-"));
    store = openStore(dir, {}, now()).store;
    peer = await startMosquitto({ started: false });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.end(true);
    await publisher.stop(0);
    await link.stop();
    store.close(now());
    await peer.close();
    rmSync(dir, { recursive: true });
  });

  test("each transition arrives once, in order, and leaves the outbox", async () => {
    await peer.start();
    const heard = await hear("sterna/v1/#");
    start(peer.url);
    link.start();
    churn(new Map(), "wt07", 300);
    await until(() => seqs(heard, /event$/).length === 300 && publisher.inFlight() === 0);
    expect(seqs(heard, /event$/)).toEqual(all(300));
    await until(() => seqs(heard, /state$/).at(-1) === 300);
    expect(store.waiting()).toBe(0);
    const late = await hear("sterna/v1/site-a/wt07/alarm/+/state");
    await until(() => late.length > 0);
    expect(late[0]?.retained).toBe(true);
  });

  test("a broker that is absent, killed and started again costs nothing but repeats", async () => {
    // An event is not retained, so the way to the broker opens when somebody there listens.
    const network = await proxy(peer.url);
    start(network.url, 5);
    link.start();
    const alarms: Alarms = new Map();
    churn(alarms, "wt07", 50);
    await until(() => reports.length > 0);
    expect(reports[0]).toMatch(/ECONNREFUSED/);
    await peer.start();
    const first = await hear("sterna/v1/#", 0);
    await network.open();
    churn(alarms, "wt07", 50);
    // Killed in the middle of sending: what is not acknowledged must come again.
    await until(() => seqs(first, /event$/).length > 10);
    await peer.kill();
    await network.shut();
    await until(() => !link.up);
    churn(alarms, "wt07", 100);
    const unsaid = seqs(store.peek(0, 1_000), /event$/);
    // What the broker acknowledged and took with it is the broker's loss, and no repeat of ours.
    const taken = all(250).filter((seq) => seq <= 200 && !unsaid.includes(seq));
    expect(unsaid.length).toBeGreaterThanOrEqual(100);
    await peer.start();
    const second = await hear("sterna/v1/#", 0);
    await network.open();
    churn(alarms, "wt07", 50);
    const again = () => new Set(seqs(second, /event$/));
    await until(() => store.waiting() === 0 && unsaid.every((seq) => again().has(seq)));
    await until(() => again().has(250));
    expect([...new Set([...taken, ...again()])].sort((a, b) => a - b)).toEqual(all(250));
    const events = [...first, ...second].filter((m) => /event$/.test(m.topic));
    const byId = new Map(events.map((m) => [JSON.parse(m.payload).id, m.payload]));
    expect(byId.size).toBe(new Set(seqs(events, /event$/)).size);
    for (const { payload } of events) expect(byId.get(JSON.parse(payload).id)).toBe(payload);
    await network.shut();
  });

  test("the gateway's status: online, offline on stop, offline by will when it dies", async () => {
    await peer.start();
    const heard = await hear(STATUS.topic);
    // A goodbye that takes too long is said again by the will.
    const said = () =>
      heard
        .map((m) => JSON.parse(m.payload).status)
        .filter((status, i, every) => status !== every[i - 1]);
    start(peer.url);
    link.start();
    await until(() => heard.length === 1);
    expect(JSON.parse(heard[0]?.payload ?? "")).toMatchObject({
      status: "online",
      gateway: "gw-1",
      version: "1.2.3",
    });
    await publisher.stop(100);
    await link.stop();
    await until(() => said().length === 2);
    start(peer.url);
    link.start();
    await until(() => said().length === 3);
    // A second client of the same id takes over: to the broker the first one has died.
    const usurper = mqtt.connect(peer.url, { clientId: GATEWAY, reconnectPeriod: 0 });
    clients.push(usurper);
    await until(() => said().length >= 4);
    expect(said().slice(0, 4)).toEqual(["online", "offline", "online", "offline"]);
  });

  test("stop sends what waits, within its time", async () => {
    await peer.start();
    const heard = await hear("sterna/v1/#");
    start(peer.url);
    link.start();
    await until(() => link.up);
    churn(new Map(), "wt07", 200);
    await publisher.stop(20_000);
    expect(store.waiting()).toBe(0);
    await until(() => seqs(heard, /event$/).length === 200);
  });

  test("what is sent long after its time says so beside the payload, with MQTT 5", async () => {
    await peer.start();
    const client = mqtt.connect(peer.url, { protocolVersion: 5 });
    clients.push(client);
    const said: unknown[] = [];
    client.on("message", (_, __, { properties }) => {
      said.push({ ...properties?.userProperties }["historical"]);
    });
    await client.subscribeAsync("sterna/v1/+/+/alarm/+/event", { qos: 1 });
    start(peer.url, 5);
    link.start();
    const alarms: Alarms = new Map();
    const late = applied(applyChange(PLACE, alarms, "raise", HSS, now() - 120_000));
    const { messages } = applied(applyChange(PLACE, alarms, "clear", HSS, now()));
    const both = [...late.messages, ...messages];
    store.commit({ alarms: [], latches: [], messages: both }, now());
    publisher.wake();
    await until(() => said.length === 2);
    expect(said).toEqual(["true", undefined]);
  });

  test("a link that is open but acknowledges nothing is given up, and nothing is lost", async () => {
    await peer.start();
    const heard = await hear("sterna/v1/+/+/alarm/+/event");
    const network = await proxy(peer.url);
    await network.open();
    start(network.url);
    link.start();
    await until(() => link.up);
    network.swallow();
    churn(new Map(), "wt07", 3);
    // A clock that was set is no silence of the broker; the link looks every 5 s.
    leap_ms = 3_600_000;
    await pause(5_500);
    expect(reports).toEqual(["up"]);
    wait_ms = 60_000;
    await until(() => reports.some((why) => /no PUBACK for 30 s/.test(why)));
    await until(() => heard.length === 3);
    await network.shut();
  });

  describe("reconciling at the start", () => {
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
      expect(await settle(alarms)).toEqual([
        "wt07/old: active at the broker but not here; cleared",
      ]);
      expect(alarms.get("wt07/old")).toMatchObject({ seq: 42, active: false });
      expect((await retained()).get("old")).toMatchObject({ seq: 42, active: false });
      expect(store.load().alarms).toHaveLength(1);
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

  describe("commands", () => {
    const ask = async (verb: string, payload: string, retain = false) => {
      const client = mqtt.connect(peer.url);
      const topic = `sterna/v1/site-a/wt07/alarm/${HSS.rule}/cmd/${verb}`;
      await client.publishAsync(topic, payload, { qos: 1, retain });
      await client.endAsync();
    };

    /** Until the broker has granted the subscription a command would go nowhere: again. */
    const askUntil = async (heard: unknown[], count: number, verb: string, payload: string) => {
      while (heard.length < count) {
        await ask(verb, payload);
        await pause(20);
      }
    };

    test("are applied once, answered, and answered alike when sent twice", async () => {
      await peer.start();
      start(peer.url);
      const alarms: Alarms = new Map();
      const taken: Command[] = [];
      const commands: Commands = startCommands(link, PLACE, ["wt07"], now, (command) => {
        taken.push(command);
        commands.answer(command, applyCommand(PLACE, alarms, command, NOW_ms), NOW_ms);
      });
      link.start();
      const heard = await hear("sterna/v1/+/+/alarm/+/cmd/answer");
      await until(() => link.up);
      churn(alarms, "wt07", 1);
      await askUntil(heard, 2, "ack", '{"id":"c1","who":"ann"}');
      expect(new Set(heard.map(({ payload }) => payload)).size).toBe(1);
      expect(JSON.parse(heard[0]?.payload ?? "")).toEqual({
        id: "c1",
        verb: "ack",
        ok: true,
        reason: null,
        state: "acknowledged",
        seq: 2,
        time: "2026-11-23T14:58:06.123Z",
      });
      await ask("ack", '{"id":"c2","who":"bob"}');
      const last = () => JSON.parse(heard.at(-1)?.payload ?? "");
      await until(() => last().id === "c2");
      expect(last()).toMatchObject({ ok: false, id: "c2" });
      expect(taken.map(({ id }) => id)).toEqual(["c1", "c2"]);
    });

    test.each([
      ["akc", '{"id":"c","who":"a"}', false, /no such command; one of ack/],
      ["ack", "", false, /no JSON object/],
      ["ack", "[1]", false, /no JSON object/],
      ["ack", '{"who":"a"}', false, /"id" must be/],
      ["ack", '{"id":"c","who":7}', false, /"who" must be/],
      ["ack", `{"id":"c","who":"${"a".repeat(65)}"}`, false, /"who" must be/],
      ["ack", '{"id":"c","who":"a","why":[]}', false, /"why" must be/],
      ["shelve", '{"id":"c","who":"a","until":"tomorrow"}', false, /"until" must be/],
      ["shelve", '{"id":"c","who":"a","untill":"x"}', false, /unknown key/],
      ["ack", `{"id":"c","who":"a","why":"${"x".repeat(9_000)}"}`, false, /longer than/],
      ["ack", '{"id":"c","who":"a"}', true, /must not be retained/],
    ])("a bad %s %s is answered with the reason (%#)", async (verb, payload, retain, reason) => {
      await peer.start();
      if (retain) await ask(verb, payload, true);
      start(peer.url);
      startCommands(link, PLACE, ["wt07"], now, () => expect.unreachable());
      const heard = await hear("sterna/v1/+/+/alarm/+/cmd/answer");
      link.start();
      await until(() => link.up);
      if (!retain) await askUntil(heard, 1, verb, payload);
      await until(() => heard.length > 0);
      expect(JSON.parse(heard[0]?.payload ?? "").reason).toMatch(reason);
    });
  });
});
