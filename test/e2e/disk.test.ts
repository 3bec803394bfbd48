//! The daemon on a disk that refuses: it goes on watching, says so as an alarm of its own, and
//! writes everything once it can. The file systems are real, so the tests need the right to mount.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Process, startRun } from "../fixtures/agent.js";
import { type Broker, mosquitto, mosquittoProgram } from "../fixtures/mosquitto.js";

const TOPIC = "plant/line3/current";
let dir: string;
let disk: string;
let mounted = false;
let broker: Broker;
let agent: Process | null = null;
let peer: MqttClient;
let seen: string[] = [];
let ids: Set<string>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "sterna-disk-"));
  disk = join(dir, "disk");
  mkdirSync(disk);
  const options = ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk];
  mounted = mosquittoProgram !== null && spawnSync("mount", options).status === 0;
  if (!mounted) return;
  broker = await mosquitto();
  await broker.start();
  seen = [];
  ids = new Set();
  peer = await mqtt.connectAsync(broker.url);
  peer.on("message", (_, payload) => {
    const { id, subject, source, data } = JSON.parse(payload.toString());
    // After a crash what was not acknowledged comes again, under its id.
    if (ids.has(id)) return;
    ids.add(id);
    seen.push(`${source} ${subject} ${data.transition}`);
  });
  await peer.subscribeAsync("sterna/v1/north/+/alarm/+/event", { qos: 1 });
});
afterEach(async () => {
  await agent?.kill("SIGKILL");
  agent = null;
  if (mounted) {
    await peer.endAsync(true);
    await broker.kill();
    spawnSync("umount", ["-l", disk]);
  }
  rmSync(dir, { recursive: true, force: true });
});

function config(): string {
  const file = join(dir, "sterna.yaml");
  writeFileSync(
    file,
    `gateway: { id: gw, site: north }
mqtt: { url: "${broker.url}" }
store: { dir: ./disk/state }
assets:
  - id: line3
    channels: { current: { mqtt: ${TOPIC}, qos: 1, unit: A } }
    rules: [ { id: over, when: "current > 16 A", severity: critical } ]
`,
  );
  return file;
}

const remount = (how: string) => spawnSync("mount", ["-o", `remount,${how}`, disk]).status;

async function drive(value: string, event: string): Promise<void> {
  while (!seen.includes(event)) {
    await peer.publishAsync(TOPIC, value, { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const RAISED = "/north/line3 over raise";

test("a full disk: the alarm arrives, so does that of the disk, and both are kept", async (context) => {
  if (!mounted) return context.skip("needs Mosquitto and the right to mount a tmpfs");
  agent = await startRun(config());
  spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "filler")}`, "bs=4k"], { stdio: "ignore" });
  await drive("20", RAISED);
  await drive("20", "/north/gw disk-refused raise");
  rmSync(join(disk, "filler"));
  await drive("20", "/north/gw disk-refused clear");
  await agent.kill("SIGKILL");
  // It was written: the next life knows the alarm, and clears it instead of raising it again.
  agent = await startRun(config());
  await drive("10", "/north/line3 over clear");
  expect(seen.filter((event) => event === RAISED)).toHaveLength(1);
});

test("a read-only state directory at the start: it watches, and says what is wrong", async (context) => {
  if (!mounted) return context.skip("needs Mosquitto and the right to mount a tmpfs");
  expect(remount("ro")).toBe(0);
  agent = await startRun(config());
  await drive("20", RAISED);
  await drive("20", "/north/gw disk-refused raise");
  expect(remount("rw")).toBe(0);
  await drive("20", "/north/gw disk-refused clear");
});
