import fc from "fast-check";
import { expect, test } from "vitest";
import type { Channel, Intake, Item } from "../../agent/base/telemetry.js";
import {
  type Decoding,
  decodeJson,
  decodeNumber,
  parseJson,
  parsePath,
} from "../../agent/sensors/decode.js";
import { readLine } from "../../agent/sensors/recording.js";
import { levelOf } from "../../agent/sensors/topic.js";

const TEMPERATURE: Channel = {
  id: 0,
  asset: "a",
  name: "t",
  shape: "scalar",
  dim: "K",
  unitKind: "",
  point: true,
  unit: "Cel",
  factor: 1,
  offset: 273.15,
  min: 0,
  max: 500,
  staleAfter_ms: null,
  codes: null,
  pattern: false,
};

function gather(): { intake: Intake; said: string[] } {
  const said: string[] = [];
  const intake: Intake = {
    push: (item: Item) =>
      said.push(
        item.kind === "sample" ? `${Number(item.value.toPrecision(9))}@${item.t_ms}` : "block",
      ),
    reject: (reason) => said.push(reason),
    level: () => null,
    link() {},
    refuse() {},
    now: () => 1_000,
  };
  return { intake, said };
}

const JSON_AT: Decoding = {
  codec: "json",
  path: parsePath("$.v"),
  time: parsePath("$.ts"),
  unitPath: parsePath("$.u"),
  timeUnit: "ms",
};

function decode(payload: string | Uint8Array, decoding: Decoding = JSON_AT): string[] {
  const { intake, said } = gather();
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  if (decoding.codec === "number") decodeNumber(TEMPERATURE, bytes, 1_000, intake, "x");
  else {
    const json = parseJson(bytes);
    if (typeof json === "string") said.push(json);
    else decodeJson(TEMPERATURE, decoding, json.json, 1_000, intake, "x");
  }
  return said;
}

test.each([
  ['{"v":20,"ts":5}', ["293.15@5"]],
  ['{"v":293.15,"ts":5,"u":"K"}', ["293.15@5"]],
  ['{"v":68,"ts":5,"u":"[degF]"}', ["293.15@5"]],
  ['{"v":20,"ts":5,"u":"bar"}', ["unit-conflict"]],
  ['{"v":[20,21],"ts":[5,6]}', ["293.15@5", "294.15@6"]],
  ['{"v":true,"ts":5}', ["274.15@5"]],
  ['{"v":20}', ["missing-field"]],
  ['{"ts":5}', ["missing-field"]],
  ['{"v":"20","ts":5}', ["wrong-type"]],
  ['{"v":null,"ts":5}', ["wrong-type"]],
  ['{"v":1e999,"ts":5}', ["not-finite"]],
  ['{"v":300,"ts":5}', ["out-of-range"]],
  ['{"v":20,"ts":"x"}', ["wrong-type"]],
  ['{"v":20', ["malformed"]],
  ["", ["empty"]],
  ["   ", ["empty"]],
  ["null", ["missing-field"]],
])("%s gives %j", (payload, expected) => {
  expect(decode(payload)).toEqual(expected);
});

test("a 10 MB payload is refused unread", () => {
  expect(decode(new Uint8Array(10_000_000))).toEqual(["too-long"]);
});

test.each([
  ["20", ["293.15@1000"]],
  [" 2e1\n", ["293.15@1000"]],
  ["", ["empty"]],
  ["NaN", ["not-finite"]],
  ["-Infinity", ["not-finite"]],
  ["0x10", ["wrong-type"]],
  ["20 C", ["wrong-type"]],
])("plain %j gives %j", (payload, expected) => {
  const plain = { ...JSON_AT, codec: "number" as const };
  expect(decode(payload, plain)).toEqual(expected);
});

test("finite as written, infinite in SI: refused on the wire and in a recording", () => {
  const power: Channel = {
    ...TEMPERATURE,
    dim: "W",
    unit: "kW",
    factor: 1e3,
    offset: 0,
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
  };
  const { intake, said } = gather();
  decodeNumber(power, new TextEncoder().encode("1.8e305"), 1_000, intake, "x");
  decodeNumber(power, new TextEncoder().encode("1.7e305"), 1_000, intake, "x");
  expect(said).toEqual(["not-finite", "1.7e+308@1000"]);
  const line = '{"t":1,"a":"a","c":"t","v":1.8e305}';
  expect(readLine(line, 1, () => power)).toMatchObject({ reason: "not-finite" });
});

test("no payload throws", () => {
  const plain = { ...JSON_AT, codec: "number" as const };
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void [decode(bytes), decode(bytes, plain)]));
  fc.assert(fc.property(fc.json(), (text) => void decode(text)));
});

test("topic levels", () => {
  expect(levelOf("plant/+/accel", "plant/wt07/accel")).toBe("wt07");
  expect(levelOf("plant/+/accel", "plant/wt07/speed")).toBeNull();
  expect(levelOf("plant/#", "plant/a/b")).toBe("a-b");
  expect(levelOf("plant/+", "plant/a.b")).toBe("a_2eb");
});

test("recording lines", () => {
  const find = (a: string, c: string) => (a === "a" && c === "t" ? TEMPERATURE : null);
  const read = (text: string) => {
    const got = readLine(text, 1, find);
    return got.kind === "item" && got.item.kind === "sample"
      ? [got.item.value, got.item.t_ms, got.item.r_ms]
      : got.kind === "reject"
        ? got.reason
        : got.kind;
  };
  expect(read('{"t":1,"a":"a","c":"t","v":20,"u":"Cel"}')).toEqual([293.15, 1, 1]);
  expect(read('{"t":1,"a":"a","c":"t","v":20,"r":9}')).toEqual([293.15, 1, 9]);
  expect(read('{"r":9}')).toBe("tick");
  expect(read('{"t":1,"a":"a","c":"x","v":20}')).toBe("unknown-channel");
  expect(read('{"t":1,"a":"a","c":"t","v":20,"u":"m"}')).toBe("unit-conflict");
  expect(read('{"t":1,"a":"a","c":"t"}')).toBe("missing-field");
  expect(read("[]")).toBe("malformed");
  expect(read('{"t":1,"a":"a","c":"t","fs":10,"u":"K","f32":"AAAAQA=="}')).toBe("item");
  fc.assert(fc.property(fc.json(), (text) => void readLine(text, 1, find)));
});
