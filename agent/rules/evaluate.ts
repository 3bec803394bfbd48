//! Pure: a rule, its latch and the frame give the next latch and maybe a change. Hold times run in
//! source time; a hold completes at its exact deadline, so no change depends on when ticks fall.
import {
  type Change,
  FALSE,
  type Latch,
  type Rule,
  shownOf,
  TRUE,
  UNKNOWN,
  type Verdict,
} from "./rule.js";

export type Outcome = { readonly latch: Latch; readonly change: Change | null };

/**
 * After a sample: `source_ms` is its source time, `detected_ms` its arrival. One call gives at most
 * one change; what follows from it at the same instant is left to `deadline_ms` and `expire`.
 */
export function evaluate(
  rule: Rule,
  latch: Latch,
  frame: Float64Array,
  source_ms: number,
  detected_ms: number,
): Outcome {
  const due_ms = deadline_ms(rule, latch);
  if (due_ms !== null && due_ms <= source_ms) {
    // The hold was over before this sample, whatever it says: a value holds until the next one.
    const wanted = wantedOf(rule, latch, frame);
    const done = settle(rule, latch, wanted === TRUE ? frame : null, due_ms, detected_ms);
    const pends = wantedOf(rule, done.latch, frame) === TRUE;
    return pends ? { ...done, latch: { ...done.latch, since_ms: source_ms } } : done;
  }
  if (wantedOf(rule, latch, frame) !== TRUE) {
    // Continuous evidence only: a gap or a sample on the other side starts the hold time anew.
    return { latch: latch.since_ms === null ? latch : { ...latch, since_ms: null }, change: null };
  }
  const pending = latch.since_ms === null ? { ...latch, since_ms: source_ms } : latch;
  if (hold_ms(rule, pending) > 0) return { latch: pending, change: null };
  return settle(rule, pending, frame, source_ms, detected_ms);
}

/** Source time at which a pending hold completes without another sample; null: none pends. */
export function deadline_ms(rule: Rule, latch: Latch): number | null {
  return latch.since_ms === null ? null : latch.since_ms + hold_ms(rule, latch);
}

/**
 * Completes a hold whose deadline has come, before the next sample is written to the frame. A frame
 * that no longer says so (after a restart it knows nothing) ends the hold instead.
 */
export function expire(
  rule: Rule,
  latch: Latch,
  frame: Float64Array,
  source_ms: number,
  detected_ms: number,
): Outcome {
  if (wantedOf(rule, latch, frame) !== TRUE) {
    return { latch: { ...latch, since_ms: null }, change: null };
  }
  return settle(rule, latch, frame, source_ms, detected_ms);
}

/** Whether the frame asks for the other state: the breach, or the end of it when raised. */
export function wantedOf(rule: Rule, latch: Latch, frame: Float64Array): Verdict {
  if (!latch.raised) return rule.on.judge(frame);
  if (rule.off !== null) {
    // A clear condition that overlaps the breach must not make an alarm flap.
    return rule.on.judge(frame) === TRUE ? FALSE : rule.off.judge(frame);
  }
  const verdict = rule.on.judge(frame);
  return verdict === UNKNOWN ? UNKNOWN : verdict === TRUE ? FALSE : TRUE;
}

function hold_ms(rule: Rule, latch: Latch): number {
  return latch.raised ? rule.clearFor_ms : rule.for_ms;
}

/** `frame` is null when it already holds a later sample than the one that decided. */
function settle(
  rule: Rule,
  latch: Latch,
  frame: Float64Array | null,
  source_ms: number,
  detected_ms: number,
): Outcome {
  const raise = !latch.raised;
  const onset_ms = raise ? (latch.since_ms ?? source_ms) : (latch.onset_ms ?? source_ms);
  const shown = shownOf(rule, raise ? "raise" : "clear");
  const change: Change = {
    asset: rule.asset,
    rule,
    to: raise ? "raise" : "clear",
    onset_ms,
    detected_ms,
    source_ms,
    value: shown === null || frame === null ? null : known(shown.value(frame)),
    limit: shown === null || frame === null ? null : known(shown.limit(frame)),
    stale: [],
  };
  return { latch: { raised: raise, since_ms: null, onset_ms: raise ? onset_ms : null }, change };
}

/** What to say anew of an alarm that goes on: its latch stays as it is. */
export function updateOf(
  rule: Rule,
  frame: Float64Array,
  { t_ms, r_ms }: { readonly t_ms: number; readonly r_ms: number },
): Change {
  const shown = shownOf(rule, "raise");
  return {
    asset: rule.asset,
    rule,
    to: "update",
    onset_ms: t_ms,
    detected_ms: r_ms,
    source_ms: t_ms,
    value: shown === null ? null : known(shown.value(frame)),
    limit: shown === null ? null : known(shown.limit(frame)),
    stale: [],
  };
}

const known = (value: number): number | null => (Number.isFinite(value) ? value : null);
