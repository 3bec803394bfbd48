//! One asset under watch: its frame of SI values, the freshness of its channels, its monitors, its
//! rules and their latches. Everything here is a function of what arrived and when, so a recording
//! replayed gives the same changes; it must never read a clock.
import type { Block, Channel, Item, Reject, Sample } from "./base/telemetry.js";
import type { CostMeter } from "./cost-meter.js";
import {
  bindDoubts,
  type Freshness,
  neverSeen,
  noteArrival,
  Skews,
  staleAt,
  staleCount,
  type TimeLimits,
  untimely,
} from "./freshness.js";
import { Latches, type LatchText } from "./latches.js";
import type { Finding, Frame, Monitor } from "./models/monitor.js";
import type { Noted } from "./noted.js";
import { deadline_ms, evaluate, expire, type Outcome } from "./rules/evaluate.js";
import type { Change, Rule } from "./rules/rule.js";

export type { Noted } from "./noted.js";

type Bound = {
  readonly monitor: Monitor;
  readonly inputs: readonly number[];
  readonly frame: Frame;
};

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
  readonly #bound: Bound[] = [];
  /** Frame index to the monitor that writes it, and which of its outputs that is. */
  readonly #writers = new Map<number, { readonly monitor: Monitor; readonly output: number }>();
  readonly #touched = new Set<number>();
  readonly #byIndex: Freshness[] = [];
  #staleIndex = -1;
  #stale_next_ms = Number.POSITIVE_INFINITY;
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

  /** Monitors run in the order added, so a later one may read what an earlier one writes. */
  addMonitor(monitor: Monitor, inputs: readonly number[], outputs: readonly number[]): void {
    outputs.forEach((index, output) => {
      this.#writers.set(index, { monitor, output });
    });
    bindDoubts(this.#fresh.values(), monitor.outputs, outputs);
    const frame: Frame = {
      get: (input) => {
        const index = inputs[input] ?? -1;
        return index < 0 ? Number.NaN : (this.frame[index] as number);
      },
      set: (output, value) => {
        const index = outputs[output] as number;
        this.frame[index] = value;
        this.#touched.add(index);
      },
    };
    this.#bound.push({ monitor, inputs, frame });
  }

  readonly rule = (id: string): Rule | undefined => this.#ruleById.get(id);
  readonly rules = (): readonly Rule[] => this.#rules;

  get monitors(): readonly Monitor[] {
    return this.#bound.map((bound) => bound.monitor);
  }

  /** What the monitor that writes this index expected; null where there is none, or nothing yet. */
  explain(index: number): Finding | null {
    const writer = this.#writers.get(index);
    return writer === undefined ? null : writer.monitor.explain(writer.output);
  }

  /** What the page and the metrics show of a channel. */
  channels(): Iterable<Readonly<Freshness>> {
    return this.#fresh.values();
  }

  staleNames(): string[] {
    const names: string[] = [];
    for (const { stale, channel } of this.#fresh.values()) if (stale) names.push(channel.name);
    return names;
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

  /** The next arrival time at which something happens by itself; infinite when nothing waits. */
  next_ms(): number {
    let next = this.#stale_next_ms;
    for (const rule of this.latches.running) {
      const due = deadline_ms(rule, this.latches.of(rule));
      if (due !== null) next = Math.min(next, due - this.#skews.of(rule));
    }
    return next;
  }

  /** Lets everything happen that is due at arrival time `at_ms`. */
  advance(at_ms: number, changes: Noted[]): void {
    for (const rule of this.latches.running) {
      const latch = this.latches.of(rule);
      const due = deadline_ms(rule, latch);
      // The same expression as in next_ms: another rounding would leave it due for ever.
      if (due === null || due - this.#skews.of(rule) > at_ms) continue;
      this.#settle(rule, expire(rule, latch, this.frame, due, at_ms), changes);
    }
    if (at_ms >= this.#stale_next_ms) this.#goStale(at_ms, changes);
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
    this.#derive(fresh.index, block.t_ms, block);
    this.#judge(this.#rules, fresh.index, block, changes);
  }

  #write(index: number, value: number, item: Sample, changes: Noted[]): void {
    this.frame[index] = value;
    const derived = this.#derive(index, item.t_ms, null);
    this.#judge(derived ? this.#rules : (this.#readers[index] ?? []), index, item, changes);
    if (this.#staleIndex >= 0 && !derived) {
      this.#judge(this.#readers[this.#staleIndex] ?? [], index, item, changes);
    }
  }

  /** Runs every monitor that reads this index, or what another one just wrote; true if any ran. */
  #derive(index: number, t_ms: number, block: Block | null): boolean {
    let derived = false;
    if (this.#touched.size > 0) this.#touched.clear(); // it makes a new table each time
    for (const { monitor, inputs, frame } of this.#bound) {
      const input = inputs.indexOf(index);
      if (input >= 0) {
        if (block === null) monitor.onSample(frame, input, t_ms);
        else monitor.onBlock(frame, input, block);
        derived = true;
      }
      if (this.#touched.size === 0) continue;
      inputs.forEach((read, at) => {
        if (this.#touched.has(read)) monitor.onSample(frame, at, t_ms);
      });
    }
    return derived;
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
      const writer = this.#writers.get(index)?.monitor;
      const inputs = this.#bound.find(({ monitor }) => monitor === writer)?.inputs ?? [];
      live_ms = Math.min(live_ms, this.#live_ms(inputs, seen));
    }
    return live_ms;
  }

  #note(change: Change): Noted {
    const { reads } = change.rule.on;
    const written = reads.filter((index) => this.#writers.has(index));
    const told = written.find((index) => this.explain(index) !== null) ?? written[0] ?? -1;
    const unsure = reads.some((index) => this.#byIndex[index]?.quality === "uncertain");
    const quality = unsure ? "uncertain" : "good";
    const monitor = this.#writers.get(told)?.monitor ?? null;
    const cost = this.meter?.of(change) ?? null;
    const known = { finding: this.explain(told), monitor, quality, cost } as const;
    return { ...change, ...known, stale: this.staleNames() };
  }

  #goStale(at_ms: number, changes: Noted[]): void {
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
      this.#forget(fresh.index, at_ms);
    }
    this.#stale_next_ms = next;
    if (!changed) return;
    this.#countStale();
    this.#judge(this.#rules, -1, { t_ms: at_ms + this.#skews.newest_ms, r_ms: at_ms }, changes);
  }

  /** A monitor must hear of a silence, or its output would stay live on a dead input. */
  #forget(index: number, at_ms: number): void {
    this.frame[index] = Number.NaN;
    if (this.#byIndex[index]?.channel.shape === "scalar") {
      this.#derive(index, at_ms + this.#skews.newest_ms, null);
      return;
    }
    // What was read out of blocks is not known either; no monitor can be told of a missing one.
    const blind = this.#bound.filter(({ inputs }) => inputs.includes(index));
    for (const [written, { monitor }] of this.#writers) {
      if (blind.some((bound) => bound.monitor === monitor)) this.frame[written] = Number.NaN;
    }
  }

  #countStale(): void {
    if (this.#staleIndex < 0) return;
    this.frame[this.#staleIndex] = staleCount(this.#fresh.values(), this.frame);
  }
}
