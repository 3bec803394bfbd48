//! What the recorder writes is what a reader reads.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { Item } from "../../agent/base/telemetry.js";
import { recordingWriter } from "../../agent/sensors/recorder.js";
import { readRecording } from "../../agent/sensors/recording.js";
import { isUnitFault, parseUnit } from "../../agent/units/parse.js";
import { channel } from "./intake.js";
import { CHANNELS, find, readAll } from "./recordings.js";

const folder = mkdtempSync(join(tmpdir(), "sterna-recording-"));
afterAll(() => rmSync(folder, { recursive: true }));

const plainZero = (x: number): number => (x === 0 ? 0 : x);
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map(plainZero);
const time = fc.double({ min: 0, max: 4e12, noNaN: true }).map(plainZero);
const sample = fc.record({
  kind: fc.constant("sample" as const),
  channel: fc.constant(0),
  t_ms: time,
  r_ms: time,
  value: number,
  quality: fc.constantFrom("good" as const, "uncertain" as const, "bad" as const),
});
const block = fc.record({
  kind: fc.constant("block" as const),
  channel: fc.constant(1),
  t_ms: time,
  r_ms: time,
  values: fc
    .float32Array({ minLength: 1, noNaN: true, noDefaultInfinity: true })
    .map((list) => list.map(plainZero)),
  fs_hz: fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
  speed_radps: fc.option(fc.double({ min: 1e-9, max: 1e5, noNaN: true })),
});

const NAMES = ["trip.ndjson", "trip.ndjson.gz"];
test.each(NAMES)("%s: what is written is read, bit by bit", async (name) => {
  const path = join(folder, name);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(sample, block)), async (items: Item[]) => {
      const writer = await recordingWriter(path, (id) => CHANNELS[id]);
      for (const item of items) writer.write(item);
      writer.tick(5e12);
      await writer.close();
      expect(writer.dropped).toBe(0);
      expect(await readAll(path)).toEqual([...items, { kind: "tick", r_ms: 5e12 }]);
    }),
    { numRuns: 40 },
  );
});

test.each(["kW", "W/(m2.K)", "kg-2", "m/s2/Hz^(1/2)", "rpm", "%", "mm/s{rms}", "kN.m/rad"])(
  "a channel in %s is written in its SI unit, which reads back as factor 1",
  async (text) => {
    const unit = parseUnit(text);
    if (isUnitFault(unit)) throw new Error(unit.fault);
    const infinite = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
    const { dim, factor, offset, kind: unitKind } = unit;
    const own = channel({ ...infinite, unit: text, dim, factor, offset, unitKind });
    const path = join(folder, "unit.ndjson");
    const at = { t_ms: 1, r_ms: 1, value: 0.1 + 0.2, quality: "good" } as const;
    const writer = await recordingWriter(path, () => own);
    writer.write({ kind: "sample", channel: 0, ...at });
    await writer.close();
    for await (const read of readRecording(path, () => own))
      expect(read).toMatchObject({ value: 0.1 + 0.2 });
    expect(readFileSync(path, "utf8")).toContain('"v":0.30000000000000004');
  },
);

test("a bad sample without a number stays one", async () => {
  const path = join(folder, "nan.ndjson");
  const blind = { t_ms: 1, r_ms: 2, value: Number.NaN, quality: "bad" } as const;
  const item: Item = { kind: "sample", channel: 0, ...blind };
  const writer = await recordingWriter(path, (id) => CHANNELS[id]);
  writer.write(item);
  await writer.close();
  expect(readFileSync(path, "utf8")).toBe(
    '{"t":1,"a":"wt07","c":"oilTemp","u":"K","q":"bad","r":2}\n',
  );
  expect(await readAll(path)).toEqual([item]);
});

test("a slow disk is waited for by who can wait, and nothing is lost", async () => {
  const path = join(folder, "large.ndjson.gz");
  const writer = await recordingWriter(path, (id) => CHANNELS[id]);
  for (let t = 0; t < 100_000; t++) {
    const at = { t_ms: t, r_ms: t, value: t * 1.1, quality: "good" } as const;
    if (!writer.write({ kind: "sample", channel: 0, ...at })) await writer.drained();
  }
  await writer.close();
  expect(writer.dropped).toBe(0);
  let last = -1;
  for await (const read of readRecording(path, find)) {
    if (read.kind !== "sample" || read.t_ms !== last + 1) throw new Error(JSON.stringify(read));
    last = read.t_ms;
  }
  expect(last).toBe(99_999);
});

test("a place that cannot be written is one plain error", async () => {
  const failing = recordingWriter(join(folder, "no", "such.ndjson"), () => undefined);
  await expect(failing).rejects.toMatchObject({ code: "recording-unwritable" });
  const full = await recordingWriter("/dev/full", (id) => CHANNELS[id]);
  full.write({ kind: "sample", channel: 0, t_ms: 1, r_ms: 1, value: 1, quality: "good" });
  await expect(full.close()).rejects.toMatchObject({ code: "recording-unwritable" });
});
