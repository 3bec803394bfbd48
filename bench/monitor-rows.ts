//! The rows of `bench:monitors` and `eval`: which function measures which names.
import { FLEET_NAMES, fleetRows, runFleet } from "./fleet.js";
import { blockRow, latencyRow } from "./monitor-latency.js";
import { femtoRow, WT23_NAMES, wt23Rows } from "./monitor-records.js";
import { cmapssRows } from "./monitor-sets.js";
import { type Bound, failedRow, type Row } from "./result.js";

type Work = {
  /** What one run of `run` measures, in its order. */
  readonly names: readonly string[];
  readonly unit: string;
  readonly bound: Bound;
  readonly run: (quick: boolean) => Row[];
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
  { names: ["femto"], unit: "%", bound: { min: 95 }, run: () => [femtoRow()] },
  { names: ["latency-p99"], unit: "ms", bound: { max: 12 }, run: () => [latencyRow()] },
  { names: ["block-p99"], unit: "ms", bound: { max: 15 }, run: () => [blockRow()] },
  { names: FLEET_NAMES, unit: "", bound: { min: 0 }, run: (quick) => fleetRows(runFleet(quick)) },
];

/** Rows by name, all of them for null; one that cannot be measured has no value and says why. */
export function measure(only: readonly string[] | null, quick: boolean): Row[] {
  const known = WORK.flatMap(({ names }) => names);
  const strange = (only ?? []).filter((name) => !known.includes(name));
  if (strange.length > 0) throw new Error(`no row ${strange.join(", ")}; there are ${known.join()}`);
  return WORK.filter(({ names }) => only === null || names.some((name) => only.includes(name)))
    .flatMap((work) => {
      console.log(`${work.names.join(", ")} ...`);
      return rowsOf(work, quick);
    })
    .filter(({ name }) => only === null || only.includes(name));
}

function rowsOf({ names, unit, bound, run }: Work, quick: boolean): Row[] {
  try {
    return run(quick);
  } catch (error) {
    console.error(error);
    const why = String(error).split("\n")[0] ?? "";
    return names.map((name) => failedRow(name, unit, bound, why));
  }
}
