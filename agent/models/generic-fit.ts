//! What a machine without equations has for a normal: per regime the middle and spread of each
//! channel, how it follows the settings (robust ridge), and how channels follow one another.
import { median, spread } from "./chain/robust.js";
import { type Regime, regimeAt, regimesOf } from "./generic-regime.js";
import { solve } from "./generic-ridge.js";

/** One slice: settings and readings in the order of the channels; NaN: not known. */
export type Slice = {
  readonly settings: readonly number[];
  readonly readings: readonly number[];
  /** Code of a status channel where there is one. */
  readonly state: string;
  /** Which of several units, and how many cycles old. */
  readonly unit: number;
};

export type Normal = {
  /** Codes of the status channel instead of regimes, where there is one. */
  readonly codes: readonly string[] | null;
  readonly regimes: readonly Regime[];
  /** By regime, then by reading; spread 0: it stood still, and is not judged there. */
  readonly middles: readonly (readonly number[])[];
  readonly spreads: readonly (readonly number[])[];
  /** Settings in each regime: middle and spread, to follow them by. */
  readonly settingMiddles: readonly (readonly number[])[];
  readonly settingSpreads: readonly (readonly number[])[];
  /** By setting: how far from its middle it was ever seen, in spreads. */
  readonly reach: readonly number[];
  /** By reading: how many spreads it moves with one spread of each setting; 0 where it does not. */
  readonly follows: readonly (readonly number[])[];
  /** By reading: most that following may explain, in spreads. */
  readonly most: readonly number[];
  /** By reading: what is left, in spreads, and the share of it that differs from unit to unit. */
  readonly left: readonly number[];
  readonly units: readonly number[];
  /** By reading: weights of the others that foretell it, and how well: 1 is wholly. */
  readonly between: readonly (readonly number[])[];
  readonly shared: readonly number[];
  /** Inverse covariance of the smoothed deviations of the healthy machine; rows by reading. */
  readonly weights: readonly (readonly number[])[];
};

const RIDGE = 0.02; // of the number of rows
const TRIM = 5; // spreads: rows beyond are left out of the second fit
const SEEN = 1.5; // following may explain so much more than it ever did
export const REGIME_ROWS = 8;
const UNITS_LEAST = 5;
const LEFT_LEAST = 0.15;
const QUIET = 1e-9;
const FLOOR = 0.25; // half a spread, squared

/** `slices` are healthy ones; `named`: the state channel tells the regime. */
export function fitNormal(slices: readonly Slice[], named: boolean): Normal | string {
  const regimes = named ? [] : regimesOf(slices.map((slice) => slice.settings));
  const codes = named ? [...new Set(slices.map((slice) => slice.state))].sort() : [];
  const rows = slices.map((slice) => ({
    ...slice,
    regime: named ? codes.indexOf(slice.state) : regimeAt(regimes, slice.settings),
  }));
  const kept = (named ? codes : regimes).map((_, k) => rows.filter((row) => row.regime === k));
  if (kept.every((own) => own.length < REGIME_ROWS)) {
    return `no operating regime was seen in ${REGIME_ROWS} slices or more`;
  }
  const stats = kept.map((own) => ({
    readings: columnsOf(own.map((row) => row.readings)).map(placeOf),
    settings: columnsOf(own.map((row) => row.settings)).map(placeOf),
  }));
  const seen = rows.filter(({ regime }) => (kept[regime]?.length ?? 0) >= REGIME_ROWS);
  const zOf = (part: "readings" | "settings") =>
    seen.map((row) => scaled(row[part], stats[row.regime]?.[part] ?? []));
  const settings = zOf("settings");
  const readings = zOf("readings");
  const count = readings[0]?.length ?? 0;
  const each = <T>(make: (j: number) => T): T[] => Array.from({ length: count }, (_, j) => make(j));
  const column = (table: readonly (readonly number[])[], j: number): number[] =>
    table.map((row) => row[j] ?? Number.NaN);
  const follows = each((j) => ridge(settings, column(readings, j)));
  const told = each((j) => settings.map((row) => dot(row, follows[j] as number[])));
  const most = told.map((values) => SEEN * Math.max(0, ...values.map(Math.abs)));
  const rest = readings.map((row, i) => row.map((z, j) => z - (told[j]?.[i] ?? 0)));
  const { own, units, left } = byUnit(
    rest,
    seen.map((row) => row.unit),
    count,
  );
  const between = each((j) => {
    const others = own.map((row) => row.map((v, i) => (i === j ? 0 : v)));
    return ridge(others, column(own, j));
  });
  const shared = each((j) => {
    const alone = own.flatMap((row) => {
      const gap = (row[j] ?? Number.NaN) - dot(row, between[j] as number[]);
      return Number.isNaN(gap) ? [] : [gap];
    });
    return Math.max(0, 1 - (sizeOf(alone) / (left[j] as number)) ** 2) || 0;
  });
  return {
    codes: named ? codes : null,
    regimes,
    middles: stats.map((s) => s.readings.map((p) => p.middle)),
    spreads: stats.map((s, k) =>
      s.readings.map((p) => ((kept[k]?.length ?? 0) < REGIME_ROWS ? 0 : p.sigma)),
    ),
    settingMiddles: stats.map((s) => s.settings.map((p) => p.middle)),
    settingSpreads: stats.map((s) => s.settings.map((p) => p.sigma)),
    reach: (settings[0] ?? []).map((_, j) => {
      return Math.max(
        0,
        ...column(settings, j)
          .filter((z) => !Number.isNaN(z))
          .map(Math.abs),
      );
    }),
    follows,
    most,
    left,
    units,
    between,
    shared,
    weights: weightsOf([], count),
  };
}

/**
 * Weather and load move channels together for hours: what the healthy machine did often weighs
 * little. The floor keeps a calm fortnight from making every later breeze an alarm.
 */
export function weightsOf(smoothed: readonly (readonly number[])[], count: number): number[][] {
  const s = Array.from({ length: count }, (_, p) =>
    Array.from({ length: count }, (_unused, q) => {
      const products = smoothed.flatMap((row) => {
        const product = (row[p] as number) * (row[q] as number);
        return Number.isNaN(product) ? [] : [product];
      });
      const mean = products.reduce((a, b) => a + b, 0) / Math.max(1, products.length);
      return mean + (p === q ? FLOOR : 0);
    }),
  );
  return s.map((_, j) =>
    solve(
      s.map((row) => [...row]),
      s.map((_unused, i) => Number(i === j)),
    ),
  );
}

/** Readings in spreads about their middles; NaN where unknown, or where they stood still. */
export function scaled(
  values: readonly number[],
  places: readonly { readonly middle: number; readonly sigma: number }[],
): number[] {
  return values.map((value, j) => {
    const { middle = Number.NaN, sigma = 0 } = places[j] ?? {};
    return sigma > 0 ? (value - middle) / sigma : Number.NaN;
  });
}

/** Sum of products, unknown ones left out. */
export function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const term = (a[i] as number) * (b[i] as number);
    if (!Number.isNaN(term)) sum += term;
  }
  return sum;
}

type Place = { readonly middle: number; readonly sigma: number };

export function placeOf(values: readonly number[]): Place {
  const known = values.filter((v) => !Number.isNaN(v));
  const middle = median(known);
  const robustly = spread(known, middle);
  const quiet = QUIET * Math.abs(middle);
  if (robustly > quiet) return { middle, sigma: robustly };
  // Most readings equal, some not: a counter, a coarse instrument.
  const sigma = deviation(known);
  return { middle, sigma: sigma > 1e3 * quiet ? Math.max(sigma, quantumOf(known)) : 0 };
}

/** The smallest step that the instrument has shown: one of it is no deviation. */
function quantumOf(values: readonly number[]): number {
  const levels = [...new Set(values)].sort((a, b) => a - b);
  return Math.min(...levels.slice(1).map((level, i) => level - (levels[i] as number)));
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
}

/** Robust where it can be: of a coarse instrument most deviations are 0. */
const sizeOf = (values: readonly number[]): number => spread(values) || deviation(values);

function columnsOf(rows: readonly (readonly number[])[]): number[][] {
  return (rows[0] ?? []).map((_, j) => rows.map((row) => row[j] ?? Number.NaN));
}

/** Each unit about its own middle: what is left, and how much middles differ beyond chance. */
function byUnit(rest: readonly (readonly number[])[], units: readonly number[], count: number) {
  const names = [...new Set(units)];
  const middles = names.map((unit) => {
    const own = rest.filter((_, i) => units[i] === unit);
    return Array.from({ length: count }, (_, j) => {
      const known = own.map((row) => row[j] ?? Number.NaN).filter((v) => !Number.isNaN(v));
      return { mean: known.reduce((a, b) => a + b, 0) / known.length, n: known.length };
    });
  });
  const many = names.length >= UNITS_LEAST;
  const own = rest.map((row, i) => {
    const middle = middles[names.indexOf(units[i] as number)];
    return row.map((z, j) => z - (many ? (middle?.[j]?.mean ?? 0) : 0));
  });
  const left = Array.from({ length: count }, (_, j) => {
    const known = own.map((row) => row[j] ?? Number.NaN).filter((v) => !Number.isNaN(v));
    return known.length === 0 ? 0 : Math.max(LEFT_LEAST, sizeOf(known));
  });
  const differ = left.map((sigma, j) => {
    if (!many) return sigma ** 2; // not known: as much as within one
    const means = middles.flatMap((m) => (m[j]?.n ? [m[j].mean] : []));
    const mean = means.reduce((a, b) => a + b, 0) / means.length;
    const variance = means.reduce((s, v) => s + (v - mean) ** 2, 0) / means.length;
    const n = median(middles.map((m) => m[j]?.n ?? 0));
    return Math.max(0.01, variance - sigma ** 2 / n) || 0;
  });
  return { own, units: differ, left };
}

/** Weights of `inputs` for `target`, fitted twice: the second time without what stood apart. */
function ridge(inputs: readonly (readonly number[])[], target: readonly number[]): number[] {
  const usable = target.flatMap((y, i) => (Number.isNaN(y) ? [] : [i]));
  let weights = fitRidge(inputs, target, usable);
  const errors = usable.map((i) => (target[i] as number) - dot(inputs[i] ?? [], weights));
  const apart = TRIM * sizeOf(errors);
  const near = usable.filter((_, k) => Math.abs(errors[k] as number) <= apart);
  if (near.length > REGIME_ROWS) weights = fitRidge(inputs, target, near);
  return weights;
}

function fitRidge(
  inputs: readonly (readonly number[])[],
  target: readonly number[],
  rows: readonly number[],
): number[] {
  const size = inputs[0]?.length ?? 0;
  const a = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  const b = new Array<number>(size).fill(0);
  for (const i of rows) {
    const x = inputs[i] ?? [];
    for (let p = 0; p < size; p++) {
      const xp = x[p] as number;
      if (Number.isNaN(xp)) continue;
      b[p] = (b[p] as number) + xp * (target[i] as number);
      const row = a[p] as number[];
      for (let q = 0; q < size; q++) {
        const xq = x[q] as number;
        if (!Number.isNaN(xq)) row[q] = (row[q] as number) + xp * xq;
      }
    }
  }
  for (let p = 0; p < size; p++) {
    const row = a[p] as number[];
    row[p] = (row[p] as number) + RIDGE * rows.length + 1e-9;
  }
  return solve(a, b);
}
