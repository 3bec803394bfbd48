//! The identity of a transition: 26 characters in the shape of a ULID, from event time and content
//! alone, so that a recording replayed, or an outbox sent twice, names the same thing alike.
import { hash } from "node:crypto";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const HASH_BYTES = 10;

/** The last ms of year 9999: ISO text has no later one, and it fits into 48 bits. */
export const TIME_ms_max = 253_402_300_799_999;

/** 48 bits of event time, 80 bits of SHA-256 over asset, rule, onset and seq; sorts by time. */
export function transitionId(
  time_ms: number,
  asset: string,
  rule: string,
  onset_ms: number,
  seq: number,
): string {
  const digest = hash("sha256", JSON.stringify([asset, rule, onset_ms, seq]), "buffer");
  const parts = [digits(wholeTime(time_ms), TIME_DIGITS)];
  for (let at = 0; at < HASH_BYTES; at += 5) parts.push(digits(digest.readUIntBE(at, 5), 8));
  return parts.join("");
}

function digits(value: number, count: number): string {
  let text = "";
  for (let rest = value; text.length < count; rest = Math.floor(rest / 32)) {
    text = CROCKFORD.charAt(rest % 32) + text;
  }
  return text;
}

/** Whole ms within what ISO text can say; a wild time must not end the process. */
export function wholeTime(time_ms: number): number {
  return Math.trunc(Math.min(Math.max(time_ms, 0), TIME_ms_max)) || 0;
}
