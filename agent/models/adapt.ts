//! Slow following of seasons and ageing after commissioning. Each learnt middle may move by at most
//! its `drift`, slowly, and not at all while anything is suspicious: a deviation larger than a rule's
//! limit plus `drift` is always seen, however slowly it came. What was moved can be taken back.
import type { Row } from "./commission-slices.js";
import type { Baseline, Learnt } from "./setup.js";

/** Nothing moves for this share of the memory after anything suspicious: a day of fifteen. */
const HOLD = 1 / 15;
/** A slice counts for so much of the bound at most: from end to end takes `memory` slices. */
const ENDS = 2;
/** Deviations beyond so many spreads, and so many bounds, are suspicious and not followed. */
const SUSPICIOUS = { sigmas: 3, drifts: 2 } as const;
const LOG_MAX = 100;
const LOGGED = 0.1; // of the bound

export type Move = {
  readonly t_ms: number;
  readonly name: string;
  readonly from: number;
  readonly to: number;
};

/** As kept over restarts. */
export type Adapted = {
  readonly version: 1;
  /** `source` of the baseline that it belongs to. */
  readonly of: string;
  readonly moved: Readonly<Record<string, number>>;
  readonly hold: number;
  /** The latest moves, oldest first. */
  readonly log: readonly Move[];
};

export class Adaptation {
  readonly #learns: readonly Learnt[];
  readonly #baseline: Baseline;
  readonly #memory: number;
  readonly #moved = new Map<string, number>();
  readonly #logged = new Map<string, number>();
  #log: Move[] = [];
  #hold = 0;

  constructor(learns: readonly Learnt[], baseline: Baseline, memory: number) {
    this.#learns = learns.filter(({ drift, middle }) => drift > 0 && middle in baseline.values);
    this.#baseline = baseline;
    this.#memory = memory;
  }

  moved(name: string): number {
    return this.#moved.get(name) ?? 0;
  }

  /** Something else is suspicious: an alarm is active. */
  hold(): void {
    this.#hold = Math.ceil(HOLD * this.#memory);
  }

  /** Takes a slice of the machine at work; the moves worth a line in a log. */
  take(row: Row): readonly Move[] {
    const errors = this.#learns.map((learnt) => this.#errorOf(learnt, row));
    const odd = this.#learns.some((learnt, i) => this.#isOdd(learnt, errors[i] as number));
    if (odd || row.doubted.length > 0) this.hold();
    if (this.#hold > 0) {
      this.#hold -= 1;
      return [];
    }
    return this.#learns.flatMap((learnt, i) => this.#follow(learnt, errors[i] as number, row));
  }

  /** Everything back to what commissioning learnt. */
  revert(): void {
    this.#moved.clear();
    this.#logged.clear();
    this.#log = [];
    this.hold();
  }

  save(): Adapted {
    const { source } = this.#baseline;
    const moved = Object.fromEntries(this.#moved);
    return { version: 1, of: source, moved, hold: this.#hold, log: this.#log };
  }

  /** False: not of this baseline, or damaged; nothing is taken over then. */
  restore(kept: unknown): boolean {
    const found = (typeof kept === "object" && kept !== null ? kept : {}) as Partial<Adapted>;
    if (found.version !== 1 || found.of !== this.#baseline.source) return false;
    for (const learnt of this.#learns) {
      const move = Number(found.moved?.[learnt.middle] ?? 0);
      if (!(Math.abs(move) <= this.#bound(learnt))) return false;
    }
    for (const { middle } of this.#learns) {
      this.#moved.set(middle, Number(found.moved?.[middle] ?? 0));
    }
    this.#hold = Math.min(this.#memory, Math.max(0, Number(found.hold) || 0));
    this.#log = Array.isArray(found.log) ? found.log.slice(-LOG_MAX) : [];
    for (const { name, to } of this.#log) this.#logged.set(name, to);
    return true;
  }

  /** Deviation from the present normal; NaN where the slice does not tell. */
  #errorOf({ output, about, middle }: Learnt, row: Row): number {
    const now = row.cells[output]?.[0] ?? Number.NaN;
    if (about === "zero") return now;
    if (about === "one") return now - 1;
    const own = this.#baseline.states?.[row.state]?.[middle] ?? this.#baseline.values[middle];
    return now - (own ?? Number.NaN) - this.moved(middle);
  }

  /** A ratio moves in shares of itself. */
  #scale({ about, middle }: Learnt): number {
    return about === "one" ? Math.abs(this.#baseline.values[middle] ?? 1) : 1;
  }

  #bound(learnt: Learnt): number {
    return learnt.drift * this.#scale(learnt);
  }

  #isOdd({ spread, drift }: Learnt, error: number): boolean {
    const sigma = this.#baseline.values[spread] ?? 0;
    return Math.abs(error) > Math.max(SUSPICIOUS.sigmas * sigma, SUSPICIOUS.drifts * drift);
  }

  #follow(learnt: Learnt, error: number, { end_ms }: Row): Move[] {
    if (Number.isNaN(error)) return [];
    const { middle } = learnt;
    const bound = this.#bound(learnt);
    const most = (ENDS * bound) / this.#memory;
    const step = Math.max(-most, Math.min(most, (error * this.#scale(learnt)) / this.#memory));
    const to = Math.max(-bound, Math.min(bound, this.moved(middle) + step));
    this.#moved.set(middle, to);
    const logged = this.#logged.get(middle) ?? 0;
    if (Math.abs(to - logged) < LOGGED * bound) return [];
    const move = { t_ms: end_ms, name: middle, from: logged, to };
    this.#logged.set(middle, to);
    this.#log = [...this.#log, move].slice(-LOG_MAX);
    return [move];
  }
}
