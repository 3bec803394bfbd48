//! Reads what others sent or the broker retains. Anybody may have written it: nothing is trusted,
//! and what is no state document is null.
import type { AlarmClass, Quality, Severity, Tier } from "../base/telemetry.js";
import type { Alarm } from "./alarm.js";
import { TIME_ms_max } from "./id.js";
import { STATE_TYPE } from "./message.js";

const CLASSES: readonly AlarmClass[] = ["machine", "sensor", "process", "agent"];
const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];
const QUALITIES: readonly Quality[] = ["good", "uncertain", "bad"];

/** Far beyond any real alarm, and far from where counting on would stop being exact. */
const SEQ_MAX = 1e12;

/** Larger than any document we write; bounds the work on what we did not. */
export const PAYLOAD_BYTES_MAX = 65_536;

/**
 * Reads a state document back into an alarm, as far as it says; null when it is none. Used on what
 * the broker retains, which anybody may have written.
 */
export function parseState(asset: string, rule: string, payload: string): Alarm | null {
  const parsed = parseRecord(payload);
  if (parsed === null || parsed["type"] !== STATE_TYPE) return null;
  const { id, time, data: said } = parsed;
  if (typeof id !== "string" || !isRecord(said)) return null;
  const { seq, active, acked } = said;
  const time_ms = readTime(time);
  if (typeof seq !== "number" || !Number.isInteger(seq)) return null;
  if (seq < 0 || seq > SEQ_MAX) return null;
  if (typeof active !== "boolean" || typeof acked !== "boolean" || time_ms === null) return null;
  return {
    asset,
    rule,
    ruleVersion: Number(/@(\d{1,9})$/.exec(text(said["rule"]))?.[1] ?? 1),
    class: CLASSES.find((known) => known === said["class"]) ?? "machine",
    severity: SEVERITIES.find((known) => known === said["severity"]) ?? "warning",
    text: text(said["text"]),
    action: text(said["action"]),
    quality: QUALITIES.find((known) => known === said["quality"]) ?? "uncertain",
    tier: tier(said["tier"]),
    marks: texts(said["marks"]),
    value: null,
    limit: null,
    expected: null,
    model: typeof said["model"] === "string" ? said["model"] : null,
    evidence: texts(said["evidence"]),
    onset_ms: readTime(said["onset"]) ?? time_ms,
    detected_ms: readTime(said["detected"]) ?? time_ms,
    source_ms: readTime(said["sourceTime"]) ?? time_ms,
    id,
    seq,
    active,
    acked,
    shelvedUntil_ms: readTime(said["shelvedUntil"]),
    suppressedBy: typeof said["suppressedBy"] === "string" ? said["suppressedBy"] : null,
    outOfService: said["outOfService"] === true,
    time_ms,
  };
}

function tier(value: unknown): Tier {
  const match = /^within (.{1,64})$/.exec(text(value));
  return match === null ? "exact" : `within ${match[1] ?? ""}`;
}

/** A JSON object; null for anything else. */
export function parseRecord(payload: string): Record<string, unknown> | null {
  if (payload.length > PAYLOAD_BYTES_MAX) return null;
  try {
    const parsed: unknown = JSON.parse(payload);
    return isRecord(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** Without a zone it would be read in the zone of the gateway. */
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Ms of an ISO text with its zone; null for anything else. */
export function readTime(value: unknown): number | null {
  if (typeof value !== "string" || !ISO.test(value)) return null;
  const time_ms = Date.parse(value);
  return time_ms >= 0 && time_ms <= TIME_ms_max ? time_ms : null;
}
