//! The unit started for real: a systemd of its own in a namespace, a real broker, the built agent.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const UNIT = join(ROOT, "systemd/sterna.service");
const WITH_SYSTEMD = join(ROOT, "../shared/tools/with-systemd");
const INSTALLED = "/opt/sterna/current";
const SCORE_MAX = 2.0;
/** Not loaded by an agent without models, and a third of the weight of the tree. */
const LEFT_OUT = /onnxruntime-node|@biomejs/;

type Event = { id: string; data: { transition: string; seq: number; marks: string[] } };

function whyNot(): string | null {
  for (const program of ["mosquitto", "mosquitto_pub", "mosquitto_passwd", "systemctl"]) {
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `no ${program}`;
  }
  if (!existsSync(WITH_SYSTEMD)) return "../shared/tools/with-systemd is absent";
  const boot = spawnSync(WITH_SYSTEMD, [scriptOf("exit 0")], { encoding: "utf8" });
  return boot.status === 0 ? null : `no systemd in a namespace here: ${boot.stderr.trim()}`;
}

function scriptOf(body: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "sterna-inside-")), "inside.sh");
  writeFileSync(file, `#!/bin/bash\n${body}\n`, { mode: 0o755 });
  return file;
}

/** What an installation has, as FROM:TO pairs: the program and its packages without those of dev. */
function tree(): string[] {
  const lock: unknown = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const { packages } = lock as { packages: Record<string, { dev?: boolean }> };
  const own = [
    "dist",
    "config",
    "agent/models",
    "agent/accel",
    "agent/status",
    "package.json",
    "node_modules/.bin",
  ];
  const others = Object.entries(packages)
    .filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && dev !== true)
    .map(([path]) => path)
    .filter((path) => !LEFT_OUT.test(path) && existsSync(join(ROOT, path)));
  return [...own, ...others].map((path) => `${join(ROOT, path)}:${INSTALLED}/${path}`);
}

const absent = whyNot();
if (absent !== null) process.stdout.write(`skipped: the service under systemd: ${absent}\n`);

describe.runIf(absent === null)("the service", () => {
  let facts: Readonly<Record<string, string>> = {};

  beforeAll(() => {
    const inside = join(import.meta.dirname, "inside.sh");
    const unit = `${UNIT}:/etc/systemd/system/sterna.service`;
    const run = spawnSync(WITH_SYSTEMD, [inside, unit, ...tree()], { encoding: "utf8" });
    const pairs = run.stdout.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2));
    facts = Object.fromEntries(pairs);
    expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
  }, 300_000);

  test("is active once it watches, and says what", () => {
    expect(facts).toMatchObject({
      broker: "yes",
      listener: "yes",
      start: "0",
      ready: "active",
      status: "watching 1 asset(s), 1 channel(s)",
    });
  });

  test("runs without privileges, and sees the program but no home", () => {
    expect(facts).toMatchObject({
      uid: "not root",
      capabilities: "0000000000000000",
      no_new_privileges: "1",
      system_calls: "filtered",
      program: "seen",
      listed_homes: "0",
    });
  });

  test("serves the page from within its sandbox", () => {
    expect(facts["page"]).toBe("HTTP/1.1 200 OK");
  });

  test("takes the broker's password from its credential", () => {
    expect(facts["raised"]).toBe("yes");
  });

  test("is restarted after kill -9, and the stored alarm survives", () => {
    expect(facts).toMatchObject({ killed_restarted: "yes", after_kill: "1", cleared: "yes" });
    const events: readonly Event[] = JSON.parse(`[${facts["events"]?.replace(/,$/, "")}]`);
    // What was sent but not yet acknowledged at the kill comes again, and is told by its id.
    const once = new Map(events.map(({ id, data }) => [id, `${data.transition} ${data.seq}`]));
    expect([...once.values()]).toEqual(["raise 1", "clear 2"]);
    // An agent that had lost its state would end the alarm too, by what the broker retains.
    expect(events.flatMap(({ data }) => data.marks)).not.toContain("reconciled");
  });

  test("a hang is restarted by the watchdog, and only a hang", () => {
    expect(facts).toMatchObject({
      fed: "1",
      hang_restarted: "yes",
      after_hang: "2",
    });
  });

  test("stops cleanly, within its time", () => {
    // "timeout" would be the result of a stop that systemd had to end.
    expect(facts).toMatchObject({ stop: "0", stop_result: "success", stop_status: "0" });
  });

  test("a config fault ends it with 78, is not tried again, and the journal names the place", () => {
    expect(facts).toMatchObject({
      fault_start: "refused",
      fault_state: "failed",
      fault_status: "78",
      fault_restarts: "0",
    });
    expect(facts["fault_said"]).toMatch(/^\/etc\/sterna\/sterna\.yaml:7:\d+: .*V/);
  });
});

const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
if (!analyze) process.stdout.write("skipped: the unit's score: no systemd-analyze\n");

describe.runIf(analyze)("the unit file", () => {
  test("has an exposure level of at most 2.0", () => {
    const said = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", UNIT], {
      encoding: "utf8",
    });
    const level = /Overall exposure level for sterna\.service: ([\d.]+)/.exec(said.stdout)?.[1];
    expect(Number(level), said.stderr).toBeLessThanOrEqual(SCORE_MAX);
  });

  test("has nothing that systemd does not understand", () => {
    const folder = mkdtempSync(join(tmpdir(), "sterna-unit-"));
    const file = join(folder, "sterna.service");
    // The program is not installed on the machine that tests.
    const text = readFileSync(UNIT, "utf8").replace(/^ExecStart=.*$/m, "ExecStart=/bin/true");
    writeFileSync(file, text);
    const said = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
    expect(said.stderr).toBe("");
    expect(said.status).toBe(0);
  });

  const DEVICES = join(ROOT, "systemd/devices");
  test.each(["spidev", "uio", "apex", "usb"])("the drop-in for %s opens it alone", (device) => {
    const folder = mkdtempSync(join(tmpdir(), "sterna-unit-"));
    const file = join(folder, "sterna.service");
    writeFileSync(
      file,
      readFileSync(UNIT, "utf8").replace(/^ExecStart=.*$/m, "ExecStart=/bin/true"),
    );
    mkdirSync(`${file}.d`);
    const text = readFileSync(join(DEVICES, `${device}.conf`), "utf8");
    const verify = (dropIn: string): string => {
      writeFileSync(join(`${file}.d`, "accel.conf"), dropIn);
      return spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" })
        .stderr;
    };
    expect(verify(text)).toBe("");
    // Were it not read, nothing could be wrong with it.
    expect(verify(`${text}NoSuchKey=1\n`)).toContain("NoSuchKey");
    // DevicePolicy=closed of the unit holds: what is not allowed here stays shut.
    expect(text).toMatch(/^DeviceAllow=char-\w+ rw$/m);
    expect(text).not.toMatch(/^(DevicePolicy|DeviceAllow=.*\*)/m);
  });
});
