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
  movingOf,
  RIDGE,
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

/** What few days cannot tell apart is drawn together, by as much as they bear. */
const RIDGES = [RIDGE, 0.01, 0.03, 0.1, 0.3, 1];
/** One in twenty errors lies farther off, if they are Gaussian. */
const USUAL = { quantile: 0.95, spreads: 1.96 } as const;

type Tried = {
  readonly ridge: number;
  readonly errors: readonly number[];
  /** Of rows that are not bad. */
  readonly good: readonly number[];
  readonly off: number;
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

  /** Of all ridges the one that errs least on stretches that did not teach. */
  #least(inputs: readonly number[], target: number): Tried {
    const tried = RIDGES.map((ridge): Tried => {
      const errors = this.#stretches.flatMap((one) => errorsOf(one, inputs, target, ridge));
      const good = errors.filter((_, r) => this.#rows[r]?.bad === false);
      return { ridge, errors, good, off: spread(good, 0) };
    });
    return tried.reduce((best, one) => (one.off < best.off ? one : best));
  }

  #honest(j: number, channels: readonly number[], foretells: boolean): Honest | null {
    const inputs = inputsOf(channels, this.#count, this.#regimes);
    const target = j * PARTS;
    const { ridge, errors, good } = this.#least(inputs, target);
    const sigma = Math.max(REST_LEAST, spread(good, 0));
    // Of a rotor that stands or turns the middle error says nothing: one in twenty counts as well.
    const usual = quantileOf(good.map(Math.abs), USUAL.quantile) / USUAL.spreads;
    // Also where a stretch held nearly all there was, and nothing taught the others.
    if (!(Math.max(sigma, usual) <= (foretells ? FORETOLD : Number.MAX_VALUE))) return null;
    const doubts = this.#stretches.flatMap((one) => doubtsOf(one, inputs, this.pieces));
    const scaled = errors.map((error, r) =>
      this.#rows[r]?.bad === true ? Number.NaN : error / sigma / (doubts[r] as number),
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
    const fitted = fitOn(this.known, inputs, target, ridge);
    return { ridge, over: sigma / restOf(fitted, this.known, target), rough };
  }
}

/** Middle distance of slices in time. */
function sliceOf(rows: readonly Row[]): number {
  const gaps = rows.slice(1).map(({ t_s }, i) => t_s - (rows[i] as Row).t_s);
  return [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
}

function errorsOf(
  { rows, known }: Stretch,
  inputs: readonly number[],
  target: number,
  ridge: number,
): number[] {
  const fit = fitOn(known, inputs, target, ridge);
  return rows.map(({ features, values }) => {
    return (values[target / PARTS] as number) - foretell(known, fit, target, features);
  });
}

function doubtsOf({ rows, known }: Stretch, inputs: readonly number[], pieces: number): number[] {
  const at = movingOf(known, inputs);
  const certain = inverseOf(known, at);
  return rows.map(({ features }) => doubtOf(known, at, certain, features, pieces));
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
