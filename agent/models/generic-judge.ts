//! What the monitor of a generic machine asks of its normal, the same for a machine at work and for
//! one that is judged by cycles of units.
import { countsCycles, type GenericSpec, readNormal, whyNot } from "./generic-baseline.js";
import { LEVELS, readForetold } from "./generic-file.js";
import { LIMIT, type Reach, reachesOf, WAYS } from "./generic-foretell.js";
import { GenericHealth } from "./generic-health.js";
import { Watch } from "./generic-watch.js";
import type { Baseline, Setup } from "./setup.js";

export type Judged = {
  /** Value of a channel over the slice, NaN where unknown. */
  readonly at: (name: string) => number;
  readonly state: string;
  readonly t_s: number;
  /** Of the first cycles of a new unit. */
  readonly young: boolean;
};

export type Judge = {
  readonly limit: number;
  readonly readings: readonly string[];
  /** Each cycle is one record: it is over once it has come. */
  readonly single: boolean;
  /** What each channel was in the healthy period, SI; none of those that stood still. */
  readonly reaches: ReadonlyMap<string, Reach>;
  /** What it cannot judge, in words. */
  readonly off: readonly string[];
  /** False: in no regime that was learnt. */
  take(slice: Judged): boolean;
  index(): number;
  /** In spreads; NaN where not judged. */
  deviation(name: string): number;
  /** It left alone, and the others do not follow; a setting may, too. */
  isOdd(name: string): boolean;
  /** Readings farther off than `spreads`. */
  far(spreads: number): number;
  /** SI; null where it is not foretold. */
  expected(name: string): { readonly value: number; readonly sigma: number } | null;
  /** What adaptation follows, by name. */
  levels(): Readonly<Record<string, number>>;
  /** Another unit begins. */
  renew(): void;
  save(): unknown;
  restore(kept: unknown): void;
};

/** A text where the baseline does not fit the config. */
export function openJudge(
  setup: Setup,
  spec: GenericSpec,
  moved: (name: string) => number,
): Judge | string {
  return countsCycles(spec) ? cyclesJudge(setup, spec) : timedJudge(setup, spec, moved);
}

/** Why a baseline does not fit the config; null: it does. */
export function unlikeOf(setup: Setup, spec: GenericSpec): string | null {
  if (setup.baseline === null) return null;
  if (countsCycles(spec)) {
    const read = readNormal(setup, spec);
    return typeof read === "string" ? read : null;
  }
  const read = readForetold(setup.baseline);
  // One of an older agent is no fault of the config: it is off, and says so.
  return typeof read === "string" ? null : timedUnlike(read, spec);
}

function timedUnlike(
  { normal, names }: Exclude<ReturnType<typeof readForetold>, string>,
  spec: GenericSpec,
): string | null {
  const settings = names.slice(0, normal.settings);
  const unlike = settingsUnlike(settings, spec) ?? statesUnlike(normal.codes !== null, spec);
  if (unlike !== null) return unlike;
  const known = names.slice(normal.settings);
  if (known.some((name) => spec.readings.includes(name))) return null;
  return `the baseline was learnt of the channels [${known}], none of which the asset has`;
}

/** What each channel of a machine at work was in the period of a baseline. */
export function reachesIn(baseline: Baseline): ReadonlyMap<string, Reach> {
  const read = readForetold(baseline);
  return typeof read === "string" ? new Map() : reachesOf(read.normal, read.names);
}

function timedJudge(
  { baseline }: Setup,
  spec: GenericSpec,
  moved: (name: string) => number,
): Judge | string {
  const read = baseline === null ? "no baseline" : readForetold(baseline);
  if (typeof read === "string") return read;
  const { normal, names } = read;
  const settings = names.slice(0, normal.settings);
  const unlike = timedUnlike(read, spec);
  if (unlike !== null) return unlike;
  const readings = names.slice(normal.settings);
  const at = new Map(names.map((name, channel) => [name, channel]));
  const indexOf = (name: string): number => at.get(name) ?? -1;
  const movedBy = names.map((name) => WAYS.map((way) => `${name}.${LEVELS[way]}`));
  const watch = new Watch(normal, (channel, way) =>
    channel < normal.settings ? 0 : moved(movedBy[channel]?.[way] ?? ""),
  );
  const off = spec.readings.flatMap((name) => {
    const why = at.has(name) ? whyNot(normal, indexOf(name)) : "not learnt";
    return why === null ? [] : [`${name}: not judged, ${why}`];
  });
  return {
    limit: LIMIT,
    readings,
    single: false,
    reaches: reachesOf(normal, names),
    off,
    take: ({ at: value, state, t_s }) =>
      watch.take({
        settings: settings.map(value),
        readings: readings.map(value),
        state,
        unit: 0,
        t_s,
      }),
    index: () => watch.index,
    deviation: (name) => watch.deviation(indexOf(name)),
    isOdd: (name) => watch.isOdd(indexOf(name)),
    far: (spreads) => watch.far(spreads),
    expected: (name) => watch.expected(indexOf(name)),
    levels: () =>
      Object.fromEntries(
        readings.flatMap((_, j) =>
          WAYS.flatMap((_way, w): [string, number][] => {
            const z = watch.smoothed[normal.settings + j]?.[w] ?? Number.NaN;
            return Number.isNaN(z) ? [] : [[movedBy[normal.settings + j]?.[w] ?? "", z]];
          }),
        ),
      ),
    renew: () => {},
    save: () => watch.save(),
    restore: (kept) => watch.restore(kept),
  };
}

function cyclesJudge(setup: Setup, spec: GenericSpec): Judge | string {
  const read = readNormal(setup, spec);
  if (typeof read === "string") return read;
  const { normal, readings, limit, single, reaches } = read;
  const health = new GenericHealth(normal);
  const indexOf = (name: string): number => readings.indexOf(name);
  return {
    limit,
    readings,
    single,
    reaches,
    off: spec.readings.flatMap((name) =>
      normal.left[indexOf(name)] ? [] : [`${name}: not learnt, not judged`],
    ),
    take: ({ at, state, young }) =>
      health.take(
        { settings: spec.settings.map(at), readings: readings.map(at), state, unit: 0 },
        young,
      ),
    index: () => health.index,
    deviation: (name) => health.deviation(indexOf(name)),
    isOdd: (name) => health.isOdd(indexOf(name)),
    far: (spreads) => health.far(spreads),
    expected: (name) => health.expected(indexOf(name)),
    levels: () => ({}),
    renew: () => health.renew(),
    save: () => health.save(),
    restore: (kept) => health.restore(kept),
  };
}

function settingsUnlike(learnt: readonly string[], { settings }: GenericSpec): string | null {
  if (learnt.join() === settings.join()) return null;
  return `the baseline was learnt with the settings [${learnt}], the config has [${settings}]`;
}

function statesUnlike(coded: boolean, { state }: GenericSpec): string | null {
  return coded === (state !== null)
    ? null
    : "the baseline and the config differ in whether a status channel tells the state";
}
