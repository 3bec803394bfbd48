//! Payload bytes to Items in SI. Untrusted input is met here, so each way to be wrong has a name;
//! nothing throws, whatever the bytes. docs/payloads.md says it for people.
import { assert } from "../base/errors.js";
import type { Channel, Intake, Quality, Reject } from "../base/telemetry.js";
import { decodeBlock } from "./block.js";
import { type Path, parsePath, pick } from "./jsonpath.js";
import { blockToSi, type Scale, toSi, unitReader } from "./scale.js";

export { parsePath } from "./jsonpath.js";
export { numberOf } from "./scale.js";

export const PAYLOAD_BYTES_MAX = 65_536;

/** How the config binds a topic to a channel. */
export type MqttBinding = {
  /** A topic filter; with `+` or `#` the channel is a pattern and each match a level. */
  readonly topic: string;
  readonly qos: 0 | 1;
  readonly codec: "number" | "json" | "block";
  readonly path: string | null;
  readonly time: string | null;
  /** Time between the values of a batch that states only its start, in timeUnit (iso: ms). */
  readonly period?: string | null;
  readonly unitPath: string | null;
  readonly timeUnit: "ms" | "s" | "iso";
};

/** One channel fed by a topic, its paths compiled. */
export type Target = {
  readonly channel: Channel;
  readonly codec: MqttBinding["codec"];
  readonly value: Path;
  readonly time: Path | null;
  readonly period: Path | null;
  readonly unit: Path | null;
  readonly timeUnit: MqttBinding["timeUnit"];
  readonly readUnit: (written: unknown) => Scale | string;
};

export type Arrival = {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly r_ms: number;
  /** The broker's stored copy, of unknown age, and not something sent just now. */
  readonly retained: boolean;
};

export function targetOf(channel: Channel, binding: MqttBinding): Target {
  const compiled = (text: string | null | undefined): Path | null => {
    if (text === null || text === undefined) return null;
    const path = parsePath(text);
    assert(path !== null, `the config let the JSON path "${text}" pass`);
    return path;
  };
  return {
    channel,
    codec: binding.codec,
    value: compiled(binding.path) ?? { head: [], rest: null },
    time: compiled(binding.time),
    period: compiled(binding.period),
    unit: compiled(binding.unitPath),
    timeUnit: binding.timeUnit,
    readUnit: unitReader(channel),
  };
}

/** Decodes one message for every channel of its topic; text and JSON are read once for all. */
export function decode(targets: readonly Target[], arrival: Arrival, intake: Intake): void {
  let text: Text | null = null;
  let json: { readonly json: unknown } | Reject | null = null;
  for (const target of targets) {
    let reason: Reject | Contradiction | null;
    if (target.codec === "block") {
      reason = takeBlock(target, arrival, intake);
    } else {
      text ??= textOf(arrival.payload);
      if (typeof text === "string") reason = text;
      else if (target.codec === "number") reason = takeNumber(target, text.text, arrival, intake);
      else {
        json ??= parseJson(text.text);
        reason = typeof json === "string" ? json : takeJson(target, json.json, arrival, intake);
      }
    }
    if (reason === null) continue;
    const { id } = target.channel;
    if (typeof reason === "string") intake.reject(reason, id, arrival.topic);
    else intake.reject("unit-conflict", id, `${arrival.topic}: ${reason.why}`);
  }
}

/** A unit that the message states and the config contradicts: both are said, in the log. */
type Contradiction = { readonly why: string };

type Text = { readonly text: string } | Reject;

function textOf(payload: Uint8Array): Text {
  if (payload.length > PAYLOAD_BYTES_MAX) return "too-long";
  const text = asBuffer(payload).toString().trim();
  // Number("") is 0: an empty payload would read as a healthy zero.
  return text === "" ? "empty" : { text };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

function parseJson(text: string): { readonly json: unknown } | Reject {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return "malformed";
  }
}

function takeNumber(target: Target, text: string, arrival: Arrival, intake: Intake): Reject | null {
  let written: number | string = text;
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) written = Number(text);
  else if (/^[+-]?(nan|inf|infinity)$/i.test(text)) written = Number.NaN;
  const value = toSi(target.channel, written, target.channel);
  if (typeof value === "string") return value;
  push(target, value, arrival.r_ms, false, arrival, intake);
  return null;
}

function takeJson(
  target: Target,
  json: unknown,
  arrival: Arrival,
  intake: Intake,
): Reject | Contradiction | null {
  const written = pick(json, target.value);
  if (written === undefined) return "missing-field";
  const stated = target.unit === null ? undefined : pick(json, target.unit);
  const scale = stated === undefined ? target.channel : target.readUnit(stated);
  if (typeof scale === "string") return { why: scale };
  const stamp = target.time === null ? undefined : pick(json, target.time);
  if (Array.isArray(written)) {
    const times = timesOf(target, json, stamp, arrival.r_ms);
    if (typeof times === "string") return times;
    return takeBatch(target, written, scale, times, arrival, intake);
  }
  const t_ms = stamp === undefined ? arrival.r_ms : timeOf(stamp, target.timeUnit);
  if (typeof t_ms === "string") return t_ms;
  const value = toSi(target.channel, written, scale);
  if (typeof value === "string") return value;
  push(target, value, t_ms, stamp !== undefined, arrival, intake);
  return null;
}

function takeBatch(
  target: Target,
  written: readonly unknown[],
  scale: Scale,
  times: Times,
  arrival: Arrival,
  intake: Intake,
): Reject | null {
  const { channel, timeUnit } = target;
  const { stamps, start_ms, period_ms, stated } = times;
  if (written.length === 0) return "empty";
  // Which time would belong to which value?
  if (stamps !== null && stamps.length !== written.length) return "malformed";
  for (let i = 0; i < written.length; i++) {
    const value = written[i] === undefined ? "missing-field" : toSi(channel, written[i], scale);
    const t_ms = stamps === null ? start_ms + i * period_ms : timeOf(stamps[i], timeUnit);
    if (typeof value === "string") intake.reject(value, channel.id, arrival.topic);
    else if (typeof t_ms === "string") intake.reject(t_ms, channel.id, arrival.topic);
    else push(target, value, t_ms, stated, arrival, intake);
  }
  return null;
}

/** One time for each value, or a start and a period. Not `stated`: the arrival time stands in. */
type Times = {
  readonly stamps: readonly unknown[] | null;
  readonly start_ms: number;
  readonly period_ms: number;
  readonly stated: boolean;
};

function timesOf(target: Target, json: unknown, stamp: unknown, r_ms: number): Times | Reject {
  if (stamp === undefined) return { stamps: null, start_ms: r_ms, period_ms: 0, stated: false };
  if (Array.isArray(stamp)) return { stamps: stamp, start_ms: 0, period_ms: 0, stated: true };
  const start_ms = timeOf(stamp, target.timeUnit);
  if (typeof start_ms === "string") return start_ms;
  const step = target.period === null ? 0 : pick(json, target.period);
  const period_ms = timeOf(step, target.timeUnit === "s" ? "s" : "ms");
  if (typeof period_ms === "string") return period_ms;
  return period_ms < 0 ? "out-of-range" : { stamps: null, start_ms, period_ms, stated: true };
}

// Without a zone a time is UTC: a gateway's local zone is nobody's intention.
const ISO = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?$/;

function timeOf(written: unknown, unit: MqttBinding["timeUnit"]): number | Reject {
  if (written === undefined) return "missing-field";
  if (unit !== "iso") {
    if (typeof written !== "number") return "wrong-type";
    const t_ms = unit === "s" ? written * 1_000 : written;
    return Number.isFinite(t_ms) ? t_ms : "not-finite";
  }
  if (typeof written !== "string") return "wrong-type";
  const match = ISO.exec(written);
  if (match === null) return "malformed";
  const zone = match[3] ?? "";
  const local = written.slice(0, written.length - zone.length).replace(" ", "T");
  const [sign, hours, minutes] = [zone.slice(0, 1), zone.slice(1, 3), zone.slice(-2)];
  const offset = zone.length < 2 ? "Z" : `${sign}${hours}:${zone.length === 3 ? "00" : minutes}`;
  const t_ms = Date.parse(local + offset);
  return Number.isNaN(t_ms) ? "malformed" : t_ms;
}

function push(
  target: Target,
  value: number,
  t_ms: number,
  stated: boolean,
  arrival: Arrival,
  intake: Intake,
): void {
  const { r_ms, retained } = arrival;
  // A retained message without a time may be years old: its value is used, but not as certain.
  const quality: Quality = retained && !stated ? "uncertain" : "good";
  intake.push({ kind: "sample", channel: target.channel.id, t_ms, r_ms, value, quality });
}

function takeBlock(
  target: Target,
  arrival: Arrival,
  intake: Intake,
): Reject | Contradiction | null {
  const { channel } = target;
  const { r_ms } = arrival;
  const block = decodeBlock(arrival.payload);
  if (typeof block === "string") return block;
  const scale = block.unit === "" ? channel : target.readUnit(block.unit);
  if (typeof scale === "string") return { why: scale };
  const { type, bytes, fs_hz, speed_radps } = block;
  const values = blockToSi(channel, type, bytes, block.scale, scale);
  if (typeof values === "string") return values;
  // Without a time the last sample was taken as it arrived.
  const t_ms = Number.isNaN(block.t_ms) ? r_ms - (values.length * 1_000) / fs_hz : block.t_ms;
  intake.push({ kind: "block", channel: channel.id, t_ms, r_ms, values, fs_hz, speed_radps });
  return null;
}
