//! Learns the normal of a machine at work from a healthy period that holds a few bad hours.
import { median } from "./chain/robust.js";
import { placeOf, REGIME_ROWS, type Slice } from "./generic-fit.js";
import {
  type Foretold,
  featuresOf,
  regimeOf,
  type Timed,
  valuesOf,
  WAYS,
} from "./generic-foretell.js";
import { Past, type Place, scaledAt } from "./generic-past.js";
import { regimesOf } from "./generic-regime.js";
import { type Row, Stretches } from "./generic-stretches.js";

export type Learned = {
  readonly normal: Foretold;
  readonly bad: number;
  readonly slices: number;
};

/** Share of the slices in which a channel must be known to be learnt. */
export const KNOWN_LEAST = 0.7;

/** A channel has a middle in each regime where that leaves less than so much of its variance. */
const PARTED = 0.5;

const BAD = 8; // spreads

const GROSS = 10;

const GROSS_MAX = 0.3;

const ROUNDS = 4;

const CHANNELS_MAX = 32;
const ROWS_LEAST = 24;
/** More channels than these are not named as missing. */
const NAMED_MAX = 4;

/** A text where there is no normal to be learnt. `names` are of the settings, then the readings. */
export function learnForetold(
  slices: readonly Timed[],
  named: boolean,
  names: readonly string[],
): Learned | string {
  const settings = slices[0]?.settings.length ?? 0;
  const channels = settings + (slices[0]?.readings.length ?? 0);
  if (channels > CHANNELS_MAX) {
    return `${channels} channels; at most ${CHANNELS_MAX} are learnt together: make two assets of them`;
  }
  const regimes = named ? [] : regimesOf(slices.map((slice) => slice.settings));
  const states = new Set(slices.flatMap(({ state }) => (state === "" ? [] : [state])));
  const codes = named ? [...states].sort() : null;
  const at = slices.map((slice) => regimeOf(codes, regimes, slice));
  const counts = (codes ?? regimes).map((_, k) => at.filter((own) => own === k).length);
  if (counts.every((count) => count < REGIME_ROWS)) {
    const what = `no operating regime was seen in ${REGIME_ROWS} slices or more`;
    return `${what}${absentText(slices, names.slice(0, settings))}`;
  }
  const values = slices.map(valuesOf);
  const seen = slices.flatMap((_, i) => ((counts[at[i] as number] ?? 0) >= REGIME_ROWS ? [i] : []));
  const gross = grossOf(seen, values, at, counts.length);
  let bad = new Set(gross.keys());
  for (let round = 1; ; round++) {
    const good = seen.filter((i) => !bad.has(i));
    const places = placesOf(
      good.map((i) => values[i] as number[]),
      good.map((i) => at[i] as number),
      counts.length,
    );
    if (places.slice(settings).every(({ sigma }) => sigma === 0)) {
      return "no channel moved in the healthy period: there is nothing to learn";
    }
    const rows = rowsOf(seen, bad, slices, values, places, at, counts.length);
    if (rows.filter((row) => !row.bad).length < ROWS_LEAST) {
      const what = `only ${rows.length} slices have all channels and six hours before them`;
      return `${what}${absentText(slices, names)}`;
    }
    const fresh = new Stretches(rows, places, settings, counts.length);
    const { known, told, pieces } = fresh;
    // Judged anew each time: one that only followed a bad one is then forgiven.
    const isJudged = (j: number): boolean => WAYS.some((way) => told[j]?.by[way] !== null);
    const isOff = (row: Row, r: number): boolean =>
      fresh.worst(r) > BAD || gross.get(row.slice)?.every(isJudged) === false;
    const heard = new Set(rows.map(({ slice }) => slice));
    const off = [
      ...rows.filter(isOff).map(({ slice }) => slice),
      ...[...bad].filter((i) => !heard.has(i)), // no past to judge them by
    ];
    const same = off.length === bad.size && off.every((i) => bad.has(i));
    bad = new Set(off);
    if (!same && round < ROUNDS && bad.size < rows.length - ROWS_LEAST) continue;
    const normal = { settings, codes, regimes, places, known, pieces, told };
    return { normal, bad: bad.size, slices: slices.length };
  }
}

/** In how many slices a channel, by its place among settings and readings, has no value. */
export function absentFrom(slices: readonly Slice[], channel: number): number {
  return slices.filter((slice) => Number.isNaN(valuesOf(slice)[channel])).length;
}

/** Which channels are to blame for slices that cannot be used, the worst first. */
function absentText(slices: readonly Slice[], names: readonly string[]): string {
  const all = names
    .map((name, channel) => ({ name, times: absentFrom(slices, channel) }))
    .filter(({ times }) => times > 0)
    .sort((a, b) => b.times - a.times)
    .slice(0, NAMED_MAX)
    .map(({ name, times }) => `${name} in ${times} of ${slices.length}`);
  return all.length === 0 ? "" : `; missing: ${all.join(", ")}`;
}

/** Slices with channels far from all others of theirs: not in the first fit. */
function grossOf(
  seen: readonly number[],
  values: readonly (readonly number[])[],
  at: readonly number[],
  regimes: number,
): Map<number, readonly number[]> {
  const own = seen.map((i) => values[i] as number[]);
  const regime = seen.map((i) => at[i] as number);
  const places = placesOf(own, regime, regimes);
  const gross = seen.flatMap((i, r): [number, readonly number[]][] => {
    const z = scaledAt(own[r] as number[], places, regime[r] as number);
    const far = z.flatMap((v, j) => (Math.abs(v) > GROSS ? [j] : []));
    return far.length > 0 ? [[i, far]] : [];
  });
  // Where many are, it is how the machine works.
  return new Map(gross.length > GROSS_MAX * seen.length ? [] : gross);
}

function placesOf(
  rows: readonly (readonly number[])[],
  at: readonly number[],
  regimes: number,
): Place[] {
  return (rows[0] ?? []).map((_, j): Place => {
    const known = rows.flatMap((row, i) => {
      const value = row[j] as number;
      return Number.isNaN(value) ? [] : [{ value, regime: at[i] as number }];
    });
    const all = known.map(({ value }) => value);
    const { middle, sigma } = placeOf(all);
    const common = Array.from({ length: regimes }, () => middle);
    if (known.length < KNOWN_LEAST * rows.length || !(sigma > 0)) {
      return { middles: common, sigma: 0, low: 0, high: 0 };
    }
    const own = common.map((_middle, k) => {
      return median(known.flatMap(({ value, regime }) => (regime === k ? [value] : [])));
    });
    const within = placeOf(known.map(({ value, regime }) => value - (own[regime] as number)));
    const parted = within.sigma > 0 && within.sigma ** 2 < PARTED * sigma ** 2;
    const middles = parted ? own.map((m) => (Number.isNaN(m) ? middle : m)) : common;
    const size = parted ? within.sigma : sigma;
    const z = known.map(({ value, regime }) => (value - (middles[regime] as number)) / size);
    const low = z.reduce((a, b) => Math.min(a, b), 0);
    return { middles, sigma: size, low, high: z.reduce((a, b) => Math.max(a, b), 0) };
  });
}

function rowsOf(
  seen: readonly number[],
  bad: ReadonlySet<number>,
  slices: readonly Timed[],
  values: readonly (readonly number[])[],
  places: readonly Place[],
  at: readonly number[],
  regimes: number,
): Row[] {
  const past = new Past(places);
  return seen.flatMap((i): Row[] => {
    const { t_s } = slices[i] as Timed;
    const regime = at[i] as number;
    const scaled = scaledAt(values[i] as number[], places, regime);
    const parts = past.take(scaled, t_s, !bad.has(i));
    const features = featuresOf(parts, places, regime, regimes);
    return features.some(Number.isNaN)
      ? []
      : [{ features, values: scaled, slice: i, t_s, bad: bad.has(i) }];
  });
}
