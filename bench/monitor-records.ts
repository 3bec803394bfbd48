//! Rows over real records of one machine each: a wind turbine's main bearing with ramps put on it,
//! and bearings run to failure. Ours is the generic monitor, commissioned on the first part.
import { isRefused } from "../agent/models/commission.js";
import type { GenericUse } from "../agent/models/generic-spec.js";
import type { Baseline } from "../agent/models/setup.js";
import { type Column, GenericRig, readGzip } from "../test/models/generic-rig.js";
import { hasSet, noData } from "./monitor-sets.js";
import { failedRow, median, type Row } from "./result.js";
import { ridgeRest } from "./ridge.js";

export const START_ms = 1_700_000_000_000;
export const STEP_ms = 600_000;
const DAY = 144; // rows of ten minutes

export function readTable(...path: readonly string[]): { names: string[]; rows: string[][] } {
  const [head = "", ...lines] = readGzip(...path)
    .trim()
    .split("\n");
  return { names: head.split(","), rows: lines.map((line) => line.split(",")) };
}

/** An empty cell is no zero. */
const numberOf = (cell: string): number => (cell.trim() === "" ? Number.NaN : Number(cell));

export function learn(
  columns: readonly Column[],
  use: GenericUse,
  rows: readonly (readonly number[])[],
  step_ms: number,
  amount: number,
): Baseline | string {
  const rig = new GenericRig(columns, use, { want: { amount, by: "hand" } });
  rows.forEach((row, i) => {
    rig.feed(START_ms + i * step_ms, row);
  });
  const outcome = rig.fitted.stage.finish("bench", null);
  if (outcome === null) return "nothing was learnt";
  return isRefused(outcome) ? outcome.refused.join("; ") : outcome;
}

/** Which rows are in alarm; an instant is judged once time moves on. */
export function play(
  columns: readonly Column[],
  use: GenericUse,
  baseline: Baseline,
  rows: readonly (readonly number[])[],
  step_ms: number,
): ("machine" | "sensor" | null)[] {
  const rig = new GenericRig(columns, use, { baseline });
  const alarms: ("machine" | "sensor" | null)[] = [];
  for (let i = 0; i <= rows.length; i++) {
    rig.feed(START_ms + i * step_ms, rows[i] ?? rows.at(-1) ?? []);
    if (i > 0) alarms.push(rig.alarm);
  }
  return alarms;
}

export const WT23: readonly Column[] = [
  { name: "env_temp_degC", unit: "Cel" },
  { name: "hub_speed_rpm", unit: "rpm" },
  { name: "wind_speed_60s_m_s", unit: "m/s" },
  { name: "main_bearing_front_temp_degC", unit: "Cel" },
  { name: "main_bearing_rear_temp_degC", unit: "Cel" },
  { name: "generator_power_kW", unit: "kW" },
];
const FRONT = 3;
const WT23_LEARN = 14 * DAY;
const RAMP = 2 * DAY;
const HOLD = DAY;
const SIZES_K = [2, 3, 4, 5, 6];
const RIDGE_SIGMAS = 4;
const RIDGE_MEDIAN = 36; // rows: six hours

/** Rows of ten minutes; what is missing is NaN. */
export function wt23Table(): number[][] {
  const { names, rows } = readTable("wind_main_bearing_wt23", "wt23_healthy_train.csv.gz");
  const at = WT23.map(({ name }) => names.indexOf(name));
  return rows.map((row) => at.map((column) => numberOf(row[column] ?? "")));
}

export const WT23_NAMES = ["wt23-recall", "wt23-false"] as const;

export function wt23Rows(): Row[] {
  const [recall, falsely] = [{ min: 90 }, { max: 0.4 }];
  if (!hasSet("wind_main_bearing_wt23"))
    return [...noData([WT23_NAMES[0]], "%", recall), ...noData([WT23_NAMES[1]], "%", falsely)];
  const table = wt23Table();
  const use = { cycle: null, settings: [], records: false };
  const baseline = learn(WT23, use, table.slice(0, WT23_LEARN), STEP_ms, 14);
  if (typeof baseline === "string") {
    return [
      failedRow(WT23_NAMES[0], "%", recall, baseline),
      failedRow(WT23_NAMES[1], "%", falsely, baseline),
    ];
  }
  const test = table.slice(WT23_LEARN);
  const whole = table.slice(0, WT23_LEARN).filter((row) => !row.some(Number.isNaN));
  const ridge = ridgeRest(whole, FRONT, [0, 1, 2, 5]);
  const plain = (all: readonly (readonly number[])[]): boolean[] => {
    const last: number[] = [];
    return all.map((row) => {
      last.push(ridge(row));
      if (last.length > RIDGE_MEDIAN) last.shift();
      return median(last.filter((z) => !Number.isNaN(z))) > RIDGE_SIGMAS;
    });
  };
  const healthy = play(WT23, use, baseline, test, STEP_ms);
  const own = 100 * share(healthy.map((alarm) => alarm !== null));
  const other = 100 * share(plain(test));
  let [found, machine, theirs, count] = [0, 0, 0, 0];
  for (let from = 0; from + RAMP + HOLD <= test.length; from += DAY) {
    for (const size_K of SIZES_K) {
      const ramped = test.map((row, i) => {
        const rise = size_K * Math.min(1, Math.max(0, (i - from) / RAMP));
        return i > from + RAMP + HOLD ? row : row.map((v, j) => (j === FRONT ? v + rise : v));
      });
      const within = (_: unknown, i: number): boolean => i >= from && i <= from + RAMP + HOLD;
      const said = play(WT23, use, baseline, ramped, STEP_ms).filter(within);
      count += 1;
      if (said.some((alarm) => alarm !== null)) found += 1;
      if (said.includes("machine")) machine += 1;
      if (plain(ramped).filter(within).includes(true)) theirs += 1;
    }
  }
  const pct = (n: number): string => `${((100 * n) / count).toFixed(1)} %`;
  return [
    {
      name: WT23_NAMES[0],
      value: (100 * found) / count,
      unit: "%",
      ...recall,
      note: `${count} ramps of 2 to 6 K in two days on the front bearing alone; as class machine ${pct(machine)}; ridge 4 sigma + 6 h median ${pct(theirs)}`,
    },
    {
      name: WT23_NAMES[1],
      value: own,
      unit: "%",
      ...falsely,
      note: `of ${test.length} healthy rows behind the 14 days it learnt from, either class; ridge ${other.toFixed(2)} %`,
    },
  ];
}

const share = (all: readonly boolean[]): number => all.filter(Boolean).length / all.length;

const FEMTO: readonly Column[] = [
  "rms_h_g",
  "rms_v_g",
  "peak_h_g",
  "peak_v_g",
  "kurt_h",
  "kurt_v",
].map((name) => ({ name, unit: name.endsWith("_g") ? "[g]" : "1" }));
const FEMTO_LEARN = 0.15;
const FEMTO_STEP_ms = 10_000;
const RMS_LIMIT_g = 9.8 / 9.80665;

/** Episodes in the first half of a life, behind the part that is learnt; found in the second. */
export function femtoRow(): Row {
  const name = "femto";
  const bound = { min: 95 };
  if (!hasSet("femto_pronostia")) return failedRow(name, "%", bound, "no data");
  const { names, rows } = readTable("femto_pronostia", "features_learning_set.csv.gz");
  const at = FEMTO.map((column) => names.indexOf(column.name));
  const bearings = new Map<string, number[][]>();
  for (const row of rows) {
    const own = bearings.get(row[names.indexOf("bearing")] ?? "") ?? [];
    own.push(at.map((column) => Number(row[column])));
    bearings.set(row[names.indexOf("bearing")] ?? "", own);
  }
  const use = { cycle: null, settings: [], records: true };
  const refused: string[] = [];
  const totals = { ours: [0, 0], sigma: [0, 0], rms: [0, 0] };
  for (const [bearing, life] of bearings) {
    const first = Math.floor(FEMTO_LEARN * life.length);
    const half = Math.floor(life.length / 2);
    const count = (total: number[], alarms: readonly boolean[]): void => {
      const rises = alarms.slice(first, half).filter((on, i, all) => on && all[i - 1] !== true);
      total[0] = (total[0] ?? 0) + rises.length;
      total[1] = (total[1] ?? 0) + (alarms.slice(half).includes(true) ? 1 : 0);
    };
    const start = life.slice(0, first);
    const limits = FEMTO.map((_, j) => {
      const mean = start.reduce((sum, row) => sum + (row[j] ?? 0), 0) / first;
      const variance = start.reduce((sum, row) => sum + ((row[j] ?? 0) - mean) ** 2, 0) / first;
      return { mean, off: 3 * Math.sqrt(variance) };
    });
    count(
      totals.sigma,
      life.map((row) => limits.some(({ mean, off }, j) => Math.abs((row[j] ?? 0) - mean) > off)),
    );
    count(
      totals.rms,
      life.map((row) => Math.max(row[0] ?? 0, row[1] ?? 0) > RMS_LIMIT_g),
    );
    const baseline = learn(FEMTO, use, start, FEMTO_STEP_ms, first);
    if (typeof baseline === "string") refused.push(`${bearing}: ${baseline}`);
    else {
      const alarms = play(FEMTO, use, baseline, life, FEMTO_STEP_ms);
      count(
        totals.ours,
        alarms.map((alarm) => alarm !== null),
      );
    }
  }
  const [ours = 0, found = 0] = totals.ours;
  const [sigma = 0, sigmaFound = 0] = totals.sigma;
  const [rms, rmsFound] = totals.rms;
  const note = [
    `${ours} episodes against ${sigma} of 3 sigma (found ${found} and ${sigmaFound} of ${bearings.size})`,
    `rms > 9.8 m/s2 alone: ${rms} episodes, ${rmsFound} found`,
    ...refused.map((text) => `not commissioned: ${text}`),
  ].join("; ");
  if (found < sigmaFound) return failedRow(name, "%", bound, `fewer found: ${note}`);
  return { name, value: 100 * (1 - ours / sigma), unit: "%", ...bound, note };
}
