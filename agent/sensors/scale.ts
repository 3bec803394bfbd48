//! The last gate of every value: type, unit to SI, finiteness, plausible range. MQTT payloads and
//! recordings pass here alike.
import type { Channel, Reject } from "../base/telemetry.js";
import { asDifference, bridge, type Claim, claim, fits } from "../units/bridge.js";
import { isUnitFault, type Unit } from "../units/parse.js";
import { parseWireUnit } from "../units/wire.js";

/** SI value = written value * factor + offset. A Channel is the scale of its own unit. */
export type Scale = { readonly factor: number; readonly offset: number };

const UNITS_MAX = 64; // spellings remembered a channel; a sender that varies them gains nothing
const FLOAT32_MAX = 3.4028234663852886e38;

/** A number as written, a truth as 0 or 1, a text only through the channel's codes. */
export function numberOf(channel: Channel, written: unknown): number | Reject {
  if (typeof written === "number") return written;
  if (typeof written === "boolean") return written ? 1 : 0;
  if (typeof written !== "string" || channel.codes === null) return "wrong-type";
  const code = Object.hasOwn(channel.codes, written) ? channel.codes[written] : undefined;
  return code ?? "unknown-code";
}

/** The written value in SI, or why it is none of this channel's. */
export function toSi(channel: Channel, written: unknown, scale: Scale): number | Reject {
  if (channel.shape !== "scalar") return "wrong-type";
  const number = typeof written === "number" ? written : numberOf(channel, written);
  if (typeof number === "string") return number;
  // A code is a plain number: the unit a message states is not its unit.
  const { factor, offset } = typeof written === "string" ? channel : scale;
  const value = number * factor + offset;
  if (!Number.isFinite(value)) return "not-finite";
  return value >= channel.min && value <= channel.max ? value : "out-of-range";
}

/** Little-endian samples in SI. One bad value condemns the block: a gap looks like vibration. */
export function blockToSi(
  channel: Channel,
  type: "f32" | "i16",
  bytes: Uint8Array,
  perCount: number,
  scale: Scale,
): Float32Array | Reject {
  if (channel.shape !== "block") return "wrong-type";
  if (bytes.length === 0) return "empty";
  // The copy is aligned, which a network buffer need not be; every platform of ours (x64, arm64) is
  // little-endian like the format.
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const counts = type === "f32" ? new Float32Array(copy) : new Int16Array(copy);
  const values = counts instanceof Float32Array ? counts : new Float32Array(counts.length);
  const factor = perCount * scale.factor;
  const { offset } = scale;
  const { min, max } = channel;
  for (let i = 0; i < values.length; i++) {
    const exact = (counts[i] as number) * factor + offset;
    if (!(Math.abs(exact) <= FLOAT32_MAX)) return "not-finite";
    values[i] = exact;
    const value = values[i] as number; // as stored: a replay must judge the same number
    if (!(value >= min && value <= max)) return "out-of-range";
  }
  return values;
}

/** The word of the config, for an error that names every source. */
export function ownClaim(channel: Channel): Claim {
  const { unit: text, dim, unitKind: kind, factor, offset, point: affine } = channel;
  const unit = { text, ucum: text, dim, kind, factor, offset, affine };
  return { who: "the config says", words: `unit "${text}"`, unit };
}

/** A unit of the wire as the channel takes it. */
export function asTaken(channel: Channel, unit: Unit): Unit {
  return channel.difference === true ? asDifference(unit) : unit;
}

/** Reads the units that messages of a channel state; a text names both sides of a contradiction. */
export function unitReader(channel: Channel): (written: unknown) => Scale | string {
  const known = new Map<string, Scale | string>();
  return (written) => {
    if (typeof written !== "string") return "the unit that the message states is no text";
    const found = known.get(written);
    if (found !== undefined) return found;
    const scale = unitFor(channel, written);
    if (known.size >= UNITS_MAX) known.clear();
    known.set(written, scale);
    return scale;
  };
}

function unitFor(channel: Channel, written: string): Scale | string {
  const unit = parseWireUnit(written.trim());
  if (!isUnitFault(unit) && fits(channel, unit)) {
    const { factor, offset } = asTaken(channel, unit);
    return { factor, offset };
  }
  const found = bridge(channel, [ownClaim(channel), claim("the message says", written)]);
  return typeof found === "string" ? found : channel;
}
