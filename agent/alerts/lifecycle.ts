//! The life of one alarm after ISA-18.2, as pure functions: the alarm as it was and what happened
//! give the alarm as it is, or a text that says why not. Nothing is told to anyone here.

import type { Alarm, Command, Occurrence, Transition } from "./alarm.js";
import { transitionId } from "./id.js";

export type State =
  | "normal"
  | "unacknowledged"
  | "acknowledged"
  | "returned-unacknowledged"
  | "shelved"
  | "suppressed"
  | "out-of-service";

export type Step = { readonly alarm: Alarm; readonly transition: Transition };

/** ISA-18.2 wants every shelving to end by itself; longer silence is out-of-service. */
export const SHELVE_ms_max = 7 * 24 * 3_600_000;

/** The mark by which the pipeline says that another alarm explains this one. */
const FOLDED = "folded:";

/** Out of service hides shelved, shelved hides suppressed, and these hide what lies beneath. */
export function stateOf(alarm: Alarm | undefined): State {
  if (alarm === undefined) return "normal";
  if (alarm.outOfService) return "out-of-service";
  if (alarm.shelvedUntil_ms !== null) return "shelved";
  if (alarm.active && alarm.suppressedBy !== null) return "suppressed";
  if (alarm.active) return alarm.acked ? "acknowledged" : "unacknowledged";
  return alarm.acked ? "normal" : "returned-unacknowledged";
}

/** The condition came true. A returned but unacknowledged alarm goes on under its own seq. */
export function raise(alarm: Alarm | undefined, what: Occurrence, time_ms: number): Step | string {
  if (alarm?.active) return `${name(alarm)} is active already`;
  const before = alarm ?? dormant(what);
  return step(before, { ...what, active: true, acked: false }, "raise", time_ms);
}

/** The condition ended: back to normal when acknowledged, else returned-unacknowledged. */
export function clear(alarm: Alarm | undefined, what: Occurrence, time_ms: number): Step | string {
  if (!alarm?.active) return `${what.asset}/${what.rule} is not active`;
  return step(alarm, { ...what, onset_ms: alarm.onset_ms, active: false }, "clear", time_ms);
}

/**
 * The condition goes on but means something else: severity, quality, marks, text. A new value alone
 * is refused, or each sample would be a transition.
 */
export function update(alarm: Alarm | undefined, what: Occurrence, time_ms: number): Step | string {
  if (!alarm?.active) return `${what.asset}/${what.rule} is not active`;
  if (meaning(alarm) === meaning(what)) return `${name(alarm)} is unchanged`;
  return step(alarm, { ...what, onset_ms: alarm.onset_ms }, "update", time_ms);
}

/** An operator's wish. `alarm` is undefined, or `dormant(...)`, where nothing was ever raised. */
export function command(alarm: Alarm | undefined, wish: Command, time_ms: number): Step | string {
  if (alarm === undefined) return `${wish.asset}/${wish.rule} was never raised`;
  switch (wish.verb) {
    case "ack":
      if (alarm.acked) return `${name(alarm)} is acknowledged already`;
      return step(alarm, { acked: true }, "ack", time_ms);
    case "shelve":
      return shelve(alarm, wish.until_ms, time_ms);
    case "unshelve":
      if (alarm.shelvedUntil_ms === null) return `${name(alarm)} is not shelved`;
      return step(alarm, { shelvedUntil_ms: null }, "unshelve", time_ms);
    case "out-of-service":
      if (alarm.outOfService) return `${name(alarm)} is out of service already`;
      return step(alarm, { outOfService: true }, "out-of-service", time_ms);
    case "in-service":
      if (!alarm.outOfService) return `${name(alarm)} is in service`;
      return step(alarm, { outOfService: false }, "in-service", time_ms);
  }
}

/** Ends a shelving that is due, at its own deadline however late the tick; else null. */
export function expire(alarm: Alarm, now_ms: number): Step | null {
  const { shelvedUntil_ms } = alarm;
  if (shelvedUntil_ms === null || now_ms < shelvedUntil_ms) return null;
  return step(alarm, { shelvedUntil_ms: null }, "unshelve", shelvedUntil_ms);
}

/** The next time at which some shelving ends; infinite when none does. */
export function nextExpiry_ms(alarms: Iterable<Alarm>): number {
  let next_ms = Number.POSITIVE_INFINITY;
  for (const { shelvedUntil_ms } of alarms) {
    if (shelvedUntil_ms !== null) next_ms = Math.min(next_ms, shelvedUntil_ms);
  }
  return next_ms;
}

/** What ends an alarm whose condition nobody judges any more: no value, no limit, and why. */
export function endOf(
  alarm: Alarm,
  marks: readonly string[],
  why: string,
  now_ms: number,
): Occurrence {
  const nothing = { value: null, limit: null, expected: null };
  const times = { detected_ms: now_ms, source_ms: now_ms };
  return { ...alarm, ...nothing, ...times, marks, evidence: [why] };
}

/** An alarm that never was: so a rule can be shelved or taken out of service beforehand. */
export function dormant(what: Occurrence): Alarm {
  return {
    ...what,
    id: "",
    seq: 0,
    active: false,
    acked: true,
    shelvedUntil_ms: null,
    suppressedBy: null,
    outOfService: false,
    time_ms: what.detected_ms,
  };
}

/** The next row of an alarm: one more in seq, a new id, the time of this transition. */
export function step(
  before: Alarm,
  changed: Partial<Alarm>,
  transition: Transition,
  time_ms: number,
): Step {
  const next = { ...before, ...changed };
  const seq = Math.max(before.seq, next.seq) + 1;
  const alarm: Alarm = {
    ...next,
    seq,
    suppressedBy: next.active ? suppressor(next.marks) : null,
    time_ms,
    id: transitionId(time_ms, next.asset, next.rule, next.onset_ms, seq),
  };
  return { alarm, transition };
}

function shelve(alarm: Alarm, until_ms: number | null, time_ms: number): Step | string {
  if (until_ms === null) return 'shelving needs "until", the time at which it ends';
  if (!(until_ms > time_ms)) return '"until" lies in the past';
  if (until_ms - time_ms > SHELVE_ms_max) {
    return '"until" is more than 7 days ahead; use out-of-service for longer';
  }
  return step(alarm, { shelvedUntil_ms: until_ms }, "shelve", time_ms);
}

function suppressor(marks: readonly string[]): string | null {
  return marks.find((mark) => mark.startsWith(FOLDED))?.slice(FOLDED.length) ?? null;
}

function meaning(what: Occurrence): string {
  const { severity, text, action, quality, tier, marks, limit, model, evidence } = what;
  const parts = [severity, text, action, quality, tier, marks, limit, model, evidence];
  return JSON.stringify([what.class, what.ruleVersion, ...parts]);
}

const name = (alarm: Alarm): string => `${alarm.asset}/${alarm.rule}`;
