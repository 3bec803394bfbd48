//! Rows over real records of one machine: a wind turbine's main bearing with ramps put on it. Ours is
//! the generic monitor, commissioned on the first part.
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
