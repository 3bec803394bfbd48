//! A machine at work against what its channels foretell of one another, by medians. One
//! channel that leaves alone is called its sensor, several that leave together the machine.
import { Banks, type Expected } from "./generic-bank.js";
import {
  CALM,
  type Foretold,
  featuresOf,
  LIMIT,
  middleOf,
  regimeOf,
  sinceOf,
  type Timed,
  valuesOf,
  WAYS,
  WINDOWS,
} from "./generic-foretell.js";
import { Calm, Lasting } from "./generic-lasting.js";
import { PARTS, Past, scaledAt } from "./generic-past.js";

/** A setting is free to move: it is doubted only this far from what the readings tell of it. */
const SETTING = 2 * LIMIT;
const CANDIDATES = 3;
/** With fewer channels judged nothing tells a sensor from the machine. */
const CHANNELS_LEAST = 3;
/** More channels off, each alone, are the machine: two, or a third of them. */
const ODD = { least: 2, share: 1 / 3 } as const;

/** Slices further apart are no slices of one stretch. */
const SILENT_s = 7200;
const LONGEST_s = Math.max(...WINDOWS.map(({ s }) => s));

type Entry = {
  readonly t_s: number;
  readonly regime: number;
  readonly features: readonly number[];
  /** By channel: reading in spreads about its middle, not bounded. */
  readonly values: readonly number[];
  readonly scores: Map<string, readonly (readonly number[])[]>;
};

/** Adaptation's move of a channel by a way, in spreads. */
export type Moved = (channel: number, way: number) => number;

export class Watch {
  readonly #normal: Foretold;
  readonly #banks: Banks;
  readonly #past: Past;
  readonly #moved: Moved;
  #window: Entry[] = [];
  #odd = new Map<number, Calm>();
  #lasting = new Lasting();
  /** By channel, then way: the larger of its medians in their spreads; NaN where not judged. */
  smoothed: readonly (readonly number[])[];
  /** Greatest deviation that no channel alone explains, as it lasts; NaN where none is judged. */
  index = Number.NaN;

  constructor(normal: Foretold, moved: Moved) {
    this.#normal = normal;
    this.#banks = new Banks(normal);
    this.#past = new Past(normal.places);
    this.#moved = moved;
    this.smoothed = normal.places.map(() => WAYS.map(() => Number.NaN));
  }

  /** False: in no regime that was learnt. */
  take(slice: Timed): boolean {
    const { codes, regimes, places } = this.#normal;
    const regime = regimeOf(codes, regimes, slice);
    if (regime < 0) return false;
    const readings = valuesOf(slice);
    const values = scaledAt(readings, places, regime);
    const believed = values.map((v, j) => (this.#odd.has(j) ? Number.NaN : v));
    const parts = this.#past.take(believed, slice.t_s);
    const features = featuresOf(parts, places, regime, (codes ?? regimes).length);
    const { t_s } = slice;
    const since_s = t_s - (this.#window.at(-1)?.t_s ?? Number.NaN);
    const kept = this.#window.filter((one) => one.t_s > t_s - LONGEST_s && one.t_s < t_s);
    this.#window = [...kept, { t_s, regime, features, values, scores: new Map() }];
    this.#decide(since_s > 0 && since_s <= SILENT_s ? since_s : 0);
    return true;
  }

  /** It left alone. */
  isOdd(channel: number): boolean {
    return this.#odd.has(channel);
  }

  /** The larger deviation of the ways, with its sign. */
  deviation(channel: number): number {
    return largest(this.smoothed[channel] ?? []);
  }

  /** Readings that are farther off. */
  far(spreads: number): number {
    const { settings } = this.#normal;
    return this.smoothed.slice(settings).filter((z) => Math.abs(largest(z)) > spreads).length;
  }

  /** Behind the deviation of a channel: what was foretold of it, in its own unit. */
  expected(channel: number): Expected | null {
    const entry = this.#window.at(-1);
    const place = this.#normal.places[channel];
    if (entry === undefined || place === undefined) return null;
    const way = (this.smoothed[channel] ?? []).indexOf(this.deviation(channel));
    const found = this.#banks.expected(channel, way, entry.features, this.#missing(entry, []));
    if (found === null) return null;
    const middle = place.middles[entry.regime] ?? Number.NaN;
    return { value: middle + found.value * place.sigma, sigma: found.sigma * place.sigma };
  }

  save(): unknown {
    const window = this.#window.map(({ t_s, regime, features, values }) => {
      return { t_s, regime, features: features.map(short), values: values.map(short) };
    });
    const odd = [...this.#odd].map(([j, calm]) => [j, calm.save()]);
    return { past: this.#past.save(), window, odd, lasting: this.#lasting.save() };
  }

  restore(kept: unknown): void {
    const found = (typeof kept === "object" && kept !== null ? kept : {}) as Record<
      string,
      unknown
    >;
    this.#past.restore(found["past"]);
    const { places, known } = this.#normal;
    const window: unknown[] = Array.isArray(found["window"]) ? found["window"] : [];
    this.#window = window.flatMap((one) => entryOf(one, known.means.length, places.length));
    const odd: unknown[] = Array.isArray(found["odd"]) ? found["odd"] : [];
    this.#odd = new Map(
      odd.flatMap((one): [number, Calm][] => {
        // Before it was kept how long a channel had been calm, it was a number alone.
        const [j, calm_s] = Array.isArray(one) ? one : [one, 0];
        const calm = new Calm();
        calm.restore(calm_s);
        return places[Number(j)] === undefined ? [] : [[Number(j), calm]];
      }),
    );
    this.#lasting.restore(found["lasting"]);
  }

  #decide(dt_s: number): void {
    this.smoothed = this.#smooth([]);
    for (const [j, calm] of this.#odd) {
      const z = Math.abs(largest(this.smoothed[j] ?? []));
      if (calm.take(z, dt_s)) this.#odd.delete(j);
      else this.#past.forget(j);
    }
    this.index = this.#lasting.take(this.#findOdd(), dt_s);
  }

  /** What is off beyond the channel that left alone, if one did. */
  #findOdd(): number {
    const { settings, told } = this.#normal;
    const index = this.#worst(this.smoothed, -1);
    const full = this.#odd.size + 1 > Math.max(ODD.least, ODD.share * (told.length - settings));
    if (full) return index;
    if (!this.smoothed.some((z, j) => this.#isOff(z, j))) return index;
    const candidates = this.smoothed
      .map((z, j) => ({ j, off: Math.abs(largest(z)), isOff: this.#isOff(z, j) }))
      .filter(({ isOff }) => isOff)
      .sort((a, b) => b.off - a.off)
      .slice(0, CANDIDATES)
      .map(({ j }) => {
        const without = this.#smooth([j]);
        // Not with it: what lies far enough makes all others uncertain, too, and so not judged.
        const judged = without.slice(settings).filter((z) => !Number.isNaN(largest(z))).length;
        return { j, without, judged, rest: this.#worst(without, j) };
      })
      .filter(({ judged, rest }) => judged >= CHANNELS_LEAST && !(rest > CALM * LIMIT))
      .sort((a, b) => (a.rest || 0) - (b.rest || 0));
    const [alone] = candidates;
    if (alone === undefined) return index;
    this.#odd.set(alone.j, new Calm());
    this.#past.forget(alone.j);
    this.smoothed = alone.without;
    return this.#worst(this.smoothed, alone.j);
  }

  #isOff(z: readonly number[], channel: number): boolean {
    const most = channel < this.#normal.settings ? SETTING : LIMIT;
    return !this.#odd.has(channel) && Math.abs(largest(z)) > most;
  }

  /** Over readings that are not odd, and not `but`; NaN of none. */
  #worst(smoothed: readonly (readonly number[])[], but: number): number {
    const { settings } = this.#normal;
    const known = smoothed.flatMap((z, j) => {
      const out = j < settings || j === but || this.#odd.has(j);
      const off = Math.abs(largest(z));
      return out || Number.isNaN(off) ? [] : [off];
    });
    return known.length === 0 ? Number.NaN : Math.max(...known);
  }

  /** Medians over the window, as if `without` were missing, too. */
  #smooth(without: readonly number[]): number[][] {
    const scored = this.#window.map((entry) => {
      const missing = this.#missing(entry, without);
      const key = [...missing].sort((a, b) => a - b).join();
      const known = entry.scores.get(key);
      if (known !== undefined) return known;
      const scores = this.#banks.errors(entry.features, entry.values, missing);
      entry.scores.set(key, scores);
      return scores;
    });
    const times = this.#window.map(({ t_s }) => t_s);
    const from = WINDOWS.map(({ s }) => sinceOf(times, times.length - 1, s));
    return this.#normal.told.map(({ by }, j) =>
      WAYS.map((way, w) => {
        const rough = by[way]?.rough;
        if (rough === undefined) return Number.NaN;
        const z = scored.map((one) => one[j]?.[w] ?? Number.NaN);
        const medians = from.map((at, k) =>
          at === null ? Number.NaN : middleOf(z.slice(at)) / (rough[k] as number),
        );
        return largest(medians) - this.#moved(j, w);
      }),
    );
  }

  #missing({ features }: Entry, without: readonly number[]): Set<number> {
    const missing = new Set([...this.#odd.keys(), ...without]);
    this.#normal.places.forEach((_, j) => {
      if (Number.isNaN(features[j * PARTS])) missing.add(j);
    });
    return missing;
  }
}

/** By amount; NaN of nothing known. */
function largest(values: readonly number[]): number {
  return values.reduce(
    (a, b) => (Math.abs(b) > Math.abs(a) || Number.isNaN(a) ? b : a),
    Number.NaN,
  );
}

const short = (value: number): number => Number(value.toPrecision(6));

/** JSON has no NaN. */
function entryOf(kept: unknown, features: number, values: number): Entry[] {
  if (typeof kept !== "object" || kept === null) return [];
  const found = kept as Record<keyof Entry, unknown>;
  const row = (list: unknown, size: number): number[] | null =>
    Array.isArray(list) && list.length === size
      ? list.map((v) => (typeof v === "number" ? v : Number.NaN))
      : null;
  const own = { features: row(found.features, features), values: row(found.values, values) };
  if (own.features === null || own.values === null) return [];
  const [t_s, regime] = [Number(found.t_s), Number(found.regime)];
  const whole = Number.isFinite(t_s) && Number.isInteger(regime);
  return whole
    ? [{ t_s, regime, features: own.features, values: own.values, scores: new Map() }]
    : [];
}
