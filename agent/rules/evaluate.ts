//! Pure: a rule, its latch and the frame give the next latch and maybe a change. Hold times run in
//! source time; a hold completes at its exact deadline, so no change depends on when ticks fall.
import { type Change, FALSE, type Latch, type Rule, TRUE, UNKNOWN } from "./rule.js";

export type Outcome = { readonly latch: Latch; readonly change: Change | null };

/** After a sample: `source_ms` is its source time, `detected_ms` its arrival. */
export function evaluate(
  rule: Rule,
  latch: Latch,
  frame: Float64Array,
  source_ms: number,
  detected_ms: number,
): Outcome {
  const wanted = latch.raised ? ends(rule, frame) : rule.on.judge(frame);
  if (wanted !== TRUE) {
    // Continuous evidence only: a gap or a healthy sample starts the hold time anew.
    return { latch: latch.since_ms === null ? latch : { ...latch, since_ms: null }, change: null };
  }
  const since_ms = latch.since_ms ?? source_ms;
  const pending = latch.since_ms === null ? { ...latch, since_ms } : latch;
  if (source_ms - since_ms < hold_ms(rule, latch)) return { latch: pending, change: null };
  return settle(rule, pending, frame, source_ms, detected_ms);
}

/** Source time at which a pending hold completes without another sample; null: none pends. */
export function deadline_ms(rule: Rule, latch: Latch): number | null {
  return latch.since_ms === null ? null : latch.since_ms + hold_ms(rule, latch);
}

/** Completes a hold whose deadline has come; the condition must still hold. */
export function expire(
  rule: Rule,
  latch: Latch,
  frame: Float64Array,
  source_ms: number,
  detected_ms: number,
): Outcome {
  const wanted = latch.raised ? ends(rule, frame) : rule.on.judge(frame);
  if (wanted !== TRUE) return { latch: { ...latch, since_ms: null }, change: null };
  return settle(rule, latch, frame, source_ms, detected_ms);
}

function ends(rule: Rule, frame: Float64Array): number {
  if (rule.off !== null) return rule.off.judge(frame);
  const verdict = rule.on.judge(frame);
  return verdict === UNKNOWN ? UNKNOWN : verdict === TRUE ? FALSE : TRUE;
}

function hold_ms(rule: Rule, latch: Latch): number {
  return latch.raised ? rule.clearFor_ms : rule.for_ms;
}

function settle(
  rule: Rule,
  latch: Latch,
  frame: Float64Array,
  source_ms: number,
  detected_ms: number,
): Outcome {
  const raise = !latch.raised;
  const onset_ms = raise ? (latch.since_ms ?? source_ms) : (latch.onset_ms ?? source_ms);
  const { shown } = rule.on;
  const change: Change = {
    asset: rule.asset,
    rule,
    to: raise ? "raise" : "clear",
    onset_ms,
    detected_ms,
    source_ms,
    value: shown === null ? null : known(shown.value(frame)),
    limit: shown === null ? null : known(shown.limit(frame)),
    stale: [],
  };
  return { latch: { raised: raise, since_ms: null, onset_ms: raise ? onset_ms : null }, change };
}

const known = (value: number): number | null => (Number.isFinite(value) ? value : null);
