//! The two documents of an alarm: its state (retained) and one transition. CloudEvents 1.0 in
//! structured JSON, keys in a fixed order, numbers to 6 digits: equal alarms are equal bytes.
import type { Severity } from "../base/telemetry.js";
import type { Alarm, Measured, Message, Transition } from "./alarm.js";
import { wholeTime } from "./id.js";
import { eventTopic, type Place, stateTopic } from "./topics.js";

/** About what a float32 sensor carries; more would print noise and differ between backends. */
const DIGITS = 6;

/** Within the bands of OPC UA Part 9: 801-1000 high, 401-600 medium, 201-400 medium low. */
export const SEVERITY_OPC: Readonly<Record<Severity, number>> = {
  critical: 900,
  warning: 600,
  info: 300,
};
const PRIORITY: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

export const STATE_TYPE = "sterna.alarm.v1";
const TRANSITION_TYPE = "sterna.transition.v1";

/** The event first: who sees the new state can already have heard why. */
export function messagesOf(alarm: Alarm, transition: Transition, place: Place): Message[] {
  const body = bodyOf(alarm); // printed once for both
  return [
    {
      topic: eventTopic(place, alarm.asset, alarm.rule),
      payload: document(alarm, TRANSITION_TYPE, place, withTransition(transition, body)),
      retain: false,
      priority: PRIORITY[alarm.severity],
      id: `${alarm.id}/event`,
      time_ms: alarm.time_ms,
    },
    stateMessage(alarm, place, body),
  ];
}

/** The retained state of an alarm. */
export function stateMessage(alarm: Alarm, place: Place, body = bodyOf(alarm)): Message {
  return {
    topic: stateTopic(place, alarm.asset, alarm.rule),
    payload: document(alarm, STATE_TYPE, place, body),
    retain: true,
    priority: PRIORITY[alarm.severity],
    id: `${alarm.id}/state`,
    time_ms: alarm.time_ms,
  };
}

/** Takes the retained state off the broker. */
export function removal(alarm: Alarm, place: Place): Message {
  return { ...stateMessage(alarm, place), payload: "", id: `${alarm.id}/removed` };
}

export function stateDocument(alarm: Alarm, place: Place): string {
  return document(alarm, STATE_TYPE, place, bodyOf(alarm));
}

/** What `sterna replay` prints, one a line. */
export function transitionDocument(alarm: Alarm, transition: Transition, place: Place): string {
  return document(alarm, TRANSITION_TYPE, place, withTransition(transition, bodyOf(alarm)));
}

/** ISO 8601 in UTC, always with ms. */
export function isoTime(time_ms: number): string {
  return new Date(wholeTime(time_ms)).toISOString();
}

const bodyOf = (alarm: Alarm): string => JSON.stringify(data(alarm));

const withTransition = (transition: Transition, body: string): string =>
  `{"transition":${JSON.stringify(transition)},${body.slice(1)}`;

/** `body` is the printed `data`. */
function document(alarm: Alarm, type: string, place: Place, body: string): string {
  const head = JSON.stringify({
    specversion: "1.0",
    id: alarm.id,
    source: `/${place.site}/${alarm.asset}`,
    subject: alarm.rule,
    type,
    time: isoTime(alarm.time_ms),
    datacontenttype: "application/json",
  });
  return `${head.slice(0, -1)},"data":${body}}`;
}

function data(alarm: Alarm): object {
  const { value, limit, expected, shelvedUntil_ms } = alarm;
  return {
    seq: alarm.seq,
    active: alarm.active,
    acked: alarm.acked,
    shelvedUntil: shelvedUntil_ms === null ? null : isoTime(shelvedUntil_ms),
    suppressedBy: alarm.suppressedBy,
    outOfService: alarm.outOfService,
    class: alarm.class,
    severity: alarm.severity,
    severityOpc: SEVERITY_OPC[alarm.severity],
    text: alarm.text,
    quality: alarm.quality,
    tier: alarm.tier,
    marks: alarm.marks,
    value: measured(value),
    limit: limit === null ? null : { ...measured(limit), source: limit.source },
    expected:
      expected === null
        ? null
        : { v: rounded(expected.v), sigma: rounded(expected.sigma), u: expected.u },
    ...(alarm.cost === undefined ? {} : { cost: measured(alarm.cost) }),
    onset: isoTime(alarm.onset_ms),
    detected: isoTime(alarm.detected_ms),
    sourceTime: isoTime(alarm.source_ms),
    rule: `${alarm.rule}@${alarm.ruleVersion}`,
    model: alarm.model,
    evidence: alarm.evidence,
    action: alarm.action,
  };
}

function measured(value: Measured | null): object | null {
  return value === null ? null : { v: rounded(value.v), u: value.u };
}

/** Null for what is no number: JSON has no NaN, and 0 would read as a healthy value. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : null;
}
