//! Rows of the regression networks: PowerNet against the method of bins on a real turbine's record
//! and on simulated ones, and each network's integers against its own float teacher over seeds.
import { readFileSync } from "node:fs";
import { reference } from "../agent/accel/reference.js";
import { packageFile } from "../agent/base/files.js";
import { openColumns } from "../agent/models/columns.js";
import {
  byNet,
  comparePower,
  type Expect,
  falls,
  type PowerScore,
} from "../agent/models/convert/power-score.js";
import {
  fitPowerNet,
  POWER_PLAN,
  type PowerRows,
  powerRows,
  simulatedRows,
} from "../agent/models/convert/powernet.js";
import { readScada } from "../agent/models/convert/scada.js";
import { loadNetwork } from "../agent/models/network.js";
import { readGzip } from "../test/models/generic-rig.js";
import { hasSet } from "./monitor-sets.js";
import { failedRow, type Row } from "./result.js";

export const POWER_NAMES = ["powernet-vs-bins", "powernet-violations"] as const;
/** The first part of the record trains, the rest is never seen. */
const TRAIN_SHARE = 0.7;
const UNSEEN = { seed: 1001, turbines: 12 } as const;
/** Simulated turbines of a quick run: the bins learn from fewer than taught the network. */
const FEW = { known: 8, unseen: 4 } as const;

/** A real turbine's record by time, as `npm run train:powernet -- --data` would take it. */
export function yalova(): { known: PowerRows; unseen: PowerRows } {
  const scada = readScada(readGzip("yalova_scada", "T1_2018_01-06.csv.gz"), {
    wind: { header: "Wind Speed (m/s)", unit: "m/s" },
    power: { header: "LV ActivePower (kW)", unit: "kW" },
  });
  if (typeof scada === "string") throw new Error(scada);
  const { wind = new Float64Array(), power = new Float64Array() } = scada;
  const on = [...power.keys()].filter((i) => (power[i] as number) > 0);
  const from = Math.floor(TRAIN_SHARE * on.length);
  const pick = (at: readonly number[], rated_W: number | null): PowerRows => {
    const of = (values: Float64Array) => Float64Array.from(at, (i) => values[i] as number);
    return powerRows({ wind: of(wind), power: of(power) }, rated_W);
  };
  const known = pick(on.slice(0, from), null);
  return { known, unseen: pick(on.slice(from), known.rated_W) };
}

export function powerRowsOfBench(seeds: readonly number[], quick: boolean): Row[] {
  const [ratio, violations] = [{ max: 1 }, { max: 0 }];
  const bytes = readFileSync(packageFile("agent/models/powernet.onnx"));
  const shipped = loadNetwork(bytes, reference);
  if (typeof shipped === "string") {
    return POWER_NAMES.map((name) => failedRow(name, "1", { max: 1 }, shipped));
  }
  // The bins are of the very rows that taught the network.
  const simulated = comparePower(
    byFile(bytes),
    simulatedRows(quick ? { ...POWER_PLAN, turbines: FEW.known } : POWER_PLAN),
    simulatedRows({ ...POWER_PLAN, ...UNSEEN, ...(quick ? { turbines: FEW.unseen } : {}) }),
  );
  const few = quick ? ` (bins of ${FEW.known} turbines)` : "";
  let found = falls(shipped);
  let [worst, notes] = [ratioOf(simulated), [`simulator${few}: ${simulated.words}`]];
  if (hasSet("yalova_scada")) {
    const { known, unseen } = yalova();
    const scores = seeds.map((seed) => {
      const options = { output: "kW", data: "Yalova" } as const;
      const made = fitPowerNet(known, { ...POWER_PLAN, seed }, options);
      const network = loadNetwork(made.bytes, reference);
      found += typeof network === "string" ? 1 : falls(network);
      return comparePower(byNet(made.pupil, known), known, unseen);
    });
    const ratios = scores.map(ratioOf);
    worst = Math.max(worst, mean(ratios));
    const each = ratios.map((r) => r.toFixed(3)).join(" ");
    const all_kW = mean(scores.map(({ net_kW }) => net_kW)).toFixed(1);
    notes = [
      `Yalova: ${scores[0]?.words}; mean of all seeds ${all_kW} kW, ratio by seed ${each}`,
      ...notes,
    ];
  } else notes = ["Yalova: no data", ...notes];
  const about = `worse of the real (mean of ${seeds.length} seeds) and the simulated; time split, power above 0`;
  const proof = "weights on the wind's path are 0 or above, proven at load; grid of 1001 winds";
  return [
    { name: POWER_NAMES[0], value: worst, unit: "1", ...ratio, note: [about, ...notes].join("; ") },
    { name: POWER_NAMES[1], value: found, unit: "1", ...violations, note: proof },
  ];
}

const ratioOf = ({ net_kW, bins_kW }: PowerScore): number => net_kW / bins_kW;
const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

/** The shipped file, fed in SI. */
function byFile(bytes: Uint8Array): Expect {
  return (rows) => {
    const net = openColumns(bytes, reference, rows.columns);
    if (typeof net === "string") throw new Error(net);
    const width = rows.columns.length;
    const [values, y] = [new Float64Array(width), new Float32Array(1)];
    return Float64Array.from({ length: rows.count }, (_, i) => {
      values.set(rows.x.subarray(i * width, (i + 1) * width));
      // The rows hold degrees, as their columns say.
      rows.columns.forEach(({ unit }, c) => {
        if (unit === "deg") values[c] = ((values[c] as number) * Math.PI) / 180;
      });
      net.infer(values, y);
      return (y[0] as number) * rows.rated_W;
    });
  };
}
