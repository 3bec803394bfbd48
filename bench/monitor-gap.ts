//! Each regression network's integers against a float network of the same shape that trained for as
//! many steps, over seeds; and ScadaSeq on a real turbine's main bearing, by time.
import { prng } from "../agent/base/prng.js";
import type { Column } from "../agent/models/columns.js";
import { examplesOf, POWER_PLAN, powerTask } from "../agent/models/convert/powernet.js";
import { type SeqRun, seqRecipe, windowsOf } from "../agent/models/convert/scadaseq.js";
import { ridgeSeq } from "../agent/models/convert/seq-ridge.js";
import { predict, weightBytes } from "../agent/models/convert/ternary.js";
import {
  simulate,
  THERMAL_PLAN,
  thermalExamples,
  thermalTask,
} from "../agent/models/convert/thermal.js";
import {
  type Examples,
  lossOf,
  type Task,
  train,
  trainFloat,
} from "../agent/models/convert/trainer.js";
import { readGzip } from "../test/models/generic-rig.js";
import { yalova } from "./monitor-nets.js";
import { hasSet, noData } from "./monitor-sets.js";
import type { Row } from "./result.js";

type Seeds = readonly number[];
export const GAP_NAME = "ternary-rmse-gap";
export const SEQ_NAME = "scadaseq-vs-ridge";

const FEW_TURBINES = 12;

type Gap = { readonly name: string; readonly gaps_pct: readonly number[]; readonly times: number };

/** By how much the error on `unseen` is greater than that of the float network, seed by seed. */
function gapOf(seeds: Seeds, name: string, task: Task, unseen: Examples): Gap {
  let times = Number.NaN;
  const gaps_pct = seeds.map((seed) => {
    const { plan, set, validation } = task;
    const { pupil } = train(plan, set, prng(seed, `gap/${name}`), validation);
    const float = trainFloat(task, prng(seed, `gap/${name}`));
    const { float: whole, packed } = weightBytes(pupil);
    times = whole / packed;
    const [own, peer] = [lossOf(plan, pupil, unseen), lossOf(plan, float, unseen, false)];
    return 100 * (Math.sqrt(own / peer) - 1);
  });
  return { name, gaps_pct, times };
}

/** `quick`: ThermalNBM is taught by fewer turbines than ship it. */
export function gapRow(seeds: Seeds, quick: boolean): Row {
  const gaps: Gap[] = [];
  if (hasSet("yalova_scada")) {
    const { known, unseen } = yalova();
    const rows = { ...unseen, columns: known.columns };
    gaps.push(
      gapOf(
        seeds,
        "PowerNet",
        powerTask(known, POWER_PLAN),
        examplesOf(rows, () => true),
      ),
    );
  }
  // As it ships: with half of the turbines the seeds scatter by 65 %.
  const plan = quick ? { ...THERMAL_PLAN, turbines: FEW_TURBINES } : THERMAL_PLAN;
  const unseen = thermalExamples(simulate({ ...plan, seed: 1001, turbines: 4 }));
  gaps.push(gapOf(seeds, "ThermalNBM", thermalTask(simulate(plan), plan), unseen));
  if (hasSet("wind_main_bearing_wt23")) {
    const { task, unseen: later } = bearingTask();
    gaps.push(gapOf(seeds, "ScadaSeq", task, later));
  }
  const means = gaps.map(({ gaps_pct }) => mean(gaps_pct));
  const each = gaps.map(({ name, gaps_pct, times }, i) => {
    const shown = gaps_pct.map((gap) => gap.toFixed(1)).join(" ");
    return `${name} ${means[i]?.toFixed(1)} (${shown}), weights ${times.toFixed(1)}x smaller`;
  });
  const few = quick ? `, ThermalNBM taught by ${FEW_TURBINES} turbines` : "";
  const note = `worst network, mean of ${seeds.length} seeds${few}, float trained for as many steps; ${each.join("; ")}`;
  const complete = gaps.length === 3 ? note : `${note}; no data for the others`;
  return { name: GAP_NAME, value: Math.max(...means), unit: "%", max: 10, note: complete };
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

const WT23: readonly Column[] = [
  { name: "env_temp_degC", unit: "Cel", from: -20, to: 40 },
  { name: "hub_speed_rpm", unit: "rpm", from: 0, to: 20 },
  { name: "wind_speed_60s_m_s", unit: "m/s", from: 0, to: 25 },
  { name: "generator_power_kW", unit: "kW", from: 0, to: 2500 },
];
const BEARINGS = ["main_bearing_front_temp_degC", "main_bearing_rear_temp_degC"];
const SCALE_K = 25;
const STEPS = 400;
const TRAIN_SHARE = 0.7;

/** Real rows, for evaluation alone: the first part trains, windows that end later are unseen. */
function bearingTask(): { task: Task; unseen: Examples; hold_K: number } {
  const [head = "", ...lines] = readGzip("wind_main_bearing_wt23", "wt23_healthy_train.csv.gz")
    .trim()
    .split("\n");
  const names = head.split(",");
  const table = lines.map((line) => line.split(",").map(Number));
  const of = (name: string): Float64Array =>
    Float64Array.from(table, (row) => row[names.indexOf(name)] as number);
  const air = of("env_temp_degC");
  const run: SeqRun = {
    inputs: WT23.map(({ name }) => of(name)),
    targets: BEARINGS.map((name) => of(name).map((v, i) => v - (air[i] as number))),
  };
  const from = Math.floor(TRAIN_SHARE * table.length);
  const cut = (a: number, b: number): SeqRun => ({
    inputs: run.inputs.map((values) => values.slice(a, b)),
    targets: run.targets.map((values) => values.slice(a, b)),
  });
  const windows = (part: SeqRun) => windowsOf([part], WT23, [SCALE_K, SCALE_K], 1);
  const edge = Math.floor(0.85 * from);
  const [set, validation] = [windows(cut(0, edge)), windows(cut(edge, from))];
  const rest = cut(from, table.length);
  const steps = rest.targets.flatMap((values) =>
    [...values].slice(1).map((v, i) => (v - (values[i] as number)) ** 2),
  );
  const plan = { ...seqRecipe(WT23.length, BEARINGS.length, STEPS), jitter: 0.02 };
  return { task: { plan, set, validation }, unseen: windows(rest), hold_K: Math.sqrt(mean(steps)) };
}

/** ScadaSeq of one real turbine against ridge regression on the same windows. */
export function seqRows(seeds: Seeds): Row[] {
  if (!hasSet("wind_main_bearing_wt23")) return noData([SEQ_NAME], "1", {});
  const { task, unseen, hold_K } = bearingTask();
  const error_K = (said: Float64Array): number => {
    const square = said.reduce((sum, v, i) => sum + (v - (unseen.y[i] as number)) ** 2, 0);
    return SCALE_K * Math.sqrt(square / said.length);
  };
  const nets = seeds.map((seed) => {
    return train(task.plan, task.set, prng(seed, "scadaseq/wt23"), task.validation);
  });
  const own = mean(nets.map(({ pupil }) => error_K(predict(pupil, unseen.x, true))));
  const float = mean(nets.map(({ teacher }) => error_K(predict(teacher, unseen.x, false))));
  const ridge = error_K(ridgeSeq(task.set)(unseen.x));
  const note =
    `main bearing of wt23 over ambient, by time, mean of ${seeds.length} seeds: ternary ${own.toFixed(2)} K, ` +
    `fp32 ${float.toFixed(2)} K, ridge on the same windows ${ridge.toFixed(2)} K; ` +
    `the value before, which follows any drift, ${hold_K.toFixed(2)} K`;
  return [{ name: SEQ_NAME, value: own / ridge, unit: "1", note }];
}
