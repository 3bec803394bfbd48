//! Commissioning of a generic machine: slices to a normal, the normal to a baseline file and back.

import {
  baselineOf,
  type Commissioning,
  type Finish,
  missing,
  type Period,
  type Refusal,
} from "./commission.js";
import type { Row } from "./commission-slices.js";
import { adviseSettings } from "./generic-advice.js";
import { type Written, writeForetold } from "./generic-file.js";
import { fitNormal, type Normal, type Slice, weightsOf } from "./generic-fit.js";
import { type Foretold, type Reach, type Timed, WAYS } from "./generic-foretell.js";
import { GenericHealth } from "./generic-health.js";
import { absentFrom, KNOWN_LEAST, learnForetold } from "./generic-learn.js";
import type { Baseline, Setup } from "./setup.js";

/** What the config says of a generic machine. */
export type GenericSpec = {
  /** Channels that are judged. */
  readonly readings: readonly string[];
  /** Channels that set the operating point, and are not judged. */
  readonly settings: readonly string[];
  /** Status channel with codes; null: regimes are inferred from the settings. */
  readonly state: string | null;
  /** A counter of cycles; null where there is none. */
  readonly cycle: string | null;
  /** Each record is a cycle. */
  readonly records: boolean;
};

export const countsCycles = (spec: GenericSpec): boolean => spec.cycle !== null || spec.records;

/**
 * No index below raises an alarm, however calm the healthy period was: 1.2 spreads in all channels.
 * Set on the training engines of C-MAPSS: there 0.2 % of healthy cycles lie above, and no engine
 * reached its end below.
 */
const LIMIT_LEAST = 2.2;
/** Over the greatest in the healthy period. */
const LIMIT_OVER = 1.3;
const LIMIT_QUANTILE = 0.999;
/** A slice this far off in the mean of its squares is a bad one. */
const BAD = 2.5;
const BAD_MAX = 0.3;
/** Share of cycles that came in one record each, for all to be taken so. */
const SINGLE = 0.95;

export const finishGeneric =
  (spec: GenericSpec, drives: (name: string) => boolean = () => false): Finish =>
  (rows, plan, period): Baseline | Refusal => {
    const refused = missing(rows, plan, period);
    if (refused.length > 0) return { refused };
    const slices = slicesOf(rows, spec);
    if (!countsCycles(spec)) return finishTimed(spec, drives, slices, rows, plan, period);
    const first = fitNormal(slices, spec.state !== null);
    if (typeof first === "string") return { refused: [first] };
    const good = slices.filter((slice) => !isBad(first, slice));
    const bad = slices.length - good.length;
    if (bad > BAD_MAX * slices.length) {
      const what = `${bad} of ${slices.length} slices deviate from the rest`;
      return { refused: [`not one normal: ${what}; choose a healthy period`] };
    }
    const normal = fitNormal(good, spec.state !== null);
    if (typeof normal === "string") return { refused: [normal] };
    const still = spec.readings.filter((_, j) => normal.left[j] === 0);
    if (still.length === spec.readings.length) {
      return { refused: ["no channel moved in the healthy period: there is nothing to learn"] };
    }
    const { normal: whole, limit } = spreadOut(normal, good);
    const learned = written(whole, spec, limit);
    const alone = rows.filter(({ cells }) => Object.values(cells).every((cell) => cell[3] === 1));
    const single = alone.length >= SINGLE * rows.length;
    learned.values["counts.single"] = Number(single && spec.cycle !== null);
    return baselineOf(rows, plan, period, {
      ...learned,
      excluded: bad === 0 ? [] : [`${bad} of ${slices.length} slices that deviate from the rest`],
      notLearnt: still.map((name) => {
        return `${name}: ${stillText(slices, spec.settings.length + spec.readings.indexOf(name))}`;
      }),
    });
  };

function finishTimed(
  spec: GenericSpec,
  drives: (name: string) => boolean,
  slices: readonly Timed[],
  rows: readonly Row[],
  plan: Commissioning,
  period: Period,
): Baseline | Refusal {
  const names = [...spec.settings, ...spec.readings];
  const learned = learnForetold(slices, spec.state !== null, names);
  if (typeof learned === "string") return { refused: [learned] };
  const { normal, bad } = learned;
  const deviate = `${bad} of ${slices.length} slices`;
  if (bad > BAD_MAX * slices.length) {
    return {
      refused: [`not one normal: ${deviate} deviate from the rest; choose a healthy period`],
    };
  }
  const advice = adviseSettings(normal, names, drives);
  return baselineOf(rows, plan, period, {
    ...writeForetold(normal, names),
    advice: advice === null ? [] : [advice],
    excluded: bad === 0 ? [] : [`${deviate} that deviate from the rest`],
    notLearnt: spec.readings.flatMap((name, j) => {
      const why = whyNot(normal, spec.settings.length + j);
      if (why !== STILL) return why === null ? [] : [`${name}: ${why}`];
      return [`${name}: ${stillText(slices, spec.settings.length + j)}`];
    }),
  });
}

const STILL = "it stood still or was missing";

/** Which of both it was, where the slices are at hand. */
function stillText(slices: readonly Slice[], channel: number): string {
  const absent = absentFrom(slices, channel);
  if (absent === slices.length) return "no reading of it came";
  const known = absent <= (1 - KNOWN_LEAST) * slices.length;
  return known ? "it stood still" : `missing in ${absent} of ${slices.length} slices`;
}

/** Why a channel is not judged; null: it is. */
export function whyNot({ told, places }: Foretold, channel: number): string | null {
  const { by } = told[channel] ?? {};
  if (by !== undefined && WAYS.some((way) => by[way] !== null)) return null;
  return places[channel]?.sigma === 0
    ? STILL
    : "no other channel foretells it, and it wanders for days as weather does";
}

function slicesOf(rows: readonly Row[], spec: GenericSpec): Timed[] {
  let unit = 0;
  let before = 0;
  return rows.map(({ cells, state, end_ms, age = 0 }) => {
    if (age < before) unit += 1;
    before = age;
    const read = (name: string): number => cells[name]?.[0] ?? Number.NaN;
    const [settings, readings] = [spec.settings.map(read), spec.readings.map(read)];
    return { settings, readings, state, unit, t_s: end_ms / 1000 };
  });
}

function isBad(normal: Normal, slice: Slice): boolean {
  const health = new GenericHealth(normal);
  if (!health.take(slice, false)) return true;
  const off = health.levels.flatMap((level, j) => {
    const left = Math.sqrt((normal.left[j] as number) ** 2 + (normal.units[j] as number));
    return left > 0 && !Number.isNaN(level) ? [(level / left) ** 2] : [];
  });
  return off.length > 0 && off.reduce((a, b) => a + b, 0) / off.length > BAD ** 2;
}

/** How the healthy machine moves about its normal, and how far its index goes, with room. */
function spreadOut(normal: Normal, slices: readonly Slice[]) {
  const moves = run(normal, slices, (health) => [...health.deviations]);
  const known = { ...normal, weights: weightsOf(moves, normal.left.length) };
  const seen = run(known, slices, (health) => health.index).sort((a, b) => a - b);
  const most = seen[Math.ceil(LIMIT_QUANTILE * (seen.length - 1))] ?? 0;
  return { normal: known, limit: Math.max(LIMIT_LEAST, LIMIT_OVER * most) };
}

function run<T>(normal: Normal, slices: readonly Slice[], read: (health: GenericHealth) => T): T[] {
  const health = new GenericHealth(normal);
  let unit = slices[0]?.unit ?? 0;
  return slices.flatMap((slice) => {
    if (slice.unit !== unit) health.renew();
    unit = slice.unit;
    return health.take(slice, true) ? [read(health)] : [];
  });
}

const short = (value: number): number => Number(value.toPrecision(7));
const row = (values: readonly number[]): number[] => values.map(short);

function written(normal: Normal, spec: GenericSpec, limit: number): Written {
  const values: Record<string, number> = { "health.limit": short(limit) };
  const vectors: Record<string, number[]> = {};
  if (normal.codes !== null) vectors["codes"] = normal.codes.map(Number);
  else values["regimes"] = normal.regimes.length;
  values["counts.cycles"] = 1;
  values["counts.records"] = Number(spec.records);
  spec.settings.forEach((name, j) => {
    const of = (table: readonly (readonly number[])[]) => table.map((list) => list[j] ?? 0);
    vectors[`centre.${name}`] = row(normal.regimes.map(({ centres }) => centres[j] ?? 0));
    vectors[`width.${name}`] = row(normal.regimes.map(({ widths }) => widths[j] ?? 0));
    vectors[`setting.${name}`] = row([...of(normal.settingMiddles), ...of(normal.settingSpreads)]);
    values[`reach.${name}`] = short(normal.reach[j] ?? 0);
  });
  spec.readings.forEach((name, j) => {
    const of = (table: readonly (readonly number[])[]) => table.map((list) => known(list[j]));
    vectors[`normal.${name}`] = row([...of(normal.middles), ...of(normal.spreads)]);
    vectors[`follows.${name}`] = row(normal.follows[j] ?? []);
    vectors[`between.${name}`] = row(normal.between[j] ?? []);
    vectors[`weights.${name}`] = row(normal.weights[j] ?? []);
    values[`most.${name}`] = short(normal.most[j] ?? 0);
    values[`left.${name}`] = short(normal.left[j] ?? 0);
    values[`units.${name}`] = short(normal.units[j] ?? 0);
    values[`shared.${name}`] = short(normal.shared[j] ?? 0);
  });
  return { values, vectors };
}

const known = (value: number | undefined): number =>
  value === undefined || Number.isNaN(value) ? 0 : value;

export type Read = {
  readonly normal: Normal;
  readonly readings: readonly string[];
  readonly limit: number;
  /** Of the settings, SI. */
  readonly reaches: ReadonlyMap<string, Reach>;
  /** Each cycle is one record: it is over once it has come. */
  readonly single: boolean;
};

/** The normal of a baseline file; a text where it does not fit these settings. */
export function readNormal({ baseline }: Setup, spec: GenericSpec): Read | string {
  const values = baseline?.values ?? {};
  const vectors = baseline?.vectors ?? {};
  const names = Object.keys(vectors);
  const settings = names.flatMap((name) => (name.startsWith("setting.") ? [name.slice(8)] : []));
  const readings = names.flatMap((name) => (name.startsWith("normal.") ? [name.slice(7)] : []));
  if (settings.join() !== spec.settings.join()) {
    return `the baseline was learnt with the settings [${settings}], the config has [${spec.settings}]`;
  }
  const codes = vectors["codes"]?.map(String) ?? null;
  if ((codes === null) !== (spec.state === null)) {
    return "the baseline and the config differ in whether a status channel tells the state";
  }
  const count = codes?.length ?? values["regimes"] ?? 0;
  const ks = Array.from({ length: count }, (_, k) => k);
  const part = (prefix: string, list: readonly string[], from: number) =>
    ks.map((k) => list.map((name) => vectors[prefix + name]?.[from + k] ?? 0));
  const number = (prefix: string, list: readonly string[]) =>
    list.map((name) => values[prefix + name] ?? 0);
  const vector = (prefix: string) => readings.map((name) => vectors[prefix + name] ?? []);
  const centres = part("centre.", settings, 0);
  const widths = part("width.", settings, 0);
  const normal: Normal = {
    codes,
    regimes:
      codes === null ? ks.map((k) => ({ centres: centres[k] ?? [], widths: widths[k] ?? [] })) : [],
    middles: part("normal.", readings, 0),
    spreads: part("normal.", readings, count),
    settingMiddles: part("setting.", settings, 0),
    settingSpreads: part("setting.", settings, count),
    reach: number("reach.", settings),
    follows: vector("follows."),
    most: number("most.", readings),
    left: number("left.", readings),
    units: number("units.", readings),
    between: vector("between."),
    shared: number("shared.", readings),
    weights: vector("weights."),
  };
  const limit = values["health.limit"] ?? LIMIT_LEAST;
  const reaches = settingReaches(normal, settings);
  return { normal, readings, limit, reaches, single: values["counts.single"] === 1 };
}

function settingReaches(normal: Normal, settings: readonly string[]): Map<string, Reach> {
  return new Map(
    settings.map((name, j): [string, Reach] => {
      const ends = normal.settingMiddles.flatMap((middles, k) => {
        const far = (normal.reach[j] ?? 0) * (normal.settingSpreads[k]?.[j] ?? 0);
        const middle = middles[j] ?? Number.NaN;
        return Number.isNaN(middle) ? [] : [middle - far, middle + far];
      });
      return [name, { low: Math.min(...ends), high: Math.max(...ends) }];
    }),
  );
}
