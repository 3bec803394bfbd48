//! Real sets through the generic monitor, beside the plain limit that it must beat: any sensor three
//! sigma off the healthy cycles of the training engines, per regime.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRefused } from "../../agent/models/commission.js";
import type { Baseline } from "../../agent/models/setup.js";
import {
  CMAPSS_COLUMNS,
  CMAPSS_SETTINGS,
  type Engine,
  GenericRig,
  readEngines,
  readGzip,
  SHARED,
} from "./generic-rig.js";

const HOUR_ms = 3_600_000;
const HEALTHY = 125; // cycles left
const LATE = 30;
const SENSORS = 4; // first column behind cycle and settings
const USE = { cycle: "cycle", settings: CMAPSS_SETTINGS, records: false };
/** First cycles of each engine that commissioning takes for healthy. */
const FIRST = 30;

type Chosen = (engine: number) => boolean;

export function learnFleet(set: string, chosen: Chosen = () => true): Baseline {
  const rig = new GenericRig(CMAPSS_COLUMNS, USE, { want: { amount: FIRST, by: "hand" } });
  let t_ms = 1_700_000_000_000;
  readEngines("train", set).forEach(({ rows }, i) => {
    if (!chosen(i)) return;
    for (const row of rows) {
      t_ms += HOUR_ms;
      rig.feed(t_ms, row);
    }
  });
  const outcome = rig.fitted.stage.finish(`train_${set}`, null);
  if (outcome === null || isRefused(outcome)) throw new Error(JSON.stringify(outcome));
  return outcome;
}

export type Figures = {
  readonly healthyCycles: number;
  /** Shares of healthy cycles in alarm, in per cent, and separate episodes. */
  readonly falseShare: number;
  readonly plainFalseShare: number;
  readonly episodes: number;
  readonly plainEpisodes: number;
  /** Engines that came to 30 cycles left, and those of them in alarm at some time from there. */
  readonly late: number;
  readonly found: number;
  readonly plainFound: number;
  /** The same by engine, for intervals. */
  readonly engines: readonly { readonly own: Counted; readonly plain: Counted }[];
};

export type Counted = {
  readonly healthy: number;
  readonly falsely: number;
  readonly episodes: number;
  readonly late: number;
  readonly found: number;
};

export function cmapss(set: string, baseline: Baseline, chosen: Chosen = () => true): Figures {
  const engines = readEngines("test", set).filter((_, i) => chosen(i));
  const plain = threeSigma(readEngines("train", set));
  const ours = engines.map((engine) => {
    const rig = new GenericRig(CMAPSS_COLUMNS, USE, { baseline });
    const t0_ms = 1_700_000_000_000;
    const alarms: boolean[] = [];
    const { rows } = engine;
    // An instant is judged once time moves on.
    for (let i = 0; i <= rows.length; i++) {
      rig.feed(t0_ms + i * HOUR_ms, rows[i] ?? rows.at(-1) ?? []);
      if (i > 0) alarms.push(rig.alarm !== null);
    }
    return alarms;
  });
  const counted = engines.map((engine, e) => ({
    own: count(engine, ours[e] ?? []),
    plain: count(engine, engine.rows.map(plain)),
  }));
  const sum = (part: "own" | "plain", key: keyof Counted): number =>
    counted.reduce((total, one) => total + one[part][key], 0);
  const healthyCycles = sum("own", "healthy");
  return {
    healthyCycles,
    falseShare: (100 * sum("own", "falsely")) / healthyCycles,
    plainFalseShare: (100 * sum("plain", "falsely")) / healthyCycles,
    episodes: sum("own", "episodes"),
    plainEpisodes: sum("plain", "episodes"),
    late: sum("own", "late"),
    found: sum("own", "found"),
    plainFound: sum("plain", "found"),
    engines: counted,
  };
}

function count({ rul }: Engine, alarms: readonly boolean[]): Counted {
  let [healthy, falsely, episodes] = [0, 0, 0];
  rul.forEach((left, i) => {
    if (left <= HEALTHY) return;
    healthy += 1;
    if (alarms[i] !== true) return;
    falsely += 1;
    if (alarms[i - 1] !== true) episodes += 1;
  });
  const late = rul.some((left) => left <= LATE) ? 1 : 0;
  const found = rul.some((left, i) => left <= LATE && alarms[i] === true) ? 1 : 0;
  return { healthy, falsely, episodes, late, found };
}

const regimeOf = (row: readonly number[]): string =>
  row
    .slice(1, SENSORS)
    .map((v) => Math.round(v))
    .join();

function threeSigma(train: readonly Engine[]): (row: readonly number[]) => boolean {
  const healthy = train.flatMap(({ rows, rul }) => rows.filter((_, i) => (rul[i] ?? 0) > HEALTHY));
  const groups = new Map<string, (readonly number[])[]>();
  for (const row of healthy) {
    const key = regimeOf(row);
    const own = groups.get(key) ?? [];
    own.push(row);
    groups.set(key, own);
  }
  const limits = new Map(
    [...groups].map(([key, rows]) => {
      const limit = CMAPSS_COLUMNS.map((_, j) => {
        const mean = rows.reduce((sum, row) => sum + (row[j] ?? 0), 0) / rows.length;
        const variance =
          rows.reduce((sum, row) => sum + ((row[j] ?? 0) - mean) ** 2, 0) / rows.length;
        const sigma = Math.sqrt(variance);
        return { mean, sigma: sigma > 1e-9 ? sigma : Number.POSITIVE_INFINITY };
      });
      return [key, limit];
    }),
  );
  return (row) =>
    (limits.get(regimeOf(row)) ?? []).some(({ mean, sigma }, j) => {
      return j >= SENSORS && Math.abs((row[j] ?? 0) - mean) > 3 * sigma;
    });
}

/** NAB: one temperature every five minutes; days of alarms within and outside the labelled windows. */
export function nab(): {
  readonly windows: number;
  readonly found: number;
  readonly falseEpisodes: number;
} {
  const [, ...lines] = readGzip(
    "nab_machine_temperature",
    "machine_temperature_system_failure.csv.gz",
  )
    .trim()
    .split("\n");
  const rows = lines.map((line) => {
    const [time = "", value = ""] = line.split(",");
    return { t_ms: Date.parse(`${time.replace(" ", "T")}Z`), value: Number(value) };
  });
  const text = readFileSync(join(SHARED, "nab_machine_temperature", "label_windows.json"), "utf8");
  const labels = (JSON.parse(text) as [string, string][]).map((pair) =>
    pair.map((time) => Date.parse(`${time.replace(" ", "T")}Z`)),
  );
  const columns = [{ name: "temperature", unit: "[degF]" }];
  const use = { cycle: null, settings: [], records: false };
  // The first week is before the first label.
  const learner = new GenericRig(columns, use, { want: { amount: 7, by: "hand" } });
  for (const { t_ms, value } of rows) learner.feed(t_ms, [value]);
  const baseline = learner.fitted.stage.finish("nab", null);
  if (baseline === null || isRefused(baseline)) throw new Error(JSON.stringify(baseline));
  const rig = new GenericRig(columns, use, { baseline });
  const hits = new Set<number>();
  let falseEpisodes = 0;
  let before = false;
  for (const { t_ms, value } of rows) {
    rig.feed(t_ms, [value]);
    const now = rig.alarm !== null;
    const at = labels.findIndex(([from = 0, to = 0]) => t_ms >= from && t_ms <= to);
    if (now && at >= 0) hits.add(at);
    if (now && !before && at < 0) falseEpisodes += 1;
    before = now;
  }
  return { windows: labels.length, found: hits.size, falseEpisodes };
}

/** The hydraulic rig, a row a cycle: runs of one condition, cooler and pump whole or not. */
export function hydraulic() {
  const files = ["CE", "CP", "FS1", "FS2", "SE", "TS1", "TS2", "TS3", "TS4", "VS1"];
  const means = files.map((name) =>
    readGzip("hydraulic_zema", `${name}.txt.gz`)
      .trim()
      .split("\n")
      .map((line) => {
        const values = line.trim().split("\t").map(Number);
        return values.reduce((a, b) => a + b, 0) / values.length;
      }),
  );
  const profile = readFileSync(join(SHARED, "hydraulic_zema", "profile.txt"), "utf8");
  const states = profile
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/).map(Number));
  const columns = files.map((name) => ({ name, unit: "1" }));
  const use = { cycle: null, settings: [], records: true };
  const runs: { readonly healthy: boolean; readonly rows: number[][] }[] = [];
  let key = "";
  states.forEach(([cooler, , leak], i) => {
    const row = means.map((list) => list[i] ?? Number.NaN);
    if (`${cooler} ${leak}` !== key) runs.push({ healthy: cooler === 100 && leak === 0, rows: [] });
    key = `${cooler} ${leak}`;
    runs.at(-1)?.rows.push(row);
  });
  const learner = new GenericRig(columns, use, { want: { amount: 10_000, by: "hand" } });
  const healthy = runs.filter((run) => run.healthy);
  let t_ms = 1_700_000_000_000;
  const play = (rig: GenericRig, rows: readonly (readonly number[])[]): boolean => {
    let alarmed = false;
    for (const row of rows) {
      t_ms += 60_000;
      rig.feed(t_ms, row);
      alarmed ||= rig.alarm !== null;
    }
    return alarmed;
  };
  for (const [i, { rows }] of healthy.entries()) if (i % 2 === 0) play(learner, rows);
  const baseline = learner.fitted.stage.finish("hydraulic", null);
  if (baseline === null || isRefused(baseline)) throw new Error(JSON.stringify(baseline));
  const judge = (run: { readonly rows: number[][] }): boolean =>
    play(new GenericRig(columns, use, { baseline }), run.rows);
  const others = healthy.filter((_, i) => i % 2 === 1);
  const faulty = runs.filter((run) => !run.healthy);
  return {
    healthyRuns: others.length,
    falseRuns: others.filter(judge).length,
    faultyRuns: faulty.length,
    foundRuns: faulty.filter(judge).length,
  };
}
