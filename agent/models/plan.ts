//! Which part of a network runs on which device: the cheapest way through measured costs, under
//! limits of memory, numeric tier, power and time. Pure and deterministic: the same measurements
//! give the same placement, with the reasons in words.
import type { Tier } from "../base/telemetry.js";

/** What cannot be divided: the stages between two places where the network may be cut. */
export type Unit = {
  readonly name: string;
  /** Weights, as the device holds them. */
  readonly weights_bytes: number;
  /** Values that cross into it and out of it. */
  readonly valuesIn: number;
  readonly valuesOut: number;
  /** Measured time on each device without the crossing, by its name; or why it cannot run there. */
  readonly core_us: Readonly<Record<string, number | string>>;
};

export type Device = {
  readonly name: string;
  readonly tier: Tier;
  /** Cost of one call, and of each value that crosses. */
  readonly call_us: number;
  readonly value_us: number;
  readonly memory_bytes: number;
  /** While it computes; null where nobody knows. */
  readonly power_W: number | null;
};

export type Limits = {
  /** Devices that may be used; null: all. */
  readonly allow: readonly string[] | null;
  readonly prefer: "latency" | "energy";
  /** Devices that draw more are not used; one whose draw nobody knows neither. */
  readonly power_max_W: number | null;
  readonly latency_max_ms: number | null;
  /** True: only devices that give identical integers. */
  readonly exact: boolean;
};

export const NO_LIMITS: Limits = {
  allow: null,
  prefer: "latency",
  power_max_W: null,
  latency_max_ms: null,
  exact: true,
};

export type Placement = {
  /** Name of the device of each unit. */
  readonly devices: readonly string[];
  readonly latency_us: number;
  /** Null where a device in use has no known draw. */
  readonly energy_uJ: number | null;
  readonly tier: Tier;
  readonly why: readonly string[];
};

/** Between latency alone and energy alone, what is tried to meet a budget of time. */
const WEIGHTS = [0, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 1];

/** A text says why no placement meets the limits. */
export function placeUnits(
  units: readonly Unit[],
  devices: readonly Device[],
  limits: Limits,
): Placement | string {
  const why: string[] = [];
  const usable = devices.filter((device) => {
    const no = refusal(device, limits);
    if (no !== null) why.push(`${device.name} is not used: ${no}`);
    return no === null;
  });
  if (usable.length === 0) {
    return `no device is left; ${why.join("; ") || "none that the config allows is here"}`;
  }
  for (const { name, core_us } of units) {
    if (usable.some((device) => typeof core_us[device.name] === "number")) continue;
    const each = usable.map((device) => `${device.name}: ${core_us[device.name]}`);
    return `${name} can run on no device; ${each.join("; ")}`;
  }
  const known = usable.every((device) => device.power_W !== null);
  if (limits.prefer === "energy" && !known) {
    why.push("energy cannot be preferred: a device has no known draw; latency is");
  }
  const weights = limits.prefer === "energy" && known ? [...WEIGHTS].reverse() : [0];
  const limit_us = 1000 * (limits.latency_max_ms ?? Number.POSITIVE_INFINITY);
  let fastest = Number.POSITIVE_INFINITY;
  for (const weight of weights) {
    const found = withinMemory(units, usable, weight);
    if (typeof found === "string") return found;
    const { latency_us, energy_uJ } = costOf(units, usable, found);
    fastest = Math.min(fastest, latency_us);
    if (latency_us > limit_us) continue;
    why.push(...reasons(units, usable, found, latency_us));
    const tier = usable.find((d, i) => found.includes(i) && d.tier !== "exact")?.tier ?? "exact";
    const names = found.map((d) => (usable[d] as Device).name);
    return { devices: names, latency_us, energy_uJ, tier, why };
  }
  return `the fastest placement takes ${fastest.toFixed(1)} us, over the budget of ${limit_us} us`;
}

/** Why a device may not be used at all under the limits, or null. */
export function refusal({ name, tier, power_W }: Device, limits: Limits): string | null {
  if (limits.allow !== null && !limits.allow.includes(name)) return "the config does not allow it";
  if (limits.exact && tier !== "exact") return `identical integers are asked for, it is ${tier}`;
  if (limits.power_max_W === null) return null;
  if (power_W === null) return "a power budget is set and nobody knows its draw";
  return power_W > limits.power_max_W ? `${power_W} W is over ${limits.power_max_W} W` : null;
}

/**
 * The cheapest placement whose weights fit: while one device is over its memory, the unit that loses
 * least by leaving it, for each byte that it frees, is sent away.
 */
function withinMemory(
  units: readonly Unit[],
  devices: readonly Device[],
  weight: number,
): number[] | string {
  const barred = new Set<string>();
  for (;;) {
    const path = cheapest(units, devices, weight, barred);
    if (path === null) return "the network does not fit the memory of the devices allowed";
    const over = devices.findIndex((device, d) => {
      const held = path.reduce((sum, at, i) => sum + (at === d ? weightsOf(units, i) : 0), 0);
      return held > device.memory_bytes;
    });
    if (over < 0) return path;
    const leaving = path
      .map((at, i) => ({ at, i, loss: lossOf(units[i] as Unit, devices, over) }))
      .filter(({ at, i }) => at === over && weightsOf(units, i) > 0)
      .sort((a, b) => a.loss - b.loss || a.i - b.i);
    barred.add(`${leaving[0]?.i}:${over}`);
  }
}

/** Null where the unit cannot run on the device. */
function coreOf({ core_us }: Unit, { name }: Device): number | null {
  const core = core_us[name];
  return typeof core === "number" ? core : null;
}

const weightsOf = (units: readonly Unit[], i: number): number => (units[i] as Unit).weights_bytes;

/** Microseconds lost a byte when the unit goes to the next best device. */
function lossOf(unit: Unit, devices: readonly Device[], away: number): number {
  const times = devices.map((device) => coreOf(unit, device) ?? Number.POSITIVE_INFINITY);
  const others = times.filter((_, d) => d !== away);
  return (Math.min(...others) - (times[away] as number)) / unit.weights_bytes;
}

/** Viterbi: the cheapest device for each unit, given that a change of device costs a crossing. */
function cheapest(
  units: readonly Unit[],
  devices: readonly Device[],
  weight: number,
  barred: ReadonlySet<string>,
): number[] | null {
  let best = devices.map(() => 0);
  const back: number[][] = [];
  for (const [i, unit] of units.entries()) {
    const from: number[] = [];
    const next = devices.map((device, d) => {
      const core = barred.has(`${i}:${d}`) ? null : coreOf(unit, device);
      const by = priceOf(device, weight);
      let lowest = Number.POSITIVE_INFINITY;
      from[d] = d;
      for (const [e, before] of best.entries()) {
        // A part pays for its call, for what comes in, and for what its device gave out.
        const enters = i === 0 || e !== d;
        const call = enters ? by * (device.call_us + device.value_us * unit.valuesIn) : 0;
        const left = devices[e] as Device;
        const leaves = i > 0 && e !== d ? priceOf(left, weight) * left.value_us * unit.valuesIn : 0;
        const cost = before + call + leaves;
        if (i === 0 && e !== d) continue;
        if (cost < lowest) {
          lowest = cost;
          from[d] = e;
        }
      }
      return core === null ? Number.POSITIVE_INFINITY : lowest + by * core;
    });
    best = next;
    back.push(from);
  }
  const outs = units.at(-1)?.valuesOut ?? 0;
  const ends = best.map((cost, d) => {
    const device = devices[d] as Device;
    return cost + priceOf(device, weight) * device.value_us * outs;
  });
  let at = ends.indexOf(Math.min(...ends));
  if (!Number.isFinite(ends[at])) return null;
  const path: number[] = [];
  for (let i = units.length - 1; i >= 0; i--) {
    path.unshift(at);
    at = (back[i] as number[])[at] as number;
  }
  return path;
}

/** What a microsecond of a device counts for: between time (0) and energy (1). */
const priceOf = ({ power_W }: Device, weight: number): number =>
  1 - weight + weight * (power_W ?? 0);

function costOf(
  units: readonly Unit[],
  devices: readonly Device[],
  path: readonly number[],
): { readonly latency_us: number; readonly energy_uJ: number | null } {
  let latency_us = 0;
  let energy_uJ: number | null = 0;
  for (const [i, unit] of units.entries()) {
    const device = devices[path[i] as number] as Device;
    let own_us = coreOf(unit, device) ?? Number.NaN;
    if (i === 0 || path[i - 1] !== path[i])
      own_us += device.call_us + device.value_us * unit.valuesIn;
    if (path[i + 1] !== path[i]) own_us += device.value_us * unit.valuesOut;
    latency_us += own_us;
    // A watt for a microsecond is a microjoule.
    energy_uJ =
      energy_uJ === null || device.power_W === null ? null : energy_uJ + own_us * device.power_W;
  }
  return { latency_us, energy_uJ };
}

/** What is printed adds up: of the whole, what the printed parts leave is the crossing. */
function reasons(
  units: readonly Unit[],
  devices: readonly Device[],
  path: readonly number[],
  latency_us: number,
): string[] {
  let left = hundredths(latency_us);
  let [calls, values] = [0, 0];
  const lines = units.map((unit, i) => {
    const device = devices[path[i] as number] as Device;
    left -= hundredths(coreOf(unit, device) ?? 0);
    const [enters, leaves] = [path[i - 1] !== path[i], path[i + 1] !== path[i]];
    calls += Number(enters);
    values += (enters ? unit.valuesIn : 0) + (leaves ? unit.valuesOut : 0);
    const times = devices.map(({ name }) => {
      const time = unit.core_us[name];
      return typeof time === "number" ? `${name} ${printed(time)} us` : `${name} cannot: ${time}`;
    });
    return `${unit.name} on ${device.name} (${times.join(", ")})`;
  });
  const alone = devices.flatMap((device, d) => {
    const { latency_us: own } = costOf(
      units,
      devices,
      units.map(() => d),
    );
    return Number.isFinite(own) ? [`${device.name} alone ${printed(own)} us`] : [];
  });
  const crossing = `${calls} call${calls === 1 ? "" : "s"} and ${values} values in and out`;
  return [
    ...lines,
    // Of some units the times are those of whole calls.
    ...(values === 0 ? [] : [`${crossing}: ${(left / 100).toFixed(2)} us`]),
    `in all ${printed(latency_us)} us; ${alone.join(", ") || "none alone"}`,
  ];
}

const hundredths = (us: number): number => Math.round(100 * us);
const printed = (us: number): string => (hundredths(us) / 100).toFixed(2);
