//! The unit under a real systemd, booted in a namespace: start, kill -9, hang, stop, config fault.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { mosquittoProgram } from "../fixtures/mosquitto.js";

const ROOT = join(import.meta.dirname, "../..");
const UNIT = join(ROOT, "systemd/sterna.service");
const BOOT = join(ROOT, "../shared/tools/with-systemd");
/** What a service of MQTT alone does not need; left out, the copy takes a second instead of four. */
const HEAVY =
  /^(\.|@biomejs|@rolldown|@typescript|@types|typescript|onnxruntime|playwright|vite|node-opcua|lightningcss)/;
const dir = mkdtempSync(join(tmpdir(), "sterna-systemd-"));
afterAll(() => rmSync(dir, { recursive: true }));

const absent =
  [
    [BOOT, "the tool that boots systemd"],
    ["/lib/systemd/systemd", "systemd"],
    ["/usr/bin/mosquitto_sub", "mosquitto-clients"],
    ["/usr/bin/curl", "curl"],
  ].find(([file]) => !existsSync(file as string))?.[1] ??
  (mosquittoProgram === null ? "Mosquitto" : null);
if (absent !== null) console.log(`skipped: ${absent} is not here (systemd)`);

/** The package as `npm install --prefix /usr/lib/sterna` leaves it. */
function installed(): string {
  const modules = join(dir, "lib/node_modules");
  const own = join(modules, "sterna");
  mkdirSync(own, { recursive: true });
  for (const part of [
    "dist",
    "config",
    "package.json",
    "agent/models/vibnet.onnx",
    "agent/status",
  ]) {
    cpSync(join(ROOT, part), join(own, part), { recursive: true });
  }
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (HEAVY.test(name) || name.startsWith("node-linux")) continue;
    cpSync(join(ROOT, "node_modules", name), join(modules, name), { recursive: true });
  }
  mkdirSync(join(modules, ".bin"));
  cpSync(process.execPath, join(modules, ".bin/node"));
  return join(dir, "lib");
}

test("the unit leaves an attacker little: exposure of at most 2.0", (context) => {
  const done = spawnSync("systemd-analyze", ["security", "--offline=true", UNIT], {
    encoding: "utf8",
  });
  if (done.error !== undefined) return context.skip("systemd-analyze is not here");
  const score = Number(/exposure level for sterna.service: ([\d.]+)/.exec(done.stdout)?.[1]);
  expect(score).toBeLessThanOrEqual(2);
});

test.skipIf(absent !== null)(
  "a real systemd starts, restarts, watches and stops it",
  () => {
    const unit = readFileSync(UNIT, "utf8").replace("WatchdogSec=30", "WatchdogSec=2");
    expect(unit).toContain("WatchdogSec=2\n");
    writeFileSync(join(dir, "sterna.service"), unit);
    writeFileSync(
      join(dir, "sterna.yaml"),
      `gateway: { id: gw, site: north }
mqtt: { url: "mqtt://127.0.0.1:1883" }
assets:
  - id: line3
    channels: { current: { mqtt: plant/line3/current, qos: 1, unit: A } }
    rules: [ { id: over, when: "current > 16 A", severity: critical } ]
`,
    );
    writeFileSync(
      join(dir, "broker.conf"),
      "listener 1883 127.0.0.1\nallow_anonymous true\nuser root\n",
    );
    const copies = [
      [installed(), "/usr/lib/sterna"],
      [join(dir, "sterna.service"), "/etc/systemd/system/sterna.service"],
      [join(dir, "sterna.yaml"), "/etc/sterna/sterna.yaml"],
      [join(dir, "broker.conf"), "/opt/broker.conf"],
    ].map(([from, to]) => `${from}:${to}`);
    const inside = join(import.meta.dirname, "inside.sh");
    const done = spawnSync(BOOT, [inside, ...copies], { encoding: "utf8", timeout: 110_000 });
    expect(done.stdout.trim().split("\n"), done.stderr).toEqual([
      "start: active running, watching 1 assets, 1 channels",
      "user: own",
      "health: 200",
      "kill -9: running after 1 restart(s)",
      "state: seq 2 active false",
      "hang: running after 2 restart(s)",
      "stop: inactive, result success, exit 0",
      "config fault: failed, exit 78, 0 restart(s)",
      "/etc/sterna/sterna.yaml:6:33: cannot compare A with V",
    ]);
  },
  120_000,
);
