//! PowerNet: what a healthy turbine gives in this wind. It never falls when the wind rises, which
//! its weights prove: on the wind's path they are 0 or above and every activation rises.
import { airDensity, TURBINE } from "../../base/physics.js";
import { prng } from "../../base/prng.js";
import { type Column, normalised } from "../columns.js";
import { hashOf } from "../network.js";
import { isWeighted, type NetMeta, type TernaryNet } from "../onnx/ternary-net.js";
import { writeTernaryNet } from "../onnx/write-net.js";
import { perceptron } from "./layout.js";
import { refitLast } from "./refit.js";
import { provenance } from "./rehearsal.js";
import type { Scada } from "./scada.js";
import { fold, type Net } from "./ternary.js";
import { type Examples, lossOf, type Plan, type Task, train } from "./trainer.js";
import { meansOf } from "./turbine-run.js";

const STANDARD_DENSITY = 1.225;
const MEAN_s = 600;
const RUN = 2;
const CEILING = 3; // batch norm makes sigma 1: a unit is flat beyond three of them
const DAY_rows = 144;
const WIND = 0;
const HIDDEN = 24;
/** Winds above the knee that still use the steps: there the curve is flat. */
const BEYOND_mps = 2;

export type PowerPlan = {
  readonly seed: number;
  /** Simulated turbines and their days; unused where rows are given. */
  readonly turbines: number;
  readonly days: number;
  readonly steps: number;
  /** Trained so often, from other weights each time; the best on all rows stays. */
  readonly tries: number;
};

const SEEDS_APART = 1000;

/**
 * Many turbines rather than many days: each has one gain of its anemometer and one season, so that
 * of a dozen the network learnt which air stands for which gain, and was wrong on the next turbine.
 */
export const POWER_PLAN: PowerPlan = { seed: 1, turbines: 48, days: 4, steps: 3000, tries: 3 };
const SHORT: PowerPlan = { seed: 1, turbines: 1, days: 3, steps: 40, tries: 1 };

/** Rows of a turbine at work, in the columns' units, and the power that each gave. */
export type PowerRows = {
  readonly columns: readonly Column[];
  readonly count: number;
  readonly x: Float64Array;
  readonly power_W: Float64Array;
  readonly rated_W: number;
};

/** Wind at standard density (IEC 61400-12-1), pitch and density where the record has them. */
export function powerRows(scada: Scada, rated_W: number | null = null): PowerRows {
  const { wind, power, pitch, temperature, pressure } = scada;
  if (wind === undefined || power === undefined) throw new Error("wind and power are needed");
  const at = [...wind.keys()].filter((i) => (power[i] as number) > 0);
  const pick = (values: Float64Array): Float64Array =>
    Float64Array.from(at, (i) => values[i] as number);
  const power_W = pick(power);
  const series: { column: Column; values: Float64Array }[] = [];
  let normal = pick(wind);
  if (pitch !== undefined) {
    const column = { name: "pitch", unit: "deg", from: -5, to: 25 };
    series.push({ column, values: pick(pitch).map((angle_rad) => (angle_rad * 180) / Math.PI) });
  }
  if (temperature !== undefined && pressure !== undefined) {
    const column = { name: "density", unit: "kg/m3", from: 0.95, to: 1.45 };
    const values = Float64Array.from(at, (i) =>
      airDensity(pressure[i] as number, temperature[i] as number),
    );
    normal = normal.map((v, k) => v * ((values[k] as number) / STANDARD_DENSITY) ** (1 / 3));
    series.push({ column, values });
  }
  const top = kneeOf(normal, power_W) + BEYOND_mps;
  // Alone it is read as it comes, in m/s; among others it may use every step.
  const from = series.length === 0 ? -top : 0;
  series.unshift({ column: { name: "wind", unit: "m/s", from, to: top }, values: normal });
  const width = series.length;
  const x = Float64Array.from({ length: at.length * width }, (_, j) => {
    return series[j % width]?.values[Math.floor(j / width)] ?? Number.NaN;
  });
  const columns = series.map(({ column }) => column);
  return { columns, count: at.length, x, power_W, rated_W: rated_W ?? quantile(power_W, 0.995) };
}

function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

/** The wind from which on power no longer rises by much; medians, for a derated hour is no knee. */
function kneeOf(wind: Float64Array, power_W: Float64Array): number {
  const curve = [...powerByBin(wind, power_W)].map(([bin, list]) => [bin / 2, quantile(list, 0.5)]);
  const most = Math.max(...curve.map(([, middle = 0]) => middle));
  const flat = curve.filter(([, middle = 0]) => middle >= 0.97 * most);
  return Math.min(...flat.map(([speed = 0]) => speed));
}

/** The method of bins: mean power by half a metre a second, the peer of PowerNet. */
export function binCurve(wind: ArrayLike<number>, power_W: ArrayLike<number>): Map<number, number> {
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  return new Map([...powerByBin(wind, power_W)].map(([bin, list]) => [bin, mean(list)]));
}

/** Powers by bin of half a metre a second; its middle is half of the key. */
function powerByBin(wind: ArrayLike<number>, power_W: ArrayLike<number>): Map<number, number[]> {
  const bins = new Map<number, number[]>();
  for (let i = 0; i < wind.length; i++) {
    const bin = Math.round(2 * (wind[i] as number));
    const own = bins.get(bin) ?? [];
    bins.set(bin, own);
    own.push(power_W[i] as number);
  }
  return bins;
}

export function simulatedRows(plan: PowerPlan, purpose = "powernet"): PowerRows {
  const parts = Array.from({ length: plan.turbines }, (_, i) => {
    const all = meansOf(1000 * plan.seed + i, purpose, plan.days, MEAN_s);
    const { state = new Float64Array(0) } = all;
    const at = [...state.keys()].filter((k) => state[k] === RUN);
    const pick = (name: string): number[] => at.map((k) => all[name]?.[k] as number);
    return {
      wind: pick("windSpeed"),
      power: pick("power"),
      pitch: pick("pitch"),
      temperature: pick("ambientTemp"),
      pressure: pick("ambientPressure"),
    };
  });
  const join = (key: keyof (typeof parts)[number]): Float64Array =>
    Float64Array.from(parts.flatMap((part) => part[key]));
  const keys = ["wind", "power", "pitch", "temperature", "pressure"] as const;
  const scada = Object.fromEntries(keys.map((key) => [key, join(key)]));
  return powerRows(scada, TURBINE.ratedPower_W);
}

export type PowerNet = {
  readonly bytes: Uint8Array;
  readonly teacher: Net;
  readonly pupil: Net;
  readonly from: "teacher" | "scratch";
};

const SIMULATED = {
  output: "share",
  data: "simulated turbines of this repository; no recorded data",
} as const;

/** The shipped file: simulated turbines; its output is the share of rated power. */
export function makePowerNet(plan: PowerPlan): PowerNet {
  const rehearsal = rehearsePowerNet();
  return fitPowerNet(simulatedRows(plan), plan, { ...SIMULATED, rehearsal });
}

export const rehearsePowerNet = (): string =>
  hashOf(fitPowerNet(simulatedRows(SHORT), SHORT, SIMULATED).bytes);

export type FitOptions = {
  /** `kW` makes a file that `models:` of a config can bind where wind alone goes in. */
  readonly output: "share" | "kW";
  /** Whose records they are, for people. */
  readonly data: string;
  readonly rehearsal?: string;
};

export function fitPowerNet(rows: PowerRows, plan: PowerPlan, options: FitOptions): PowerNet {
  const { plan: recipe, set, validation } = powerTask(rows, plan);
  const all = examplesOf(rows, () => true);
  const tries = Array.from({ length: plan.tries }, (_, i) => {
    const found = train(
      recipe,
      set,
      prng(plan.seed + SEEDS_APART * i, "powernet/weights"),
      validation,
    );
    // So few weights that only rise cannot follow single rows: every row may take part at the end.
    refitLast(found.pupil, all, true);
    return { ...found, loss: lossOf(recipe, found.pupil, all) };
  });
  const found = tries.reduce((best, other) => (other.loss < best.loss ? other : best));
  const meta = provenance(plan, set, options.rehearsal ?? "", {
    about: "electrical power of a healthy turbine; it never falls when the wind rises",
    columns: JSON.stringify(rows.columns),
    data: options.data,
  });
  return { ...found, bytes: writeTernaryNet(describe(rows, found.pupil, options, meta)) };
}

export function powerTask(rows: PowerRows, plan: PowerPlan): Task {
  return {
    plan: recipeOf(rows, plan),
    set: examplesOf(rows, (i) => !isHeldOut(i)),
    validation: examplesOf(rows, isHeldOut),
  };
}

/** One day's worth of rows in five decides between the two ways of training. */
const isHeldOut = (row: number): boolean => Math.floor(row / DAY_rows) % 5 === 0;

function recipeOf(rows: PowerRows, plan: PowerPlan): Plan {
  const flat = perceptron([rows.columns.length, HIDDEN, HIDDEN, 1], Math.fround(1 / 127), {
    first: "int8",
    last: "int8",
  });
  const layers = flat.layers.map((layer, i) => {
    const rising = i === 0 ? [WIND] : ("all" as const);
    return { ...layer, ceiling: CEILING, rising };
  });
  return {
    net: { ...flat, layers },
    goal: "values",
    batch: 256,
    teacherSteps: plan.steps,
    pupilSteps: plan.steps,
    // Slow, over large batches: rows of a derated turbine are far off, and shake every step.
    rate: 3e-3,
    distil: 0.5,
    temperature: 1,
    jitter: 0,
    frozen: 0.5,
    refit: true,
    start: "better",
  };
}

export function examplesOf(rows: PowerRows, keep: (i: number) => boolean): Examples {
  const { columns, x, power_W, rated_W, count } = rows;
  const at = Array.from({ length: count }, (_, i) => i).filter(keep);
  const width = columns.length;
  return {
    count: at.length,
    x: Float64Array.from({ length: at.length * width }, (_, j) => {
      const i = at[Math.floor(j / width)] as number;
      return normalised(columns[j % width] as Column, x[i * width + (j % width)] as number);
    }),
    y: Float64Array.from(at, (i) => (power_W[i] as number) / rated_W),
  };
}

function describe(rows: PowerRows, net: Net, options: FitOptions, meta: NetMeta): TernaryNet {
  const { columns, rated_W } = rows;
  const alone = columns.length === 1;
  const [wind] = columns as [Column];
  const kW = options.output === "kW";
  const folded = fold(net).map((layer, i, all) => {
    if (!isWeighted(layer)) return layer;
    // A wind alone comes in m/s, and power leaves in kW: the scales of the ends take the factors.
    const into = alone && i === 0 ? wind.to : 1;
    const out = kW && i === all.length - 1 ? rated_W / 1000 : 1;
    return {
      ...layer,
      wScale: layer.wScale.map((scale) => (scale * out) / into),
      bias: layer.bias.map((bias) => bias * out),
    };
  });
  const steps = alone ? Math.fround(wind.to / 127) : (net.steps[0] as number);
  return {
    input: {
      name: alone ? "wind" : "conditions",
      unit: alone ? "m/s" : "1",
      min: alone ? 0 : -1,
      max: alone ? wind.to : 1,
      shape: [columns.length],
      scale: steps,
    },
    layers: folded,
    output: {
      name: "power",
      unit: kW ? "kW" : "1",
      min: 0,
      max: kW ? rated_W / 1000 : 1,
      classes: [],
    },
    meta,
    claims: { monotone: [WIND] },
  };
}
