//! Reads recordings: newline-delimited JSON, plain or .gz, in arrival order
//! (docs/recording-format.md). Trusts nothing: a bad line is a named reject with its number, and
//! reading goes on. The writer is recorder.ts.
import type { Block, Channel, Item, Quality, Reject, Sample } from "../base/telemetry.js";
import { plausibleSpeed, radPerSecond } from "./block.js";
import { readLines } from "./lines.js";
import { blockToSi, type Scale, toSi, unitReader } from "./scale.js";

export type Tick = { readonly kind: "tick"; readonly r_ms: number };
export type Rejected = {
  readonly kind: "reject";
  readonly reason: Reject;
  /** 1-based. */
  readonly line: number;
  readonly asset?: string;
  readonly channel?: string;
};
export type Read = Item | Tick | Rejected;

/** The channel of an asset by name, `name.level` for a level; null when there is none. */
export type Find = (asset: string, channel: string) => Channel | null;

type Source = { readonly channel: Channel; readonly readUnit: (unit: unknown) => Scale | string };
type Fields = Readonly<Record<string, unknown>>;

const LEVEL = /^[A-Za-z0-9_-]{1,40}$/; // what levelOf can give

/**
 * A Find that opens the levels of patterns as a broker would: `find` knows what exists, `level` is
 * that of the Intake.
 */
export function findOrOpen(
  find: Find,
  level: (channel: number, level: string) => number | null,
): Find {
  return (asset, name) => {
    const known = find(asset, name);
    if (known !== null) return known.pattern ? null : known;
    const dot = name.indexOf(".");
    const template = dot < 0 ? null : find(asset, name.slice(0, dot));
    const text = name.slice(dot + 1);
    if (template === null || !template.pattern || !LEVEL.test(text)) return null;
    return level(template.id, text) === null ? null : find(asset, name);
  };
}

/** The line, from 1, that what was read last stands in, and its text, "" where there is none. */
export type At = { line: number; text: string };

/**
 * Everything in a recording, in its order; `at` follows it. Throws only where the file itself cannot
 * be read.
 */
export async function* readRecording(
  path: string,
  find: Find,
  at: At = { line: 0, text: "" },
): AsyncGenerator<Read> {
  const read = lineReader(find);
  at.line = 0;
  for await (const lines of readLines(path)) {
    for (const text of lines) {
      at.line += 1;
      at.text = typeof text === "string" ? text : "";
      if (typeof text !== "string") yield { kind: "reject", reason: text.reason, line: at.line };
      else if (text.trim() !== "") yield read(text, at.line);
    }
  }
}

/** Reads single lines; keeps what it learnt of the channels, which `find` bounds. */
export function lineReader(find: Find): (text: string, line: number) => Read {
  const assets = new Map<string, Map<string, Source>>();
  const sourceOf = (asset: string, name: string): Source | null => {
    const found = assets.get(asset)?.get(name);
    if (found !== undefined) return found;
    const channel = find(asset, name);
    if (channel === null) return null;
    const source = { channel, readUnit: unitReader(channel) };
    const names = assets.get(asset) ?? new Map<string, Source>();
    assets.set(asset, names.set(name, source));
    return source;
  };
  return (text, line) => {
    let record: unknown;
    try {
      record = JSON.parse(text);
    } catch {
      return { kind: "reject", reason: "malformed", line };
    }
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      return { kind: "reject", reason: "malformed", line };
    }
    const fields = record as Fields; // an object is one of unknown values
    const read = readRecord(fields, sourceOf);
    if (typeof read !== "string") return read;
    const { a, c } = fields;
    return {
      kind: "reject",
      reason: read,
      line,
      ...(typeof a === "string" ? { asset: a } : {}),
      ...(typeof c === "string" ? { channel: c } : {}),
    };
  };
}

function readRecord(
  fields: Fields,
  sourceOf: (asset: string, name: string) => Source | null,
): Item | Tick | Reject {
  const { t, a, c, v, u } = fields;
  const r = fields["r"] ?? t;
  if (r === undefined) return "missing-field";
  if (typeof r !== "number") return "wrong-type";
  if (!Number.isFinite(r)) return "not-finite";
  if (t === undefined && a === undefined && c === undefined) return { kind: "tick", r_ms: r };
  if (t === undefined || a === undefined || c === undefined) return "missing-field";
  if (typeof t !== "number" || typeof a !== "string" || typeof c !== "string") return "wrong-type";
  if (!Number.isFinite(t)) return "not-finite";
  const quality = fields["q"] ?? "good";
  if (!isQuality(quality)) return "wrong-type";
  const source = sourceOf(a, c);
  if (source === null) return "unknown-channel";
  const { channel } = source;
  const scale = u === undefined ? channel : source.readUnit(u);
  if (typeof scale === "string") return "unit-conflict";
  const block = fields["i16"] ?? fields["f32"];
  if (block !== undefined) {
    if (quality === "bad") return "bad-quality"; // a block has no quality to carry
    return readBlock(fields, block, channel, scale, t, r);
  }
  if (quality === "bad") return badSample(channel, v, scale, t, r);
  if (v === undefined) return "missing-field";
  const value = toSi(channel, v, scale);
  if (typeof value === "string") return value;
  return { kind: "sample", channel: channel.id, t_ms: t, r_ms: r, value, quality };
}

/** A bad sample says only that there is no data, so its value may be anything, or missing. */
function badSample(
  channel: Channel,
  written: unknown,
  scale: Scale,
  t_ms: number,
  r_ms: number,
): Sample | Reject {
  if (channel.shape !== "scalar") return "wrong-type";
  const value = typeof written === "number" ? written * scale.factor + scale.offset : Number.NaN;
  return { kind: "sample", channel: channel.id, t_ms, r_ms, value, quality: "bad" };
}

function readBlock(
  fields: Fields,
  base64: unknown,
  channel: Channel,
  scale: Scale,
  t_ms: number,
  r_ms: number,
): Block | Reject {
  const { fs, k = 1, rpm, radps } = fields;
  const type = fields["i16"] === undefined ? "f32" : "i16";
  if (fs === undefined) return "missing-field";
  if (typeof base64 !== "string" || typeof fs !== "number" || typeof k !== "number") {
    return "wrong-type";
  }
  const speed_radps = radps ?? (typeof rpm === "number" ? radPerSecond(rpm) : rpm) ?? null;
  if (speed_radps !== null && typeof speed_radps !== "number") return "wrong-type";
  if (!Number.isFinite(fs)) return "not-finite";
  if (fs <= 0 || !plausibleSpeed(speed_radps)) return "out-of-range";
  const bytes = Buffer.from(base64, "base64");
  // The decoder skips what is not base64, which shows in the length.
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  const whole = base64.length % 4 === 0 && bytes.length === (base64.length / 4) * 3 - padding;
  if (!whole || bytes.length % (type === "f32" ? 4 : 2) !== 0) return "malformed";
  const values = blockToSi(channel, type, bytes, k, scale);
  if (typeof values === "string") return values;
  return { kind: "block", channel: channel.id, t_ms, r_ms, values, fs_hz: fs, speed_radps };
}

function isQuality(written: unknown): written is Quality {
  return written === "good" || written === "uncertain" || written === "bad";
}
