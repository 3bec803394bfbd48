//! What a restart must not lose: a hold time that was running, and an alarm of a topic that stays
//! silent afterwards.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { expect, test } from "vitest";
import { startCommand } from "../fixtures/agent.js";
import { mosquitto, mosquittoProgram } from "../fixtures/mosquitto.js";

const HOLD_ms = 600_000;
const SUBSCRIBED = '"mqtt is connected"';

test.skipIf(mosquittoProgram === null)(
  "kill -9: a hold time goes on, and a level that stays silent is stale",
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "sterna-restart-"));
    const broker = await mosquitto();
    await broker.start();
    const file = join(dir, "sterna.yaml");
    writeFileSync(
      file,
      `gateway: { id: gw, site: north }
mqtt: { url: "${broker.url}" }
store: { dir: ./state }
assets:
  - id: line3
    channels:
      current: { mqtt: plant/line3/current, qos: 1, path: $.v, time: $.ts, unit: A, staleAfter: 1 h }
      phase: { mqtt: plant/+/phase, qos: 1, unit: A, staleAfter: 5 s }
    rules:
      - { id: over, when: "current > 16 A", for: 10 min, severity: critical }
      - { id: phase-over, when: "phase > 1 kA", severity: warning }
`,
    );
    const said: { rule: string; transition: string; onset: string; evidence: string[] }[] = [];
    const peer = await mqtt.connectAsync(broker.url);
    peer.on("message", (_, payload) => {
      const { subject, data } = JSON.parse(payload.toString());
      said.push({ ...data, rule: subject });
    });
    await peer.subscribeAsync("sterna/v1/north/+/alarm/+/event", { qos: 1 });
    const has = (rule: string) => said.find((one) => one.rule === rule);
    // Time stamps of nearly ten minutes ago: the hold is over some seconds after the restart.
    const onset_ms = Date.now() - HOLD_ms + 8_000;
    const send = async (ts: number) => {
      await peer.publishAsync("plant/line3/current", JSON.stringify({ v: 20, ts }), { qos: 1 });
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    let agent = await startCommand(SUBSCRIBED, "run", "--config", file);
    // For longer than the second after which a running hold is stored.
    const until_ms = Date.now() + 2_500;
    for (let i = 0; Date.now() < until_ms || !has("phase-over-L2"); i++) {
      await send(onset_ms + i);
      await peer.publishAsync("plant/L2/phase", `${1200 + i}`, { qos: 1 });
    }
    await agent.kill("SIGKILL");
    expect(said.map(({ rule }) => rule)).toEqual(["phase-over-L2"]);
    agent = await startCommand(SUBSCRIBED, "run", "--config", file);
    while (!has("over")) await send(Date.now());
    expect(Date.parse(has("over")?.onset ?? "")).toBe(onset_ms);
    while (!has("stale")) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(has("stale")?.evidence).toContain("phase.L2 is stale");
    expect(said.filter(({ rule }) => rule === "phase-over-L2")).toHaveLength(1);
    await agent.kill("SIGTERM");
    await peer.endAsync();
    await broker.kill();
    rmSync(dir, { recursive: true });
  },
);
