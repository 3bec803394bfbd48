//! The generic monitor on real sets that were not looked at while it was made: plain figures.
import type { GenericUse } from "../agent/models/generic-spec.js";
import { GenericRig } from "../test/models/generic-rig.js";
import { hydraulic, nab } from "../test/models/generic-sets.js";
import { learn, readTable, START_ms, STEP_ms, WT23, wt23Table } from "./monitor-records.js";
import { hasSet } from "./monitor-sets.js";
import { failedRow, type Row } from "./result.js";

const DAY = 144; // rows of ten minutes
const NOTHING: GenericUse = { cycle: null, settings: [], records: false };

export const OTHER_NAMES = [
  "nab-found",
  "hydraulic-found",
  "yalova-alarms",
  "wt23-splits-found",
  "wt23-splits-false",
] as const;

export function otherRows(): Row[] {
  return [
    orNothing("nab-found", "nab_machine_temperature", nabRow),
    orNothing("hydraulic-found", "hydraulic_zema", hydraulicRow),
    orNothing("yalova-alarms", "yalova_scada", yalovaRow),
    ...(hasSet("wind_main_bearing_wt23")
      ? splitRows()
      : OTHER_NAMES.slice(3).map((name) => failedRow(name, "%", {}, "no data"))),
  ];
}

const orNothing = (name: string, set: string, run: () => Row): Row =>
  hasSet(set) ? run() : failedRow(name, "1", {}, "no data");

function nabRow(): Row {
  const { windows, found, falseEpisodes } = nab();
  const note = `of ${windows} labelled windows, one channel, a week learnt; ${falseEpisodes} false episodes in eleven weeks`;
  return { name: "nab-found", value: found, unit: "1", note };
}

function hydraulicRow(): Row {
  const { healthyRuns, falseRuns, faultyRuns, foundRuns } = hydraulic();
  const note = `of ${faultyRuns} runs with a worn cooler or a leaking pump, a row a cycle; ${falseRuns} of ${healthyRuns} whole runs that it had not learnt from alarm`;
  return { name: "hydraulic-found", value: foundRuns, unit: "1", note };
}

const YALOVA = ["power", "wind", "direction"].map((name) => ({ name, unit: "1" }));
const YALOVA_LEARN = 14;

/** Status is not in the set: stops and curtailments are told from nothing but wind and power. */
function yalovaRow(): Row {
  const { rows } = readTable("yalova_scada", "T1_2018_01-06.csv.gz");
  const table = rows.map((row) => [Number(row[1]), Number(row[2]), Number(row[4])]);
  const baseline = learn(
    YALOVA,
    NOTHING,
    table.slice(0, YALOVA_LEARN * DAY),
    STEP_ms,
    YALOVA_LEARN,
  );
  if (typeof baseline === "string") return failedRow("yalova-alarms", "1", {}, baseline);
  const rig = new GenericRig(YALOVA, NOTHING, { baseline });
  const test = table.slice(YALOVA_LEARN * DAY);
  let [alarms, rises, before] = [0, 0, false];
  test.forEach((row, i) => {
    rig.feed(START_ms + i * STEP_ms, row);
    const now = rig.alarm !== null;
    if (now) alarms += 1;
    if (now && !before) rises += 1;
    before = now;
  });
  const months = test.length / DAY / 30.4;
  const pct = ((100 * alarms) / test.length).toFixed(1);
  const note = `alarms a month, ${months.toFixed(1)} months, rows in sequence; ${pct} % of rows in alarm; no status channel, so stops, curtailment and faults cannot be told apart`;
  return { name: "yalova-alarms", value: rises / months, unit: "1", note };
}

/** Days that are learnt; the days behind them are judged, or where there are none those before. */
const SPLITS = [
  [0, 7],
  [0, 10],
  [4, 14],
  [10, 24],
  [14, 24],
] as const;
const [RAMP, HOLD] = [2 * DAY, DAY];
const SIZES_K = [2, 3, 4, 5, 6];
const BEARINGS = [3, 4];

/** Other parts of the wind main bearing's record, both bearings. */
function splitRows(): Row[] {
  const table = wt23Table();
  let [found, ramps] = [0, 0];
  const parts: string[] = [];
  let [alarms, healthy] = [0, 0];
  for (const [from, to] of SPLITS) {
    const baseline = learn(WT23, NOTHING, table.slice(from * DAY, to * DAY), STEP_ms, to - from);
    if (typeof baseline === "string") continue;
    const test = to === 24 ? table.slice(0, from * DAY) : table.slice(to * DAY);
    const play = (rows: readonly (readonly number[])[]): boolean[] => {
      const rig = new GenericRig(WT23, NOTHING, { baseline });
      return rows.map((row, i) => {
        rig.feed(START_ms + i * STEP_ms, row);
        return rig.alarm !== null;
      });
    };
    const off = play(test).filter(Boolean).length;
    alarms += off;
    healthy += test.length;
    let [own, count] = [0, 0];
    for (const bearing of BEARINGS) {
      for (let day = 1; (day + 3) * DAY <= test.length; day += 1) {
        for (const size_K of SIZES_K) {
          const part = test.slice((day - 1) * DAY, day * DAY + RAMP + HOLD).map((row, i) => {
            const rise = size_K * Math.min(1, Math.max(0, (i - DAY) / RAMP));
            return row.map((v, j) => (j === bearing ? v + rise : v));
          });
          count += 1;
          if (play(part).slice(DAY).includes(true)) own += 1;
        }
      }
    }
    found += own;
    ramps += count;
    const share = ((100 * own) / count).toFixed(0);
    parts.push(`${from}-${to}: ${share} %, ${((100 * off) / test.length).toFixed(1)} %`);
  }
  const note = `days learnt, then ramps found and healthy rows in alarm on the others: ${parts.join("; ")}`;
  return [
    { name: "wt23-splits-found", value: (100 * found) / ramps, unit: "%", note },
    { name: "wt23-splits-false", value: (100 * alarms) / healthy, unit: "%" },
  ];
}
