//! The rows of `bench:monitors` and `eval`: which function measures which names, and when. As a
//! program it measures those of one process and sends them: `monitor-run.ts` starts it.
import { type Extent, keptFleet } from "./fleet.js";
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
import type { Piece } from "./pieces.js";
import { NEVER_ms, plantSpeed } from "./plant-speed.js";
import { type Bound, failedRow, type Row } from "./result.js";

export type Work = {
  /** What one run of `run` measures, in its order. */
  readonly names: readonly string[];
  readonly unit: string;
  readonly bound: Bound;
  readonly run: (effort: Effort) => Row[];
  /** Before all else and alone, since it measures time; or of what the processes left behind. */
  readonly when?: "alone" | "after";
  /** Rows of one word share what they train, and so a process. */
  readonly shares?: string;
};

export type Effort = {
  readonly fleet: Extent;
  /** Of everything that is trained. */
  readonly seeds: readonly number[];
  /** Fewer simulated turbines to learn from, and shorter training, where that takes minutes. */
  readonly quick: boolean;
};

export const WORK: readonly Work[] = [
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
  {
    names: POWER_NAMES,
    unit: "1",
    bound: { max: 1 },
    run: ({ seeds, quick }) => powerRowsOfBench(seeds, quick),
  },
  {
    names: [GAP_NAME],
    unit: "%",
    bound: { max: 10 },
    run: ({ seeds, quick }) => [rmseGapRow(seeds, quick)],
  },
  { names: [SEQ_NAME], unit: "1", bound: {}, run: ({ seeds }) => seqRows(seeds) },
  {
    names: CWRU_NAMES,
    shares: "classes",
    unit: "1",
    bound: { min: 0.97 },
    run: ({ seeds }) => cwruTrainedRows(seeds),
  },
  { names: ["cwru-f1-shipped"], unit: "1", bound: {}, run: () => [cwruRow()] },
  {
    names: ["gearbox-accuracy"],
    shares: "classes",
    unit: "%",
    bound: { min: 99 },
    run: ({ seeds }) => [gearboxRow(seeds)],
  },
  {
    names: ["ternary-f1-gap"],
    shares: "classes",
    unit: "points",
    bound: { max: 1 },
    run: ({ seeds }) => [gapRow(seeds, flightPairs(seeds))],
  },
  {
    names: ["vibnet-f1-gap"],
    unit: "points",
    bound: { max: 1 },
    run: ({ seeds, quick }) => [vibnetGapRow(seeds, quick)],
  },
  { names: PROPCUT_NAMES, unit: "%", bound: { max: 2 }, run: propcutRows },
  {
    names: CLASS_NAMES,
    unit: "1",
    bound: { min: 0.84 },
    shares: "classes",
    run: ({ seeds }) => classRows(seeds),
  },
  { names: CRAZYPAD_NAMES, unit: "%", bound: { max: 2 }, run: crazypadRows },
  {
    names: ["sim-speed"],
    unit: "x",
    bound: { min: 100_000 },
    when: "alone",
    run: () => [simSpeed()],
  },
  {
    names: ["latency-p99"],
    unit: "ms",
    bound: { max: 12 },
    when: "alone",
    run: () => [latencyRow()],
  },
  { names: ["block-p99"], unit: "ms", bound: { max: 15 }, when: "alone", run: () => [blockRow()] },
  {
    names: FLEET_NAMES,
    unit: "",
    bound: { min: 0 },
    when: "after",
    run: ({ fleet }) => fleetRows(keptFleet(fleet)),
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

/** One that cannot be measured has no value and says why. */
export function rowsOf({ names, unit, bound, run }: Work, effort: Effort): Row[] {
  const from_ms = performance.now();
  try {
    return run(effort);
  } catch (error) {
    console.error(error);
    const why = String(error).split("\n")[0] ?? "";
    return names.map((name) => failedRow(name, unit, bound, why));
  } finally {
    console.log(`${names.join(", ")}: ${((performance.now() - from_ms) / 1000).toFixed(0)} s`);
  }
}

/** What a process is asked for: works by the first of their names. */
type Asked = { readonly first: readonly string[]; readonly effort: Effort };

/** The piece that sends the rows of these works. */
export function pieceOf(works: readonly Work[], effort: Effort): Piece {
  const asked: Asked = { first: works.map(({ names }) => names[0] ?? ""), effort };
  return { file: import.meta.filename, args: [JSON.stringify(asked)] };
}

if (import.meta.main) {
  const { first, effort } = JSON.parse(process.argv[2] ?? "") as Asked;
  const works = WORK.filter(({ names }) => first.includes(names[0] ?? ""));
  process.send?.(works.flatMap((work) => rowsOf(work, effort)));
}
