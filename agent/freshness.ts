//! When a channel was last heard, whether what comes now is in time, and from when it is stale.
import type { Block, Channel, Item, Quality, Reject } from "./base/telemetry.js";

/** Arrivals before a silent channel's own rhythm is known, and how many periods are too long. */
const LEARN_ARRIVALS = 16;
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
  /** Longest gap between arrivals so far: the learnt period, on the safe side. */
  gap_ms: number;
  stale: boolean;
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
    gap_ms: 0,
    stale: false,
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
  if (fresh.arrivals > 0) fresh.gap_ms = Math.max(fresh.gap_ms, item.r_ms - fresh.last_r_ms);
  fresh.arrivals += 1;
  fresh.last_t_ms = item.t_ms;
  fresh.last_r_ms = item.r_ms;
}

/** Arrival time from which the channel counts as stale. */
export function staleAt(fresh: Freshness): number {
  if (fresh.last_r_ms === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY; // not begun
  const own = fresh.channel.staleAfter_ms;
  if (own !== null) return fresh.last_r_ms + own;
  if (fresh.arrivals < LEARN_ARRIVALS) {
    return fresh.last_r_ms + Math.max(STALE_ms_unknown, STALE_PERIODS * fresh.gap_ms);
  }
  return fresh.last_r_ms + Math.max(STALE_ms_min, STALE_PERIODS * fresh.gap_ms);
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

/**
 * How many are stale and not in doubt already, which has an alarm of its own; NaN when none is, but
 * some have not been heard since the start.
 */
export function staleCount(all: Iterable<Freshness>, frame: Float64Array): number {
  let count = 0;
  let unheard = false;
  for (const { stale, arrivals, doubt } of all) {
    if (stale) count += (frame[doubt] ?? 0) > 0 ? 0 : 1;
    else if (arrivals === 0) unheard = true;
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
