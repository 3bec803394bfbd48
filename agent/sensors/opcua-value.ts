//! One DataValue of OPC UA to one Sample in SI, or a named Reject. Pure and without the library, so
//! that it can be tested with any value a server could send.
import type { Channel, Intake, Quality } from "../base/telemetry.js";
import { numberOf } from "./decode.js";

/** The part of a DataValue that is used; the library's class fits it. */
export type Reading = {
  readonly value: {
    readonly dataType: number;
    readonly arrayType: number;
    readonly value: unknown;
  };
  readonly statusCode: { readonly value: number };
  readonly sourceTimestamp: Date | null;
  readonly serverTimestamp: Date | null;
};

// Built-in type ids, OPC 10000-6 table 1.
const INT64 = 8;
const UINT64 = 9;
const LOCALIZED_TEXT = 21;
const TWO_TO_32 = 2 ** 32;

/** Severity is the top two bits of a StatusCode, OPC 10000-4 7.39.1. */
export function qualityOf(status: number): Quality {
  const severity = status >>> 30;
  return severity === 0 ? "good" : severity === 1 ? "uncertain" : "bad";
}

/** Pushes the reading as a sample of `channel`, or counts why not. */
export function takeReading(
  channel: Channel,
  reading: Reading,
  r_ms: number,
  intake: Intake,
  where: string,
): void {
  const quality = qualityOf(reading.statusCode.value);
  // Zero date is "no time" on the wire (1601); the source's clock, then the server's, then ours.
  const stamp = validTime(reading.sourceTimestamp) ?? validTime(reading.serverTimestamp) ?? r_ms;
  const number = scalarOf(channel, reading);
  if (quality === "bad") {
    // No data, whatever the variant holds: it only tells the pipeline that the channel is blind.
    const held = typeof number === "number" ? number * channel.factor + channel.offset : 0;
    const value = Number.isFinite(held) ? held : 0;
    intake.push({ kind: "sample", channel: channel.id, t_ms: stamp, r_ms, value, quality });
    return;
  }
  if (typeof number === "string") return intake.reject(number, channel.id, where);
  const value = number * channel.factor + channel.offset;
  if (!Number.isFinite(value)) return intake.reject("not-finite", channel.id, where);
  if (!(value >= channel.min && value <= channel.max)) {
    return intake.reject("out-of-range", channel.id, where);
  }
  intake.push({ kind: "sample", channel: channel.id, t_ms: stamp, r_ms, value, quality });
}

function scalarOf(channel: Channel, reading: Reading): ReturnType<typeof numberOf> {
  const { dataType, arrayType, value } = reading.value;
  // An array carries no sampling rate: a waveform made of it would be invented.
  if (arrayType !== 0) return "wrong-type";
  if (value === null || value === undefined) return "empty";
  if (dataType === INT64 || dataType === UINT64) return wide(value, dataType === INT64);
  if (dataType === LOCALIZED_TEXT && typeof value === "object" && "text" in value) {
    return numberOf(channel, value.text ?? "");
  }
  return numberOf(channel, value);
}

/** The library gives 64-bit integers as [high, low] words. */
function wide(value: unknown, signed: boolean): ReturnType<typeof numberOf> {
  if (!Array.isArray(value)) return "wrong-type";
  const [high, low]: unknown[] = value;
  if (typeof high !== "number" || typeof low !== "number") return "wrong-type";
  return (signed ? high | 0 : high >>> 0) * TWO_TO_32 + (low >>> 0);
}

function validTime(date: Date | null): number | null {
  const t_ms = date?.getTime() ?? 0;
  return t_ms > 0 ? t_ms : null;
}
