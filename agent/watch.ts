//! One asset under watch: its frame of SI values, the freshness of its channels, its monitors, its
//! rules and their latches. Everything here is a function of what arrived and when, so a recording
//! replayed gives the same changes; it must never read a clock.
import type { Block, Channel, Item, Reject, Sample } from "./base/telemetry.js";
import { BoundMonitors } from "./bound.js";
import type { CostMeter } from "./cost-meter.js";
import {
  bindDoubts,
  type Freshness,
  fallSilent,
  inDoubt,
  neverSeen,
  noteArrival,
  Skews,
  staleAt,
  staleCount,
  type TimeLimits,
  untimely,
} from "./freshness.js";
import { Latches, type LatchText } from "./latches.js";
import type { Finding, Monitor } from "./models/monitor.js";
import type { Noted } from "./noted.js";
import { deadline_ms, evaluate, expire, type Outcome, updateOf } from "./rules/evaluate.js";
import type { Change, Rule } from "./rules/rule.js";

export type { Noted } from "./noted.js";

export class Watch {
  readonly id: string;
  frame: Float64Array;
  meter: CostMeter | null = null;
  readonly latches = new Latches();
  #fresh = new Map<number, Freshness>();
  #rules: Rule[] = [];
  readonly #ruleById = new Map<string, Rule>();
  /** Those that another alarm may explain. */
  readonly folded: Rule[] = [];
  #readers: Rule[][] = [];
  /** By index of a channel that monitors read: what its sample moves where they write nothing. */
  #moved: (readonly Rule[] | undefined)[] = [];
  readonly #bound = new BoundMonitors(() => this.frame);
  readonly #byIndex: Freshness[] = [];
  #staleIndex = -1;
  #stale_next_ms = Number.POSITIVE_INFINITY;
  /** Channels whose silence has been told since one began. */
  readonly #told = new Set<Freshness>();
  readonly #skews = new Skews<Rule>();

  constructor(id: string, signalCount: number, staleIndex: number) {
    this.id = id;
    this.frame = new Float64Array(signalCount).fill(Number.NaN);
    this.#staleIndex = staleIndex;
  }

  /** Adds a channel at its frame index; the frame grows for levels found at run time. */
  addChannel(channel: Channel, index: number): void {
    if (index >= this.frame.length) {
      const grown = new Float64Array(Math.max(index + 1, this.frame.length * 2)).fill(Number.NaN);
      grown.set(this.frame);
      this.frame = grown;
    }
    const fresh = neverSeen(channel, index);
    this.#fresh.set(channel.id, fresh);
    this.#byIndex[index] = fresh;
  }

  /** Begins to wait: a channel that never sends is as stale as one that stopped. */
  begin(at_ms: number): void {
    for (const fresh of this.#fresh.values()) {
      if (fresh.arrivals > 0) continue;
      fresh.last_r_ms = at_ms;
      this.#stale_next_ms = Math.min(this.#stale_next_ms, staleAt(fresh));
    }
  }

  addRules(rules: readonly Rule[]): void {
    this.#moved = [];
    for (const rule of rules) {
      this.#rules.push(rule);
      this.#ruleById.set(rule.id, rule);
      if (rule.foldedInto.length > 0) this.folded.push(rule);
      const reads = new Set([...rule.on.reads, ...(rule.off?.reads ?? [])]);
      for (const index of reads) {
        this.#readers[index] ??= [];
        this.#readers[index].push(rule);
      }
    }
  }

  addMonitor(monitor: Monitor, inputs: readonly number[], outputs: readonly number[]): void {
    for (const index of outputs) {
      const fresh = this.#byIndex[index];
      if (fresh !== undefined) fresh.written = true;
    }
    bindDoubts(this.#fresh.values(), monitor.outputs, outputs);
    this.#bound.add(monitor, inputs, outputs);
  }

  readonly rule = (id: string): Rule | undefined => this.#ruleById.get(id);
  readonly rules = (): readonly Rule[] => this.#rules;

  get monitors(): readonly Monitor[] {
    return this.#bound.monitors;
  }

  explain(index: number): Finding | null {
    return this.#bound.explain(index);
  }

  /** What the page and the metrics show of a channel. */
  channels(): Iterable<Readonly<Freshness>> {
    return this.#fresh.values();
  }

  staleNames(): string[] {
    return [...this.#fresh.values()].flatMap(({ stale, channel }) => (stale ? channel.name : []));
  }

  /** Takes one item: null when used, else why it was not. Changes are appended to `changes`. */
  accept(item: Item, limits: TimeLimits, changes: Noted[]): Reject | null {
    const fresh = this.#fresh.get(item.channel);
    if (fresh === undefined) return "unknown-channel";
    const fault = untimely(fresh, item, limits);
    if (fault !== null) return fault;
    this.#arrived(fresh, item);
    if (item.kind === "block") {
      fresh.block = item;
      this.#onBlock(fresh, item, changes);
      return null;
    }
    fresh.quality = item.quality;
    if (item.quality === "bad") {
      this.#write(fresh.index, Number.NaN, item, changes);
      return "bad-quality";
    }
    fresh.last_value = item.value;
    this.#write(fresh.index, item.value, item, changes);
    return null;
  }

  /** When something next happens by itself. A silence at `to_ms` may be broken by what comes then. */
  next_ms(to_ms = Number.POSITIVE_INFINITY): number {
    let next = this.#stale_next_ms < to_ms ? this.#stale_next_ms : Number.POSITIVE_INFINITY;
    for (const rule of this.latches.running) {
      const due = deadline_ms(rule, this.latches.of(rule));
      if (due !== null) next = Math.min(next, due - this.#skews.of(rule));
    }
    return next;
  }

  /** Lets everything happen that is due at arrival time `at_ms`, now that `to_ms` has come. */
  advance(at_ms: number, changes: Noted[], to_ms = at_ms): void {
    for (const rule of this.latches.running) {
      const latch = this.latches.of(rule);
      const due = deadline_ms(rule, latch);
      // The same expression as in next_ms: another rounding would leave it due for ever.
      if (due === null || due - this.#skews.of(rule) > at_ms) continue;
      this.#settle(rule, expire(rule, latch, this.frame, due, at_ms), changes);
    }
    if (at_ms >= this.#stale_next_ms && to_ms > this.#stale_next_ms) this.#goStale(at_ms, changes);
  }

  #arrived(fresh: Freshness, item: Item): void {
    noteArrival(fresh, item);
    this.#skews.newest_ms = item.t_ms - item.r_ms;
    if (fresh.stale || fresh.arrivals === 1) {
      fresh.stale = false;
      this.#countStale();
    }
    // Deadlines of arrivals only move later, so the cached bound stays a lower bound.
    this.#stale_next_ms = Math.min(this.#stale_next_ms, staleAt(fresh));
  }

  #onBlock(fresh: Freshness, block: Block, changes: Noted[]): void {
    this.#bound.run(fresh.index, block.t_ms, block);
    this.#judge(this.#rules, fresh.index, block, changes);
  }

  #write(index: number, value: number, item: Sample, changes: Noted[]): void {
    this.frame[index] = value;
    if (this.#bound.run(index, item.t_ms, null)) {
      const moved = this.#bound.wrote ? this.#rules : this.#movedBy(index);
      this.#judge(moved, index, item, changes);
      return;
    }
    this.#judge(this.#readers[index] ?? [], index, item, changes);
    this.#judge(this.#silenceRules(), index, item, changes);
  }

  /** In the order of all rules: what folds into another's alarm depends on it. */
  #movedBy(index: number): readonly Rule[] {
    const known = this.#moved[index];
    if (known !== undefined) return known;
    const own = new Set([...(this.#readers[index] ?? []), ...this.#silenceRules()]);
    const timed = ({ on, off }: Rule): boolean => on.timed || (off?.timed ?? false);
    const moved = this.#rules.filter((rule) => own.has(rule) || timed(rule));
    this.#moved[index] = moved;
    return moved;
  }

  /** `from` is the index of the channel that the item came on, -1 for a tick. */
  #judge(
    rules: readonly Rule[],
    from: number,
    item: Pick<Item, "t_ms" | "r_ms">,
    changes: Noted[],
  ): void {
    for (const rule of rules) {
      const own = rule.on.reads.includes(from) || !this.#skews.has(rule);
      if (own && from >= 0) this.#skews.set(rule, item.t_ms - item.r_ms);
      const t_ms = own ? item.t_ms : item.r_ms + this.#skews.of(rule);
      rule.on.observe(this.frame, t_ms);
      rule.off?.observe(this.frame, t_ms);
      if (!this.latches.decided(rule, this.frame, item.r_ms)) continue;
      const latch = this.latches.of(rule);
      this.#settle(rule, evaluate(rule, latch, this.frame, t_ms, item.r_ms), changes);
    }
  }

  #settle(rule: Rule, { latch, change }: Outcome, changes: Noted[]): void {
    this.latches.settle(rule, latch, change !== null);
    if (change !== null) changes.push(this.#note(change));
  }

  /** Latches that the store does not know; with `holds` those of running hold times too. */
  readonly unsaved = (holds: boolean): readonly LatchText[] =>
    this.latches.unsaved(holds, this.#liveOf);

  readonly #liveOf = ({ on, off }: Rule): number =>
    this.#live_ms([...on.reads, ...(off?.reads ?? [])], new Set());

  /** Arrival time until which what stands at these indexes counts; what made it, where derived. */
  #live_ms(reads: readonly number[], seen: Set<number>): number {
    let live_ms = Number.POSITIVE_INFINITY;
    for (const index of reads) {
      if (seen.has(index)) continue;
      seen.add(index);
      const fresh = this.#byIndex[index];
      if (fresh !== undefined && fresh.arrivals > 0) live_ms = Math.min(live_ms, staleAt(fresh));
      live_ms = Math.min(live_ms, this.#live_ms(this.#bound.inputsFor(index), seen));
    }
    return live_ms;
  }

  #note(change: Change): Noted {
    const { reads } = change.rule.on;
    const written = reads.filter((index) => this.#bound.writerOf(index) !== null);
    const told = written.find((index) => this.explain(index) !== null) ?? written[0] ?? -1;
    const unsure = reads.some((index) => this.#byIndex[index]?.quality === "uncertain");
    const quality = unsure ? "uncertain" : "good";
    const monitor = this.#bound.writerOf(told);
    const cost = this.meter?.of(change) ?? null;
    const known = { finding: this.explain(told), monitor, quality, cost } as const;
    return { ...change, ...known, stale: this.staleNames() };
  }

  #goStale(at_ms: number, changes: Noted[]): void {
    const { fallen, next_ms } = fallSilent(this.#fresh.values(), at_ms);
    for (const { index } of fallen) this.#forget(index, at_ms);
    this.#stale_next_ms = next_ms;
    if (fallen.length === 0) return;
    this.#countStale();
    const stands = this.#silenceRules().filter((rule) => this.latches.of(rule).raised);
    const time = { t_ms: at_ms + this.#skews.newest_ms, r_ms: at_ms };
    this.#judge(this.#rules, -1, time, changes);
    const news = fallen.filter((fresh) => !this.#told.has(fresh) && !inDoubt(fresh, this.frame));
    for (const fresh of news) this.#told.add(fresh);
    if (news.length === 0) return;
    for (const rule of stands) changes.push(this.#note(updateOf(rule, this.frame, time)));
  }

  readonly #silenceRules = (): readonly Rule[] => this.#readers[this.#staleIndex] ?? [];

  /** A monitor must hear of a silence, or its output would stay live on a dead input. */
  #forget(index: number, at_ms: number): void {
    this.frame[index] = Number.NaN;
    if (this.#byIndex[index]?.channel.shape === "scalar") {
      this.#bound.run(index, at_ms + this.#skews.newest_ms, null);
      return;
    }
    // What was read out of blocks is not known either; no monitor can be told of a missing one.
    for (const written of this.#bound.writtenFrom(index)) this.frame[written] = Number.NaN;
  }

  #countStale(): void {
    const count = staleCount(this.#fresh.values(), this.frame);
    if (count === 0) this.#told.clear();
    if (this.#staleIndex >= 0) this.frame[this.#staleIndex] = count;
  }
}
