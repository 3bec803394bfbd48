//! The monitors against B2, B3 and R1 on a simulated fleet, each of those at the limit at which it
//! finds as many faults as they do; and on the same turbines built as the monitors think.
//! `node dist/bench/fleet.js 1 18` runs the turbines of those seeds and says what they say.
import { type FleetTurbine, isKept, keptTurbine, pieceOf } from "./fleet-cache.js";
import { ABLATIONS, type Ablation, PRODUCT_LIMIT, saidAt } from "./fleet-ours.js";
import {
  alarmsOf,
  grouped,
  limitScores,
  ridgeScores,
  type Said,
  type Scored,
} from "./fleet-plain.js";
import { type FleetPlan, planTurbine, TUNING_SEED } from "./fleet-plan.js";
import { RAW_LIMITS } from "./fleet-raw.js";
import {
  type Figures,
  figures,
  type Judged,
  judge,
  machineAlarms,
  type SensorsTaken,
  sensorsAsMachine,
  worstFlood,
} from "./fleet-score.js";
import { runPieces } from "./pieces.js";

/** So many turbines run once more without mismatch: each of nine kinds of faults four times. */
const MATCHED = 18;
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
  /** The first seed. */
  readonly from: number;
  readonly turbines: number;
  readonly months: number;
  readonly commissioned: number;
  readonly ours: Method;
  /** The product again from its features, and at other limits. */
  readonly replayed: Method;
  readonly curve: readonly Method[];
  readonly ablations: readonly Method[];
  /** The plain methods, each at every limit of its sweep. */
  readonly plain: Readonly<Record<"b0" | "b1" | "b2" | "b3" | "r1", readonly Method[]>>;
  /** The product on the same turbines with and without mismatch. */
  readonly matched: { readonly with: Method; readonly without: Method };
  readonly sensors: readonly SensorsTaken[];
  readonly flood: number;
};

/** Which turbines: `count` from a seed on. */
export type Extent = { readonly from: number; readonly count: number };

/** The turbines of a fleet, then the first of them once more without mismatch. */
export function plansOf({ from, count }: Extent): FleetPlan[] {
  const plans = (many: number, matched: boolean): FleetPlan[] =>
    Array.from({ length: many }, (_, i) => planTurbine(from + i, i, matched));
  return [...plans(count, false), ...plans(Math.min(count, MATCHED), true)];
}

/** Of turbines that were run: see `plansOf` and `pieceOf`. */
export function keptFleet(extent: Extent): Fleet {
  const turbines = plansOf(extent).map(keptTurbine);
  const matched = turbines.filter(({ plan }) => plan.matched);
  return scoreFleet(
    turbines.filter(({ plan }) => !plan.matched),
    matched,
  );
}

export function scoreFleet(runs: readonly FleetTurbine[], matched: readonly FleetTurbine[]): Fleet {
  const product = (of: readonly FleetTurbine[]): Method =>
    method("Sterna", null, of, of.map(machineAlarms));
  const ours = product(runs);
  const replay = (name: string, limit: number, without: Ablation | null): Method =>
    method(
      name,
      limit,
      runs,
      runs.map((run) => saidAt(run, limit, without)),
    );
  const limits = runs.map(({ means }) => limitScores(means));
  const ridge = runs.map(({ means }) => ridgeScores(means));
  const plain = {
    b0: rawSweep("b0", runs),
    b1: rawSweep("b1", runs),
    b2: sweep("B2", runs, limits, (said) => said),
    b3: sweep("B3", runs, limits, grouped),
    r1: sweep("R1", runs, ridge, grouped),
  };
  return {
    from: runs[0]?.plan.seed ?? Number.NaN,
    turbines: runs.length,
    months: ours.judged.reduce((sum, { months }) => sum + months, 0),
    commissioned: runs.filter(({ baseline }) => baseline !== null).length,
    ours,
    replayed: replay("replayed", PRODUCT_LIMIT, null),
    curve: EVIDENCE.map((limit) => replay("Sterna", limit, null)),
    ablations: ABLATIONS.map((without) => replay(`without ${without}`, PRODUCT_LIMIT, without)),
    plain,
    matched: { with: product(runs.slice(0, matched.length)), without: product(matched) },
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

function rawSweep(key: "b0" | "b1", runs: readonly FleetTurbine[]): Method[] {
  return RAW_LIMITS.map((limit, l) =>
    method(
      key.toUpperCase(),
      limit,
      runs,
      runs.map(({ raw }) => raw[key][l] ?? []),
    ),
  );
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
  const [from = TUNING_SEED, count = 9] = process.argv.slice(2).map(Number);
  const plans = Array.from({ length: count }, (_, i) => planTurbine(from + i, i));
  await runPieces(plans.filter((plan) => !isKept(plan)).map(pieceOf));
  for (const run of plans.map(keptTurbine)) {
    console.log(`turbine ${run.plan.seed}: ${machineAlarms(run).length} alarms of the machine`);
  }
}
