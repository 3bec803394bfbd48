//! Payload bytes to samples in SI. Untrusted input is met here only, so each way to be wrong has a
//! name; nothing throws, whatever the bytes.
import type { Channel, Intake, Reject } from "../base/telemetry.js";
import { isUnitFault, parseUnit } from "../units/parse.js";

export const PAYLOAD_BYTES_MAX = 65_536;
const BATCH_VALUES_MAX = 10_000;

/** How the payload of one topic becomes one channel, built once from the config. */
export type Decoding = {
  readonly codec: "number" | "json";
  readonly path: Path | null;
  readonly time: Path | null;
  readonly unitPath: Path | null;
  readonly timeUnit: "ms" | "s" | "iso";
};

export type Path = readonly (string | number)[];

/** `$.a.b[0]["c d"]` as its steps; null when it is no such path. */
export function parsePath(text: string): Path | null {
  if (!text.startsWith("$")) return null;
  const steps: (string | number)[] = [];
  const step = /\.([A-Za-z_][\w-]*)|\[(\d+)\]|\["([^"]*)"\]/y;
  step.lastIndex = 1;
  while (step.lastIndex < text.length) {
    const match = step.exec(text);
    if (match === null) return null;
    steps.push(match[2] === undefined ? ((match[1] ?? match[3]) as string) : Number(match[2]));
  }
  return steps;
}

/** The JSON text of a payload parsed once for all channels of its topic. */
export function parseJson(payload: Uint8Array): { readonly json: unknown } | Reject {
  if (payload.length > PAYLOAD_BYTES_MAX) return "too-long";
  const text = new TextDecoder().decode(payload).trim();
  if (text === "") return "empty";
  try {
    return { json: JSON.parse(text) };
  } catch {
    return "malformed";
  }
}

/** Decodes a plain number payload; `at_ms` is its arrival and, having no stamp, its source time. */
export function decodeNumber(
  channel: Channel,
  payload: Uint8Array,
  at_ms: number,
  intake: Intake,
  where: string,
): void {
  if (payload.length > PAYLOAD_BYTES_MAX) return intake.reject("too-long", channel.id, where);
  const text = new TextDecoder().decode(payload).trim();
  // Number("") is 0: an empty payload would read as a healthy zero.
  if (text === "") return intake.reject("empty", channel.id, where);
  const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : null;
  const named = /^[+-]?(nan|inf(inity)?)$/i.test(text) ? Number.NaN : null;
  emit(channel, number ?? named ?? text, at_ms, at_ms, 1, 0, intake, where);
}

/** Decodes parsed JSON: one value, or a batch when value (and time) are arrays. */
export function decodeJson(
  channel: Channel,
  decoding: Decoding,
  json: unknown,
  at_ms: number,
  intake: Intake,
  where: string,
): void {
  const value = pick(json, decoding.path ?? []);
  if (value === undefined) return intake.reject("missing-field", channel.id, where);
  let factor = 1;
  let offset = 0;
  if (decoding.unitPath !== null) {
    const written = pick(json, decoding.unitPath);
    if (written !== undefined) {
      const unit = unitFor(channel, written);
      if (unit === null) return intake.reject("unit-conflict", channel.id, where);
      // The payload's own unit replaces the channel's: undo that one, apply this one.
      factor = unit.factor / channel.factor;
      offset = (unit.offset - channel.offset) / channel.factor;
    }
  }
  const stamp = decoding.time === null ? at_ms : pick(json, decoding.time);
  if (!Array.isArray(value)) {
    const t_ms = decoding.time === null ? at_ms : timeOf(stamp, decoding.timeUnit);
    if (typeof t_ms === "string") return intake.reject(t_ms, channel.id, where);
    return emit(channel, value, t_ms, at_ms, factor, offset, intake, where);
  }
  if (value.length > BATCH_VALUES_MAX) return intake.reject("too-long", channel.id, where);
  if (value.length === 0) return intake.reject("empty", channel.id, where);
  for (let i = 0; i < value.length; i++) {
    const t = decoding.time === null ? at_ms : Array.isArray(stamp) ? stamp[i] : stamp;
    const t_ms = decoding.time === null ? at_ms : timeOf(t, decoding.timeUnit);
    if (typeof t_ms === "string") intake.reject(t_ms, channel.id, where);
    else emit(channel, value[i], t_ms, at_ms, factor, offset, intake, where);
  }
}

/** The last gate of every scalar: type, finiteness, unit to SI, plausible range. */
export function emit(
  channel: Channel,
  written: unknown,
  t_ms: number,
  r_ms: number,
  factor: number,
  offset: number,
  intake: Intake,
  where: string,
): void {
  const number = numberOf(channel, written);
  if (typeof number === "string") return intake.reject(number, channel.id, where);
  // After the factor: a huge kW is finite as written and infinite in W.
  const value = (number * factor + offset) * channel.factor + channel.offset;
  if (!Number.isFinite(value)) return intake.reject("not-finite", channel.id, where);
  if (!(value >= channel.min && value <= channel.max)) {
    return intake.reject("out-of-range", channel.id, where);
  }
  intake.push({ kind: "sample", channel: channel.id, t_ms, r_ms, value, quality: "good" });
}

/** A number as written, a truth as 0 or 1, a text only through the channel's codes. */
export function numberOf(channel: Channel, written: unknown): number | Reject {
  if (typeof written === "number") return written;
  if (typeof written === "boolean") return written ? 1 : 0;
  if (typeof written !== "string" || channel.codes === null) return "wrong-type";
  const code = Object.hasOwn(channel.codes, written) ? channel.codes[written] : undefined;
  return code ?? "unknown-code";
}

/** The unit a message or recording states, when it fits the channel; null on contradiction. */
export function unitFor(
  channel: Channel,
  written: unknown,
): { readonly factor: number; readonly offset: number } | null {
  if (typeof written !== "string") return null;
  const unit = parseUnit(written);
  if (isUnitFault(unit) || unit.dim !== channel.dim) return null;
  const contradicts = unit.kind !== "" && channel.unitKind !== "" && unit.kind !== channel.unitKind;
  return contradicts ? null : unit;
}

function timeOf(written: unknown, unit: Decoding["timeUnit"]): number | Reject {
  if (written === undefined) return "missing-field";
  if (unit === "iso") {
    if (typeof written !== "string") return "wrong-type";
    const t_ms = Date.parse(written);
    return Number.isNaN(t_ms) ? "malformed" : t_ms;
  }
  if (typeof written !== "number") return "wrong-type";
  return unit === "s" ? written * 1_000 : written;
}

function pick(json: unknown, path: Path): unknown {
  let at = json;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}
