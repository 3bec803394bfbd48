//! Cuts what a machine says into slices (hours, flights, blocks, cycles) and keeps of each slice the
//! middle and spread of every value by operating state: all that commissioning and adaptation see.
import { median, spread, Thinned } from "./chain/robust.js";

export type SliceRule =
  | { readonly by: "time"; readonly s: number }
  /** While the state is 1; shorter ones do not count, and all must last `all_s` together. */
  | { readonly by: "flight"; readonly least_s: number; readonly all_s: number }
  /** A reading of one of `records` is a block, too; of several at once, one. */
  | { readonly by: "blocks"; readonly blocks: number; readonly records: readonly string[] }
  /** The monitor cuts them itself: by a cycle counter, each record, or so much time. */
  | { readonly by: "itself" };

/** Middle, spread (as a standard deviation), mean, and how many there were. */
export type Cell = readonly [middle: number, sigma: number, mean: number, count: number];

export type Row = {
  readonly t_ms: number;
  /** Of the slice's end. */
  readonly end_ms: number;
  /** Code of the operating state, "" where there is none. */
  readonly state: string;
  readonly cells: Readonly<Record<string, Cell>>;
  /** Channels that were not believed at some time in it. */
  readonly doubted: readonly string[];
  /** Blocks in the slice, where those are counted. */
  readonly blocks?: number;
  /** Cycles since its unit was new, where the machine counts them. */
  readonly age?: number;
};

/** Fewer values in a cell say nothing. */
export const CELL_VALUES = 4;
const STATES_MAX = 16;
const VALUES_MAX = 64; // of a slice, evenly spaced
/** A longer silence ends a slice, but for blocks, which may be hours apart. */
const SILENCE_s = 600;

export class Slices {
  readonly #rule: SliceRule;
  readonly #states = new Map<string, Map<string, Thinned<number>>>();
  readonly #last = new Map<string, number>();
  readonly #doubted = new Set<string>();
  #from_ms = Number.NaN;
  #to_ms = Number.NaN;
  #blocks = 0;
  #state = "";

  constructor(rule: SliceRule) {
    this.#rule = rule;
  }

  /** Time moves on, in this state: the rows of a slice that is over, else none. */
  at(t_ms: number, state: number): Row[] {
    const silent = this.#rule.by !== "blocks" && t_ms - this.#to_ms > SILENCE_s * 1000;
    const gone = silent || t_ms < this.#from_ms;
    const full = this.#isOver(t_ms, state);
    if (full && !gone) this.#to_ms = t_ms;
    const rows = gone || full ? this.cut() : [];
    this.#state = Number.isNaN(state) ? "" : String(state);
    if (Number.isNaN(this.#from_ms)) this.#from_ms = t_ms;
    this.#to_ms = t_ms;
    return rows;
  }

  #isOver(t_ms: number, state: number): boolean {
    const rule = this.#rule;
    if (rule.by === "time") return t_ms - this.#from_ms >= rule.s * 1000;
    if (rule.by === "flight") return state !== 1 && this.#state === "1";
    return rule.by === "blocks" && this.#blocks >= rule.blocks;
  }

  /** A value; one that stands still is the same observation, not a new one. */
  add(name: string, value: number): void {
    if (Number.isNaN(value) || value === this.#last.get(name)) return;
    this.#last.set(name, value);
    this.count(name, value);
  }

  /** As `add`, each one counted. */
  count(name: string, value: number): void {
    if (this.#rule.by === "flight" && this.#state !== "1") return;
    const cells = this.#states.get(this.#state) ?? new Map<string, Thinned<number>>();
    if (!this.#states.has(this.#state) && this.#states.size >= STATES_MAX) return;
    this.#states.set(this.#state, cells);
    const cell = cells.get(name) ?? new Thinned(VALUES_MAX);
    cells.set(name, cell);
    cell.add(value);
  }

  doubt(channel: string): void {
    this.#doubted.add(channel);
  }

  countBlock(): void {
    this.#blocks += 1;
  }

  /** Ends the slice. */
  cut(): Row[] {
    const [t_ms, end_ms] = [this.#from_ms, this.#to_ms];
    const doubted = [...this.#doubted];
    const rule = this.#rule;
    const blocks = this.#blocks;
    const short = rule.by === "flight" && end_ms - t_ms < rule.least_s * 1000;
    const rows = [...this.#states].map(([state, cells]): Row => {
      const found = [...cells].map(([name, cell]) => [name, cellOf(cell)] as const);
      const row = { t_ms, end_ms, state, cells: Object.fromEntries(found), doubted };
      return rule.by === "blocks" ? { ...row, blocks } : row;
    });
    this.#states.clear();
    this.#doubted.clear();
    this.#from_ms = Number.NaN;
    this.#blocks = 0;
    return short ? [] : rows;
  }
}

function cellOf(cell: Thinned<number>): Cell {
  const { values, count } = cell;
  const middle = median(values);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return [round(middle), round(spread(values, middle)), round(mean), count];
}

const round = (value: number): number => Number(value.toPrecision(7));

/** Readings so far apart that each is a slice of its own, which lasts no time at all; null: not so. */
export function rareOf(rows: readonly Row[], { by }: SliceRule): string | null {
  const alone = rows.filter((row) => row.end_ms === row.t_ms);
  if (by !== "time" || alone.length <= rows.length / 2) return null;
  const gaps = rows.slice(1).map((row, i) => row.t_ms - (rows[i]?.t_ms ?? 0));
  const apart = `readings come ${Math.round(median(gaps) / 1000)} s apart`;
  return `${apart}: this kind learns of readings at most ${SILENCE_s} s apart`;
}
