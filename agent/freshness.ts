//! When a channel was last heard, whether what comes now is in time, and from when it is stale.
import type { Block, Channel, Item, Quality, Reject } from "./base/telemetry.js";
import { Rhythm } from "./rhythm.js";

/** How many periods of a channel's own rhythm are a silence. */
const STALE_PERIODS = 3;
const STALE_ms_min = 5_000;
/** While the rhythm is not known: whoever sends less often says so with staleAfter. */
const STALE_ms_unknown = 3_600_000;

export type TimeLimits = { readonly ahead_max_ms: number; readonly behind_max_ms: number };

export type Freshness = {
  readonly channel: Channel;
  /** Its place in the frame of its asset. */
  readonly index: number;
  /** Where a monitor says that its readings are not believed; -1: none does. */
  doubt: number;
  last_t_ms: number;
  /** Before the first arrival: since when it is waited for. */
  last_r_ms: number;
  last_value: number;
  quality: Quality;
  /** The newest block, for the page. */
  block: Block | null;
  arrivals: number;
  readonly rhythm: Rhythm;
  stale: boolean;
  /** A model writes it: it is as old as what that reads, and never silent by itself. */
  written: boolean;
};

export function neverSeen(channel: Channel, index: number): Freshness {
  return {
    channel,
    index,
    doubt: -1,
    last_t_ms: Number.NEGATIVE_INFINITY,
    last_r_ms: Number.NEGATIVE_INFINITY,
    last_value: Number.NaN,
    quality: "good",
    block: null,
    arrivals: 0,
    rhythm: new Rhythm(),
    stale: false,
    written: false,
  };
}

export function untimely(fresh: Freshness, item: Item, limits: TimeLimits): Reject | null {
  if (item.t_ms > item.r_ms + limits.ahead_max_ms) return "time-ahead";
  if (item.t_ms < item.r_ms - limits.behind_max_ms) return "time-behind";
  if (item.t_ms < fresh.last_t_ms) return "out-of-order";
  if (item.t_ms > fresh.last_t_ms) return null;
  if (item.kind === "block") return "duplicate";
  // Unstamped messages of one instant carry equal times; only the same value again is a repeat.
  return item.value === fresh.last_value && item.quality !== "bad" ? "duplicate" : null;
}

export function noteArrival(fresh: Freshness, item: Item): void {
  if (fresh.arrivals > 0) fresh.rhythm.take(item.r_ms - fresh.last_r_ms);
  fresh.arrivals += 1;
  fresh.last_t_ms = item.t_ms;
  fresh.last_r_ms = item.r_ms;
}

/** Arrival time beyond which the channel counts as stale; what comes at that moment is in time. */
export function staleAt(fresh: Freshness): number {
  const { written, last_r_ms, rhythm } = fresh;
  if (written || last_r_ms === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
  const own = fresh.channel.staleAfter_ms;
  if (own !== null) return last_r_ms + own;
  const least_ms = rhythm.known ? STALE_ms_min : STALE_ms_unknown;
  return last_r_ms + Math.max(least_ms, STALE_PERIODS * rhythm.gap_ms);
}

/** Marks those whose time is over at `at_ms`; `next_ms` is when the next one's is. */
export function fallSilent(
  all: Iterable<Freshness>,
  at_ms: number,
): { readonly fallen: readonly Freshness[]; readonly next_ms: number } {
  const fallen: Freshness[] = [];
  let next_ms = Number.POSITIVE_INFINITY;
  for (const fresh of all) {
    if (fresh.stale) continue;
    const due_ms = staleAt(fresh);
    if (due_ms > at_ms) next_ms = Math.min(next_ms, due_ms);
    else {
      fresh.stale = true;
      fallen.push(fresh);
    }
  }
  return { fallen, next_ms };
}

/** A monitor of a channel says at one of its outputs what is wrong with its readings. */
export function bindDoubts(
  all: Iterable<Freshness>,
  outputs: readonly { readonly name: string }[],
  indexes: readonly number[],
): void {
  for (const fresh of all) {
    const at = outputs.findIndex(({ name }) => name === `${fresh.channel.name}.fault`);
    if (at >= 0) fresh.doubt = indexes[at] ?? -1;
  }
}

/** The number of stale channels, which the built-in rule `stale` reads. */
export const STALE_SIGNAL = "staleChannels";

/** Whether an alarm of its own tells of this channel already. */
export const inDoubt = ({ doubt }: Freshness, frame: Float64Array): boolean =>
  (frame[doubt] ?? 0) > 0;

/**
 * How many are stale and not in doubt already, which has an alarm of its own; NaN when none is, but
 * some have not been heard since the start.
 */
export function staleCount(all: Iterable<Freshness>, frame: Float64Array): number {
  let count = 0;
  let unheard = false;
  for (const fresh of all) {
    const { stale, arrivals, written } = fresh;
    if (stale) count += inDoubt(fresh, frame) ? 0 : 1;
    else if (arrivals === 0 && !written) unheard = true;
  }
  // After a restart silence is not over before every channel has been heard.
  return count === 0 && unheard ? Number.NaN : count;
}

/**
 * Source time minus arrival time takes hold times to the arrival clock: of the newest item of any
 * channel, and of a rule's own channels, whose clock may be another.
 */
export class Skews<Rule> {
  newest_ms = 0;
  readonly #own = new Map<Rule, number>();

  has(rule: Rule): boolean {
    return this.#own.has(rule);
  }

  set(rule: Rule, skew_ms: number): void {
    this.#own.set(rule, skew_ms);
  }

  of(rule: Rule): number {
    return this.#own.get(rule) ?? this.newest_ms;
  }
}
