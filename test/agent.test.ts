//! The composed agent within this process, against a real broker.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    expect(said.filter((line) => line === "alarm clear")).toHaveLength(2);
    await agent.stop();
    await peer.endAsync();
    await broker.close();
    const { store } = openStore(dir, {}, Date.now());
    expect(store.load().alarms.map(({ rule, seq }) => [rule, seq])).toEqual([["over", 42]]);
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
