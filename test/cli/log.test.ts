import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { terminalLine } from "../../agent/cli/log.js";
import { sterna } from "../fixtures/agent.js";

const MAIN = join(import.meta.dirname, "../../dist/agent/main.js");
const SCRIPT = "/usr/bin/script"; // of bsdutils: runs a command on a terminal
const SYSTEM_NODE = "/usr/bin/node";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sterna-log-"));
  writeFileSync(
    join(dir, "c.yaml"),
    `gateway: { id: gw-1, site: s }
assets:
  - { id: a1, channels: { oilTemp: { unit: Cel } } }
`,
  );
});
afterAll(() => rmSync(dir, { recursive: true }));

const record = (out: string): string[] => [
  "record",
  "--config",
  join(dir, "c.yaml"),
  "--out",
  join(dir, out),
  "--duration",
  "0.1s",
];

test("a line for a terminal: time, level, message, fields", () => {
  const line = { level: 40, time: 0, pid: 1, hostname: "h", link: "mqtt", n: { v: 1 }, msg: "off" };
  const text = '1970-01-01T00:00:00.000Z warn  off link=mqtt n={"v":1}\n';
  expect(terminalLine(JSON.stringify(line))).toBe(text);
});

test("a journal gets JSON", () => {
  const { code, err } = sterna(...record("j.ndjson"));
  expect(code).toBe(0);
  expect(JSON.parse(err.split("\n")[0] ?? "")).toMatchObject({ level: 30, msg: "recording" });
});

test.skipIf(!existsSync(SCRIPT))("a terminal gets a plain line (skips without script)", () => {
  const command = [process.execPath, MAIN, ...record("t.ndjson")].join(" ");
  const { stdout } = spawnSync(SCRIPT, ["-qec", command, "/dev/null"], { encoding: "utf8" });
  expect(stdout).toMatch(/^\d{4}-\S+Z info {2}recording out=\S+t\.ndjson\r?$/m);
});

const OLD = /^v(18|20|22)\./.test(
  spawnSync(SYSTEM_NODE, ["--version"], { encoding: "utf8" }).stdout ?? "",
);
test.skipIf(!OLD)("an old Node is told what it needs (skips where /usr/bin/node is new)", () => {
  const { status, stderr } = spawnSync(SYSTEM_NODE, [MAIN, "--version"], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^sterna needs Node 24 or newer, this is \d+\.\d+\.\d+; start it with/);
});
