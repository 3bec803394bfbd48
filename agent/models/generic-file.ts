//! The normal of a machine at work, to the numbers of a baseline file and back.
import { type Foretold, type Honest, type Told, WAYS, WINDOWS } from "./generic-foretell.js";
import { PARTS } from "./generic-past.js";
import type { Baseline } from "./setup.js";

export type Written = { values: Record<string, number>; vectors: Record<string, number[]> };

/** What adaptation follows of a reading, by way: about 0, in spreads. */
export const LEVELS = { near: "level", far: "apart", own: "level" } as const;

const short = (value: number): number => Number(value.toPrecision(7));
const row = (values: readonly number[]): number[] => values.map(short);

/** `names`: of the channels, settings first. */
export function writeForetold(normal: Foretold, names: readonly string[]): Written {
  const { places, known, told, regimes, codes, settings } = normal;
  const values: Record<string, number> = {
    pieces: short(normal.pieces),
    settings,
    "counts.cycles": 0,
  };
  const vectors: Record<string, number[]> = { mean: row(known.means), scale: row(known.scales) };
  if (codes === null) values["regimes"] = regimes.length;
  else vectors["codes"] = codes.map(Number);
  known.table.forEach((line, p) => {
    vectors[`with.${p}`] = row(line.slice(0, p + 1)); // the rest is its mirror
  });
  names.forEach((name, j) => {
    const { middles = [], sigma = 0, low = 0, high = 0 } = places[j] ?? {};
    vectors[`place.${name}`] = row([sigma, low, high, ...middles]);
    vectors[`told.${name}`] = WAYS.flatMap((way) => {
      const { over = 0, rough = WINDOWS.map(() => 0) } = told[j]?.by[way] ?? {};
      return row([over, ...rough]);
    });
    vectors[`twins.${name}`] = [...(told[j]?.twins ?? [])];
    if (j < settings) {
      vectors[`centre.${name}`] = row(regimes.map(({ centres }) => centres[j] ?? 0));
      vectors[`width.${name}`] = row(regimes.map(({ widths }) => widths[j] ?? 0));
      return;
    }
    for (const level of new Set(Object.values(LEVELS))) values[`${name}.${level}`] = 0;
    values[`${name}.spread`] = 1;
  });
  return { values, vectors };
}

export type ReadForetold = { readonly normal: Foretold; readonly names: readonly string[] };

/** A text where the file holds no such normal. */
export function readForetold({ values, vectors = {} }: Baseline): ReadForetold | string {
  const named = (prefix: string): string[] =>
    Object.keys(vectors).flatMap((key) =>
      key.startsWith(prefix) ? [key.slice(prefix.length)] : [],
    );
  const names = named("place.");
  const codes = vectors["codes"]?.map(String) ?? null;
  const count = codes?.length ?? values["regimes"] ?? 0;
  const size = names.length * PARTS + count;
  const lines = Array.from({ length: size }, (_, p) => vectors[`with.${p}`] ?? []);
  const means = vectors["mean"] ?? [];
  const scales = vectors["scale"] ?? [];
  const whole = lines.every((line, p) => line.length === p + 1);
  if (names.length === 0 || !whole || means.length !== size || scales.length !== size) {
    return "the baseline holds no normal of this version: commission anew";
  }
  const settings = values["settings"] ?? 0;
  const own = names.slice(0, settings);
  const each = (prefix: string, k: number): number[] =>
    own.map((name) => vectors[prefix + name]?.[k] ?? 0);
  const ks = Array.from({ length: count }, (_, k) => k);
  return {
    names,
    normal: {
      settings,
      codes,
      regimes:
        codes === null
          ? ks.map((k) => ({ centres: each("centre.", k), widths: each("width.", k) }))
          : [],
      places: names.map((name) => {
        const [sigma = 0, low = 0, high = 0, ...middles] = vectors[`place.${name}`] ?? [];
        return { middles, sigma, low, high };
      }),
      known: {
        means,
        scales,
        table: lines.map((line, p) => lines.map((other, q) => (q <= p ? line[q] : other[p]) ?? 0)),
      },
      pieces: values["pieces"] ?? 1,
      told: names.map((name): Told => {
        const honest = vectors[`told.${name}`] ?? [];
        const [near = null, far = null, byItself = null] = WAYS.map((_, w): Honest | null => {
          const size = 1 + WINDOWS.length;
          const [over = 0, ...rough] = honest.slice(size * w, size * (w + 1));
          return over > 0 && rough.every((r) => r > 0) ? { over, rough } : null;
        });
        return { twins: vectors[`twins.${name}`] ?? [], by: { near, far, own: byItself } };
      }),
    },
  };
}
