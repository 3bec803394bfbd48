//! The identity of a transition: 26 characters in the shape of a ULID, from event time and content
//! alone, so that a recording replayed, or an outbox sent twice, names the same thing alike.
import { hash } from "node:crypto";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const HASH_DIGITS = 20;
const CHARACTERS = 26;

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
  const digest = hash("sha256", JSON.stringify([asset, rule, onset_ms, seq]), "hex");
  const low = BigInt(`0x${digest.slice(0, HASH_DIGITS)}`);
  const digits = ((BigInt(wholeTime(time_ms)) << 80n) | low).toString(32).padStart(CHARACTERS, "0");
  return digits.replace(/./g, (digit) => CROCKFORD.charAt(Number.parseInt(digit, 32)));
}

/** Whole ms within what ISO text can say; a wild time must not end the process. */
export function wholeTime(time_ms: number): number {
  return Math.trunc(Math.min(Math.max(time_ms, 0), TIME_ms_max)) || 0;
}
