import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { Channel } from "../../agent/base/telemetry.js";
import { LINE_CHARS_MAX } from "../../agent/sensors/lines.js";
import { findOrOpen, lineReader, type Read } from "../../agent/sensors/recording.js";
import { waveform } from "./intake.js";
import { find, readAll } from "./recordings.js";

const folder = mkdtempSync(join(tmpdir(), "sterna-recording-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SHAPE = { a: "wt07", c: "oilTemp" };

function readText(name: string, text: string | Uint8Array): Promise<Read[]> {
  const path = join(folder, name);
  writeFileSync(path, text);
  return readAll(path);
}

function readOne(record: object | string): Read {
  return lineReader(find)(typeof record === "string" ? record : JSON.stringify(record), 1);
}

const value = (read: Read): unknown => (read.kind === "sample" ? read.value : read);
const reason = (read: Read): unknown => (read.kind === "reject" ? read.reason : read);

test("scalars: unit, arrival, quality, truth and text", () => {
  expect(readOne({ t: 5, ...SHAPE, v: 20, u: "Cel" })).toEqual({
    kind: "sample",
    channel: 0,
    t_ms: 5,
    r_ms: 5,
    value: 293.15,
    quality: "good",
  });
  expect(readOne({ t: 5.25, ...SHAPE, v: 20, q: "uncertain", r: 9.5 })).toMatchObject({
    t_ms: 5.25,
    r_ms: 9.5,
    quality: "uncertain",
  });
  expect(value(readOne({ t: 5, ...SHAPE, v: 300, u: "K" }))).toBe(300);
  expect(value(readOne({ t: 5, a: "wt07", c: "state", v: "RUN" }))).toBe(2);
  expect(value(readOne({ t: 5, a: "wt07", c: "state", v: true }))).toBe(1);
  expect(readOne({ t: 5, ...SHAPE, q: "bad" })).toMatchObject({ kind: "sample", quality: "bad" });
  expect(readOne({ r: 7 })).toEqual({ kind: "tick", r_ms: 7 });
});

test("blocks: counts with k, floats, rpm", () => {
  const head = { t: 5, a: "wt07", c: "accel", u: "[g]", fs: 25_600 };
  const i16 = Buffer.from(Int16Array.of(100, -1).buffer).toString("base64");
  const got = readOne({ ...head, i16, k: 0.01, rpm: 1_500 });
  if (got.kind !== "block") throw new Error(JSON.stringify(got));
  expect([...got.values]).toEqual([Math.fround(9.80665), Math.fround(-0.0980665)]);
  expect(got).toMatchObject({ fs_hz: 25_600, speed_radps: (1_500 * Math.PI) / 30 });
  const f32 = Buffer.from(Float32Array.of(1).buffer).toString("base64");
  expect(readOne({ ...head, f32 })).toMatchObject({ kind: "block", speed_radps: null });
});

const F32 = "AACAPw==";
const BLOCK = { t: 5, a: "wt07", c: "accel", fs: 10 };
test.each<[object | string, string]>([
  ["", "malformed"],
  ["{", "malformed"],
  ["[]", "malformed"],
  ["7", "malformed"],
  ["null", "malformed"],
  [{}, "missing-field"],
  [{ t: 5, ...SHAPE }, "missing-field"],
  [{ t: 5, a: "wt07", v: 1 }, "missing-field"],
  [{ ...SHAPE, v: 1, r: 5 }, "missing-field"],
  [{ t: "5", ...SHAPE, v: 1 }, "wrong-type"],
  [{ t: 5, a: 7, c: "oilTemp", v: 1 }, "wrong-type"],
  [{ t: 5, ...SHAPE, v: "1" }, "wrong-type"],
  [{ t: 5, ...SHAPE, v: null }, "wrong-type"],
  [{ t: 5, ...SHAPE, v: 1, q: "fine" }, "wrong-type"],
  ['{"t":5,"a":"wt07","c":"oilTemp","v":1e999}', "not-finite"],
  ['{"t":1e999,"a":"wt07","c":"oilTemp","v":1}', "not-finite"],
  [{ t: 5, a: "wt07", c: "narrow", v: 300 }, "out-of-range"],
  [{ t: 5, a: "wt08", c: "oilTemp", v: 1 }, "unknown-channel"],
  [{ t: 5, a: "wt07", c: "__proto__", v: 1 }, "unknown-channel"],
  [{ t: 5, ...SHAPE, v: 1, u: "bar" }, "unit-conflict"],
  [{ t: 5, a: "wt07", c: "state", v: "SLEEP" }, "unknown-code"],
  [{ t: 5, a: "wt07", c: "accel", v: 1 }, "wrong-type"],
  [{ ...BLOCK, c: "oilTemp", f32: F32 }, "wrong-type"],
  [{ ...BLOCK, f32: 7 }, "wrong-type"],
  [{ ...BLOCK, f32: "" }, "empty"],
  [{ ...BLOCK, f32: "AAA=" }, "malformed"],
  [{ ...BLOCK, f32: "AAC!Pw==" }, "malformed"],
  [{ ...BLOCK, i16: "AA==" }, "malformed"],
  [{ ...BLOCK, f32: F32, fs: 0 }, "out-of-range"],
  [{ ...BLOCK, f32: F32, fs: undefined }, "missing-field"],
  [{ ...BLOCK, f32: F32, rpm: -1 }, "out-of-range"],
  [{ ...BLOCK, f32: F32, rpm: "x" }, "wrong-type"],
  [{ ...BLOCK, f32: F32, q: "bad" }, "bad-quality"],
])("%j is %s", (record, expected) => {
  expect(reason(readOne(record))).toBe(expected);
});

test("a reject says its line and whose it was; the lines after it are read", async () => {
  const good = JSON.stringify({ t: 5, ...SHAPE, v: 20 });
  const bad = JSON.stringify({ t: 5, a: "wt07", c: "nothing", v: 20 });
  const got = await readText("bad.ndjson", `\uFEFF${good}\r\n\n{"t":\n${bad}\n  \n${good}`);
  expect(got).toEqual([
    readOne(good),
    { kind: "reject", reason: "malformed", line: 3 },
    { kind: "reject", reason: "unknown-channel", line: 4, asset: "wt07", channel: "nothing" },
    readOne(good),
  ]);
});

test("a line beyond the bound is skipped, not held", async () => {
  const good = JSON.stringify({ t: 5, ...SHAPE, v: 20 });
  const long = `{"x":"${"x".repeat(LINE_CHARS_MAX)}"}`;
  const got = await readText("long.ndjson", `${good}\n${long}\n${good}\n`);
  expect(got.map((r) => r.kind)).toEqual(["sample", "reject", "sample"]);
  expect(got[1]).toEqual({ kind: "reject", reason: "too-long", line: 2 });
});

test("a truncated archive gives what is there, a damaged one ends with a reject", async () => {
  const lines = Array.from({ length: 5_000 }, (_, t) =>
    JSON.stringify({ t, ...SHAPE, v: Math.sin(t) }),
  );
  const zipped = gzipSync(`${lines.join("\n")}\n`);
  expect(await readText("whole.ndjson.gz", zipped)).toHaveLength(5_000);
  const cut = await readText("cut.ndjson.gz", zipped.subarray(0, zipped.length / 2));
  expect(cut.length).toBeGreaterThan(1_000);
  expect(cut.slice(0, -1).every((r) => r.kind === "sample")).toBe(true);
  expect(reason(cut.at(-1) as Read)).toBe("malformed");
  const hurt = new Uint8Array(zipped);
  hurt.fill(0xff, hurt.length / 2, hurt.length / 2 + 64);
  expect(reason((await readText("hurt.ndjson.gz", hurt)).at(-1) as Read)).toBe("malformed");
  const none = await readText("none.ndjson.gz", "not an archive");
  expect(none).toEqual([{ kind: "reject", reason: "malformed", line: 1 }]);
  expect(await readText("empty.ndjson.gz", "")).toEqual([]);
  expect(await readText("two.ndjson.gz", Buffer.concat([zipped, zipped]))).toHaveLength(10_000);
});

test("a file that is not there is one plain error", async () => {
  const missing = readAll(join(folder, "missing.ndjson.gz"));
  await expect(missing).rejects.toMatchObject({ code: "recording-unreadable" });
});

test("no line throws", () => {
  const read = lineReader(find);
  fc.assert(fc.property(fc.string(), (text) => void read(text, 1)));
  const any = fc.oneof(fc.jsonValue(), fc.double(), fc.constant(F32));
  const fields = fc.record(
    {
      t: any,
      r: any,
      v: any,
      u: any,
      q: any,
      fs: any,
      i16: any,
      f32: any,
      k: any,
      rpm: any,
      a: fc.constant("wt07"),
      c: fc.constantFrom("oilTemp", "accel", "state", "narrow"),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fields, (record) => {
      const got = read(JSON.stringify(record), 1);
      if (got.kind === "sample" && got.quality !== "bad") expect(got.value).not.toBeNaN();
    }),
  );
});

test("a level in a recording opens the level of its pattern", () => {
  const table = new Map([["accel", waveform({ id: 7, name: "accel", pattern: true })]]);
  const opened: string[] = [];
  const look = (_asset: string, name: string): Channel | null => table.get(name) ?? null;
  const level = (id: number, text: string): number | null => {
    if (opened.length === 2) return null;
    opened.push(`${id}.${text}`);
    table.set(`accel.${text}`, waveform({ id: 7 + opened.length, name: `accel.${text}` }));
    return 7 + opened.length;
  };
  const open = findOrOpen(look, level);
  expect(open("wt07", "accel.hss")?.id).toBe(8);
  expect(open("wt07", "accel.hss")?.id).toBe(8);
  expect(open("wt07", "accel.ims")?.id).toBe(9);
  expect(open("wt07", "accel.lss")).toBeNull(); // beyond the bound
  expect(open("wt07", "accel")).toBeNull(); // a template has no data of its own
  expect(open("wt07", "accel.a/b")).toBeNull();
  expect(open("wt07", "other.x")).toBeNull();
  expect(opened).toEqual(["7.hss", "7.ims"]);
});
