//! The alarm side of one gateway against a Mosquitto of its own, for the tests of this folder.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach } from "vitest";
import { type Alarms, type Applied, alarmKey, applyChange } from "../../agent/alerts/apply.js";
import { gatewayStatus, Link } from "../../agent/alerts/link.js";
import { type Publisher, startPublisher } from "../../agent/alerts/publish.js";
import { openStore, type Store } from "../../agent/alerts/store.js";
import { silentLog } from "../../agent/base/log.js";
import { type Broker, startMosquitto } from "../fixtures/mosquitto.js";
import { type Heard, listen } from "./listen.js";
import { HSS, NOW_ms, PLACE } from "./sample.js";

export const GATEWAY = "gw-1";
export const STATUS = gatewayStatus("sterna/v1/site-a/gw-1/status", GATEWAY, "1.2.3");

/** What a test adds to the wall clock and to the steady one. */
export const leap = { wall_ms: 0, steady_ms: 0 };
const steady = () => performance.now() + leap.steady_ms;
export const now = () => performance.timeOrigin + performance.now() + leap.wall_ms;

let dir: string;
export let peer: Broker;
export let store: Store;
export let link: Link;
export let publisher: Publisher;
export let reports: string[];
/** Ended after each test. */
export const clients: MqttClient[] = [];

/** Call in the `describe` of the tests: a store and a broker, not yet started, for each of them. */
export function eachWithGateway(): void {
  beforeEach(async () => {
    Object.assign(leap, { wall_ms: 0, steady_ms: 0 });
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
}

export function start(url: string, protocolVersion: 4 | 5 = 4): void {
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

export async function hear(filter: string, qos: 0 | 1 = 1): Promise<Heard[]> {
  const { heard, client } = await listen(peer.url, filter, qos);
  clients.push(client);
  return heard;
}

export function applied(outcome: Applied | string): Applied {
  if (typeof outcome === "string") throw new Error(outcome);
  return outcome;
}

/** Raises and clears in turn; each transition commits alone, as ticks would. */
export function churn(alarms: Alarms, asset: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const key = alarmKey(asset, HSS.rule);
    const to = alarms.get(key)?.active ? "clear" : "raise";
    const change = applyChange(PLACE, alarms, to, { ...HSS, asset }, NOW_ms + i);
    const { alarm, messages } = applied(change);
    store.commit({ alarms: [alarm], latches: [], messages }, now());
    publisher.wake();
  }
}
