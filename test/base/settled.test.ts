//! In a process of its own: the test's V8 is to stay as it is.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const PROGRAM = `
  import { getHeapStatistics, setFlagsFromString } from "node:v8";
  import { loadLightly } from "./agent/base/workers.ts";
  setFlagsFromString("--optimize-for-size");
  const used = () => getHeapStatistics().used_heap_size / 1e6;
  const loaded = loadLightly();
  let waste = Array.from({ length: 200_000 }, (_, i) => ({ i }));
  const before = used();
  waste = null;
  loaded();
  const after = used();
  setTimeout(() => {
    const most = [];
    let kept = [];
    for (let i = 0; i < 200; i++) {
      kept = Array.from({ length: 1_000 }, (_, k) => ({ i, k, text: String(i * k) }));
      most.push(used());
    }
    console.log(JSON.stringify({ before, after, most: Math.max(...most), kept: kept.length }));
  }, 3_000);
`;

test("what loading left is gone at once, and the agent goes on as it was", () => {
  const args = ["--input-type=module", "-e", PROGRAM];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect([status, stderr.includes("rror")]).toEqual([0, false]);
  const { before, after, most, kept } = JSON.parse(stdout);
  expect(before - after).toBeGreaterThan(5);
  expect(most).toBeLessThan(before);
  expect(kept).toBe(1_000);
});
