//! What a slice says of each channel, its past included: heat and pressure follow their causes over
//! hours, so the present reading stands beside slow means of the same channel.

/** Time constants of the slow means: a part of a machine, and its housing or building. */
const TAUS_s = [3600, 6 * 3600] as const;
/** A slow mean needs so long before it says anything, and outlives so long a silence. */
const WARM_s = 6 * 3600;
/** Values of each channel: present, its square, slow means. */
export const PARTS = 2 + TAUS_s.length;

export const partsOf = (channel: number): number[] =>
  Array.from({ length: PARTS }, (_, part) => channel * PARTS + part);

/** A channel's usual place and how far it was seen from it, in spreads. */
export type Place = {
  /** By regime. */
  readonly middles: readonly number[];
  /** 0: it stood still, and says nothing. */
  readonly sigma: number;
  readonly low: number;
  readonly high: number;
};

/** Readings in spreads about their middles of this regime; NaN where they stood still. */
export function scaledAt(
  values: readonly number[],
  places: readonly Place[],
  regime: number,
): number[] {
  return places.map(({ middles, sigma }, j) => {
    const away = (values[j] ?? Number.NaN) - (middles[regime] ?? Number.NaN);
    return sigma > 0 ? away / sigma : Number.NaN;
  });
}

type Slow = { from_s: number; to_s: number; means: number[] };

/** Beyond what was seen a reading counts so much further at most: nothing follows it for ever. */
const BEYOND = 1;

export class Past {
  readonly #places: readonly Place[];
  #slow: (Slow | null)[];

  constructor(places: readonly Place[]) {
    this.#places = places;
    this.#slow = places.map(() => null);
  }

  /**
   * PARTS values of each channel out of `scaledAt`, NaN where it is unknown or its past is too
   * short. `keep` false: these values are not believed, and leave no trace.
   */
  take(values: readonly number[], at_s: number, keep = true): number[] {
    return this.#places.flatMap((place, channel) => {
      const z = values[channel] ?? Number.NaN;
      if (!Number.isFinite(z)) return new Array<number>(PARTS).fill(Number.NaN);
      const now = Math.min(place.high + BEYOND, Math.max(place.low - BEYOND, z));
      const kept = this.#follow(this.#slow[channel] ?? null, now, at_s);
      if (keep) this.#slow[channel] = kept;
      if (at_s - kept.from_s < WARM_s) return new Array<number>(PARTS).fill(Number.NaN);
      return [now, now * now, ...kept.means];
    });
  }

  /** What this channel said is not to be believed: its past begins anew. */
  forget(channel: number): void {
    this.#slow[channel] = null;
  }

  save(): unknown {
    return this.#slow;
  }

  restore(kept: unknown): void {
    if (!Array.isArray(kept) || kept.length !== this.#slow.length) return;
    this.#slow = kept.map((one: unknown) => (isSlow(one) ? one : null));
  }

  #follow(slow: Slow | null, now: number, at_s: number): Slow {
    const dt_s = slow === null ? Number.NaN : at_s - slow.to_s;
    if (slow === null || !(dt_s >= 0 && dt_s <= WARM_s)) {
      return { from_s: at_s, to_s: at_s, means: TAUS_s.map(() => now) };
    }
    const means = TAUS_s.map((tau_s, k) => {
      const before = slow.means[k] as number;
      return before + (now - before) * -Math.expm1(-dt_s / tau_s);
    });
    return { from_s: slow.from_s, to_s: at_s, means };
  }
}

function isSlow(one: unknown): one is Slow {
  if (typeof one !== "object" || one === null) return false;
  const { from_s, to_s, means } = one as Record<keyof Slow, unknown>;
  const numbers = [from_s, to_s, ...(Array.isArray(means) ? means : [])];
  return numbers.length === PARTS && numbers.every(Number.isFinite);
}
