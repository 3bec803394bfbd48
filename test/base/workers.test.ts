//! In a process of its own: the test's threads are to keep their priority.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const PROGRAM = `
  import { readdirSync, readFileSync } from "node:fs";
  import { getPriority } from "node:os";
  import { yieldWorkers } from "./agent/base/workers.ts";
  const named = (name) => readdirSync("/proc/self/task").filter((id) =>
    readFileSync("/proc/self/task/" + id + "/comm", "utf8").trim() === name);
  const before = getPriority(process.pid);
  const changed = yieldWorkers();
  const workers = named("V8Worker").map((id) => getPriority(Number(id)));
  console.log(JSON.stringify({ before, after: getPriority(process.pid), changed, workers }));
`;

const linux = process.platform === "linux" && readdirSync("/proc/self/task").length > 1;
if (!linux) console.log("skipped: no Linux (priority of threads)");

test.skipIf(!linux)("V8's threads give way, the one that carries the alarms does not", () => {
  const args = ["--input-type=module", "-e", PROGRAM];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const { before, after, changed, workers } = JSON.parse(stdout || `{"stderr":"${stderr}"}`);
  expect(changed).toBeGreaterThan(0);
  expect(workers).toHaveLength(changed);
  expect(workers.every((nice: number) => nice > before)).toBe(true);
  expect(after).toBe(before);
});

test("the unit lets the agent do so", () => {
  const unit = readFileSync("systemd/sterna.service", "utf8");
  expect(unit).toMatch(/^SystemCallFilter=.*\bsetpriority\b/m);
});
