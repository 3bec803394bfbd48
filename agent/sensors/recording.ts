//! Recordings: newline-delimited JSON, plain or .gz, in arrival order (docs/recording-format.md).
//! Reading trusts nothing: a bad line is a named reject with its number, and reading goes on.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { OperatingError } from "../base/errors.js";
import type { Channel, Item, Quality, Reject } from "../base/telemetry.js";
import { numberOf, unitFor } from "./decode.js";

export type Read =
  | { readonly kind: "item"; readonly item: Item }
  | { readonly kind: "tick"; readonly r_ms: number }
  | { readonly kind: "reject"; readonly reason: Reject; readonly line: number };

const QUALITIES: readonly unknown[] = ["good", "uncertain", "bad"];

/** Reads every line of a recording; `find` gives the channel of an asset and name. */
export async function* readRecording(
  path: string,
  find: (asset: string, channel: string) => Channel | null,
): AsyncGenerator<Read> {
  const file = createReadStream(path);
  const bytes = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
  // readline does not pass on the errors of its input, and pipe does not either.
  let failure: Error | null = null;
  const lines = createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY });
  for (const stream of [file, bytes]) {
    stream.on("error", (error: Error) => {
      failure = error;
      lines.close();
    });
  }
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() !== "") yield readLine(text, line, find);
  }
  if (failure !== null) {
    const { message } = failure as Error;
    throw new OperatingError("recording-unreadable", `${path}: ${message}`, failure);
  }
}

/** One line of a recording. */
export function readLine(
  text: string,
  line: number,
  find: (asset: string, channel: string) => Channel | null,
): Read {
  const reject = (reason: Reject): Read => ({ kind: "reject", reason, line });
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return reject("malformed");
  }
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    return reject("malformed");
  }
  const { t, a, c, v, u, q = "good", r = t } = record as Record<string, unknown>;
  if (typeof r !== "number" || !Number.isFinite(r)) {
    return reject(r === undefined ? "missing-field" : "wrong-type");
  }
  if (a === undefined && c === undefined && t === undefined) return { kind: "tick", r_ms: r };
  if (typeof t !== "number" || typeof a !== "string" || typeof c !== "string") {
    return reject([t, a, c].includes(undefined) ? "missing-field" : "wrong-type");
  }
  const channel = find(a, c);
  if (channel === null) return reject("unknown-channel");
  if (!QUALITIES.includes(q)) return reject("wrong-type");
  const unit = u === undefined ? channel : unitFor(channel, u);
  if (unit === null) return reject("unit-conflict");
  if (v === undefined)
    return readBlock(record as Record<string, unknown>, channel, unit, t, r, reject);
  const number = numberOf(channel, v);
  if (typeof number === "string") return reject(number);
  const value = number * unit.factor + unit.offset;
  if (!Number.isFinite(value)) return reject("not-finite");
  if (!(value >= channel.min && value <= channel.max)) return reject("out-of-range");
  const quality = q as Quality;
  return {
    kind: "item",
    item: { kind: "sample", channel: channel.id, t_ms: t, r_ms: r, value, quality },
  };
}

function readBlock(
  record: Readonly<Record<string, unknown>>,
  channel: Channel,
  unit: { readonly factor: number; readonly offset: number },
  t_ms: number,
  r_ms: number,
  reject: (reason: Reject) => Read,
): Read {
  const { fs, i16, f32, k = 1, rpm } = record;
  const base64 = i16 ?? f32;
  if (base64 === undefined || fs === undefined) return reject("missing-field");
  if (typeof base64 !== "string" || typeof fs !== "number" || typeof k !== "number") {
    return reject("wrong-type");
  }
  if (rpm !== undefined && typeof rpm !== "number") return reject("wrong-type");
  const bytes = Buffer.from(base64, "base64");
  const size = i16 === undefined ? 4 : 2;
  if (bytes.length === 0 || bytes.length % size !== 0 || !(fs > 0)) return reject("malformed");
  const values = new Float32Array(bytes.length / size);
  for (let i = 0; i < values.length; i++) {
    const count = size === 2 ? bytes.readInt16LE(i * 2) * k : bytes.readFloatLE(i * 4);
    values[i] = count * unit.factor + unit.offset;
    if (!Number.isFinite(values[i])) return reject("not-finite");
  }
  const speed_radps = rpm === undefined ? null : (rpm * Math.PI) / 30;
  return {
    kind: "item",
    item: { kind: "block", channel: channel.id, t_ms, r_ms, values, fs_hz: fs, speed_radps },
  };
}
