//! A unit declared wrongly moves a reading far from all that was learnt, and another unit brings it
//! back: such a reading is no weather. It says what unit would fit; what it says of the machine is
//! withheld.
import type { Unit } from "../units/parse.js";
import { PIECE_s, type Reach } from "./generic-foretell.js";
import { ENDS_s } from "./generic-lasting.js";
import { type Declared, mixedUp, readUnit, reread, type Suspect } from "./suspect.js";

/**
 * Learnt ranges beyond which a reading is asked for its unit. Behind a week or more of a gas turbine
 * and two wind turbines no channel left its range by three in a way that another unit explained.
 */
const FAR = 3;
/** Another unit fits where it brings the reading so many times nearer, and not beyond that. */
const NEARER = 10;
const SLICES_LEAST = 3;
const BEGINS_s = PIECE_s / 2;

/** How many learnt ranges it lies outside. */
function beyond(si: number, { low, high }: Reach): number {
  return Math.max(0, low - si, si - high) / (high - low);
}

/** The unit that was probably meant; null: the declared one will do, or none explains it. */
export function slipOf(si: number, reach: Reach, declared: Unit, point: boolean): Unit | null {
  const far = beyond(si, reach);
  if (!(far > FAR)) return null;
  // Kelvin does not say whether a temperature or a difference is meant.
  const meant = point ? [true] : [true, false];
  const others = meant
    .flatMap((as) => mixedUp(declared, as))
    .map(({ unit }) => ({ unit, off: beyond(reread(si, declared, unit), reach) }));
  const [best] = others.sort((a, b) => a.off - b.off);
  return best !== undefined && best.off <= Math.min(FAR, far / NEARER) ? best.unit : null;
}

/** What units the readings of each channel speak for instead, where most of them do. */
export function slipsAmong(
  channels: readonly Declared[],
  reaches: ReadonlyMap<string, Reach>,
): Suspect[] {
  return channels.flatMap(({ name, unit, point, values }): Suspect[] => {
    const reach = reaches.get(name);
    const declared = readUnit(unit, point);
    if (reach === undefined || declared === null) return [];
    const known = Array.from(values).filter((value) => !Number.isNaN(value));
    const slips = known.flatMap((value) => slipOf(value, reach, declared, point)?.text ?? []);
    const [meant] = slips;
    if (meant === undefined || !(slips.length > known.length / 2)) return [];
    const laws = ["it was learnt elsewhere"];
    const text = `${name}: declared ${unit}, but ${meant} would fit what the baseline has learnt`;
    return [{ channel: name, declared: unit, fits: meant, others: [], laws, text }];
  });
}

export type SlipChannel = { readonly name: string; readonly unit: string; readonly point: boolean };
/** `reads` in SI, as declared. */
export type Slip = {
  readonly reads: number;
  readonly meant: Unit;
  readonly reach: Reach;
};

type State = {
  readonly reach: Reach;
  readonly declared: Unit;
  readonly point: boolean;
  last: Slip | null;
  seen_s: number;
  slices: number;
  well_s: number;
  told: Slip | null;
};

export class Slips {
  readonly #states: ReadonlyMap<string, State>;

  constructor(channels: readonly SlipChannel[], reaches: ReadonlyMap<string, Reach>) {
    this.#states = new Map(
      channels.flatMap(({ name, unit, point }): [string, State][] => {
        const reach = reaches.get(name);
        const declared = readUnit(unit, point);
        if (reach === undefined || declared === null || !(reach.high > reach.low)) return [];
        const start = { last: null, seen_s: 0, slices: 0, well_s: 0, told: null };
        return [[name, { reach, declared, point, ...start }]];
      }),
    );
  }

  /** A slice of `dt_s`. The value as it may be believed: NaN where another unit was meant. */
  take(name: string, si: number, dt_s: number): number {
    const state = this.#states.get(name);
    if (state === undefined || Number.isNaN(si)) return si;
    const { reach, declared, point } = state;
    const meant = slipOf(si, reach, declared, point);
    if (meant === null) {
      state.last = null;
      state.seen_s = 0;
      state.slices = 0;
      state.well_s += dt_s;
      if (state.well_s >= ENDS_s) state.told = null;
      // At rest a power is 0 in any unit.
      return state.told === null ? si : Number.NaN;
    }
    state.last = { reads: si, meant, reach };
    state.seen_s += dt_s;
    state.slices += 1;
    state.well_s = 0;
    const long = state.slices >= SLICES_LEAST && state.seen_s >= BEGINS_s;
    if (long || state.told !== null) state.told = state.last;
    return Number.NaN;
  }

  /** What is wrong with its unit, once that has lasted. */
  told(name: string): Slip | null {
    return this.#states.get(name)?.told ?? null;
  }

  /** Not believed now, told or not. */
  doubts(name: string): boolean {
    const state = this.#states.get(name);
    return state !== undefined && (state.told !== null || state.last !== null);
  }

  save(): unknown {
    const told = [...this.#states].filter(([, state]) => state.told !== null);
    return told.map(([name, { declared, told: slip }]) => [name, declared.text, slip?.reads]);
  }

  /** One that was declared in another unit then begins anew. */
  restore(kept: unknown): void {
    for (const one of Array.isArray(kept) ? kept : []) {
      const [name, unit, reads]: unknown[] = Array.isArray(one) ? one : [];
      const state = typeof name === "string" ? this.#states.get(name) : undefined;
      if (state === undefined || state.declared.text !== unit || typeof reads !== "number")
        continue;
      const { declared, reach, point } = state;
      const meant = slipOf(reads, reach, declared, point);
      if (meant === null) continue;
      state.told = { reads, meant, reach };
    }
  }
}
