//! Commissioning: from slices of a healthy period to the normal of one machine. A few bad hours
//! are told by the others and left out; a period that cannot be a normal is refused in words.
import { median, spread } from "./chain/robust.js";
import { explain, scaleOf } from "./commission-explain.js";
import { CELL_VALUES, type Cell, type Row, rareOf, type SliceRule } from "./commission-slices.js";
import { type Baseline, type Learnt, type Provenance, scaleName } from "./setup.js";

export type Per = "days" | "flights" | "blocks" | "cycles";

/** How long a kind of machine learns, and what the time must have shown. */
export type Commissioning = {
  readonly per: Per;
  readonly usual: number;
  readonly least: number;
  readonly slice: SliceRule;
  /** Slices that adaptation remembers: slower than any fault is let grow. */
  readonly memory: number;
  /** Bands that must have been seen, in shares of a nameplate value (or SI without a key). */
  readonly covers: readonly Band[];
};

export type Band = {
  readonly channel: string;
  readonly key: string | null;
  readonly from: number;
  readonly to: number;
  readonly slices: number;
  /** `above 70 % of rated power`. */
  readonly words: string;
};

/** What finishing needs to know beside the rows. */
export type Period = {
  readonly kind: string;
  readonly asset: string;
  readonly recording: string;
  readonly hash: string | null;
  readonly agent: string;
  readonly suspects: readonly string[];
  /** Nameplate in SI. */
  readonly nameplate: Readonly<Record<string, number>>;
  readonly least: number;
};

/** Why there is no baseline, one text each, in plain words. */
export type Refusal = { readonly refused: readonly string[] };

export type Finish = (
  rows: readonly Row[],
  plan: Commissioning,
  period: Period,
) => Baseline | Refusal;

const SLICES_LEAST = 3;
const STATE_SLICES = 12; // for a normal of its own
/** A slice this far from the others, in their spread, is a bad one. */
const OUTLIER = 5;
const WITHIN = 0.5; // the spread within a slice counts as much: one calm hour is no outlier
const EXCLUDED_MAX = 0.3;
const FEW = `known in fewer than ${SLICES_LEAST} slices of ${CELL_VALUES} values`;
export const NOISE = "noise.";
export const COVER = "cover.";

export const isRefused = (outcome: Baseline | Refusal): outcome is Refusal => "refused" in outcome;

/** Amount in the plan's own measure. */
export function amountOf(rows: readonly Row[], { per, slice }: Commissioning): number {
  const { slices, all_ms } = spanOf(rows);
  // A slice may be cut short by a silence.
  if (per === "days") return all_ms / 86_400_000;
  if (per !== "blocks" || slice.by !== "blocks") return slices;
  const blocks = new Map(rows.map((row) => [row.t_ms, row.blocks ?? slice.blocks]));
  return [...blocks.values()].reduce((a, b) => a + b, 0);
}

/** What is missing before this period can be a normal; empty: nothing. */
export function missing(
  rows: readonly Row[],
  plan: Commissioning,
  { nameplate, least }: Pick<Period, "nameplate" | "least">,
): string[] {
  if (least === 0) return []; // a simulated machine: whatever there is
  const amount = amountOf(rows, plan);
  const rare = rareOf(rows, plan.slice);
  const short =
    amount + 1e-9 < least && rare === null
      ? [`too short: ${amountText(amount)} of at least ${least} ${plan.per}`]
      : [];
  if (rare !== null) return [rare];
  const air_s = spanOf(rows).all_ms / 1000;
  const hops =
    plan.slice.by === "flight" && air_s < plan.slice.all_s
      ? [`too short: ${Math.floor(air_s)} of at least ${plan.slice.all_s} s in the air`]
      : [];
  const bands = plan.covers.flatMap(({ channel, key, from, to, slices, words }) => {
    const scale = key === null ? 1 : nameplate[key];
    if (scale === undefined) return []; // what needs the key is off anyway
    const seen = rows.filter((row) => {
      const [middle = Number.NaN] = row.cells[COVER + channel] ?? [];
      return middle >= from * scale && middle <= to * scale;
    }).length;
    const what = `does not cover the operating range: ${seen} of ${slices} hours with ${channel}`;
    return seen >= slices ? [] : [`${what} ${words}`];
  });
  return [...short, ...hops, ...bands];
}

/** Slices, and how long they last together; a slice has a row for each state seen in it. */
function spanOf(rows: readonly Row[]): { readonly slices: number; readonly all_ms: number } {
  const spans = new Map(rows.map((row) => [row.t_ms, row.end_ms - row.t_ms]));
  return { slices: spans.size, all_ms: [...spans.values()].reduce((a, b) => a + b, 0) };
}

/** Middle and spread of each learnt output, over all states and in each that was seen enough. */
export const learnMiddles =
  (learns: readonly Learnt[]): Finish =>
  (rows, plan, period) => {
    const refused = missing(rows, plan, period);
    const values: Record<string, number> = {};
    const states: Record<string, Record<string, number>> = {};
    const vectors: Record<string, readonly number[]> = {};
    const excluded: string[] = [];
    const notLearnt: string[] = [];
    const never: string[] = [];
    for (const learnt of learns) {
      const { fit, left } = explain(rows, learnt);
      const found = learnOne(left, learnt);
      if (found === null) {
        if (rows.every((row) => row.cells[learnt.output] === undefined)) never.push(learnt.output);
        else notLearnt.push(`${learnt.output}: ${FEW}`);
        continue;
      }
      const { middle, sigma, slices } = found;
      // A fit that follows what broke half way would hide it.
      const plain = learnOne(rows, learnt)?.bad ?? [];
      const bad = plain.length > found.bad.length ? plain : found.bad;
      const [low, high] = learnt.credible;
      if (!(middle >= low && middle <= high)) {
        const outside = `outside ${low} to ${high}, where physics expects a sound machine`;
        refused.push(`${learnt.output} is ${short(middle)} in the middle, ${outside}`);
      }
      if (bad.length > 0) excluded.push(badText(learnt.output, bad, slices, middle, sigma, plan));
      if (bad.length > EXCLUDED_MAX * slices) {
        refused.push(`not one normal: ${excluded.at(-1)}; choose a healthy period`);
      }
      values[learnt.middle] = middle;
      values[learnt.spread] = sigma;
      if (fit !== null) vectors[learnt.output] = fit;
      const scale = scaleOf(left, learnt, middle);
      if (scale !== null) values[scaleName(learnt)] = scale;
      for (const [state, own] of byState(left, learnt)) {
        states[state] = {
          ...states[state],
          [learnt.middle]: own.middle,
          [learnt.spread]: own.sigma,
        };
      }
    }
    if (
      learns.length > 0 &&
      refused.length === 0 &&
      notLearnt.length + never.length === learns.length
    ) {
      refused.push("nothing could be learnt: no value of the model was ever known");
    }
    if (never.length > 0)
      notLearnt.push(`${never.join(", ")}: never known, see what check has off`);
    if (refused.length > 0) return { refused };
    Object.assign(values, noiseOf(rows));
    return baselineOf(rows, plan, period, { values, states, vectors, excluded, notLearnt });
  };

type Learned = Pick<Baseline, "values" | "states" | "vectors"> &
  Pick<Provenance, "excluded" | "notLearnt" | "advice">;

/** The file, with where it comes from. */
export function baselineOf(
  rows: readonly Row[],
  plan: Commissioning,
  period: Period,
  { excluded, notLearnt, advice = [], ...learned }: Learned,
): Baseline {
  const amount = `${amountText(amountOf(rows, plan))} ${plan.per}`;
  const from_ms = Math.min(...rows.map((row) => row.t_ms));
  const to_ms = Math.max(...rows.map((row) => row.end_ms));
  const { kind, asset, recording, hash, agent, suspects, nameplate } = period;
  return {
    version: 1,
    kind,
    asset,
    source: `${recording}: ${amount} from ${new Date(from_ms).toISOString()}`,
    ...learned,
    provenance: {
      recording,
      hash,
      from_ms,
      to_ms,
      amount,
      states: timeByState(rows, plan),
      nameplate,
      agent,
      excluded: [...excluded, ...doubtsOf(rows, plan)],
      notLearnt,
      suspects,
      ...(advice.length === 0 ? {} : { advice }),
    },
  };
}

type One = {
  readonly middle: number;
  readonly sigma: number;
  readonly bad: readonly Cell[];
  readonly slices: number;
};

function learnOne(rows: readonly Row[], { output }: Learnt): One | null {
  const cells = rows.flatMap((row) => {
    const cell = row.cells[output];
    return cell === undefined || cell[3] < CELL_VALUES ? [] : [cell];
  });
  return cells.length < SLICES_LEAST ? null : robust(cells);
}

/** Middle and spread over slices, those left out that stand apart from the rest. */
export function robust(cells: readonly Cell[]): One {
  const middles = cells.map((cell) => cell[0]);
  const within = median(cells.map((cell) => cell[1]));
  const centre = median(middles);
  const apart = OUTLIER * Math.max(spread(middles, centre), WITHIN * within);
  const bad = cells.filter(
    (cell) => !(Math.abs(cell[0] - centre) <= apart) || !(cell[1] <= within + apart),
  );
  const good = cells.filter((cell) => !bad.includes(cell));
  const middle = median(good.map((cell) => cell[0]));
  const between = spread(
    good.map((cell) => cell[0]),
    middle,
  );
  const sigma = Math.hypot(between, median(good.map((cell) => cell[1])));
  return { middle: round(middle), sigma: round(sigma), bad, slices: cells.length };
}

function byState(rows: readonly Row[], learnt: Learnt): [string, One][] {
  const names = [...new Set(rows.map((row) => row.state))].filter((state) => state !== "");
  return names.flatMap((state): [string, One][] => {
    const own = rows.filter((row) => row.state === state);
    const found = learnOne(own, learnt);
    return found === null || found.slices < STATE_SLICES ? [] : [[state, found]];
  });
}

/** Mean change between readings of each channel in its calmer slices: a blade at rest is no sensor
 * that died, though it moves more in most of them. */
function noiseOf(rows: readonly Row[]): Record<string, number> {
  const names = new Set(rows.flatMap((row) => Object.keys(row.cells)));
  const noises = [...names].filter((name) => name.startsWith(NOISE)).sort();
  return Object.fromEntries(
    noises
      .map((name): [string, number] => {
        const means = rows.flatMap((row) => row.cells[name]?.[2] ?? []);
        return [name, round(means.sort((a, b) => a - b)[means.length >> 3] ?? 0)];
      })
      .filter(([, value]) => value > 0),
  );
}

/** Hours where the kind counts days, else slices. */
function timeByState(rows: readonly Row[], { per }: Commissioning): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { state, t_ms, end_ms } of rows) {
    const key = state === "" ? "unknown" : state;
    found[key] = (found[key] ?? 0) + (per === "days" ? (end_ms - t_ms) / 3_600_000 : 1);
  }
  return Object.fromEntries(Object.entries(found).map(([k, v]) => [k, round(v)]));
}

function doubtsOf(rows: readonly Row[], plan: Commissioning): string[] {
  const counts = new Map<string, Set<number>>();
  for (const { doubted, t_ms } of rows) {
    for (const name of doubted) counts.set(name, (counts.get(name) ?? new Set()).add(t_ms));
  }
  return [...counts].map(
    ([name, slices]) =>
      `${name} not believed in ${sliceText(slices.size, plan)}: its readings then`,
  );
}

function badText(
  output: string,
  bad: readonly Cell[],
  slices: number,
  middle: number,
  sigma: number,
  plan: Commissioning,
): string {
  const worst = Math.max(...bad.map((cell) => Math.abs(cell[0] - middle)));
  const far = sigma > 0 ? `, up to ${Math.round(worst / sigma)} spreads off the rest` : "";
  return `${output} in ${sliceText(bad.length, plan)} of ${sliceText(slices, plan)}${far}`;
}

function sliceText(count: number, { slice, per }: Commissioning): string {
  if (slice.by === "time") return `${short((count * slice.s) / 3600)} h`;
  return `${slice.by === "blocks" ? count * slice.blocks : count} ${per}`;
}

const round = (value: number): number => Number(value.toPrecision(4));
const short = (value: number): string => String(Number(value.toPrecision(3)));
export const amountText = (amount: number): string => String(Math.floor(amount * 10 + 1e-6) / 10);
