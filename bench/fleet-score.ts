//! What an alarm of the fleet counts for: a fault found, a false alarm, or nothing. The same rule
//! for the monitors and for the plain methods.

import type { Said } from "./fleet-plain.js";
import { DAY_s, type Episode, MONTHS, RECOVERY_days } from "./fleet-plan.js";
import type { TurbineRun } from "./fleet-turbine.js";
import { median } from "./result.js";

/** Components whose alarm finds a fault: its own, and what it is bound to change as well. */
const FINDS: Readonly<Record<string, readonly string[]>> = {
  hss_bearing: ["hss"],
  hss_bearing_inner: ["hss"],
  gen_cooling: ["generator"],
  gear_loss: ["gearbox", "hss"],
  main_bearing: ["main-bearing"],
  blade: ["rotor"],
  yaw_misalign: ["yaw", "rotor"],
  pitch_stuck: ["pitch", "rotor"],
  imbalance: ["tower"],
};

const COMPONENTS: Readonly<Record<string, string>> = {
  "gearbox-hss": "hss",
  "hss-bearing-temp": "hss",
  "hss-bearing-hot": "hss",
  "generator-cooling": "generator",
  "winding-hot": "generator",
  "gearbox-oil": "gearbox",
  "oil-hot": "gearbox",
  "main-bearing": "main-bearing",
  "main-bearing-hot": "main-bearing",
  "rotor-performance": "rotor",
  "yaw-misalignment": "yaw",
  "pitch-jam": "pitch",
  "rotor-imbalance": "tower",
};

/** What an operator sees of the machine: alarms that no other one explains. */
export function machineAlarms(run: TurbineRun): Said[] {
  return run.raised
    .filter((alarm) => alarm.class === "machine" && !alarm.folded)
    .map(({ id, at_s }) => ({ at_s, component: COMPONENTS[id] ?? id }));
}

export type Judged = {
  readonly falsely: number;
  readonly months: number;
  readonly faults: readonly Found[];
};
/** `delay_s` of a fault that was found; `witnesses`: when turbines without it "find" it, too. */
export type Found = {
  readonly name: string;
  readonly delay_s: number | null;
  readonly witnesses: readonly (number | null)[];
};

const within = (said: Said, { from_s, to_s }: Episode): boolean =>
  said.at_s >= from_s && said.at_s <= to_s;
const matches = (said: Said, fault: Episode): boolean =>
  within(said, fault) && (FINDS[fault.name] ?? []).includes(said.component);
const faultsOf = ({ plan }: TurbineRun): Episode[] =>
  plan.episodes.filter((episode) => episode.class === "machine");

/** Each turbine of the fleet; `said` holds the alarms of one method by turbine. */
export function judge(runs: readonly TurbineRun[], said: readonly (readonly Said[])[]): Judged[] {
  return runs.map((run, t) => {
    const own = said[t] ?? [];
    const faults = faultsOf(run);
    const wrong = own.filter((alarm) => {
      if (alarm.at_s < run.plan.begin_s) return false;
      return faults.every((fault) => {
        const forgets = alarm.at_s > fault.to_s && alarm.at_s < fault.to_s + RECOVERY_days * DAY_s;
        return !matches(alarm, fault) && !forgets;
      });
    });
    const falsely = wrong.reduce((sum, { times = 1 }) => sum + times, 0);
    return {
      falsely,
      months: MONTHS,
      faults: faults.map((fault) => {
        const first = own.find((alarm) => matches(alarm, fault));
        const delay_s = first === undefined ? null : first.at_s - fault.from_s;
        return { name: fault.name, delay_s, witnesses: witnessesOf(runs, said, t, fault) };
      }),
    };
  });
}

function witnessesOf(
  runs: readonly TurbineRun[],
  said: readonly (readonly Said[])[],
  self: number,
  fault: Episode,
): (number | null)[] {
  const finds = FINDS[fault.name] ?? [];
  const others = runs.flatMap((run, t) => {
    // A turbine with a fault that this component would show is no witness.
    const busy = faultsOf(run).some(
      (other) =>
        (FINDS[other.name] ?? []).some((component) => finds.includes(component)) &&
        other.from_s < fault.to_s &&
        other.to_s + RECOVERY_days * DAY_s > fault.from_s,
    );
    return t === self || busy ? [] : [said[t] ?? []];
  });
  return others.map((list) => {
    const first = list.find((alarm) => matches(alarm, fault));
    return first === undefined ? null : first.at_s - fault.from_s;
  });
}

const shareWithin = (delays: readonly (number | null)[], limit_s: number): number =>
  delays.length === 0
    ? 0
    : delays.filter((delay_s) => delay_s !== null && delay_s <= limit_s).length / delays.length;

/** Share found within a time, less the share that is found on turbines without the fault. */
function netWithin(faults: readonly Found[], limit_s: number): number {
  const chance = faults.reduce((sum, { witnesses }) => sum + shareWithin(witnesses, limit_s), 0);
  const found = shareWithin(
    faults.map(({ delay_s }) => delay_s),
    limit_s,
  );
  return found - chance / faults.length;
}

/** When half of what is found, chance taken out of both, has been found. */
function netMedian_h(faults: readonly Found[]): number {
  const half = netWithin(faults, Number.POSITIVE_INFINITY) / 2;
  const times = faults.flatMap(({ delay_s }) => (delay_s === null ? [] : [delay_s]));
  const first = times.sort((a, b) => a - b).find((t) => netWithin(faults, t) >= half);
  return half > 0 && first !== undefined ? first / 3600 : Number.NaN;
}

export type Figures = {
  /** A turbine and month. */
  readonly falsely: number;
  readonly recall: number;
  readonly net: number;
  readonly delay_h: number;
  readonly delay90_h: number;
  /** Half of the faults that are found beyond chance are found within. */
  readonly netDelay_h: number;
};

export function figures(judged: readonly Judged[]): Figures {
  const faults = judged.flatMap((one) => one.faults);
  const months = judged.reduce((sum, one) => sum + one.months, 0);
  const falsely = judged.reduce((sum, one) => sum + one.falsely, 0) / months;
  const delays = faults.flatMap(({ delay_s }) => (delay_s === null ? [] : [delay_s / 3600]));
  const found = delays.length / faults.length;
  const sorted = [...delays].sort((a, b) => a - b);
  const delay90_h = sorted[Math.ceil(0.9 * sorted.length) - 1] ?? Number.NaN;
  const net = netWithin(faults, Number.POSITIVE_INFINITY);
  const netDelay_h = netMedian_h(faults);
  return { falsely, recall: found, net, delay_h: median(delays), delay90_h, netDelay_h };
}

/** By turbine, the faults of sensors, and those during which an alarm of the machine came. */
export type SensorsTaken = { readonly taken: number; readonly of: number };
export function sensorsAsMachine(runs: readonly TurbineRun[]): SensorsTaken[] {
  return runs.map((run) => {
    const said = machineAlarms(run);
    const faults = run.plan.episodes.filter((episode) => episode.class === "sensor");
    const taken = faults.filter((fault) => said.some((alarm) => within(alarm, fault)));
    return { taken: taken.length, of: faults.length };
  });
}

/** The most alarms of any class in ten minutes of one turbine, explained ones left out. */
export function worstFlood(runs: readonly TurbineRun[]): number {
  return Math.max(
    0,
    ...runs.map(({ raised, plan }) => {
      const times = raised.flatMap(({ at_s, folded }) =>
        folded || at_s < plan.begin_s ? [] : [at_s],
      );
      return Math.max(0, ...times.map((t) => times.filter((u) => u >= t && u < t + 600).length));
    }),
  );
}
