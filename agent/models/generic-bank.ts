//! The models of a machine while some of its channels are missing or in doubt: each set of missing
//! channels has models of its own, out of the one table of correlations.
import {
  doubtOf,
  FORETOLD,
  type Foretold,
  foretell,
  inputsFor,
  inputsOf,
  restOf,
  WAYS,
} from "./generic-foretell.js";
import { type Fit, fitOn, inverseOf } from "./generic-moments.js";
import { PARTS } from "./generic-past.js";

type Model = {
  readonly target: number;
  readonly fit: Fit;
  readonly certain: readonly (readonly number[])[];
  /** Spread of its error, in spreads of the channel. */
  readonly sigma: number;
};

/** What a channel should read, in spreads of it about its middle. */
export type Expected = { readonly value: number; readonly sigma: number };

/** More uncertain than this many times where it was learnt: not covered, so not judged. */
const COVERED = 3;
const BANKS_MAX = 64;

export class Banks {
  readonly #normal: Foretold;
  readonly #banks = new Map<string, readonly (readonly (Model | null)[])[]>();

  constructor(normal: Foretold) {
    this.#normal = normal;
  }

  /** Error of each channel by each way, in its spreads here; NaN: not judged. */
  errors(
    features: readonly number[],
    values: readonly number[],
    missing: ReadonlySet<number>,
  ): number[][] {
    return this.#of(missing).map((models, j) =>
      models.map((model) => {
        if (model === null) return Number.NaN;
        const { value, sigma } = this.#expect(model, features);
        return sigma > COVERED * model.sigma ? Number.NaN : ((values[j] as number) - value) / sigma;
      }),
    );
  }

  /** Null: nothing foretells it. */
  expected(
    channel: number,
    way: number,
    features: readonly number[],
    missing: ReadonlySet<number>,
  ): Expected | null {
    const model = this.#of(missing)[channel]?.[way] ?? null;
    return model === null ? null : this.#expect(model, features);
  }

  #expect({ target, fit, certain, sigma }: Model, features: readonly number[]): Expected {
    const { known, pieces } = this.#normal;
    const doubt = doubtOf(known, fit.at, certain, features, pieces);
    return { value: foretell(known, fit, target, features), sigma: sigma * doubt };
  }

  #of(missing: ReadonlySet<number>): readonly (readonly (Model | null)[])[] {
    const key = [...missing].sort((a, b) => a - b).join();
    const known = this.#banks.get(key);
    if (known !== undefined) return known;
    if (this.#banks.size >= BANKS_MAX) this.#banks.clear();
    const made = this.#make(missing);
    this.#banks.set(key, made);
    return made;
  }

  #make(missing: ReadonlySet<number>): (Model | null)[][] {
    const { known, told, places, regimes, codes, settings } = this.#normal;
    const count = (codes ?? regimes).length;
    return told.map(({ twins, by }, j) =>
      WAYS.map((way): Model | null => {
        const honest = by[way];
        if (honest === null) return null;
        const others = places.flatMap((_, i) => {
          const out = i === j || missing.has(i) || (way === "far" && twins.includes(i));
          return out || way === "own" ? [] : [i];
        });
        const target = j * PARTS;
        const from = inputsFor(j, others, known, settings);
        const fit = fitOn(known, inputsOf(from, places.length, count), target);
        const sigma = honest.over * restOf(fit, known, target);
        // Without what is missing it may no longer be foretold.
        if (way !== "own" && sigma > FORETOLD) return null;
        return { target, fit, certain: inverseOf(known, fit.at), sigma };
      }),
    );
  }
}
