//! What to write instead of a record that could not be used.
import type { Assembly } from "../assembly.js";
import type { Channel, Reject } from "../base/telemetry.js";
import { valueIn } from "../units/format.js";
import { nearest } from "../units/nearest.js";

type Fields = Readonly<Record<string, unknown>>;
type Found = { readonly asset: string; readonly channel: string; readonly text: string };

const MUST = ["t", "a", "c"] as const;

/** `text`: the line as it stands, "" where there is none. */
export function adviceFor(reason: Reject, found: Found, assembly: Assembly): string {
  const { asset, channel, text } = found;
  const known = assembly.find(asset, channel);
  switch (reason) {
    case "unknown-channel":
      return unknown(found, assembly);
    case "malformed":
      return malformed(text);
    case "missing-field":
      return missing(fieldsOf(text));
    case "wrong-type":
      return wrongType(fieldsOf(text), known);
    case "unit-conflict":
      return `the channel is in ${known?.unit}, which "u" does not convert to; mend one of the two`;
    case "out-of-range":
      return known === null ? "beyond what is plausible" : range(known);
    case "unknown-code":
      return "a text that codes: of the channel does not have; add it there";
    case "out-of-order":
      return "older than the one before it of this channel; sort the lines by time";
    case "duplicate":
      return "the time and value of the one before it; leave one out";
    case "time-ahead":
      return "t is later than r by more than time.aheadMax of the config";
    case "time-behind":
      return "t is earlier than r by more than time.behindMax of the config";
    case "bad-quality":
      return 'a block with "q":"bad"';
    default:
      return "see docs/recording-format.md";
  }
}

function unknown({ asset, channel }: Found, assembly: Assembly): string {
  const member = assembly.memberOf(asset);
  if (member === undefined) {
    const ids = assembly.members.map(({ config }) => config.id).join(", ");
    return `the config has no asset ${asset}, but ${ids}; mend "a", or the id in the config`;
  }
  const names = member.config.channels.map(({ name }) => name);
  const near = nearest(channel, names);
  const meant = near === null ? "" : `, but ${near}`;
  return `${asset} has no channel ${channel}${meant}; mend "c", or add the channel to the config`;
}

function malformed(text: string): string {
  if (text === "") return "the archive is cut off or damaged here; what comes before is used";
  if (/^\s*\{/.test(text) && !/\}\s*$/.test(text)) {
    return "the line is cut off: the file ends early, or a record has a line break in it";
  }
  if (/:\s*-?(NaN|Infinity|nan|inf)\b/.test(text)) {
    return 'JSON has no NaN; leave the record out, or write "q":"bad" without "v"';
  }
  if (/:\s*-?\d+,\d+\s*[,}]/.test(text)) return "write a decimal point, not a comma";
  return "no JSON object";
}

function missing(fields: Fields): string {
  const must = MUST.filter((key) => fields[key] === undefined);
  if (must.length > 0) return `write ${must.map((key) => `"${key}"`).join(", ")} too`;
  const block = fields["i16"] ?? fields["f32"];
  return block === undefined ? 'write "v" too' : 'a block needs its rate: write "fs" too';
}

function wrongType(fields: Fields, channel: Channel | null): string {
  for (const key of ["t", "r"]) {
    if (fields[key] === undefined || typeof fields[key] === "number") continue;
    return `${key} is ${shown(fields[key])}; write milliseconds since 1970 as a number`;
  }
  const { v } = fields;
  if (v === null) return 'v is null; leave the record out, or write "q":"bad" without "v"';
  if (typeof v === "string" && /^\s*-?\d+,\d+\s*$/.test(v)) {
    return `v is ${shown(v)}; write ${v.trim().replace(",", ".")}, without quotes`;
  }
  if (typeof v === "string") {
    const number = v.trim() !== "" && Number.isFinite(Number(v));
    const instead = number
      ? `write ${v.trim()}, without quotes`
      : "write a number, or codes: for it";
    return `v is the text ${shown(v)}; ${instead}`;
  }
  if (channel?.shape === "block" && v !== undefined) {
    return `${channel.name} takes blocks: write "i16" or "f32" with "fs", not "v"`;
  }
  if (channel?.shape === "scalar" && v === undefined) return `${channel.name} takes no blocks`;
  return "see docs/recording-format.md for the type of each key";
}

function range({ min, max, unit }: Channel): string {
  const [low, high] = [min, max].map((si) => String(Number(valueIn(si, unit).toPrecision(6))));
  return `plausible is ${low} to ${high} ${unit}; mend the unit, or write min: and max: for it`;
}

function fieldsOf(text: string): Fields {
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === "object" && parsed !== null ? (parsed as Fields) : {};
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
