import fc from "fast-check";
import mqttPacket, { type IPublishPacket } from "mqtt-packet";
import { expect, test } from "vitest";
import { PACKET_ID_MAX, publishPacket } from "../../agent/alerts/packet.js";

/** As the parser of mqtt.js reads it. */
function parsed(bytes: Buffer, protocolVersion: 4 | 5): IPublishPacket[] {
  const found: IPublishPacket[] = [];
  const parser = mqttPacket.parser({ protocolVersion });
  parser.on("packet", (packet) => found.push(packet as IPublishPacket));
  expect(parser.parse(bytes)).toBe(0);
  return found;
}

test.each([4, 5] as const)("version %i: what is written is what was meant", (version) => {
  const message = fc.record({
    topic: fc.string({ minLength: 1, maxLength: 200, unit: "grapheme" }),
    payload: fc.oneof(
      fc.string({ maxLength: 200, unit: "grapheme" }),
      fc.constantFrom("x".repeat(16_000), "y".repeat(70_000), "µ".repeat(1_100_000)),
    ),
    retain: fc.boolean(),
    historical: fc.boolean(),
  });
  fc.assert(
    fc.property(message, fc.integer({ min: 1, max: PACKET_ID_MAX }), (wanted, messageId) => {
      const [packet, ...more] = parsed(publishPacket(messageId, wanted, version), version);
      expect(more).toEqual([]);
      const { topic, payload, retain, historical } = wanted;
      expect(packet).toMatchObject({
        cmd: "publish",
        qos: 1,
        dup: false,
        topic,
        retain,
        messageId,
      });
      expect(packet?.payload.toString()).toBe(payload);
      const said = packet?.properties?.userProperties?.["historical"];
      expect(said).toBe(version === 5 && historical ? "true" : undefined);
    }),
  );
});
