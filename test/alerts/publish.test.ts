import mqtt from "mqtt";
import { describe, expect, test } from "vitest";
import { type Alarms, applyChange } from "../../agent/alerts/apply.js";
import { proxy } from "../chaos/proxy.js";
import { MOSQUITTO } from "../fixtures/mosquitto.js";
import {
  applied,
  churn,
  clients,
  eachWithGateway,
  GATEWAY,
  hear,
  leap,
  link,
  now,
  peer,
  publisher,
  reports,
  STATUS,
  start,
  store,
} from "./gateway.js";
import { pause, until } from "./listen.js";
import { HSS, PLACE } from "./sample.js";

const seqs = (heard: readonly { topic: string; payload: string }[], topic: RegExp) =>
  heard.filter((m) => topic.test(m.topic)).map((m) => Number(JSON.parse(m.payload).data.seq));

const all = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe.skipIf(MOSQUITTO === null)("against Mosquitto", () => {
  eachWithGateway();

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
    leap.wall_ms = 3_600_000;
    await pause(5_500);
    expect(reports).toEqual(["up"]);
    leap.steady_ms = 60_000;
    await until(() => reports.some((why) => /no PUBACK for 30 s/.test(why)));
    await until(() => heard.length === 3);
    await network.shut();
  });
});
