//! The plain methods that the monitors must beat, on the same ten-minute medians: B2 limits with a
//! run gate and a deadband, B3 = B2 grouped by component with a day between alarms, R1 a ridge
//! regression of each channel on its drivers with a median of six hours, grouped like B3.
import { spread } from "../agent/models/chain/robust.js";
import { DAY_s, LEARN_days } from "./fleet-plan.js";
import { MEAN_s, type Means } from "./fleet-means.js";
import { median } from "./result.js";
import { fitRidge } from "./ridge.js";

/** An alarm of a method: when, and the component it names; `times` such within the hour. */
export type Said = { readonly at_s: number; readonly component: string; readonly times?: number };
/** One figure a ten-minute mean, in spreads of the healthy period; NaN: not judged. */
type Score = { readonly component: string; readonly sigmas: readonly number[] };
export type Scored = readonly Score[];

const RUN = 2;
const DEADBAND = 0.05; // of the limit
const AGAIN_s = DAY_s;
const LAG = 15; // means: two and a half hours
const MEDIAN = 36; // means: six hours
const LEARN = (LEARN_days * DAY_s) / MEAN_s;
const BIN_mps = 0.5;

type Target = {
  readonly channel: string;
  readonly component: string;
  readonly sides: "high" | "low" | "both";
};
const TARGETS: readonly Target[] = [
  { channel: "windingTemp", component: "generator", sides: "high" },
  { channel: "oilTemp", component: "gearbox", sides: "high" },
  { channel: "hssBearingTemp", component: "hss", sides: "high" },
  { channel: "hssRms", component: "hss", sides: "high" },
  { channel: "mainBearingTemp", component: "main-bearing", sides: "high" },
  { channel: "towerAccel", component: "tower", sides: "high" },
  { channel: "yawError", component: "yaw", sides: "both" },
  { channel: "pitchOff", component: "pitch", sides: "both" },
  { channel: "shortfall", component: "rotor", sides: "low" },
];
/** What ridge is given to explain a channel; the others are taken as they are. */
const DRIVERS: Readonly<Record<string, readonly string[]>> = {
  windingTemp: ["power", "slowPower", "slowSpeed", "nacelleTemp", "ambientTemp"],
  oilTemp: ["power", "slowPower", "slowSpeed", "nacelleTemp", "ambientTemp"],
  hssBearingTemp: ["power", "slowPower", "generatorSpeed", "oilTemp", "nacelleTemp"],
  hssRms: ["power", "generatorSpeed"],
  mainBearingTemp: ["power", "slowPower", "slowSpeed", "nacelleTemp", "ambientTemp"],
  towerAccel: ["windSpeed", "rotorSpeed", "power"],
  shortfall: ["windSpeed", "ambientTemp", "pitch"],
};

type Columns = Readonly<Record<string, readonly number[]>>;

/** Columns of a turbine with those that the methods make of them. */
function columnsOf(means: Means): Columns {
  const column = (name: string): readonly number[] => means[name] ?? [];
  const power = column("power");
  const wind = column("windSpeed");
  const running = column("state").map((state) => state === RUN);
  const bins = new Map<number, number[]>();
  const binOf = (i: number): number => Math.round((wind[i] ?? 0) / BIN_mps);
  for (let i = 0; i < LEARN; i++) {
    if (running[i] !== true || Number.isNaN((power[i] ?? 0) + (wind[i] ?? 0))) continue;
    const bin = bins.get(binOf(i)) ?? [];
    bin.push(power[i] ?? 0);
    bins.set(binOf(i), bin);
  }
  const curve = new Map([...bins].map(([bin, values]) => [bin, median(values)]));
  const slow = (values: readonly number[]): number[] => {
    let now = values[0] ?? 0;
    return values.map((value) => {
      if (!Number.isNaN(value)) now += (value - now) / LAG;
      return now;
    });
  };
  return {
    ...means,
    slowPower: slow(power),
    slowSpeed: slow(column("generatorSpeed")),
    pitchOff: column("pitch").map((pitch, i) => pitch - (column("pitchDemand")[i] ?? Number.NaN)),
    shortfall: power.map((value, i) => value - (curve.get(binOf(i)) ?? Number.NaN)),
  };
}

/** Run gate: both this mean and the one before, so that a start is over. */
const gateOf = (columns: Columns): boolean[] => {
  const state = columns["state"] ?? [];
  return state.map((now, i) => now === RUN && state[i - 1] === RUN);
};

/** Deviations of the raw channels from their healthy middle. */
export function limitScores(means: Means): Scored {
  const columns = columnsOf(means);
  const gate = gateOf(columns);
  return TARGETS.map((target) => scoreOf(target, columns[target.channel] ?? [], gate));
}

/** Deviations of what ridge does not explain, as running medians of six hours. */
export function ridgeScores(means: Means): Scored {
  const columns = columnsOf(means);
  const gate = gateOf(columns);
  return TARGETS.map((target) => {
    const values = columns[target.channel] ?? [];
    const drivers = (DRIVERS[target.channel] ?? []).map((name) => columns[name] ?? []);
    const rest = drivers.length === 0 ? values : residuals(values, drivers, gate);
    return scoreOf(target, smoothed(rest, gate), gate);
  });
}

function scoreOf(target: Target, values: readonly number[], gate: readonly boolean[]): Score {
  const usable = values.map((value, i) => (gate[i] === true ? value : Number.NaN));
  const healthy = usable.slice(0, LEARN).filter((value) => !Number.isNaN(value));
  const middle = median(healthy);
  const sigma = Math.max(spread(healthy, middle), 1e-9);
  const sigmas = usable.map((value) => {
    const off = (value - middle) / sigma;
    if (target.sides === "both") return Math.abs(off);
    return target.sides === "high" ? off : -off;
  });
  return { component: target.component, sigmas };
}

function residuals(
  values: readonly number[],
  drivers: readonly (readonly number[])[],
  gate: readonly boolean[],
): number[] {
  const whole = (i: number): boolean =>
    gate[i] === true && !Number.isNaN((values[i] ?? Number.NaN) + sumAt(drivers, i));
  const row = (i: number): number[] => [values[i] ?? 0, ...drivers.map((one) => one[i] ?? 0)];
  const healthy = [...values.keys()].slice(0, LEARN).filter(whole).map(row);
  const rest = fitRidge(
    healthy,
    0,
    drivers.map((_, j) => j + 1),
  );
  return values.map((_, i) => (whole(i) ? rest(row(i)) : Number.NaN));
}

const sumAt = (columns: readonly (readonly number[])[], i: number): number =>
  columns.reduce((sum, column) => sum + (column[i] ?? Number.NaN), 0);

function smoothed(values: readonly number[], gate: readonly boolean[]): number[] {
  const last: number[] = [];
  return values.map((value, i) => {
    if (gate[i] === true && !Number.isNaN(value)) last.push(value);
    if (last.length > MEDIAN) last.shift();
    return last.length < MEDIAN / 2 ? Number.NaN : median(last);
  });
}

/** Crossings of the limit upwards, the deadband below it. */
export function alarmsOf(scored: Scored, limit: number): Said[] {
  return scored
    .flatMap(({ component, sigmas }) => {
      let on = false;
      return sigmas.flatMap((value, i): Said[] => {
        if (Number.isNaN(value)) return [];
        const was = on;
        on = on ? value > limit * (1 - DEADBAND) : value > limit;
        return on && !was ? [{ at_s: (i + 1) * MEAN_s, component }] : [];
      });
    })
    .sort((a, b) => a.at_s - b.at_s);
}

/** One alarm a component and day. */
export function grouped(said: readonly Said[]): Said[] {
  const last = new Map<string, number>();
  return said.filter(({ at_s, component }) => {
    if (at_s - (last.get(component) ?? Number.NEGATIVE_INFINITY) < AGAIN_s) return false;
    last.set(component, at_s);
    return true;
  });
}
