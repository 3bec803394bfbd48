//! The models of a healthy period. Each stretch of it is judged by what the others taught, so that
//! the spread that is learnt is that of weather which a model has not seen.
import { spread } from "./chain/robust.js";
import {
  doubtOf,
  FORETOLD,
  foretell,
  type Honest,
  inputsFor,
  inputsOf,
  isKnown,
  middleOf,
  PIECE_s,
  REST_LEAST,
  restOf,
  sinceOf,
  type Told,
  twinsOf,
  WINDOWS,
} from "./generic-foretell.js";
import {
  type Correlations,
  correlationsOf,
  fitOn,
  inverseOf,
  joined,
  type Moments,
  momentsOf,
} from "./generic-moments.js";
import { PARTS, type Place } from "./generic-past.js";

/** One in a hundred medians of a healthy stretch that was left out lies at most so far off. */
const TAIL = { quantile: 0.99, spreads: 3.3 } as const;

const OWN_ROUGH = 0.6;

/** Nothing foretells it, and medians of a day spread more than so: weather, not judged. */
const STEADY = 0.5;

const EVERY = 6;
const STRETCHES = [5, 14] as const;

export type Row = {
  readonly features: readonly number[];
  /** By channel, not bounded as the features are. */
  readonly values: readonly number[];
  readonly slice: number;
  readonly t_s: number;
  /** Taken for a bad one so far: judged, and not learnt from. */
  readonly bad: boolean;
};

type Stretch = { readonly rows: readonly Row[]; readonly known: Correlations };

/** All models of a period, each stretch judged by what the others taught. */
export class Stretches {
  readonly known: Correlations;
  readonly told: readonly Told[];
  readonly #rows: readonly Row[];
  readonly #settings: number;
  readonly #count: number;
  readonly #regimes: number;
  readonly #stretches: readonly Stretch[];
  /** Independent stretches of six hours. */
  readonly pieces: number;
  readonly #worst: number[];

  constructor(rows: readonly Row[], places: readonly Place[], settings: number, regimes: number) {
    this.#rows = rows;
    this.#settings = settings;
    this.#count = places.length;
    this.#regimes = regimes;
    const good = rows.filter(({ bad }) => !bad);
    this.pieces = (good.length * sliceOf(good)) / PIECE_s;
    this.#worst = rows.map(() => 0);
    const size = rows[0]?.features.length ?? 0;
    const parts = stretchesOf(rows);
    const moments = parts.map((part) =>
      momentsOf(
        part.flatMap(({ features, bad }) => (bad ? [] : [features])),
        size,
      ),
    );
    const all = moments.reduce((a, b) => joined(a, b, 1));
    this.known = correlationsOf(all);
    this.#stretches = parts.map((part, k) => {
      const others = joined(all, moments[k] as Moments, -1);
      return { rows: part, known: correlationsOf(others) };
    });
    this.told = places.map((place, j) => this.#tell(place, j));
  }

  /** Largest error of a row over all readings, in their spreads. */
  worst(row: number): number {
    return this.#worst[row] ?? 0;
  }

  #tell({ sigma }: Place, j: number): Told {
    const nothing = { twins: [], by: { near: null, far: null, own: null } };
    if (sigma === 0) return nothing;
    const all = Array.from({ length: this.#count }, (_, i) => i).filter((i) => i !== j);
    const named = Array.from({ length: this.#settings }, (_, i) => i);
    const twins = twinsOf(this.known, j, all, named, this.#regimes);
    const from = (others: readonly number[]) => inputsFor(j, others, this.known, this.#settings);
    const near = this.#honest(j, from(all), true);
    const apart = from(all.filter((i) => !twins.includes(i)));
    const far = twins.length === 0 ? null : this.#honest(j, apart, true);
    const alone = far === null && (near === null || twins.length > 0);
    const own = alone ? this.#honest(j, [], false) : null;
    return { twins, by: { near, far, own } };
  }

  #honest(j: number, channels: readonly number[], foretells: boolean): Honest | null {
    const inputs = inputsOf(channels, this.#count, this.#regimes);
    const target = j * PARTS;
    const found = this.#stretches.flatMap(({ rows, known }) =>
      errorsOf(rows, known, inputs, target, this.pieces),
    );
    const errors = found.map(({ error }) => error);
    const good = errors.filter((_, r) => this.#rows[r]?.bad === false);
    const sigma = Math.max(REST_LEAST, spread(good, 0));
    // Also where a stretch held nearly all there was, and nothing taught the others.
    if (!(sigma <= (foretells ? FORETOLD : Number.MAX_VALUE))) return null;
    const scaled = found.map(({ error, doubt }, r) =>
      this.#rows[r]?.bad === true ? Number.NaN : error / sigma / doubt,
    );
    const times = this.#rows.map(({ t_s }) => t_s);
    const rough = WINDOWS.map(({ s, rough: least }) => {
      const known = medians(times, scaled, s).filter(isKnown);
      const tail = quantileOf(known.map(Math.abs), TAIL.quantile) / TAIL.spreads;
      return Math.max(foretells ? least : OWN_ROUGH * least, spread(known, 0), tail);
    });
    const wanders = !foretells && this.#count > 1 && (rough.at(-1) as number) > STEADY;
    if (wanders) return null;
    errors.forEach((error, r) => {
      if (j >= this.#settings)
        this.#worst[r] = Math.max(this.#worst[r] as number, Math.abs(error) / sigma);
    });
    const fitted = fitOn(this.known, inputs, target);
    return { over: sigma / restOf(fitted, this.known, target), rough };
  }
}

/** Middle distance of slices in time. */
function sliceOf(rows: readonly Row[]): number {
  const gaps = rows.slice(1).map(({ t_s }, i) => t_s - (rows[i] as Row).t_s);
  return [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
}

function errorsOf(
  rows: readonly Row[],
  known: Correlations,
  inputs: readonly number[],
  target: number,
  pieces: number,
): { readonly error: number; readonly doubt: number }[] {
  const fit = fitOn(known, inputs, target);
  const certain = inverseOf(known, fit.at);
  return rows.map(({ features, values }) => ({
    error: (values[target / PARTS] as number) - foretell(known, fit, target, features),
    doubt: doubtOf(known, fit.at, certain, features, pieces),
  }));
}

/** Contiguous stretches, a day each where there are five to fourteen. */
function stretchesOf(rows: readonly Row[]): Row[][] {
  const [least, most] = STRETCHES;
  const days = ((rows.at(-1)?.t_s ?? 0) - (rows[0]?.t_s ?? 0)) / 86_400;
  const count = Math.min(most, Math.max(least, Math.round(days)));
  return Array.from({ length: count }, (_, k) => {
    return rows.slice(
      Math.floor((k * rows.length) / count),
      Math.floor(((k + 1) * rows.length) / count),
    );
  }).filter((part) => part.length > 0);
}

/** Medians of the last so many seconds, at every sixth row: those between differ little. */
function medians(times: readonly number[], values: readonly number[], window_s: number): number[] {
  return times.flatMap((_, i) => {
    const from = i % EVERY === 0 ? sinceOf(times, i, window_s) : null;
    return from === null ? [] : [middleOf(values.slice(from, i + 1))];
  });
}

function quantileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(share * (sorted.length - 1))] ?? 0;
}
