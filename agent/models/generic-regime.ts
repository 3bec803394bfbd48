//! Operating regimes that nobody named: settings that stand at a few levels (a governor's steps, an
//! altitude) part the readings into groups. A machine without such settings has one regime.

/** One regime: for each setting that has levels, where it stands and how far it may be off. */
export type Regime = {
  readonly centres: readonly number[];
  readonly widths: readonly number[];
};

const LEVELS_MAX = 12;
const REGIMES_MAX = 24;
/** Rows that make a level, and share of all. */
const LEAST = { rows: 8, share: 0.01 } as const;
/** A gap between levels: this share of the whole range, and this many times what lies within. */
const GAP = { range: 0.04, within: 5 } as const;

const EVEN = 1.2;
const QUANTA_LEAST = 3;

type Level = { readonly low: number; readonly high: number; width: number };

/** Levels of one setting, lowest first; null where it moves freely. */
export function levelsOf(values: readonly number[]): readonly Level[] | null {
  const sorted = values.filter((v) => !Number.isNaN(v)).sort((a, b) => a - b);
  const range = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  if (!(range > 0)) return null;
  const groups: number[][] = [[]];
  sorted.forEach((value, i) => {
    const before = sorted[i - 1] ?? value;
    if (value - before > GAP.range * range) groups.push([]);
    groups.at(-1)?.push(value);
  });
  const least = Math.max(LEAST.rows, LEAST.share * sorted.length);
  // A few strays between levels are no level, and no reason to see none.
  const solid = groups.filter((group) => group.length >= least);
  if (solid.length < 2 || solid.length > LEVELS_MAX || isQuantum(solid)) return null;
  const levels = solid.map((group): Level => {
    return { low: group[0] as number, high: group.at(-1) as number, width: 0 };
  });
  for (const [i, level] of levels.entries()) {
    const below = level.low - (levels[i - 1]?.high ?? Number.NEGATIVE_INFINITY);
    const above = (levels[i + 1]?.low ?? Number.POSITIVE_INFINITY) - level.high;
    const within = level.high - level.low;
    const gap = Math.min(below, above);
    if (!(gap > GAP.within * within)) return null;
    level.width = within / 2 + gap / 3;
  }
  return levels;
}

/** Even steps, each of one value: what the instrument can tell apart, not what the machine does. */
function isQuantum(groups: readonly (readonly number[])[]): boolean {
  const gaps = groups.slice(1).map((group, i) => (group[0] ?? 0) - (groups[i]?.at(-1) ?? 0));
  const even = Math.max(...gaps) < EVEN * Math.min(...gaps);
  return groups.length > QUANTA_LEAST && even;
}

/** Regimes seen in rows of settings (one array a row), the same order each time. */
export function regimesOf(rows: readonly (readonly number[])[]): readonly Regime[] {
  const count = rows[0]?.length ?? 0;
  const levels = Array.from({ length: count }, (_, j) =>
    levelsOf(rows.map((row) => row[j] ?? Number.NaN)),
  );
  const found = new Map<string, { regime: Regime; rows: number }>();
  for (const row of rows) {
    const own = levels.map((list, j) => {
      const value = row[j] ?? Number.NaN;
      return list?.find(({ low, high }) => value >= low && value <= high) ?? null;
    });
    if (own.some((level, j) => level === null && levels[j] !== null)) continue;
    const key = own.map((level) => level?.low ?? "").join("|");
    const regime = {
      centres: own.map((level) => (level === null ? 0 : (level.low + level.high) / 2)),
      widths: own.map((level) => level?.width ?? Number.MAX_VALUE),
    };
    const known = found.get(key) ?? { regime, rows: 0 };
    known.rows += 1;
    found.set(key, known);
  }
  const regimes = [...found].filter(([, { rows: seen }]) => seen >= LEAST.rows);
  if (regimes.length === 0 || regimes.length > REGIMES_MAX) return [anyRegime(count)];
  return regimes.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { regime }]) => regime);
}

export const anyRegime = (count: number): Regime => ({
  centres: Array.from({ length: count }, () => 0),
  widths: Array.from({ length: count }, () => Number.MAX_VALUE),
});

/** Index of the regime that these settings are in; -1 where none was learnt. */
export function regimeAt(regimes: readonly Regime[], settings: readonly number[]): number {
  return regimes.findIndex(({ centres, widths }) =>
    settings.every((value, j) => Math.abs(value - (centres[j] as number)) <= (widths[j] as number)),
  );
}
