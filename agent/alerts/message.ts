//! Alarm documents: CloudEvents 1.0, structured JSON, keys in a fixed order so that a recording
//! replayed gives the same bytes.
import { createHash } from "node:crypto";
import type { Severity } from "../base/telemetry.js";
import type { Alarm, Message, Transition } from "./alarm.js";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SEVERITY_OPC: Readonly<Record<Severity, number>> = { info: 300, warning: 600, critical: 900 };
const PRIORITY: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };
const DIGITS = 6;

export type Place = { readonly root: string; readonly site: string };

/** ULID-shaped: 48 bits of event time, 80 bits of a hash of what the transition is. */
export function documentId(
  time_ms: number,
  asset: string,
  rule: string,
  onset_ms: number,
  seq: number,
): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([asset, rule, onset_ms, seq]))
    .digest();
  let bits = BigInt(Math.floor(time_ms)) << 80n;
  for (let i = 0; i < 10; i++) bits |= BigInt(hash[i] as number) << BigInt(8 * (9 - i));
  let text = "";
  for (let i = 0; i < 26; i++) {
    text = CROCKFORD[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return text;
}

/** The transition document: what `replay` prints, and the payload of `.../event`. */
export function transitionDocument(alarm: Alarm, transition: Transition, place: Place): string {
  return envelope(alarm, "sterna.transition.v1", place, { transition, ...body(alarm) });
}

/** The state document: the retained payload of `.../state`. */
export function stateDocument(alarm: Alarm, place: Place): string {
  return envelope(alarm, "sterna.alarm.v1", place, body(alarm));
}

/** Both messages of a transition, for the outbox. */
export function messagesOf(alarm: Alarm, transition: Transition, place: Place): Message[] {
  const base = alarmTopic(place, alarm.asset, alarm.rule);
  const common = { priority: PRIORITY[alarm.severity], time_ms: alarm.time_ms };
  return [
    {
      ...common,
      id: `${alarm.id}/event`,
      topic: `${base}/event`,
      payload: transitionDocument(alarm, transition, place),
      retain: false,
    },
    {
      ...common,
      id: `${alarm.id}/state`,
      topic: `${base}/state`,
      payload: stateDocument(alarm, place),
      retain: true,
    },
  ];
}

export function alarmTopic(place: Place, asset: string, rule: string): string {
  return `${place.root}/${place.site}/${asset}/alarm/${rule}`;
}

function envelope(alarm: Alarm, type: string, place: Place, data: object): string {
  return JSON.stringify({
    specversion: "1.0",
    id: alarm.id,
    source: `/${place.site}/${alarm.asset}`,
    subject: alarm.rule,
    type,
    time: iso(alarm.time_ms),
    datacontenttype: "application/json",
    data,
  });
}

function body(alarm: Alarm): object {
  const { value, limit, expected } = alarm;
  return {
    seq: alarm.seq,
    active: alarm.active,
    acked: alarm.acked,
    shelvedUntil: alarm.shelvedUntil_ms === null ? null : iso(alarm.shelvedUntil_ms),
    suppressedBy: alarm.suppressedBy,
    class: alarm.class,
    severity: alarm.severity,
    severityOpc: SEVERITY_OPC[alarm.severity],
    text: alarm.text,
    quality: alarm.quality,
    tier: alarm.tier,
    marks: alarm.marks,
    value: value === null ? null : { v: round(value.v), u: value.u },
    limit: limit === null ? null : { v: round(limit.v), u: limit.u, source: limit.source },
    expected:
      expected === null
        ? null
        : { v: round(expected.v), sigma: round(expected.sigma), u: expected.u },
    onset: iso(alarm.onset_ms),
    detected: iso(alarm.detected_ms),
    sourceTime: iso(alarm.source_ms),
    rule: `${alarm.rule}@${alarm.ruleVersion}`,
    model: alarm.model,
    evidence: alarm.evidence,
    action: alarm.action,
  };
}

const iso = (t_ms: number): string => new Date(t_ms).toISOString();
/** Six significant digits: below the noise of any sensor, and the same text everywhere. */
const round = (value: number): number => Number(value.toPrecision(DIGITS));
