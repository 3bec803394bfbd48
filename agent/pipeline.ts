//! The whole product in one function. Read `step` first; every other file serves one of its lines.
import type { Ring } from "./base/ring.js";
import type { Item, Reject } from "./base/telemetry.js";
import type { TimeLimits } from "./freshness.js";
import type { Noted, Watch } from "./watch.js";

const BATCH_MAX = 4_096;

export type Stages = {
  readonly intake: Ring<Item>;
  /** The asset of a channel id; levels of a pattern join at run time. */
  readonly watchOf: (channel: number) => Watch | undefined;
  readonly watches: readonly Watch[];
  readonly limits: TimeLimits;
  readonly reject: (reason: Reject, channel: number) => void;
  /** One transaction: alarm state, latches and outbox rows; durable when it returns. */
  readonly commit: (changes: readonly Noted[], now_ms: number) => void;
};

/**
 * Runs at our pace, never in a source's callback: one tick, one bounded batch, one transaction.
 * What was due before an item arrived happens before it, so where batches split never shows.
 * Returns true when more items wait.
 */
export function step(stages: Stages, now_ms: number): boolean {
  const changes: Noted[] = [];
  for (const item of stages.intake.take(BATCH_MAX)) {
    advance(stages.watches, item.r_ms, changes);
    const watch = stages.watchOf(item.channel);
    const reason =
      watch?.accept(item, stages.limits, changes) ?? (watch ? null : "unknown-channel");
    if (reason !== null) stages.reject(reason, item.channel);
  }
  const drained = stages.intake.length === 0;
  if (drained) advance(stages.watches, now_ms, changes);
  stages.commit(changes, now_ms);
  return !drained;
}

/** Everything due up to `to_ms`, in order of time whatever the asset. */
export function advance(watches: readonly Watch[], to_ms: number, changes: Noted[]): void {
  for (;;) {
    let first: Watch | null = null;
    let first_ms = Number.POSITIVE_INFINITY;
    for (const watch of watches) {
      const next_ms = watch.next_ms(to_ms);
      if (next_ms < first_ms) {
        first = watch;
        first_ms = next_ms;
      }
    }
    if (first === null || first_ms > to_ms) return;
    first.advance(first_ms, changes, to_ms);
  }
}
