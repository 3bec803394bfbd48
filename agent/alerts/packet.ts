//! An alarm message as the bytes of one packet, PUBLISH at QoS 1 [MQTT-3.3]. mqtt.js would hand
//! the socket seven pieces a tick later: with the alarm on its way that is most of its delay here.
import type { Outgoing } from "./link.js";

const PUBLISH_QOS_1 = 0x32;
const RETAIN = 0x01;
const NO_PROPERTIES = Buffer.from([0]);
/** User property [MQTT5 3.3.2.3.7]: `historical` is `true`. */
const HISTORICAL = Buffer.from([19, 0x26, 0, 10, ..."historical", 0, 4, ..."true"].map(byteOf));

export const PACKET_ID_MAX = 0xffff;

/** `id` from 1 to PACKET_ID_MAX. */
export function publishPacket(id: number, message: Outgoing, protocolVersion: 4 | 5): Buffer {
  const { topic, payload, retain, historical } = message;
  const properties = historical ? HISTORICAL : NO_PROPERTIES;
  const topicBytes = Buffer.byteLength(topic);
  const payloadBytes = Buffer.byteLength(payload);
  const propertyBytes = protocolVersion === 5 ? properties.length : 0;
  const size = 2 + topicBytes + 2 + propertyBytes + payloadBytes;
  const packet = Buffer.allocUnsafe(1 + varintBytes(size) + size);
  packet[0] = retain ? PUBLISH_QOS_1 | RETAIN : PUBLISH_QOS_1;
  let at = writeVarint(packet, size, 1);
  at = packet.writeUInt16BE(topicBytes, at);
  at += packet.write(topic, at);
  at = packet.writeUInt16BE(id, at);
  at += properties.copy(packet, at, 0, propertyBytes);
  packet.write(payload, at);
  return packet;
}

/** The fixed header's remaining length [MQTT-2.2.3]. */
function writeVarint(packet: Buffer, value: number, at: number): number {
  let next = at;
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) packet[next++] = (rest % 128) | 0x80;
  packet[next++] = rest;
  return next;
}

function varintBytes(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}

function byteOf(part: number | string): number {
  return typeof part === "number" ? part : part.charCodeAt(0);
}
