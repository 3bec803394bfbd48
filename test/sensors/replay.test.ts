import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { OperatingError } from "../../agent/base/errors.js";
import { silentLog } from "../../agent/base/log.js";
import type { Channel } from "../../agent/base/telemetry.js";
import { replaySource } from "../../agent/sensors/replay.js";
import { channel, Kept } from "./intake.js";

const folder = mkdtempSync(join(tmpdir(), "sterna-replay-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ONE = channel({ min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY });
const find = (asset: string, name: string): Channel | null =>
  asset === ONE.asset && name === ONE.name ? ONE : null;
const SHAPE = { a: "wt07", c: "oilTemp" };

test("a replayed source moves the times to now and keeps order and lateness", async () => {
  const path = join(folder, "live.ndjson");
  const records = [
    { t: 1_000, ...SHAPE, v: 1, r: 1_000 },
    { t: 900, ...SHAPE, v: 2, r: 1_010 },
    { r: 1_020 },
    { t: 1, a: "x", c: "y", v: 1 },
    { t: 1_030, ...SHAPE, v: 3, r: 1_030 },
  ];
  writeFileSync(path, records.map((r) => `${JSON.stringify(r)}\n`).join(""));
  const end = Promise.withResolvers<OperatingError | null>();
  const source = replaySource(path, find, silentLog, end.resolve);
  const intake = new Kept();
  // A machine that is busy for longer than the records are apart must not move their times.
  const push = intake.push.bind(intake);
  intake.push = (item) => {
    for (const until_ms = performance.now() + 40; performance.now() < until_ms; );
    push(item);
  };
  await source.start(intake);
  expect(await end.promise).toBeNull();
  await source.stop();
  expect(intake.samples.map((s) => Math.round(s.value - 273.15))).toEqual([1, 2, 3]);
  expect(intake.samples.map((s) => s.t_ms - s.r_ms)).toEqual([0, -110, 0]);
  const [first, , last] = intake.samples;
  expect((last?.t_ms ?? 0) - (first?.t_ms ?? 0)).toBeCloseTo(30, 3);
  expect(intake.rejects).toEqual([
    { reason: "unknown-channel", channel: null, where: `${path}:4` },
  ]);
});

test("a recording that cannot be read ends with the reason", async () => {
  const path = join(folder, "nowhere.ndjson");
  const end = Promise.withResolvers<OperatingError | null>();
  const source = replaySource(path, find, silentLog, end.resolve);
  await source.start(new Kept());
  expect((await end.promise)?.message).toContain(path);
  await source.stop();
});
