import fc from "fast-check";
import { expect, test } from "vitest";
import type { Channel } from "../../agent/base/telemetry.js";
import { decode, type MqttBinding, targetOf } from "../../agent/sensors/decode.js";
import { parsePath, pick } from "../../agent/sensors/jsonpath.js";
import { channel, Kept } from "./intake.js";

const NOW = 1_000;
const JSON_AT: MqttBinding = {
  topic: "x",
  qos: 0,
  codec: "json",
  path: "$.v",
  time: "$.ts",
  period: "$.dt",
  unitPath: "$.u",
  timeUnit: "ms",
};
const PLAIN: MqttBinding = { ...JSON_AT, codec: "number", path: null, time: null, unitPath: null };

function kept(
  payload: string | Uint8Array,
  binding: Partial<MqttBinding> = {},
  of: Channel = channel(),
  retained = false,
): Kept {
  const intake = new Kept();
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const target = targetOf(of, { ...JSON_AT, ...binding });
  decode([target], { topic: "x", payload: bytes, r_ms: NOW, retained }, intake);
  return intake;
}

/** `value@time` of every sample, then the rejects. */
function said(...args: Parameters<typeof kept>): string[] {
  const { samples, reasons } = kept(...args);
  return [...samples.map((s) => `${Number(s.value.toPrecision(9))}@${s.t_ms}`), ...reasons];
}

test.each([
  ['{"v":20,"ts":5}', ["293.15@5"]],
  ['{"v":20,"ts":5.25}', ["293.15@5.25"]],
  ['{"v":293.15,"ts":5,"u":"K"}', ["293.15@5"]],
  ['{"v":68,"ts":5,"u":"[degF]"}', ["293.15@5"]],
  ['{"v":20,"ts":5,"u":"°C"}', ["293.15@5"]],
  ['{"v":20,"ts":5,"u":"bar"}', ["unit-conflict"]],
  ['{"v":20,"ts":5,"u":7}', ["unit-conflict"]],
  ['{"v":20,"ts":5,"u":"nonsense"}', ["unit-conflict"]],
  ['{"v":true,"ts":5}', ["274.15@5"]],
  ['{"v":20}', ["293.15@1000"]],
  ['{"ts":5}', ["missing-field"]],
  ['{"v":"20","ts":5}', ["wrong-type"]],
  ['{"v":"","ts":5}', ["wrong-type"]],
  ['{"v":null,"ts":5}', ["wrong-type"]],
  ['{"v":{},"ts":5}', ["wrong-type"]],
  ['{"v":20,"ts":"x"}', ["wrong-type"]],
  ['{"v":20,"ts":null}', ["wrong-type"]],
  ['{"v":20,"ts":[1]}', ["wrong-type"]],
  ['{"v":20,"ts":1e999}', ["not-finite"]],
  ['{"v":1e999,"ts":5}', ["not-finite"]],
  ['{"v":NaN,"ts":5}', ["malformed"]],
  ['{"v":Infinity,"ts":5}', ["malformed"]],
  ['{"v":300,"ts":5}', ["out-of-range"]],
  ['{"v":-300,"ts":5}', ["out-of-range"]],
  ['{"v":20', ["malformed"]],
  ['{"v":20}}', ["malformed"]],
  ["", ["empty"]],
  ["   ", ["empty"]],
  ["null", ["missing-field"]],
  ["[]", ["missing-field"]],
])("%s gives %j", (payload, expected) => {
  expect(said(payload)).toEqual(expected);
});

test.each([
  ['{"v":[20,21],"ts":[5,6]}', ["293.15@5", "294.15@6"]],
  ['{"v":[20,21,22],"ts":5,"dt":0.5}', ["293.15@5", "294.15@5.5", "295.15@6"]],
  ['{"v":[20,21]}', ["293.15@1000", "294.15@1000"]],
  ['{"v":[20,"x",21],"ts":[5,6,7]}', ["293.15@5", "294.15@7", "wrong-type"]],
  ['{"v":[20,21],"ts":[5,"x"]}', ["293.15@5", "wrong-type"]],
  ['{"v":[20,21],"ts":[5]}', ["malformed"]],
  ['{"v":[20,21],"ts":5,"dt":-1}', ["out-of-range"]],
  ['{"v":[20,21],"ts":5}', ["missing-field"]],
  ['{"v":[[20]],"ts":[5]}', ["wrong-type"]],
  ['{"v":[]}', ["empty"]],
])("the batch %s gives %j", (payload, expected) => {
  expect(said(payload)).toEqual(expected);
});

test("a batch of objects is read by [*], and a hole in it is one reject", () => {
  const binding = { path: "$.s[*].v", time: "$.s[*].t", unitPath: null, period: null };
  const payload = '{"s":[{"v":20,"t":1},{"t":2},{"v":21},{"v":22,"t":4}]}';
  const holes = ["missing-field", "missing-field"];
  expect(said(payload, binding)).toEqual(["293.15@1", "295.15@4", ...holes]);
  expect(said('{"s":7}', binding)).toEqual(["wrong-type"]);
});

test.each([
  ["s", "5", ["293.15@5000"]],
  ["iso", '"1970-01-01T00:00:05Z"', ["293.15@5000"]],
  ["iso", '"1970-01-01T00:00:05.123456Z"', ["293.15@5123"]],
  ["iso", '"1970-01-01T00:00:05"', ["293.15@5000"]],
  ["iso", '"1970-01-01 01:00:05+01:00"', ["293.15@5000"]],
  ["iso", '"1970-01-01T01:00:05+0100"', ["293.15@5000"]],
  ["iso", '"1970-01-01T01:00:05+01"', ["293.15@5000"]],
  ["iso", '"1970-13-01T00:00:05Z"', ["malformed"]],
  ["iso", '"yesterday"', ["malformed"]],
  ["iso", "5", ["wrong-type"]],
] as const)("time in %s: %s gives %j", (timeUnit, written, expected) => {
  expect(said(`{"v":20,"ts":${written}}`, { timeUnit })).toEqual(expected);
});

test.each([
  ["20", ["293.15@1000"]],
  [" 2e1\n", ["293.15@1000"]],
  ["-.5", ["272.65@1000"]],
  ["", ["empty"]],
  [" ", ["empty"]],
  ["NaN", ["not-finite"]],
  ["-Infinity", ["not-finite"]],
  ["1e999", ["not-finite"]],
  ["0x10", ["wrong-type"]],
  ["20 C", ["wrong-type"]],
  ["20,5", ["wrong-type"]],
  ["\u0000\u0001", ["wrong-type"]],
])("plain %j gives %j", (payload, expected) => {
  expect(said(payload, PLAIN)).toEqual(expected);
});

test("texts come through the codes of the channel, and no other way", () => {
  const status = channel({ unit: "1", dim: "1", offset: 0, codes: { RUN: 2, STOP: 0 } });
  expect(said('{"v":"RUN","ts":5}', {}, status)).toEqual(["2@5"]);
  expect(said("STOP", PLAIN, status)).toEqual(["0@1000"]);
  expect(said('{"v":"toString","ts":5}', {}, status)).toEqual(["unknown-code"]);
});

test("a retained message without a time is of unknown age: uncertain", () => {
  expect(kept("20", PLAIN, channel(), true).samples[0]?.quality).toBe("uncertain");
  expect(kept('{"v":20,"ts":5}', {}, channel(), true).samples[0]?.quality).toBe("good");
  expect(kept("20", PLAIN).samples[0]?.quality).toBe("good");
});

test("a 10 MB payload is refused unread", () => {
  for (const codec of ["json", "number", "block"] as const) {
    expect(said(new Uint8Array(10_000_000), { codec })).toEqual(["too-long"]);
  }
});

test("a waveform channel takes no scalars", () => {
  expect(said('{"v":20,"ts":5}', {}, channel({ shape: "block" }))).toEqual(["wrong-type"]);
});

test("one text feeds many channels by their paths, and a fault spoils only its own", () => {
  const intake = new Kept();
  const targets = ["$.a", "$.b", "$.c"].map((path, id) =>
    targetOf(channel({ id }), { ...JSON_AT, path, time: null, unitPath: null }),
  );
  const payload = Buffer.from('{"a":1,"b":"x","c":3}');
  decode(targets, { topic: "x", payload, r_ms: NOW, retained: false }, intake);
  expect(intake.samples.map((s) => [s.channel, s.value])).toEqual([
    [0, 274.15],
    [2, 276.15],
  ]);
  expect(intake.rejects).toEqual([{ reason: "wrong-type", channel: 1, where: "x" }]);
});

test("no payload throws, and what passes is finite and in range", () => {
  const check = (payload: string | Uint8Array): void => {
    for (const codec of ["json", "number", "block"] as const) {
      const { samples, items, rejects } = kept(payload, { codec });
      expect(items.length + rejects.length).toBeGreaterThan(0);
      for (const { value, t_ms } of samples) {
        expect(value >= 0 && value <= 500 && Number.isFinite(t_ms)).toBe(true);
      }
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check));
  fc.assert(fc.property(fc.json(), check));
  const odd = fc.oneof(fc.double(), fc.jsonValue(), fc.array(fc.jsonValue()));
  fc.assert(
    fc.property(odd, odd, odd, odd, (v, ts, u, dt) => check(JSON.stringify({ v, ts, u, dt }))),
  );
});

test.each([
  ["$", { a: 1 }, { a: 1 }],
  ["$.a", { a: 1 }, 1],
  ["$.data[1].x", { data: [0, { x: 2 }] }, 2],
  ['$["a b"]', { "a b": 3 }, 3],
  ["$['a.b'].c", { "a.b": { c: 4 } }, 4],
  ["$.a[*]", { a: [1, 2] }, [1, 2]],
  ["$.a[*].b", { a: [{ b: 1 }, 2] }, [1, undefined]],
  ["$.a[*].b", { a: 5 }, null],
  ["$.a.b", { a: null }, undefined],
  ["$.constructor", {}, undefined],
  ["$.__proto__", {}, undefined],
  ["$.a.length", { a: [1] }, undefined],
  ["$.a[0]", { a: { 0: 1 } }, undefined],
])("%s of %j is %j", (text, json, expected) => {
  const path = parsePath(text);
  expect(path).not.toBeNull();
  if (path !== null) expect(pick(json, path)).toEqual(expected);
});

test.each(["", "v", "$v", "$.", "$..v", "$.a[", "$[a]", "$[-1]", "$[*][*]", "$.a b", "$.*"])(
  "%j is no path",
  (text) => {
    expect(parsePath(text)).toBeNull();
  },
);
