//! The monitors against B2, B3 and R1 on a simulated fleet, each of those at the limit at which it
//! finds as many faults as they do. `node dist/bench/fleet.js 1 18` runs the turbines of those seeds
//! ahead and says what they say; a run that was cut short goes on.
import { cachedTurbine, type FleetTurbine } from "./fleet-cache.js";
import { ABLATIONS, type Ablation, PRODUCT_LIMIT, saidAt } from "./fleet-ours.js";
import {
  alarmsOf,
  grouped,
  limitScores,
  ridgeScores,
  type Said,
  type Scored,
} from "./fleet-plain.js";
import { planTurbine } from "./fleet-plan.js";
import { RAW_LIMITS } from "./fleet-raw.js";
import {
  type Figures,
  figures,
  type Judged,
  judge,
  machineAlarms,
  sensorsAsMachine,
  worstFlood,
} from "./fleet-score.js";

/** Seeds from here are for the report alone; 1 to 99 are for tuning, 1000 to 2999 were looked at before. */
const TEST_SEED = 3000;
/** Spreads of the healthy period, 1 to 110: far beyond where the plain methods go blind. */
const LIMITS = Array.from({ length: 95 }, (_, i) => Number((1.05 ** i).toPrecision(3)));
/** Evidence that the monitors would have to gather. */
const EVIDENCE = Array.from({ length: 32 }, (_, i) => Number((4 * 1.15 ** i).toPrecision(3)));

export type Method = {
  readonly name: string;
  readonly limit: number | null;
  readonly figures: Figures;
  readonly judged: readonly Judged[];
};
export type Fleet = {
  readonly turbines: number;
  readonly months: number;
  readonly commissioned: number;
  readonly faults: number;
  readonly ours: Method;
  /** The product again from its features, and at other limits. */
  readonly replayed: Method;
  readonly curve: readonly Method[];
  readonly ablations: readonly Method[];
  readonly families: readonly (readonly Method[])[];
  /** B0 and B1 where their readings are kept, at the equal recall of ours on those turbines. */
  readonly raw: { readonly turbines: number; readonly methods: readonly Method[] };
  readonly sensors: { readonly taken: number; readonly of: number };
  readonly flood: number;
};

export function runFleet(turbines: number, from = TEST_SEED): Fleet {
  const runs = Array.from({ length: turbines }, (_, i) => {
    const run = cachedTurbine(planTurbine(from + i, i));
    console.log(`  turbine ${from + i}: ${machineAlarms(run).length} alarms of the machine`);
    return run;
  });
  return scoreFleet(runs);
}

export function scoreFleet(runs: readonly FleetTurbine[]): Fleet {
  const ours = method("Sterna", null, runs, runs.map(machineAlarms));
  const replay = (name: string, limit: number, without: Ablation | null): Method =>
    method(
      name,
      limit,
      runs,
      runs.map((run) => saidAt(run, limit, without)),
    );
  const limits = runs.map(({ means }) => limitScores(means));
  const ridge = runs.map(({ means }) => ridgeScores(means));
  const families = [
    sweep("B2", runs, limits, (said) => said),
    sweep("B3", runs, limits, grouped),
    sweep("R1", runs, ridge, grouped),
  ];
  return {
    turbines: runs.length,
    months: ours.judged.reduce((sum, { months }) => sum + months, 0),
    commissioned: runs.filter(({ baseline }) => baseline !== null).length,
    faults: ours.judged.flatMap((one) => one.faults).length,
    ours,
    replayed: replay("replayed", PRODUCT_LIMIT, null),
    curve: EVIDENCE.map((limit) => replay("Sterna", limit, null)),
    ablations: ABLATIONS.map((without) => replay(`without ${without}`, PRODUCT_LIMIT, without)),
    families,
    raw: rawMethods(runs),
    sensors: sensorsAsMachine(runs),
    flood: worstFlood(runs),
  };
}

function method(
  name: string,
  limit: number | null,
  runs: readonly FleetTurbine[],
  said: readonly (readonly Said[])[],
): Method {
  const judged = judge(runs, said);
  return { name, limit, judged, figures: figures(judged) };
}

function sweep(
  name: string,
  runs: readonly FleetTurbine[],
  scored: readonly Scored[],
  after: (said: readonly Said[]) => readonly Said[],
): Method[] {
  return LIMITS.map((limit) =>
    method(
      name,
      limit,
      runs,
      scored.map((one) => after(alarmsOf(one, limit))),
    ),
  );
}

function rawMethods(all: readonly FleetTurbine[]): Fleet["raw"] {
  const runs = all.filter(({ raw }) => raw !== null);
  if (runs.length === 0) return { turbines: 0, methods: [] };
  const ours = method("Sterna", null, runs, runs.map(machineAlarms));
  const methods = (["b0", "b1"] as const).map((key) => {
    const swept = RAW_LIMITS.map((limit, l) =>
      method(
        key.toUpperCase(),
        limit,
        runs,
        runs.map(({ raw }) => raw?.[key][l] ?? []),
      ),
    );
    return nearest(swept, ours, "recall");
  });
  return { turbines: runs.length, methods };
}

/** Most of `key`, and of those the one with the fewest false alarms. */
export const most = (all: readonly Method[], key: "recall" | "net"): Method =>
  [...all].sort(
    (a, b) => b.figures[key] - a.figures[key] || a.figures.falsely - b.figures.falsely,
  )[0] as Method;

/**
 * The fewest false alarms at which a method finds as much as ours, or one fault less, so that steps
 * of the sweep never favour us; where it never does, those at the most that it finds.
 */
export function nearest(all: readonly Method[], ours: Method, key: "recall" | "net"): Method {
  const one = 1 / ours.judged.flatMap(({ faults }) => faults).length;
  const equal = all.filter(({ figures: f }) => f[key] >= ours.figures[key] - one - 1e-9);
  if (equal.length === 0) return most(all, key);
  return equal.reduce((a, b) => (b.figures.falsely < a.figures.falsely ? b : a));
}

if (import.meta.main) {
  // Of `count` turbines the ones from `first` on, each `step`-th: pieces may run side by side.
  const [from = 1, count = 9, first = 0, step = 1] = process.argv.slice(2).map(Number);
  for (let i = first; i < count; i += step) {
    const run = cachedTurbine(planTurbine(from + i, i));
    console.log(`turbine ${from + i}: ${machineAlarms(run).length} alarms of the machine`);
  }
}
