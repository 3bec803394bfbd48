//! What is remembered of the rules of an asset between samples, and which of it the disk does not
//! know yet. A hold time that was running goes on after a restart, where the data allow it.
import { deadline_ms, wantedOf } from "./rules/evaluate.js";
import { type Latch, type Rule, TRUE, UNKNOWN } from "./rules/rule.js";

export const IDLE: Latch = { raised: false, since_ms: null, onset_ms: null };

const NONE: readonly LatchText[] = [];

/** A shorter hold is not worth a write. */
const HOLD_STORED_ms_min = 1_000;

/** As stored. A hold goes on only under the condition it began with, and until a silence is one. */
type Stored = Latch & { readonly of?: string; readonly until_ms?: number };

export type LatchText = { readonly rule: string; readonly latch: string };

export class Latches {
  readonly #latches = new Map<string, Latch>();
  /** Rules with a hold time running: asked at every item, so it must be few. */
  readonly running = new Set<Rule>();
  /** Rules whose row on the disk is not true any more. */
  readonly #dirty = new Set<Rule>();
  /** Rules whose running hold the disk knows. */
  readonly #onDisk = new Set<Rule>();
  /** Holds of the last run that wait for a first verdict, and the arrival time at which they end. */
  readonly #resumed = new Map<Rule, number>();

  of(rule: Rule): Latch {
    return this.#latches.get(rule.id) ?? IDLE;
  }

  settle(rule: Rule, next: Latch, changed: boolean): void {
    if (next === IDLE) return;
    const moved = this.#onDisk.has(rule) && this.of(rule).since_ms !== next.since_ms;
    this.#latches.set(rule.id, next);
    if (next.since_ms === null) this.running.delete(rule);
    else this.running.add(rule);
    if (changed || moved) this.#dirty.add(rule);
  }

  /**
   * False while a hold of the last run waits for what its rule reads. The first verdict decides: the
   * condition still holds and no silence lay between, or the hold begins anew.
   */
  decided(rule: Rule, frame: Float64Array, arrival_ms: number): boolean {
    const until_ms = this.#resumed.size === 0 ? undefined : this.#resumed.get(rule);
    if (until_ms === undefined) return true;
    const latch = this.of(rule);
    const wanted = wantedOf(rule, latch, frame);
    if (wanted === UNKNOWN && arrival_ms <= until_ms) return false;
    this.#resumed.delete(rule);
    if (wanted !== TRUE || arrival_ms > until_ms) {
      this.settle(rule, { ...latch, since_ms: null }, false);
    }
    return true;
  }

  /** Takes over what the last run stored of a rule; what is no latch is left out. */
  resume(rule: Rule, text: string): void {
    const stored = readLatch(text);
    if (stored === null) return;
    const { raised, onset_ms, since_ms, until_ms, of } = stored;
    const goesOn = since_ms !== null && until_ms !== undefined && of === conditionOf(rule);
    this.#latches.set(rule.id, { raised, onset_ms, since_ms: goesOn ? since_ms : null });
    if (since_ms !== null) this.#onDisk.add(rule);
    if (goesOn) this.#resumed.set(rule, until_ms);
    else if (since_ms !== null) this.#dirty.add(rule);
  }

  /**
   * What to store: changes and ended holds at once, running ones when `holds` says so. `live_ms` is
   * the arrival time until which the newest values of a rule's channels count.
   */
  unsaved(holds: boolean, live_ms: (rule: Rule) => number): readonly LatchText[] {
    if (holds) for (const rule of this.running) if (this.#isLong(rule)) this.#dirty.add(rule);
    if (this.#dirty.size === 0) return NONE; // the usual case, at every tick
    const texts = [...this.#dirty].map((rule): LatchText => {
      const latch = this.of(rule);
      if (latch.since_ms === null) this.#onDisk.delete(rule);
      else this.#onDisk.add(rule);
      const more =
        latch.since_ms === null ? {} : { of: conditionOf(rule), until_ms: live_ms(rule) };
      return { rule: rule.id, latch: JSON.stringify({ ...latch, ...more }) };
    });
    this.#dirty.clear();
    return texts;
  }

  #isLong(rule: Rule): boolean {
    const latch = this.of(rule);
    const due_ms = deadline_ms(rule, latch) ?? Number.NEGATIVE_INFINITY;
    return due_ms - (latch.since_ms ?? due_ms) >= HOLD_STORED_ms_min;
  }
}

const conditionOf = ({ when, clear }: Rule): string => JSON.stringify([when, clear]);

/** Our own rows, yet a disk may have bent them. */
function readLatch(text: string): Stored | null {
  try {
    const { raised, since_ms, onset_ms, of, until_ms } = JSON.parse(text) as Stored;
    const time = (value: unknown): number | null => (Number.isFinite(value) ? Number(value) : null);
    if (typeof raised !== "boolean") return null;
    const latch = { raised, since_ms: time(since_ms), onset_ms: time(onset_ms) };
    const until = time(until_ms);
    return { ...latch, ...(until === null ? {} : { until_ms: until, of: String(of) }) };
  } catch {
    return null;
  }
}
