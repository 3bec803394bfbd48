//! Reads PUBLISH packets of QoS 0 straight off a connection. Telemetry is nearly all that comes on
//! it, and mqtt.js leaves 5 KB of garbage for each, which is then collected while an alarm waits.
//! Every other packet goes on to mqtt.js byte for byte; so does what is malformed.

/** Payload and topic at their longest that are used, about; mqtt.js gathers what is longer. */
const PACKET_BYTES_MAX = 72_000;
/** PUBLISH, QoS 0, not DUP; the lowest bit is RETAIN [MQTT-3.3.1]. */
const PUBLISH_QOS_0 = 0x30;

export type Deliver = (topic: string, payload: Buffer, retained: boolean) => void;

/** Takes the bytes of one connection from the first on, in whatever pieces they come. */
export function readPublishes(
  protocolVersion: 4 | 5,
  deliver: Deliver,
  forward: (bytes: Buffer) => void,
): (chunk: Buffer) => void {
  /** The beginning of a packet of ours whose end has not come. */
  let held: Buffer | null = null;
  /** Bytes to come of a packet of mqtt.js. */
  let passing = 0;

  return (chunk) => {
    const bytes: Buffer = held === null ? chunk : Buffer.concat([held, chunk]);
    held = null;
    const { length } = bytes;
    let at = Math.min(passing, length);
    passing -= at;
    let others = 0; // from here to `at` lies what mqtt.js gets in one piece
    while (at < length) {
      const body = varintEnd(bytes, at + 1);
      if (body === UNFINISHED) break;
      const end =
        body === MALFORMED ? Number.POSITIVE_INFINITY : body + varint(bytes, at + 1, body);
      const head = bytes[at] as number;
      if ((head & 0xfe) === PUBLISH_QOS_0 && end - at <= PACKET_BYTES_MAX) {
        if (end > length) break;
        if (others < at) forward(bytes.subarray(others, at));
        others = take(bytes, body, end, (head & 1) === 1) ? end : at;
      }
      passing = Math.max(0, end - length);
      at = Math.min(end, length);
    }
    if (others < at) forward(bytes.subarray(others, at));
    if (at < length) held = bytes.subarray(at);
  };

  /** False for what only mqtt.js can answer: a malformed packet, a topic that is an alias. */
  function take(bytes: Buffer, body: number, end: number, retained: boolean): boolean {
    if (end - body < 2) return false;
    const topicEnd = body + 2 + bytes.readUInt16BE(body);
    let start = topicEnd;
    if (protocolVersion === 5) {
      const properties = varintEnd(bytes, topicEnd);
      if (properties < 0) return false;
      start = properties + varint(bytes, topicEnd, properties);
    }
    if (topicEnd === body + 2 || start > end) return false;
    deliver(bytes.toString("utf8", body + 2, topicEnd), bytes.subarray(start, end), retained);
    return true;
  }
}

const UNFINISHED = -1;
const MALFORMED = -2;
const VARINT_BYTES_MAX = 4;

/** Where a variable byte integer [MQTT5 1.5.5] ends, or one of the two above. */
function varintEnd(bytes: Buffer, at: number): number {
  for (let next = at; next < at + VARINT_BYTES_MAX; next++) {
    const byte = bytes[next];
    if (byte === undefined) return UNFINISHED;
    if (byte < 0x80) return next + 1;
  }
  return MALFORMED;
}

function varint(bytes: Buffer, at: number, end: number): number {
  let value = 0;
  for (let next = end - 1; next >= at; next--)
    value = value * 128 + ((bytes[next] as number) & 127);
  return value;
}
