//! The rows of `bench:monitors` and `eval`: which function measures which names.
import { runFleet } from "./fleet.js";
import { FLEET_NAMES, fleetRows } from "./fleet-rows.js";
import { CLASS_NAMES, classesOfFlights, classRows } from "./flight-class.js";
import { CRAZYPAD_NAMES, crazypadRows, PROPCUT_NAMES, propcutRows } from "./flight-rows.js";
import { CWRU_NAMES, cwruTrainedRows, gapRow, gearboxRow, vibnetGapRow } from "./monitor-blocks.js";
import { cwruRow } from "./monitor-cwru.js";
import { DRIFT_NAMES, driftRows } from "./monitor-drift.js";
import { femtoRow } from "./monitor-femto.js";
import { GAP_NAME, gapRow as rmseGapRow, SEQ_NAME, seqRows } from "./monitor-gap.js";
import { blockRow, latencyRow } from "./monitor-latency.js";
import { POWER_NAMES, powerRowsOfBench } from "./monitor-nets.js";
import { OTHER_NAMES, otherRows } from "./monitor-others.js";
import { WT23_NAMES, wt23Rows } from "./monitor-records.js";
import { cmapssRows } from "./monitor-sets.js";
import { NEVER_ms, plantSpeed } from "./plant-speed.js";
import { type Bound, failedRow, type Row } from "./result.js";

type Work = {
  /** What one run of `run` measures, in its order. */
  readonly names: readonly string[];
  readonly unit: string;
  readonly bound: Bound;
  readonly run: (effort: Effort) => Row[];
  /** Minutes of training whatever the seeds: not for a quick look. */
  readonly slow?: true;
};

export type Effort = {
  /** Of the simulated fleet. */
  readonly turbines: number;
  /** Of everything that is trained. */
  readonly seeds: readonly number[];
  /** Without what takes minutes however few the seeds. */
  readonly quick: boolean;
};

const WORK: readonly Work[] = [
  {
    names: ["cmapss-fd001", "cmapss-fd001-episodes"],
    unit: "%",
    bound: { min: 92 },
    run: () => cmapssRows("FD001"),
  },
  {
    names: ["cmapss-fd002", "cmapss-fd002-episodes"],
    unit: "%",
    bound: { min: 92 },
    run: () => cmapssRows("FD002"),
  },
  { names: WT23_NAMES, unit: "%", bound: { min: 90 }, run: wt23Rows },
  { names: DRIFT_NAMES, unit: "", bound: { min: 0 }, run: driftRows },
  { names: OTHER_NAMES, unit: "", bound: {}, run: otherRows },
  { names: ["femto"], unit: "%", bound: { min: 95 }, run: () => [femtoRow()] },
  { names: POWER_NAMES, unit: "1", bound: { max: 1 }, run: ({ seeds }) => powerRowsOfBench(seeds) },
  {
    names: [GAP_NAME],
    unit: "%",
    bound: { max: 10 },
    slow: true,
    run: ({ seeds }) => [rmseGapRow(seeds)],
  },
  { names: [SEQ_NAME], unit: "1", bound: {}, run: ({ seeds }) => seqRows(seeds) },
  {
    names: CWRU_NAMES,
    unit: "1",
    bound: { min: 0.97 },
    run: ({ seeds }) => cwruTrainedRows(seeds),
  },
  { names: ["cwru-f1-shipped"], unit: "1", bound: {}, run: () => [cwruRow()] },
  {
    names: ["gearbox-accuracy"],
    unit: "%",
    bound: { min: 99 },
    run: ({ seeds }) => [gearboxRow(seeds)],
  },
  {
    names: ["ternary-f1-gap"],
    unit: "points",
    bound: { max: 1 },
    run: ({ seeds }) => [gapRow(seeds, flightPairs(seeds))],
  },
  {
    names: ["vibnet-f1-gap"],
    unit: "points",
    bound: { max: 1 },
    slow: true,
    run: ({ seeds }) => [vibnetGapRow(seeds)],
  },
  { names: PROPCUT_NAMES, unit: "%", bound: { max: 2 }, run: propcutRows },
  { names: CLASS_NAMES, unit: "1", bound: { min: 0.84 }, run: ({ seeds }) => classRows(seeds) },
  { names: CRAZYPAD_NAMES, unit: "%", bound: { max: 2 }, run: crazypadRows },
  { names: ["sim-speed"], unit: "x", bound: { min: 100_000 }, run: () => [simSpeed()] },
  { names: ["latency-p99"], unit: "ms", bound: { max: 12 }, run: () => [latencyRow()] },
  { names: ["block-p99"], unit: "ms", bound: { max: 15 }, run: () => [blockRow()] },
  {
    names: FLEET_NAMES,
    unit: "",
    bound: { min: 0 },
    run: ({ turbines }) => fleetRows(runFleet(turbines)),
  },
];

const flightPairs = (seeds: readonly number[]) =>
  CLASS_NAMES.flatMap((name) => {
    const found = classesOfFlights(name, seeds);
    return found === null ? [] : [[name.replace("-f1", ""), found] as const];
  });

function simSpeed(): Row {
  const value = plantSpeed("wind-turbine", 100, NEVER_ms);
  const note = "wind turbine, the slowest plant with scalars; the others: bench:plants";
  return { name: "sim-speed", value, unit: "x", min: 100_000, note };
}

/** Rows by name, all of them for null; one that cannot be measured has no value and says why. */
export function measure(only: readonly string[] | null, effort: Effort): Row[] {
  const known = WORK.flatMap(({ names }) => names);
  const strange = (only ?? []).filter((name) => !known.includes(name));
  if (strange.length > 0)
    throw new Error(`no row ${strange.join(", ")}; there are ${known.join()}`);
  return WORK.filter(({ names }) => only === null || names.some((name) => only.includes(name)))
    .flatMap((work) => {
      const named = work.names.join(", ");
      if (effort.quick && work.slow === true) {
        console.log(`${named}: minutes of training, left out of a quick run`);
        return [];
      }
      console.log(`${named} ...`);
      const from_ms = performance.now();
      const rows = rowsOf(work, effort);
      console.log(`  ${((performance.now() - from_ms) / 1000).toFixed(0)} s`);
      return rows;
    })
    .filter(({ name }) => only === null || only.includes(name));
}

function rowsOf({ names, unit, bound, run }: Work, effort: Effort): Row[] {
  try {
    return run(effort);
  } catch (error) {
    console.error(error);
    const why = String(error).split("\n")[0] ?? "";
    return names.map((name) => failedRow(name, unit, bound, why));
  }
}
