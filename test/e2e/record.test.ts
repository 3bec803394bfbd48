import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { expect, test } from "vitest";
import { startCommand, sterna } from "../fixtures/agent.js";
import { mosquitto, mosquittoProgram } from "../fixtures/mosquitto.js";

/** Said of the telemetry's connection once its subscriptions are granted. */
const SUBSCRIBED = '"mqtt is connected"';

test.skipIf(mosquittoProgram === null)(
  "what is recorded beside the daemon replays to the daemon's own transitions",
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "sterna-record-"));
    const broker = await mosquitto();
    await broker.start();
    const config = join(dir, "sterna.yaml");
    const out = join(dir, "out.ndjson");
    writeFileSync(
      config,
      `gateway: { id: gw, site: north }
mqtt: { url: "${broker.url}" }
store: { dir: ./state }
assets:
  - id: line3
    channels: { current: { mqtt: plant/line3/current, qos: 1, path: $.v, time: $.ts, unit: A } }
    rules: [ { id: over, when: "current > 16 A", for: 200 ms, clear: "current < 15 A", severity: critical } ]
`,
    );
    const heard: { id: string; data: { transition: string; onset: string } }[] = [];
    const peer = await mqtt.connectAsync(broker.url);
    peer.on("message", (_, payload) => heard.push(JSON.parse(payload.toString())));
    await peer.subscribeAsync("sterna/v1/north/+/alarm/+/event", { qos: 1 });
    // Both have subscribed before the first sample: they must see the same.
    const agent = await startCommand(SUBSCRIBED, "run", "--config", config);
    const recorder = await startCommand(SUBSCRIBED, "record", "--config", config, "--out", out);
    const start_ms = Date.now();
    while (heard.length < 2) {
      const v = heard.length === 0 ? 20 : 10;
      const body = JSON.stringify({ v, ts: Date.now() });
      await peer.publishAsync("plant/line3/current", body, { qos: 1 });
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    // The recorder may be behind the daemon.
    while (!readFileSync(out, "utf8").includes('"v":10')) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await recorder.kill("SIGTERM")).toBe(0);
    expect(await agent.kill("SIGTERM")).toBe(0);
    await peer.endAsync();
    await broker.kill();
    const lines = readFileSync(out, "utf8").trim().split("\n");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ a: "line3", c: "current", v: 20, u: "A" });
    const replayed = sterna("replay", out, "--config", config);
    expect(replayed.code).toBe(0);
    const documents = replayed.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const essence = ({ data }: (typeof heard)[0]) => [
      data.transition,
      Date.parse(data.onset) >= start_ms,
    ];
    expect(documents.map(essence)).toEqual(heard.map(essence));

    // The same file as the daemon's source: the alarms come again, under today's times.
    rmSync(join(dir, "state"), { recursive: true });
    await broker.start();
    const again: string[] = [];
    const listener = await mqtt.connectAsync(broker.url);
    listener.on("message", (_, payload) => again.push(JSON.parse(`${payload}`).data.transition));
    await listener.subscribeAsync("sterna/v1/north/+/alarm/+/event", { qos: 1 });
    const live = sterna("run", "--config", config, "--recording", out);
    expect(live.code).toBe(0);
    expect(live.out).toContain("the recording has ended");
    while (again.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(again).toEqual(["raise", "clear"]); // and no silence after the end
    // Ended before the broker has granted what it collects: nothing of that is waited for.
    const begun_ms = performance.now();
    expect(sterna("run", "--config", config, "--recording", join(dir, "no.ndjson")).code).toBe(1);
    expect(performance.now() - begun_ms).toBeLessThan(9_000);
    await listener.endAsync();
    await broker.kill();
    rmSync(dir, { recursive: true });
  },
);
