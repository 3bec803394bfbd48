//! The normal of a machine at work without equations: what the other channels, now and over the last
//! hours, foretell of each channel, and how far that can be trusted.
import type { Slice } from "./generic-fit.js";
import { type Correlations, type Fit, fitOn } from "./generic-moments.js";
import { PARTS, type Place, partsOf } from "./generic-past.js";
import { type Regime, regimeAt } from "./generic-regime.js";

export const PIECE_s = 6 * 3600;

export type Timed = Slice & { readonly t_s: number };

/** How far a model of a channel can be trusted. */
export type Honest = {
  /** Error on stretches that were left out, over that on those it was fitted to. */
  readonly over: number;
  /** By window: spread of its medians of the error over that of the error. */
  readonly rough: readonly number[];
};

/**
 * From what a channel is foretold: all others; those that are not nearly the same (its twins), so
 * that twins which leave together are seen; else its own usual place, where it keeps to one.
 */
export const WAYS = ["near", "far", "own"] as const;

export type Way = (typeof WAYS)[number];

export type Told = {
  readonly twins: readonly number[];
  readonly by: Readonly<Record<Way, Honest | null>>;
};

export type Foretold = {
  /** Channels: settings first, then readings. */
  readonly settings: number;
  readonly codes: readonly string[] | null;
  readonly regimes: readonly Regime[];
  readonly places: readonly Place[];
  /** Of PARTS features a channel, then one a regime. */
  readonly known: Correlations;
  /** Independent stretches of six hours that it was learnt from. */
  readonly pieces: number;
  readonly told: readonly Told[];
};

/** A channel is foretold where less than so much of its spread is left. */
export const FORETOLD = 0.7;

/** Smallest spread of an error, in spreads of the channel: a model is never exact. */
export const REST_LEAST = 0.05;

/**
 * What is judged are medians: over six hours, and over a day for what grows slowly. Errors hang
 * together for hours, so a median spreads as much as `rough` at least, in spreads of the error: the
 * limit is four of them over six hours, and three over a day.
 */
export const WINDOWS = [
  { s: PIECE_s, rough: 1 },
  { s: 4 * PIECE_s, rough: 0.75 },
] as const;

/** Spreads of a median beyond which a channel has left its normal. */
export const LIMIT = 4;
/** Of the limit: below it there is nothing left to see. */
export const CALM = 0.6;

export const valuesOf = ({ settings, readings }: Slice): number[] => [...settings, ...readings];

/** All that a channel was in the healthy period, SI. */
export type Reach = { readonly low: number; readonly high: number };

/** What each channel was in the healthy period, SI; none of those that stood still. */
export function reachesOf({ places }: Foretold, names: readonly string[]): Map<string, Reach> {
  return new Map(
    places.flatMap(({ middles, sigma, low, high }, j): [string, Reach][] => {
      const name = names[j];
      if (name === undefined || sigma === 0) return [];
      const at = (z: number): number[] => middles.map((middle) => middle + z * sigma);
      return [[name, { low: Math.min(...at(low)), high: Math.max(...at(high)) }]];
    }),
  );
}

/** -1: in no regime that was learnt. */
export function regimeOf(
  codes: readonly string[] | null,
  regimes: readonly Regime[],
  { settings, state }: Slice,
): number {
  return codes === null ? regimeAt(regimes, settings) : codes.indexOf(state);
}

/** Features of a slice: parts of each channel, then which regime. Still channels say nothing. */
export function featuresOf(
  parts: readonly number[],
  places: readonly Place[],
  regime: number,
  regimes: number,
): number[] {
  const moving = parts.map((v, p) => (places[Math.floor(p / PARTS)]?.sigma === 0 ? 0 : v));
  return [...moving, ...Array.from({ length: regimes }, (_, k) => Number(k === regime))];
}

/** A model reads so many channels at most: its cost grows with the cube of them. */
const INPUTS_MAX = 16;

/** Of `others` those that a model of a channel reads: settings, then what moves most with it. */
export function inputsFor(
  channel: number,
  others: readonly number[],
  { table }: Correlations,
  settings: number,
): readonly number[] {
  if (others.length <= INPUTS_MAX) return others;
  const alike = (i: number): number =>
    i < settings ? 2 : Math.abs(table[channel * PARTS]?.[i * PARTS] ?? 0);
  const first = [...others].sort((a, b) => alike(b) - alike(a)).slice(0, INPUTS_MAX);
  return first.sort((a, b) => a - b);
}

/** What a model may read of: the parts of `channels`, and the regime. */
export const inputsOf = (channels: readonly number[], count: number, regimes: number): number[] => [
  ...channels.flatMap(partsOf),
  ...Array.from({ length: regimes }, (_, k) => count * PARTS + k),
];

/** Twins: one explains so much of the other's variance beyond the settings. */
const TWIN = 0.8;

/** Of `others`, which may hold `settings`, the twins of a channel; all of one table. */
export function twinsOf(
  known: Correlations,
  channel: number,
  others: readonly number[],
  settings: readonly number[],
  regimes: number,
): number[] {
  const count = (known.means.length - regimes) / PARTS;
  const drivers = settings.filter((i) => i !== channel);
  const told = inputsOf(drivers, count, regimes);
  const rest = (more: readonly number[]): number =>
    fitOn(known, [...told, ...more], channel * PARTS).rest;
  const without = rest([]);
  return others.filter((i) => {
    return !settings.includes(i) && rest([i * PARTS]) ** 2 <= (1 - TWIN) * without ** 2;
  });
}

/** What a fit leaves, in spreads of the channel. */
export const restOf = ({ rest }: Fit, { scales }: Correlations, target: number): number =>
  Math.max(REST_LEAST, rest * (scales[target] as number));

/** The target as the features foretell it, in spreads of its channel. */
export function foretell(
  { means, scales }: Correlations,
  { at, weights }: Fit,
  target: number,
  features: readonly number[],
): number {
  let sum = 0;
  for (let i = 0; i < at.length; i++) {
    const p = at[i] as number;
    const z = ((features[p] as number) - (means[p] as number)) / (scales[p] as number);
    sum += (weights[i] as number) * z;
  }
  return (means[target] as number) + (scales[target] as number) * sum;
}

/**
 * How much more uncertain a model is here than where it was learnt: the root of 1 + leverage. Rows
 * hang together for hours, so it is the six-hour pieces that count as observations.
 */
export function doubtOf(
  { means, scales }: Correlations,
  at: readonly number[],
  certain: readonly (readonly number[])[],
  features: readonly number[],
  pieces: number,
): number {
  const z = at.map((p) => ((features[p] as number) - (means[p] as number)) / (scales[p] as number));
  let sum = 0;
  for (let i = 0; i < z.length; i++) {
    const line = certain[i] as readonly number[];
    let part = 0;
    for (let k = 0; k < z.length; k++) part += (line[k] as number) * (z[k] as number);
    sum += part * (z[i] as number);
  }
  return Math.sqrt(1 + Math.max(0, sum) / pieces);
}

export const isKnown = (value: number): boolean => !Number.isNaN(value);

/** First of ordered `times` in the window that ends with `last`; null: it is not half full. */
export function sinceOf(times: readonly number[], last: number, window_s: number): number | null {
  const to_s = times[last] as number;
  let from = last;
  while (from > 0 && (times[from - 1] as number) > to_s - window_s) from -= 1;
  return to_s - (times[from] as number) < window_s / 2 ? null : from;
}

const FEW = 3;

/** Of what is known, where that is at least half. */
export function middleOf(values: readonly number[]): number {
  const known = Float64Array.from(values.filter(isKnown)).sort();
  if (known.length < Math.max(FEW, values.length / 2)) return Number.NaN;
  const half = known.length >> 1;
  const upper = known[half] as number;
  return known.length % 2 === 1 ? upper : (upper + (known[half - 1] as number)) / 2;
}
