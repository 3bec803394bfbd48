//! One asset under watch: its frame of SI values, the freshness of its channels, its monitors, its
//! rules and their latches. Everything here is a function of what arrived and when, so a recording
//! replayed gives the same changes; it must never read a clock.
import type { Block, Channel, Item, Reject, Sample } from "./base/telemetry.js";
import type { Frame, Monitor } from "./models/monitor.js";
import { deadline_ms, evaluate, expire } from "./rules/evaluate.js";
import type { Change, Latch, Rule } from "./rules/rule.js";

/** Arrivals before a silent channel's own rhythm is known, and how many periods are too long. */
const LEARN_ARRIVALS = 16;
const STALE_PERIODS = 3;
const STALE_ms_min = 5_000;

type Freshness = {
  readonly channel: Channel;
  readonly index: number;
  last_t_ms: number;
  last_r_ms: number;
  last_value: number;
  arrivals: number;
  /** Longest gap between arrivals so far: the learnt period, on the safe side. */
  gap_ms: number;
  stale: boolean;
};

type Bound = { readonly monitor: Monitor; readonly inputs: number[]; readonly frame: Frame };

export type TimeLimits = { readonly ahead_max_ms: number; readonly behind_max_ms: number };

/** Frame index of the number of stale channels, which the built-in rule `stale` reads. */
export const STALE_SIGNAL = "staleChannels";

export class Watch {
  readonly id: string;
  frame: Float64Array;
  readonly latches = new Map<string, Latch>();
  #fresh = new Map<number, Freshness>();
  #rules: Rule[] = [];
  #readers: Rule[][] = [];
  readonly #prefixes: string[] = [];
  /** Rules with a hold time running: what `next_ms` asks at every item, so it must be few. */
  readonly #pending = new Set<Rule>();
  #bound: Bound[] = [];
  #staleIndex = -1;
  #stale_next_ms = Number.POSITIVE_INFINITY;
  /** Source time minus arrival time of the newest item: takes hold times to the arrival clock. */
  #skew_ms = 0;

  constructor(id: string, signalCount: number, staleIndex: number) {
    this.id = id;
    this.frame = new Float64Array(signalCount).fill(Number.NaN);
    this.#staleIndex = staleIndex;
    if (staleIndex >= 0) this.frame[staleIndex] = 0;
  }

  /** Adds a channel at its frame index; the frame grows for levels found at run time. */
  addChannel(channel: Channel, index: number): void {
    if (index >= this.frame.length) {
      const grown = new Float64Array(Math.max(index + 1, this.frame.length * 2)).fill(Number.NaN);
      grown.set(this.frame);
      this.frame = grown;
    }
    this.#fresh.set(channel.id, {
      channel,
      index,
      last_t_ms: Number.NEGATIVE_INFINITY,
      last_r_ms: Number.NEGATIVE_INFINITY,
      last_value: Number.NaN,
      arrivals: 0,
      gap_ms: 0,
      stale: false,
    });
  }

  addRules(rules: readonly Rule[]): void {
    for (const rule of rules) {
      this.#rules.push(rule);
      const reads = new Set([...rule.on.reads, ...(rule.off?.reads ?? [])]);
      for (const index of reads) {
        this.#readers[index] ??= [];
        this.#readers[index].push(rule);
      }
    }
  }

  addMonitor(monitor: Monitor, inputs: number[], outputs: number[]): void {
    const frame: Frame = {
      get: (input) => {
        const index = inputs[input] ?? -1;
        return index < 0 ? Number.NaN : (this.frame[index] as number);
      },
      set: (output, value) => {
        this.frame[outputs[output] as number] = value;
      },
    };
    this.#bound.push({ monitor, inputs, frame });
  }

  /** Whether an alarm of this id may still change: its rule is there, or makes levels. */
  keeps(rule: string): boolean {
    return this.#rules.some((r) => r.id === rule) || this.#prefixes.some((p) => rule.startsWith(p));
  }

  /** The id of a rule over a topic pattern: its alarms are named `<id>-<level>`. */
  addTemplate(id: string): void {
    this.#prefixes.push(`${id}-`);
  }

  get rules(): readonly Rule[] {
    return this.#rules;
  }

  /** What the page and the status metrics show of a channel. */
  channels(): Iterable<Readonly<Freshness>> {
    return this.#fresh.values();
  }

  staleNames(): string[] {
    return [...this.#fresh.values()].filter((f) => f.stale).map((f) => f.channel.name);
  }

  /** Takes one item: null when used, else why it was not. Changes are appended to `changes`. */
  accept(item: Item, limits: TimeLimits, changes: Change[]): Reject | null {
    const fresh = this.#fresh.get(item.channel);
    if (fresh === undefined) return "unknown-channel";
    const fault = this.#untimely(fresh, item, limits);
    if (fault !== null) return fault;
    this.#arrived(fresh, item);
    if (item.kind === "block") {
      this.#onBlock(fresh, item, changes);
      return null;
    }
    if (item.quality === "bad") {
      this.#write(fresh.index, Number.NaN, item, changes);
      return "bad-quality";
    }
    fresh.last_value = item.value;
    this.#write(fresh.index, item.value, item, changes);
    return null;
  }

  /** The next arrival time at which something happens by itself; infinite when nothing waits. */
  next_ms(): number {
    let next = this.#stale_next_ms;
    for (const rule of this.#pending) {
      const due = deadline_ms(rule, this.latches.get(rule.id) ?? IDLE);
      if (due !== null) next = Math.min(next, due - this.#skew_ms);
    }
    return next;
  }

  /** Lets everything happen that is due at arrival time `at_ms`. */
  advance(at_ms: number, changes: Change[]): void {
    for (const rule of this.#pending) {
      const latch = this.latches.get(rule.id) ?? IDLE;
      const due = deadline_ms(rule, latch);
      // The same expression as in next_ms: another rounding would leave it due for ever.
      if (due === null || due - this.#skew_ms > at_ms) continue;
      this.#settle(rule, expire(rule, latch, this.frame, due, at_ms), changes);
    }
    if (at_ms >= this.#stale_next_ms) this.#goStale(at_ms, changes);
  }

  #untimely(fresh: Freshness, item: Item, limits: TimeLimits): Reject | null {
    if (item.t_ms > item.r_ms + limits.ahead_max_ms) return "time-ahead";
    if (item.t_ms < item.r_ms - limits.behind_max_ms) return "time-behind";
    if (item.t_ms < fresh.last_t_ms) return "out-of-order";
    if (item.t_ms > fresh.last_t_ms) return null;
    if (item.kind === "block") return "duplicate";
    // Unstamped messages of one instant carry equal times; only the same value again is a repeat.
    return item.value === fresh.last_value && item.quality !== "bad" ? "duplicate" : null;
  }

  #arrived(fresh: Freshness, item: Item): void {
    if (fresh.arrivals > 0) fresh.gap_ms = Math.max(fresh.gap_ms, item.r_ms - fresh.last_r_ms);
    fresh.arrivals += 1;
    fresh.last_t_ms = item.t_ms;
    fresh.last_r_ms = item.r_ms;
    this.#skew_ms = item.t_ms - item.r_ms;
    if (fresh.stale) {
      fresh.stale = false;
      this.#countStale();
    }
    // Deadlines of arrivals only move later, so the cached bound stays a lower bound.
    this.#stale_next_ms = Math.min(this.#stale_next_ms, staleAt(fresh));
  }

  #onBlock(fresh: Freshness, block: Block, changes: Change[]): void {
    for (const { monitor, inputs, frame } of this.#bound) {
      const input = inputs.indexOf(fresh.index);
      if (input >= 0) monitor.onBlock(frame, input, block);
    }
    this.#judge(this.#rules, block, changes);
  }

  #write(index: number, value: number, item: Sample, changes: Change[]): void {
    this.frame[index] = value;
    let derived = false;
    for (const { monitor, inputs, frame } of this.#bound) {
      const input = inputs.indexOf(index);
      if (input < 0) continue;
      monitor.onSample(frame, input, item.t_ms);
      derived = true;
    }
    this.#judge(derived ? this.#rules : (this.#readers[index] ?? []), item, changes);
    if (this.#staleIndex >= 0 && !derived) {
      this.#judge(this.#readers[this.#staleIndex] ?? [], item, changes);
    }
  }

  #judge(rules: readonly Rule[], item: Item, changes: Change[]): void {
    for (const rule of rules) {
      rule.on.observe(this.frame, item.t_ms);
      rule.off?.observe(this.frame, item.t_ms);
      const latch = this.latches.get(rule.id) ?? IDLE;
      this.#settle(rule, evaluate(rule, latch, this.frame, item.t_ms, item.r_ms), changes);
    }
  }

  #settle(
    rule: Rule,
    verdict: { readonly latch: Latch; readonly change: Change | null },
    changes: Change[],
  ): void {
    if (verdict.latch === IDLE) return;
    this.latches.set(rule.id, verdict.latch);
    if (verdict.latch.since_ms === null) this.#pending.delete(rule);
    else this.#pending.add(rule);
    // Noted now: when the batch is stored, the channel may be back.
    if (verdict.change !== null) changes.push({ ...verdict.change, stale: this.staleNames() });
  }

  #goStale(at_ms: number, changes: Change[]): void {
    let next = Number.POSITIVE_INFINITY;
    let changed = false;
    for (const fresh of this.#fresh.values()) {
      if (fresh.stale) continue;
      const due = staleAt(fresh);
      if (due > at_ms) {
        next = Math.min(next, due);
        continue;
      }
      fresh.stale = true;
      changed = true;
      if (fresh.channel.shape === "scalar") this.#forget(fresh.index, at_ms);
    }
    this.#stale_next_ms = next;
    if (!changed) return;
    this.#countStale();
    const tick: Sample = {
      kind: "sample",
      channel: -1,
      t_ms: at_ms + this.#skew_ms,
      r_ms: at_ms,
      value: Number.NaN,
      quality: "bad",
    };
    this.#judge(this.#rules, tick, changes);
  }

  /** A monitor must hear of a silence, or its output would stay live on a dead input. */
  #forget(index: number, at_ms: number): void {
    this.frame[index] = Number.NaN;
    for (const { monitor, inputs, frame } of this.#bound) {
      const input = inputs.indexOf(index);
      if (input >= 0) monitor.onSample(frame, input, at_ms + this.#skew_ms);
    }
  }

  #countStale(): void {
    if (this.#staleIndex < 0) return;
    let count = 0;
    for (const fresh of this.#fresh.values()) if (fresh.stale) count += 1;
    this.frame[this.#staleIndex] = count;
  }
}

const IDLE: Latch = { raised: false, since_ms: null, onset_ms: null };

/** Arrival time from which the channel counts as stale. */
function staleAt(fresh: Freshness): number {
  const own = fresh.channel.staleAfter_ms;
  if (own !== null) return fresh.last_r_ms + own;
  if (fresh.arrivals < LEARN_ARRIVALS) return Number.POSITIVE_INFINITY;
  return fresh.last_r_ms + Math.max(STALE_ms_min, STALE_PERIODS * fresh.gap_ms);
}
