//! The life of an alarm, pure: what it was and what happened give what it is. After ISA-18.2.
import type { Alarm, Occurrence, Transition } from "./alarm.js";
import { documentId } from "./message.js";

export type Moved = { readonly alarm: Alarm; readonly transition: Transition };

/** The alarm after a raise or a clear; null when it already is so (idempotent). */
export function move(
  before: Alarm | undefined,
  to: "raise" | "clear",
  now: Occurrence,
): Moved | null {
  const active = to === "raise";
  if ((before?.active ?? false) === active) return null;
  const seq = (before?.seq ?? 0) + 1;
  const onset_ms = active ? now.onset_ms : (before?.onset_ms ?? now.onset_ms);
  return {
    transition: to,
    alarm: {
      ...now,
      onset_ms,
      id: documentId(now.detected_ms, now.asset, now.rule, onset_ms, seq),
      seq,
      active,
      // A new raise asks for a new acknowledgement; a clear keeps the one it got.
      acked: active ? false : (before?.acked ?? false),
      shelvedUntil_ms: before?.shelvedUntil_ms ?? null,
      suppressedBy: null,
      outOfService: before?.outOfService ?? false,
      time_ms: now.detected_ms,
    },
  };
}
