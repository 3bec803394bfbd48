import fc from "fast-check";
import { expect, test } from "vitest";
import type { Block, Channel } from "../../agent/base/telemetry.js";
import { type BlockHeader, decodeBlock, encodeBlock } from "../../agent/sensors/block.js";
import { decode, targetOf } from "../../agent/sensors/decode.js";
import { Kept, waveform } from "./intake.js";

const HEADER: BlockHeader = { fs_hz: 25_600, t_ms: 1_000.5, scale: 1, rpm: 1_500, unit: "" };

function kept(payload: Uint8Array, of: Channel = waveform()): Kept {
  const intake = new Kept();
  const target = targetOf(of, {
    topic: "x",
    qos: 0,
    codec: "block",
    path: null,
    time: null,
    unitPath: null,
    timeUnit: "ms",
  });
  decode([target], { topic: "x", payload, r_ms: 5_000, retained: false }, intake);
  return intake;
}

function block(payload: Uint8Array, of?: Channel): Block {
  const { items, reasons } = kept(payload, of);
  expect(reasons).toEqual([]);
  const [item] = items;
  if (item?.kind !== "block") throw new Error("no block came");
  return item;
}

/** The payload with some bytes of the header overwritten. */
function spoilt(write: (view: DataView) => void): Uint8Array {
  const payload = encodeBlock(HEADER, new Float32Array([1, 2]));
  write(new DataView(payload.buffer));
  return payload;
}

test("float samples arrive bit by bit, with rate, time and speed", () => {
  const samples = new Float32Array([1.5, -2.25, 0.1]);
  const got = block(encodeBlock(HEADER, samples));
  expect([...got.values]).toEqual([...samples]);
  expect(got).toMatchObject({ fs_hz: 25_600, t_ms: 1_000.5, r_ms: 5_000 });
  expect(got.speed_radps).toBeCloseTo(157.0796, 3);
});

test("counts become SI by scale and unit: 100 counts of 0.01 g are 9.80665 m/s2", () => {
  const header = { ...HEADER, scale: 0.01, unit: "[g]", rpm: null };
  const got = block(encodeBlock(header, new Int16Array([100, -32_768])));
  expect(got.values[0]).toBe(Math.fround(9.80665));
  expect(got.values[1]).toBeCloseTo(-3213.44, 2);
  expect(got.speed_radps).toBeNull();
});

test("without a unit the config's holds, and a contradicting one is refused", () => {
  const inG = waveform({ unit: "[g]", factor: 9.80665 });
  expect(block(encodeBlock(HEADER, new Float32Array([2])), inG).values[0]).toBeCloseTo(19.6133, 4);
  const volts = encodeBlock({ ...HEADER, unit: "V" }, new Float32Array([2]));
  expect(kept(volts).reasons).toEqual(["unit-conflict"]);
});

test("without a time the last sample was taken on arrival", () => {
  const payload = encodeBlock({ ...HEADER, fs_hz: 10, t_ms: Number.NaN }, new Float32Array(20));
  expect(block(payload).t_ms).toBe(3_000);
});

test.each<[string, Uint8Array, string]>([
  ["nothing", new Uint8Array(0), "empty"],
  ["garbage", new Uint8Array(500).fill(7), "malformed"],
  ["a short header", encodeBlock(HEADER, new Float32Array(1)).subarray(0, 39), "malformed"],
  ["a missing byte", encodeBlock(HEADER, new Float32Array(9)).subarray(0, 75), "malformed"],
  ["a byte more", new Uint8Array([...spoilt(() => {}), 0]), "malformed"],
  ["no samples", encodeBlock(HEADER, new Float32Array(0)), "empty"],
  ["another magic", spoilt((v) => v.setUint8(3, 0x32)), "malformed"],
  ["an unknown type", spoilt((v) => v.setUint8(4, 3)), "malformed"],
  ["a used reserve", spoilt((v) => v.setUint8(7, 1)), "malformed"],
  ["a huge count", spoilt((v) => v.setUint32(36, 0xffffffff, true)), "malformed"],
  ["a long unit", spoilt((v) => v.setUint8(5, 255)), "malformed"],
  ["NaN samples", encodeBlock(HEADER, new Float32Array([1, Number.NaN])), "not-finite"],
  ["infinite samples", encodeBlock(HEADER, new Float32Array([Infinity])), "not-finite"],
  ["an overflow", encodeBlock({ ...HEADER, scale: 1e30 }, new Float32Array([1e30])), "not-finite"],
  ["rate 0", encodeBlock({ ...HEADER, fs_hz: 0 }, new Float32Array(1)), "out-of-range"],
  ["rate NaN", encodeBlock({ ...HEADER, fs_hz: Number.NaN }, new Float32Array(1)), "not-finite"],
  ["scale 0", encodeBlock({ ...HEADER, scale: 0 }, new Float32Array(1)), "out-of-range"],
  ["time infinite", encodeBlock({ ...HEADER, t_ms: Infinity }, new Float32Array(1)), "not-finite"],
  ["rpm negative", encodeBlock({ ...HEADER, rpm: -1 }, new Float32Array(1)), "out-of-range"],
  ["rpm infinite", encodeBlock({ ...HEADER, rpm: Infinity }, new Float32Array(1)), "out-of-range"],
  ["5 MB", encodeBlock(HEADER, new Float32Array(1_250_000)), "too-long"],
])("%s is refused", (_, payload, reason) => {
  expect(kept(payload).reasons).toEqual([reason]);
});

test("a value outside the plausible range condemns its block", () => {
  const narrow = waveform({ min: -10, max: 10 });
  expect(kept(encodeBlock(HEADER, new Float32Array([1, 10])), narrow).reasons).toEqual([]);
  const beyond = encodeBlock(HEADER, new Float32Array([1, 10.001]));
  expect(kept(beyond, narrow).reasons).toEqual(["out-of-range"]);
  expect(kept(beyond, waveform({ shape: "scalar" })).reasons).toEqual(["wrong-type"]);
});

test("what is encoded is decoded, wherever the payload lies in its buffer", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const samples = fc.oneof(
    fc.float32Array({ minLength: 1, maxLength: 50 }),
    fc.int16Array({ minLength: 1, maxLength: 50 }),
  );
  fc.assert(
    fc.property(samples, finite, fc.string({ maxLength: 60 }), fc.nat(3), (raw, t_ms, unit, at) => {
      const payload = encodeBlock({ ...HEADER, t_ms, unit }, raw);
      const slab = new Uint8Array(payload.length + at);
      slab.set(payload, at);
      const got = decodeBlock(slab.subarray(at));
      if (typeof got === "string") throw new Error(got);
      expect(got).toMatchObject({ t_ms, unit: Buffer.from(unit).toString(), scale: 1 });
      expect([...got.bytes]).toEqual([...new Uint8Array(raw.buffer)]);
    }),
  );
});

test("no payload throws", () => {
  const real = encodeBlock({ ...HEADER, unit: "m/s2" }, new Int16Array([1, 2, 3]));
  const hurt = fc.tuple(fc.nat(real.length - 1), fc.nat(255)).map(([at, byte]) => {
    const payload = real.slice();
    payload[at] = byte;
    return payload;
  });
  fc.assert(fc.property(fc.oneof(hurt, fc.uint8Array()), (bytes) => void kept(bytes)));
});
