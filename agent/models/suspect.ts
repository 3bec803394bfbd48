//! Physics tells a wrong unit: laws that no machine of a kind can break are tried on a sample of
//! its readings. Where one breaks, the plausible other units of each channel it reads are tried in
//! turn; the declaration whose change heals most is the suspect. Pure; it changes no binding.
import { asDifference } from "../units/bridge.js";
import { isUnitFault, parseUnit, type Unit } from "../units/parse.js";

/** One channel as declared, with its readings in SI under that declaration; NaN: none then. */
export type Declared = {
  readonly name: string;
  readonly unit: string;
  /** Whether a reading is a point (an oil temperature) or a difference (a spread). */
  readonly point: boolean;
  /** Index i of all channels is one instant. */
  readonly values: ArrayLike<number>;
};

/** A law over readings of one instant: `of` must lie in [low, high], NaN where it says nothing. */
export type UnitLaw = {
  readonly name: string;
  readonly reads: readonly string[];
  readonly of: (values: readonly number[], plate: ReadonlyMap<string, number>) => number;
  readonly low: number;
  readonly high: number;
  /** `most`: in 9 of 10 instants. `middle`: the median only, for what noise may leave. */
  readonly holds: "most" | "middle";
  /** Speaks of such instants only, where the asset has the channel: a machine at rest obeys less. */
  readonly only?: { readonly channel: string; readonly is: (value: number) => boolean };
};

export type Suspect = {
  readonly channel: string;
  readonly declared: string;
  /** The unit that satisfies the laws; null when none of the usual ones does. */
  readonly fits: string | null;
  /** Other declarations whose change would explain it as well, as `channel unit`. */
  readonly others: readonly string[];
  readonly laws: readonly string[];
  readonly text: string;
};

/** Fewer readings tell nothing. */
const INSTANTS_MIN = 20;
/** More tells no more: the sample is thinned to this. */
const INSTANTS_MAX = 1000;
const SHARE = 0.9;
const SUSPECTS_MAX = 8;
const OTHERS_MAX = 4;

/** What people and devices mix up, by dimension; the likelier first. */
const LIKELY: Readonly<Record<string, readonly string[]>> = {
  K: ["Cel", "K", "[degF]"],
  "rad/s": ["r/min", "rad/s", "r/s", "deg/s"],
  rad: ["deg", "rad", "r"],
  W: ["kW", "W", "MW", "[HP]"],
  Pa: ["Pa", "hPa", "kPa", "bar", "psi", "MPa"],
  J: ["N.m", "kN.m", "MN.m", "J", "kW.h", "MW.h"],
  N: ["N", "kN", "MN", "lbf"],
  "m/s": ["m/s", "mm/s", "km/h", "kn", "mph", "in/s", "[ft_i]/min"],
  m: ["m", "ft", "mm", "km"],
  "m/s2": ["m/s2", "[g]", "mm/s2"],
  A: ["A", "mA", "kA"],
  V: ["V", "mV", "kV"],
  T: ["uT", "mT", "nT", "T"],
  "1": ["1", "%"],
  "kg/s": ["kg/s", "kg/h", "t/h", "[lb_av]/s"],
};

type Column = { readonly unit: Unit; readonly point: boolean; readonly values: Float64Array };
type Columns = ReadonlyMap<string, Column>;
type Verdicts = readonly ("kept" | "broken" | "silent")[];
/** `rank`: how likely the unit is of its dimension, 0 the likeliest. */
type Change = { readonly channel: string; readonly unit: Unit; readonly rank: number };

/** The suspect declarations, the best explained first. Channels without a law are never named. */
export function suspects(
  channels: readonly Declared[],
  laws: readonly UnitLaw[],
  plate: ReadonlyMap<string, number>,
): Suspect[] {
  let columns = thinned(channels);
  const found: Suspect[] = [];
  const open = new Set(laws.filter((law) => law.reads.every((name) => columns.has(name))));
  while (found.length < SUSPECTS_MAX) {
    const tried = [...open];
    const before = judge(tried, columns, plate);
    const broken = tried.filter((_, i) => before[i] === "broken");
    if (broken.length === 0) break;
    const best = changes(broken, columns)
      .map((change) => ({ change, gain: gainOf(change, tried, before, columns, plate) }))
      .filter(({ gain }) => gain > 0)
      .sort((a, b) => b.gain - a.gain || a.change.rank - b.change.rank);
    const first = best[0];
    if (first === undefined) {
      const law = broken[0] as UnitLaw; // there is one: tested above
      found.push(unexplained(law, columns));
      open.delete(law);
      continue;
    }
    const equal = best.filter((b) => b.gain === first.gain && b !== first);
    const after = applied(columns, first.change);
    const now = judge(tried, after, plate);
    const healed = broken.filter((law) => now[tried.indexOf(law)] !== "broken");
    const likelier = underOtherPlate(first.change, tried, broken, columns, plate);
    found.push(explained(first.change, columns, healed, equal, likelier));
    columns = after;
  }
  return found;
}

/** The channels whose unit some law could judge: it had readings and nameplate enough to speak. */
export function testable(
  channels: readonly Declared[],
  laws: readonly UnitLaw[],
  plate: ReadonlyMap<string, number>,
): ReadonlySet<string> {
  const columns = thinned(channels);
  const known = laws.filter((law) => law.reads.every((name) => columns.has(name)));
  return new Set(
    known.flatMap((law) => (verdict(law, columns, plate) === "silent" ? [] : law.reads)),
  );
}

function thinned(channels: readonly Declared[]): Columns {
  const columns = new Map<string, Column>();
  for (const { name, unit: text, point, values } of channels) {
    const parsed = readUnit(text, point);
    if (parsed === null) continue; // the config has refused it already
    const every = Math.max(1, Math.ceil(values.length / INSTANTS_MAX));
    const length = Math.ceil(values.length / every);
    const taken = Float64Array.from({ length }, (_, i) => values[i * every] ?? Number.NaN);
    columns.set(name, { unit: parsed, point, values: taken });
  }
  return columns;
}

export function readUnit(text: string, point: boolean): Unit | null {
  const unit = parseUnit(text);
  if (isUnitFault(unit)) return null;
  return point ? unit : asDifference(unit);
}

function judge(laws: readonly UnitLaw[], columns: Columns, plate: ReadonlyMap<string, number>) {
  return laws.map((law) => verdict(law, columns, plate)) satisfies Verdicts;
}

function verdict(law: UnitLaw, columns: Columns, plate: ReadonlyMap<string, number>) {
  const inputs = law.reads.map((name) => columns.get(name)?.values ?? new Float64Array());
  const { only } = law;
  const gate = only === undefined ? undefined : columns.get(only.channel)?.values;
  const results: number[] = [];
  for (let i = 0; i < Math.min(...inputs.map((values) => values.length)); i++) {
    if (gate !== undefined && only?.is(gate[i] ?? Number.NaN) !== true) continue;
    const result = law.of(
      inputs.map((values) => values[i] ?? Number.NaN),
      plate,
    );
    if (!Number.isNaN(result)) results.push(result);
  }
  if (results.length < INSTANTS_MIN) return "silent";
  const inside = (x: number): boolean => x >= law.low && x <= law.high;
  if (law.holds === "most") {
    return results.filter(inside).length >= SHARE * results.length ? "kept" : "broken";
  }
  results.sort((a, b) => a - b);
  return inside(results[results.length >> 1] ?? Number.NaN) ? "kept" : "broken";
}

/** Every other usual unit of every channel that a broken law reads. */
function changes(broken: readonly UnitLaw[], columns: Columns): Change[] {
  const names = new Set(broken.flatMap((law) => law.reads));
  return [...names].flatMap((channel) => {
    const column = columns.get(channel);
    if (column === undefined) return [];
    return mixedUp(column.unit, column.point).map((one) => ({ channel, ...one }));
  });
}

/** What else people and devices may mean where this was declared, the likelier first. */
export function mixedUp(declared: Unit, point: boolean): { unit: Unit; rank: number }[] {
  return (LIKELY[declared.dim] ?? []).flatMap((text, rank) => {
    const unit = readUnit(text, point);
    if (unit === null) return [];
    const same = unit.factor === declared.factor && unit.offset === declared.offset;
    return same ? [] : [{ unit, rank }];
  });
}

/** A reading in SI as it would be had its channel been declared in `meant`. */
export const reread = (si: number, declared: Unit, meant: Unit): number =>
  ((si - declared.offset) / declared.factor) * meant.factor + meant.offset;

/** The readings as they would be had the channel been declared so. */
function applied(columns: Columns, { channel, unit }: Change): Columns {
  const column = columns.get(channel);
  if (column === undefined) return columns;
  const values = column.values.map((si) => reread(si, column.unit, unit));
  return new Map([...columns, [channel, { ...column, unit, values }]]);
}

/** Laws healed by a change; a law that it breaks weighs more than one that it heals. */
function gainOf(
  change: Change,
  laws: readonly UnitLaw[],
  before: Verdicts,
  columns: Columns,
  plate: ReadonlyMap<string, number>,
): number {
  const after = applied(columns, change);
  let gain = 0;
  for (const [i, law] of laws.entries()) {
    if (!law.reads.includes(change.channel)) continue;
    const now = verdict(law, after, plate);
    if (now === before[i]) continue;
    if (before[i] === "broken") gain += now === "kept" ? 4 : 0;
    else if (now === "broken") gain -= 8;
    else gain += now === "kept" ? 1 : -1;
  }
  return gain;
}

const NO_PLATE: ReadonlyMap<string, number> = new Map();

/**
 * A likelier unit of the same channel that only a law of the nameplate speaks against: people guess
 * a rotor's radius more often than they send knots.
 */
function underOtherPlate(
  { channel, rank }: Change,
  laws: readonly UnitLaw[],
  broken: readonly UnitLaw[],
  columns: Columns,
  plate: ReadonlyMap<string, number>,
): { readonly unit: Unit; readonly law: UnitLaw } | null {
  for (const other of changes(broken, columns)) {
    if (other.channel !== channel || other.rank >= rank) continue;
    const after = applied(columns, other);
    const against = laws.filter(
      (law) => law.reads.includes(channel) && verdict(law, after, plate) === "broken",
    );
    const [law] = against;
    const guessed = against.every((one) => verdict(one, after, NO_PLATE) === "silent");
    if (law !== undefined && guessed && !against.some((one) => broken.includes(one))) {
      return { unit: other.unit, law };
    }
  }
  return null;
}

function explained(
  { channel, unit }: Change,
  columns: Columns,
  laws: readonly UnitLaw[],
  equal: readonly { readonly change: Change }[],
  likelier: ReturnType<typeof underOtherPlate>,
): Suspect {
  const declared = columns.get(channel)?.unit.text ?? "";
  const others = equal.map(({ change }) => `${change.channel} ${change.unit.text}`);
  const or = others.length === 0 ? "" : `; as likely: ${others.slice(0, OTHERS_MAX).join(", ")}`;
  const names = laws.map((law) => law.name);
  const more = names.length > 1 ? `, nor do ${names.length - 1} more` : "";
  const plain =
    likelier === null
      ? ""
      : `; or it is ${likelier.unit.text} and the nameplate is wrong: "${likelier.law.name}" reads it`;
  const text =
    `${channel}: declared ${declared}, but ${unit.text} would fit; ` +
    `"${names[0]}" does not hold${more}${or}${plain}`;
  return { channel, declared, fits: unit.text, others, laws: names, text };
}

function unexplained(law: UnitLaw, columns: Columns): Suspect {
  const [channel = "", ...rest] = law.reads;
  const declared = columns.get(channel)?.unit.text ?? "";
  const others = rest.map((name) => `${name} ${columns.get(name)?.unit.text ?? ""}`);
  const text =
    `"${law.name}" does not hold for ${law.reads.join(", ")}, and no usual unit of one of ` +
    "them explains it: check sensor, scaling and nameplate";
  return { channel, declared, fits: null, others, laws: [law.name], text };
}
