//! ThermalNBM from nothing: simulated turbines of many builds, training, and the bytes of the file.
import { prng } from "../../base/prng.js";
import { isUnitFault, parseUnit } from "../../units/parse.js";
import { type Column, normalised } from "../columns.js";
import { hashOf } from "../network.js";
import { writeTernaryNet } from "../onnx/write-net.js";
import { THERMAL_COLUMNS } from "../turbine-features.js";
import { THERMAL_MOST_K } from "../turbine-learned.js";
import { COMPONENTS } from "../turbine-outputs.js";
import { perceptron } from "./layout.js";
import { provenance } from "./rehearsal.js";
import { fold, type Net } from "./ternary.js";
import { runThermal, type ThermalRun } from "./thermal-set.js";
import { type Examples, type Plan, type Task, train } from "./trainer.js";

const OUTPUTS = COMPONENTS.length;

export type ThermalPlan = {
  readonly seed: number;
  readonly turbines: number;
  readonly days: number;
  readonly steps: number;
  readonly hidden: number;
};

export const THERMAL_PLAN: ThermalPlan = {
  seed: 1,
  turbines: 20,
  days: 3,
  steps: 2000,
  hidden: 32,
};
const SHORT: ThermalPlan = { seed: 1, turbines: 1, days: 1, steps: 20, hidden: 32 };
/** One turbine in so many decides between the two ways of training. */
const HELD_OUT = 6;

export type Thermal = {
  readonly bytes: Uint8Array;
  readonly teacher: Net;
  readonly pupil: Net;
  readonly from: "teacher" | "scratch";
};

export function makeThermal(plan: ThermalPlan): Thermal {
  return fitThermal(simulate(plan), plan, rehearseThermal());
}

export const rehearseThermal = (): string => hashOf(fitThermal(simulate(SHORT), SHORT, "").bytes);

export function simulate({ seed, turbines, days }: ThermalPlan): ThermalRun[] {
  return Array.from({ length: turbines }, (_, i) => runThermal(1000 * seed + i, "thermal", days));
}

export function fitThermal(
  runs: readonly ThermalRun[],
  plan: ThermalPlan,
  rehearsal: string,
): Thermal {
  const { plan: recipe, set, validation } = thermalTask(runs, plan);
  const found = train(recipe, set, prng(plan.seed, "thermal/weights"), validation);
  const meta = provenance(plan, set, rehearsal, {
    about: "what load and air leave of a wind turbine's temperatures; the rest is bounded by tanh",
    columns: JSON.stringify(THERMAL_COLUMNS),
    head: `residual = ${THERMAL_MOST_K} K * tanh(g)`,
    data: "simulated turbines of this repository; no recorded data",
  });
  const net = {
    input: {
      name: "state",
      unit: "1",
      min: -1,
      max: 1,
      shape: [THERMAL_COLUMNS.length],
      scale: found.pupil.steps[0] as number,
    },
    layers: fold(found.pupil),
    output: {
      name: "g",
      unit: "1",
      min: Number.NEGATIVE_INFINITY,
      max: Number.POSITIVE_INFINITY,
      classes: COMPONENTS.map(({ name }) => name),
    },
    meta,
  };
  return { ...found, bytes: writeTernaryNet(net) };
}

export function thermalTask(runs: readonly ThermalRun[], plan: ThermalPlan): Task {
  const isHeldOut = (i: number): boolean => i % HELD_OUT === HELD_OUT - 1;
  const set = thermalExamples(runs.filter((_, i) => !isHeldOut(i)));
  const some = runs.filter((_, i) => isHeldOut(i));
  const validation = some.length === 0 ? set : thermalExamples(some);
  return { plan: recipeOf(plan, set), set, validation };
}

function recipeOf({ steps, hidden }: ThermalPlan, set: Examples): Plan {
  const sizes = [THERMAL_COLUMNS.length, hidden, hidden, OUTPUTS];
  const net = perceptron(sizes, Math.fround(1 / 127), { first: "int8", last: "int8" });
  const weights = COMPONENTS.map((_, k) => {
    const square = set.y.reduce((sum, v, i) => sum + (i % OUTPUTS === k ? v * v : 0), 0);
    return set.count / square; // each temperature counts alike
  });
  return {
    net: { ...net, bounded: true },
    goal: "values",
    batch: 128,
    teacherSteps: steps,
    pupilSteps: steps,
    rate: 5e-3,
    distil: 0.3,
    temperature: 1,
    jitter: 0,
    frozen: 0.5,
    weights,
    start: "better",
  };
}

/** Inputs on the columns' steps, and residuals as shares of the bound. */
export function thermalExamples(runs: readonly ThermalRun[]): Examples {
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const width = THERMAL_COLUMNS.length;
  const x = new Float64Array(count * width);
  const y = new Float64Array(count * OUTPUTS);
  const units = THERMAL_COLUMNS.map(({ unit }) => parseUnit(unit));
  let at = 0;
  for (const run of runs) {
    run.x.forEach((value, j) => {
      const unit = units[j % width];
      if (unit === undefined || isUnitFault(unit)) throw new Error(`column ${j % width}`);
      const column = THERMAL_COLUMNS[j % width] as Column;
      x[at * width + j] = normalised(column, (value - unit.offset) / unit.factor);
    });
    run.residual_K.forEach((value, j) => {
      y[at * OUTPUTS + j] = Math.max(-1, Math.min(1, value / THERMAL_MOST_K));
    });
    at += run.count;
  }
  return { count, x, y };
}
