//! The composed agent within this process, against a real broker.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import mqtt from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { type Agent, startAgent } from "../agent/agent.js";
import { raise } from "../agent/alerts/lifecycle.js";
import { stateDocument } from "../agent/alerts/message.js";
import { openStore } from "../agent/alerts/store.js";
import { wallClock } from "../agent/base/clock.js";
import type { Log } from "../agent/base/log.js";
import { CONFIG_KINDS } from "../agent/fitting.js";
import { parseConfig } from "../config/load.js";
import { until } from "./alerts/listen.js";
import { alarmOf, HSS } from "./alerts/sample.js";
import { MOSQUITTO, startMosquitto } from "./fixtures/mosquitto.js";

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "sterna-agent-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function recorder(): { log: Log; said: string[] } {
  const said: string[] = [];
  const note = (_: object, message: string): void => void said.push(message);
  return { said, log: { debug: note, info: note, warn: note, error: note } };
}

const textOf = (dir: string, url: string): string => `
gateway: { id: gw, site: site-a }
mqtt: { url: "${url}" }
store: { dir: ${dir} }
http: { enabled: false }
assets:
  - id: wt07
    channels: { current: { mqtt: plant/current, unit: A } }
    rules: [ { id: over, when: "current > 16 A", severity: critical } ]
`;

test.skipIf(MOSQUITTO === null)(
  "what the broker's retained alarms give is a transition like any other: history, log, disk",
  async () => {
    const dir = folder();
    const broker = await startMosquitto();
    const peer = await mqtt.connectAsync(broker.url);
    const place = { root: "sterna/v1", site: "site-a" };
    for (const rule of ["over", "forged"]) {
      const alarm = alarmOf(raise(undefined, { ...HSS, rule }, Date.now()));
      const topic = `sterna/v1/site-a/wt07/alarm/${rule}/state`;
      const payload = stateDocument({ ...alarm, seq: 41 }, place);
      await peer.publishAsync(topic, payload, { qos: 1, retain: true });
    }
    const { log, said } = recorder();
    const config = parseConfig(textOf(dir, broker.url), "a.yaml", CONFIG_KINDS, {});
    const agent: Agent = await startAgent(config, { log, clock: wallClock() });
    await until(() => agent.view().counters.cleared === 2);
    const { transitions } = agent.view();
    const told = transitions.map(({ rule, transition }) => `${rule} ${transition}`);
    expect(told.sort()).toEqual(["forged clear", "over clear"]);
    await until(() => said.filter((line) => line === "alarm clear").length === 2);
    await agent.stop();
    await peer.endAsync();
    await broker.close();
    const { store } = openStore(dir, {}, Date.now());
    expect(store.load().alarms.map(({ rule, seq }) => [rule, seq])).toEqual([["over", 42]]);
    store.close(Date.now());
  },
);

/** What may lie in the place of the state; each leaves a file there. */
const UNUSABLE: Readonly<Record<string, (file: string, dir: string) => void>> = {
  "somebody else's database": (file) => {
    const db = new Database(file);
    db.exec("CREATE TABLE notes (text); INSERT INTO notes VALUES ('not yours')");
    db.close();
  },
  "a state with damaged pages": (file, dir) => {
    const { store } = openStore(dir, {}, Date.now());
    store.commit({ alarms: [alarmOf(raise(undefined, HSS, 0))], latches: [], messages: [] }, 0);
    store.close(Date.now());
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4_096);
    writeFileSync(file, bytes);
  },
  "no database at all": (file) => writeFileSync(file, "garbage ".repeat(1_000)),
};

test.skipIf(MOSQUITTO === null).each(Object.entries(UNUSABLE))(
  "%s in the state directory is moved aside, said as an alarm, and the watch goes on",
  async (_, leave) => {
    const dir = folder();
    const file = join(dir, "sterna.db");
    leave(file, dir);
    const before = readFileSync(file);
    const broker = await startMosquitto();
    onTestFinished(() => broker.close());
    const peer = await mqtt.connectAsync(broker.url);
    onTestFinished(() => peer.endAsync(true));
    const heard: string[] = [];
    peer.on("message", (topic) => void heard.push(topic.split("/").slice(3, 6).join("/")));
    await peer.subscribeAsync("sterna/v1/site-a/+/alarm/+/event", { qos: 1 });
    const config = parseConfig(textOf(dir, broker.url), "a.yaml", CONFIG_KINDS, {});
    const agent = await startAgent(config, { log: recorder().log, clock: wallClock() });
    await until(() => agent.view().links.length === 2 && agent.view().links.every(({ up }) => up));
    await peer.publishAsync("plant/current", "20", { qos: 1 });
    await until(() => heard.length === 2);
    await agent.stop();
    expect(heard).toEqual(["gw/alarm/state-lost", "wt07/alarm/over"]);
    const aside = readdirSync(dir).filter((name) => name.startsWith("sterna.db.corrupt-"));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(dir, aside[0] ?? "")).equals(before)).toBe(true);
    const { store } = openStore(dir, {}, Date.now());
    expect(
      store
        .load()
        .alarms.map(({ rule }) => rule)
        .sort(),
    ).toEqual(["over", "state-lost"]);
    store.close(Date.now());
  },
);

test("health is measured in real time: a clock that runs fast is no hang", async () => {
  const config = parseConfig(
    textOf(folder(), "mqtt://127.0.0.1:1")
      .replace(/mqtt: \{ url.*\n/, "")
      .replace("mqtt: plant/current, ", ""),
    "a.yaml",
    CONFIG_KINDS,
    {},
  );
  const wall = wallClock();
  const start_ms = wall.now();
  const clock = { now: () => start_ms + (wall.now() - start_ms) * 600 };
  const agent = await startAgent(config, { log: recorder().log, clock });
  // Between two ticks of a quarter of a second its clock goes on by 150 s.
  for (const end_ms = start_ms + 600; wall.now() < end_ms; ) {
    expect(agent.health()).toEqual({ ok: true, reasons: [] });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await agent.stop();
});
