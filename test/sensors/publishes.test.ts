import fc from "fast-check";
import mqttPacket, { type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { readPublishes } from "../../agent/sensors/publishes.js";

type Got = { topic: string; payload: string; retained: boolean };

/** What is delivered, and what is left to mqtt.js, of bytes that come in the given pieces. */
function read(bytes: Buffer, cuts: readonly number[], version: 4 | 5 = 4) {
  const got: Got[] = [];
  const left: Buffer[] = [];
  const take = readPublishes(
    version,
    (topic, payload, retained) => got.push({ topic, payload: payload.toString(), retained }),
    (piece) => left.push(Buffer.from(piece)),
  );
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  for (let i = 1; i < places.length; i++) take(bytes.subarray(places[i - 1], places[i]));
  return { got, left: Buffer.concat(left) };
}

const encode = (packet: Packet, version: 4 | 5): Buffer =>
  mqttPacket.generate(packet, { protocolVersion: version });

const publish = (topic: string, payload: string, qos: 0 | 1, retain: boolean): Packet => ({
  cmd: "publish",
  topic,
  payload,
  qos,
  retain,
  dup: false,
  ...(qos === 1 ? { messageId: 7 } : {}),
});

describe("publishes", () => {
  const packet = fc.oneof(
    fc.record({
      topic: fc.string({ minLength: 1, maxLength: 150, unit: "grapheme" }),
      payload: fc.oneof(fc.string({ maxLength: 300 }), fc.constant("x".repeat(20_000))),
      qos: fc.constantFrom(0 as const, 1 as const),
      retain: fc.boolean(),
      user: fc.boolean(),
    }),
    fc.constantFrom<Packet>(
      { cmd: "pingresp" },
      { cmd: "puback", messageId: 3 },
      { cmd: "suback", messageId: 9, granted: [0, 1] },
    ),
  );

  test.each([4, 5] as const)("version %i: however cut, QoS 0 is delivered, the rest left", (v) => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 12 }), fc.array(fc.nat(90_000)), (all, cuts) => {
        const expected: Got[] = [];
        const others: Buffer[] = [];
        const bytes = all.map((one) => {
          if ("cmd" in one) return others[others.push(encode(one, v)) - 1] as Buffer;
          const { topic, payload, qos, retain, user } = one;
          const properties = v === 5 && user ? { userProperties: { of: "x".repeat(140) } } : {};
          const sent = encode({ ...publish(topic, payload, qos, retain), properties } as Packet, v);
          if (qos === 0) expected.push({ topic, payload, retained: retain });
          else others.push(sent);
          return sent;
        });
        const whole = Buffer.concat(bytes);
        const found = read(
          whole,
          cuts.map((cut) => Math.min(cut, whole.length)),
          v,
        );
        expect(found.got).toEqual(expected);
        expect(found.left.equals(Buffer.concat(others))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("what is too long goes to mqtt.js in the pieces in which it came; the next is ours", () => {
    const long = encode(publish("a", "y".repeat(100_000), 0, false), 4);
    const bytes = Buffer.concat([long, encode(publish("b", "1", 0, false), 4)]);
    const { got, left } = read(bytes, [10, 30_000, 60_000]);
    expect(got).toEqual([{ topic: "b", payload: "1", retained: false }]);
    expect(left.equals(long)).toBe(true);
  });

  test.each<[string, number[]]>([
    ["a length without an end", [0x30, 0xff, 0xff, 0xff, 0xff, 0x01, 0x30, 0x03, 0, 1, 0x61]],
    ["no room for a topic", [0x30, 0x01, 0x00]],
    ["a topic longer than the packet", [0x30, 0x03, 0x00, 0x09, 0x61]],
    ["an empty topic", [0x30, 0x03, 0x00, 0x00, 0x61]],
    ["QoS 3", [0x36, 0x03, 0x00, 0x01, 0x61]],
  ])("%s is for mqtt.js to refuse", (_, bytes) => {
    const { got, left } = read(Buffer.from(bytes), [1, 3]);
    expect(got).toEqual([]);
    expect([...left]).toEqual(bytes);
  });

  test("a length of more bytes than it needs is read as it is meant", () => {
    const { got } = read(Buffer.from([0x31, 0x84, 0x00, 0, 1, 0x61, 0x62]), []);
    expect(got).toEqual([{ topic: "a", payload: "b", retained: true }]);
  });

  test("version 5: properties that reach beyond the packet, and a topic that is an alias", () => {
    const beyond = [0x30, 0x05, 0, 1, 0x61, 0x09, 0x00];
    const alias = [0x30, 0x07, 0, 0, 3, 0x23, 0, 1, 0x62];
    const { got, left } = read(Buffer.from([...beyond, ...alias]), [], 5);
    expect(got).toEqual([]);
    expect([...left]).toEqual([...beyond, ...alias]);
  });
});
