//! How far a machine without equations is from its normal: each slice against its regime, smoothed,
//! all channels together. One channel alone that the others do not follow is its sensor.
import { median } from "./chain/robust.js";
import { dot, type Normal, type Slice, scaled } from "./generic-fit.js";
import { regimeAt } from "./generic-regime.js";

/** Weight of a slice: ten slices are half a memory. */
const WEIGHT = 0.1;
const CLIP = 6; // spreads: no slice counts for more
/** Slices of a new unit that give its own middle. */
export const OWN = 15;
const MEDIAN_VARIANCE = 1.57; // of a median over that of a mean, Gaussian noise
/** Settings this much beyond what was seen are another machine: cannot tell. */
const REACH = 1.5;
/** Spreads, smoothed: a channel that stands alone, what the others stay within, and well again. */
const ALONE = { far: 3, waits: 1, others: 1.2, well: 0.7, shared: 0.5, channels: 3 } as const;

type Last = {
  readonly levels: readonly number[];
  /** By reading: what the regime and the settings foretell of it, and its spread there; SI. */
  readonly foretold: readonly { readonly value: number; readonly sigma: number }[];
};

export type Memory = {
  readonly firsts: readonly (readonly number[])[];
  readonly smooth: readonly number[];
};

export class GenericHealth {
  readonly #normal: Normal;
  /** By reading: levels of the unit's first slices. */
  #firsts: number[][];
  #smooth: number[];
  #odd = new Set<number>();
  /** Off alone, but not yet far enough for a verdict: kept out of the index until then. */
  #waiting = new Set<number>();
  /** By reading: deviation of the last slice in spreads, before smoothing and the unit's own middle. */
  levels: readonly number[];
  #last: Last | null = null;

  constructor(normal: Normal) {
    this.#normal = normal;
    const size = normal.left.length;
    this.levels = new Array<number>(size).fill(Number.NaN);
    this.#firsts = Array.from({ length: size }, () => []);
    this.#smooth = new Array<number>(size).fill(Number.NaN);
  }

  /** Another unit was put in: its own middle and its health begin anew. */
  renew(): void {
    for (const first of this.#firsts) first.length = 0;
    this.#smooth.fill(Number.NaN);
    this.#odd.clear();
    this.#waiting.clear();
  }

  /**
   * False: in no regime that was learnt. `young`: the slice belongs to the first of a new unit.
   */
  take(slice: Slice, young: boolean): boolean {
    const normal = this.#normal;
    this.#last = judgedAt(normal, slice);
    this.levels = this.#last?.levels ?? this.levels.map(() => Number.NaN);
    if (this.#last === null) return false;
    const { levels } = this.#last;
    levels.forEach((level, j) => {
      const left = normal.left[j] as number;
      if (Number.isNaN(level) || left === 0) return;
      const firsts = this.#firsts[j] as number[];
      if (young && firsts.length < OWN) firsts.push(level);
      const away = (level - this.#own(j)) / left;
      const bounded = Math.max(-CLIP, Math.min(CLIP, away));
      const before = Number.isNaN(this.#smooth[j]) ? 0 : (this.#smooth[j] as number);
      this.#smooth[j] = before + WEIGHT * (bounded - before);
    });
    this.#weighAlone();
    return true;
  }

  /**
   * Hotelling's T2 of the smoothed deviations over the number of readings, as a root: how far the
   * machine is from what it did in its healthy period. Readings that are unknown or in doubt count
   * as the others foretell them. NaN of nothing.
   */
  get index(): number {
    const { weights, between } = this.#normal;
    const plain = this.#smooth.map((e) => (Number.isNaN(e) ? 0 : e));
    const told = this.#smooth.map((e, j) => {
      const out = Number.isNaN(e) || this.#odd.has(j) || this.#waiting.has(j);
      return out ? dot(plain, between[j] ?? []) : e;
    });
    const count = this.#smooth.filter((e) => !Number.isNaN(e)).length;
    if (count === 0) return Number.NaN;
    const sum = told.reduce((total, e, j) => total + e * dot(told, weights[j] ?? []), 0);
    return Math.sqrt(Math.max(0, sum) / count);
  }

  /** Smoothed deviations by reading, in spreads; NaN where not judged. */
  get deviations(): readonly number[] {
    return this.#smooth;
  }

  /** Smoothed deviation of a reading, in spreads. */
  deviation(reading: number): number {
    return this.#smooth[reading] ?? Number.NaN;
  }

  /** What was foretold of it in the last cycle, SI; null where nothing was. */
  expected(reading: number): { readonly value: number; readonly sigma: number } | null {
    const place = this.#last?.foretold[reading];
    const left = this.#normal.left[reading] ?? 0;
    if (place === undefined || !(left > 0 && place.sigma > 0)) return null;
    const { value, sigma } = place;
    return { value: value + this.#own(reading) * sigma, sigma: left * sigma };
  }

  isOdd(reading: number): boolean {
    return this.#odd.has(reading);
  }

  /** Readings farther off than `spreads`. */
  far(spreads: number): number {
    return this.#smooth.filter((e) => Math.abs(e) > spreads).length;
  }

  save(): Memory {
    return { firsts: this.#firsts, smooth: this.#smooth };
  }

  restore(kept: unknown): void {
    const found = (typeof kept === "object" && kept !== null ? kept : {}) as Partial<Memory>;
    const { firsts, smooth } = found;
    const size = this.#smooth.length;
    const fits = (list: unknown): list is unknown[] => Array.isArray(list) && list.length === size;
    if (!fits(firsts) || !fits(smooth)) return;
    const isNumber = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v);
    this.#firsts = firsts.map((list) => (Array.isArray(list) ? list.filter(isNumber) : []));
    // JSON has no NaN.
    this.#smooth = smooth.map((v) => (isNumber(v) ? v : Number.NaN));
  }

  /** The unit's own middle: of its first slices, drawn to the common one as far as units are alike. */
  #own(j: number): number {
    const firsts = this.#firsts[j] as number[];
    if (firsts.length === 0) return 0;
    const { units, left } = this.#normal;
    const differ = units[j] as number;
    const share = differ / (differ + (MEDIAN_VARIANCE * (left[j] as number) ** 2) / firsts.length);
    return share * median(firsts);
  }

  /** Far off, while the others say that nothing is: believed again once they agree. */
  #weighAlone(): void {
    const { between, shared } = this.#normal;
    const known = this.#smooth.map((e) => (Number.isNaN(e) ? 0 : e));
    this.#waiting.clear();
    if (known.filter((e) => e !== 0).length < ALONE.channels) return;
    known.forEach((own, j) => {
      const gap = Math.abs(own - dot(known, between[j] ?? []));
      if (this.#odd.has(j)) {
        if (gap < ALONE.well) this.#odd.delete(j);
        return;
      }
      const quiet = known.every((e, i) => i === j || Math.abs(e) < ALONE.others);
      const foretold = (shared[j] as number) >= ALONE.shared;
      const off = Math.min(gap, Math.abs(own));
      if (!quiet || !foretold || !(off > ALONE.waits)) return;
      if (off > ALONE.far) this.#odd.add(j);
      else this.#waiting.add(j);
    });
  }
}

/** Deviations in spreads of the regime, less what the settings explain (bounded); null: no regime. */
function judgedAt(normal: Normal, { settings, readings, state }: Slice): Last | null {
  const { codes, regimes } = normal;
  const k = codes === null ? regimeAt(regimes, settings) : codes.indexOf(state);
  if (k < 0) return null;
  const place = (middles: readonly (readonly number[])[], sigmas: readonly (readonly number[])[]) =>
    (middles[k] ?? []).map((middle, j) => ({ middle, sigma: sigmas[k]?.[j] ?? 0 }));
  const at = scaled(settings, place(normal.settingMiddles, normal.settingSpreads));
  if (at.some((z, j) => Math.abs(z) > REACH * (normal.reach[j] as number))) return null;
  const follows = readings.map((_, j) => {
    const most = normal.most[j] as number;
    return Math.max(-most, Math.min(most, dot(at, normal.follows[j] ?? [])));
  });
  const places = place(normal.middles, normal.spreads);
  return {
    levels: scaled(readings, places).map((z, j) => z - (follows[j] as number)),
    foretold: places.map(({ middle, sigma }, j) => {
      return { value: middle + (follows[j] as number) * sigma, sigma };
    }),
  };
}
