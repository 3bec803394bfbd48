//! Rows of the simulated fleet: the monitors against B2, B3 and R1, each of those at the limit at
//! which it finds as many faults as they do.
import { cachedTurbine } from "./fleet-cache.js";
import {
  alarmsOf,
  grouped,
  limitScores,
  ridgeScores,
  type Said,
  type Scored,
} from "./fleet-plain.js";
import { planTurbine } from "./fleet-plan.js";
import {
  type Figures,
  figures,
  type Judged,
  judge,
  machineAlarms,
  sensorsAsMachine,
  worstFlood,
} from "./fleet-score.js";
import type { TurbineRun } from "./fleet-turbine.js";
import { bootstrap, intervalText, reduction_pct } from "./intervals.js";
import { failedRow, type Row } from "./result.js";

/** Held back for the report; 1 to 99 are for tuning. */
const TEST_SEED = 1000;
/** Spreads of the healthy period, 1 to 110: far beyond where the plain methods go blind. */
const LIMITS = Array.from({ length: 95 }, (_, i) => Number((1.05 ** i).toPrecision(3)));

export type Method = {
  readonly name: string;
  readonly limit: number | null;
  readonly figures: Figures;
  readonly judged: readonly Judged[];
};
export type Fleet = {
  readonly turbines: number;
  readonly commissioned: number;
  readonly faults: number;
  readonly ours: Method;
  /** Each at the recall of ours, plain and net of chance. */
  readonly plain: readonly Method[];
  readonly net: readonly Method[];
  /** Each at its own best recall. */
  readonly best: readonly Method[];
  readonly sensors: { readonly taken: number; readonly of: number };
  readonly flood: number;
};

export function runFleet(turbines: number): Fleet {
  const runs = Array.from({ length: turbines }, (_, i) => {
    const run = cachedTurbine(planTurbine(TEST_SEED + i, i));
    console.log(`  turbine ${TEST_SEED + i}: ${run.raised.length} alarms of all classes`);
    return run;
  });
  return scoreFleet(runs);
}

export function scoreFleet(runs: readonly TurbineRun[]): Fleet {
  const ours = method("Sterna", null, runs, runs.map(machineAlarms));
  const limits = runs.map(limitScores);
  const ridge = runs.map(ridgeScores);
  const families = [
    sweep("B2", runs, limits, (said) => said),
    sweep("B3", runs, limits, grouped),
    sweep("R1", runs, ridge, grouped),
  ];
  const at = (key: "recall" | "net") => families.map((all) => nearest(all, ours, key));
  return {
    turbines: runs.length,
    commissioned: runs.filter((run) => run.commissioned).length,
    faults: ours.judged.flatMap((one) => one.faults).length,
    ours,
    plain: at("recall"),
    net: at("net"),
    best: families.map((all) => most(all, "recall")),
    sensors: sensorsAsMachine(runs),
    flood: worstFlood(runs),
  };
}

function method(
  name: string,
  limit: number | null,
  runs: readonly TurbineRun[],
  said: readonly (readonly Said[])[],
): Method {
  const judged = judge(runs, said);
  return { name, limit, judged, figures: figures(judged) };
}

function sweep(
  name: string,
  runs: readonly TurbineRun[],
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

/** Most of `key`, and of those the one with the fewest false alarms. */
const most = (all: readonly Method[], key: "recall" | "net"): Method =>
  [...all].sort(
    (a, b) => b.figures[key] - a.figures[key] || a.figures.falsely - b.figures.falsely,
  )[0] as Method;

/**
 * The fewest false alarms at which a method finds as much as ours, or one fault less, so that steps
 * of the sweep never favour us; where it never does, those at the most that it finds.
 */
function nearest(all: readonly Method[], ours: Method, key: "recall" | "net"): Method {
  const one = 1 / ours.judged.flatMap(({ faults }) => faults).length;
  const equal = all.filter(({ figures: f }) => f[key] >= ours.figures[key] - one - 1e-9);
  if (equal.length === 0) return most(all, key);
  return equal.reduce((a, b) => (b.figures.falsely < a.figures.falsely ? b : a));
}

const REDUCTION = { limits: 87, ridge: 60 }; // per cent, least
export const FLEET_NAMES = [
  "sim-false-alarm-reduction",
  "sim-false-alarm-reduction-b2",
  "sim-false-alarm-reduction-r1",
  "sim-recall-ratio",
  "sim-delay-ratio",
  "sensor-as-machine",
  "flood",
  "sim-sterna",
  "sim-b2",
  "sim-b3",
  "sim-r1",
] as const;

export function fleetRows(fleet: Fleet): Row[] {
  const { ours, plain, net, sensors } = fleet;
  const found = (name: string, list: readonly Method[]): Method =>
    list.find((one) => one.name === name) ?? ours;
  const b3 = found("B3", plain);
  const size = `${fleet.turbines} turbine-months, ${fleet.faults} faults`;
  const taken = (100 * sensors.taken) / sensors.of;
  const ratio = { name: "sim-delay-ratio", unit: "1", max: 0.5 };
  return [
    falseRow("sim-false-alarm-reduction", "B3", REDUCTION.limits),
    falseRow("sim-false-alarm-reduction-b2", "B2", REDUCTION.limits),
    falseRow("sim-false-alarm-reduction-r1", "R1", REDUCTION.ridge),
    {
      name: "sim-recall-ratio",
      value: ours.figures.recall / b3.figures.recall,
      unit: "1",
      min: 1,
      note: `${text(ours.figures.recall)} against ${text(b3.figures.recall)} of B3 at its limit of the row above, net ${text(ours.figures.net)} against ${text(b3.figures.net)}; best of B3 ${text(found("B3", fleet.best).figures.recall)}; ${size}`,
    },
    {
      ...ratio,
      value: ours.figures.delay_h / b3.figures.delay_h,
      note: `median ${text(ours.figures.delay_h)} h against ${text(b3.figures.delay_h)} h of B3 and ${text(found("R1", plain).figures.delay_h)} h of R1, each at the limit of equal recall`,
    },
    {
      name: "sensor-as-machine",
      value: taken,
      unit: "%",
      max: 2,
      note: `${sensors.taken} of ${sensors.of} faults of sensors`,
    },
    { name: "flood", value: fleet.flood, unit: "alarms/10 min", max: 9, note: size },
    summary(
      "sim-sterna",
      ours,
      `${fleet.commissioned} of ${fleet.turbines} commissioned themselves`,
    ),
    summary("sim-b2", found("B2", plain), ""),
    summary("sim-b3", b3, ""),
    summary("sim-r1", found("R1", plain), ""),
  ];

  function summary(name: string, { figures: f, limit, judged }: Method, more: string): Row {
    const missed = judged.flatMap((one) =>
      one.faults.flatMap((fault) => (fault.delay_s === null ? [fault.name] : [])),
    );
    const parts = [
      `recall ${text(f.recall)}, net of chance ${text(f.net)}`,
      `delay p50 ${text(f.delay_h)} h, p90 ${text(f.delay90_h)} h`,
      limit === null ? more : `limit ${limit} spreads`,
      missed.length === 0 ? "" : `missed ${missed.join(", ")}`,
    ];
    const note = parts.filter((part) => part !== "").join("; ");
    return { name, value: f.falsely, unit: "false/turbine-month", note };
  }

  function falseRow(name: string, peer: string, min: number): Row {
    const [own, other] = [found(peer, plain), found(peer, net)];
    const cut = (one: Method): number => reduction_pct(ours.figures.falsely, one.figures.falsely);
    const worse = cut(own) <= cut(other) ? own : other;
    const value = cut(worse);
    if (!Number.isFinite(value)) return failedRow(name, "%", { min }, `${peer} has no false alarm`);
    const interval = bootstrap(
      ours.judged.map((judged, i) => ({ ours: judged, peer: worse.judged[i] as Judged })),
      (pairs) =>
        reduction_pct(
          pairs.reduce((sum, pair) => sum + pair.ours.falsely, 0),
          pairs.reduce((sum, pair) => sum + pair.peer.falsely, 0),
        ),
    );
    const a_month = `${text(ours.figures.falsely)} a turbine-month against ${text(own.figures.falsely)} at recall ${text(own.figures.recall)} (ours ${text(ours.figures.recall)}), ${text(other.figures.falsely)} at net recall ${text(other.figures.net)} (ours ${text(ours.figures.net)})`;
    return {
      name,
      value,
      unit: "%",
      min,
      note: `${a_month}; ${intervalText(interval)} over turbines; ${size}`,
    };
  }
}

const text = (value: number): string => String(Number(value.toPrecision(3)));
