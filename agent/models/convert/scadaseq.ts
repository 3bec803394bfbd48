//! ScadaSeq: what four temperatures of a turbine should be after the last six hours of load and
//! weather, by a dilated convolution over ten-minute means. It reads none of them itself, so that
//! it cannot follow a slow drift of one.
import { prng } from "../../base/prng.js";
import { isUnitFault, parseUnit } from "../../units/parse.js";
import { median } from "../chain/robust.js";
import { type Column, normalised } from "../columns.js";
import { hashOf } from "../network.js";
import { isWeighted, type TernaryNet } from "../onnx/ternary-net.js";
import { writeTernaryNet } from "../onnx/write-net.js";
import { COMPONENTS } from "../turbine-outputs.js";
import type { NetSpec } from "./layout.js";
import { provenance } from "./rehearsal.js";
import { fold, type Net } from "./ternary.js";
import { type Examples, type Plan, type Task, train } from "./trainer.js";
import { meansOf } from "./turbine-run.js";

export const PLACES = 36;
const MEAN_s = 600;
/** Of the means, until what the nodes began with is forgotten. */
const SETTLE = 72;
const HELD_OUT = 6;

export const SEQ_COLUMNS: readonly Column[] = [
  { name: "power", unit: "kW", from: 0, to: 5500 },
  { name: "rotorSpeed", unit: "rpm", from: 0, to: 14 },
  { name: "windSpeed", unit: "m/s", from: 0, to: 25 },
  { name: "pitch", unit: "deg", from: -5, to: 30 },
  { name: "ambientTemp", unit: "Cel", from: -30, to: 45 },
  { name: "nacelleTemp", unit: "Cel", from: -25, to: 55 },
];
/** Temperatures over the nacelle's air, and what they are divided by in training. */
const TARGETS = COMPONENTS.map(({ name, channel }, i) => {
  return { name, channel, scale_K: [60, 35, 45, 25][i] as number };
});

export type SeqPlan = {
  readonly seed: number;
  readonly turbines: number;
  readonly days: number;
  readonly steps: number;
};
export const SEQ_PLAN: SeqPlan = { seed: 1, turbines: 16, days: 5, steps: 2400 };
const SHORT: SeqPlan = { seed: 1, turbines: 1, days: 1, steps: 4 };

/** Rows of ten minutes: inputs by column in its unit, and the values to be told, in K. */
export type SeqRun = {
  readonly inputs: readonly Float64Array[];
  readonly targets: readonly Float64Array[];
};

export function simulatedSeq({ seed, turbines, days }: SeqPlan, purpose = "scadaseq"): SeqRun[] {
  return Array.from({ length: turbines }, (_, i): SeqRun => {
    const all = meansOf(1000 * seed + i, purpose, days, MEAN_s);
    const of = (name: string): Float64Array => (all[name] ?? new Float64Array()).slice(SETTLE);
    const inputs = SEQ_COLUMNS.map(({ name, unit }) => {
      const parsed = parseUnit(unit);
      if (isUnitFault(parsed)) throw new Error(parsed.fault);
      return of(name).map((v) => (v - parsed.offset) / parsed.factor);
    });
    const nacelle_K = of("nacelleTemp");
    const targets = TARGETS.map(({ channel }) =>
      of(channel).map((v, k) => v - (nacelle_K[k] as number)),
    );
    return { inputs, targets };
  });
}

/** Windows that end at every `every`-th row. `scales` divides the values. */
export function windowsOf(
  runs: readonly SeqRun[],
  columns: readonly Column[],
  scales: readonly number[],
  every: number,
): Examples {
  const [x, y]: [number[], number[]] = [[], []];
  for (const { inputs, targets } of runs) {
    const length = inputs[0]?.length ?? 0;
    for (let end = PLACES - 1; end < length; end += every) {
      inputs.forEach((values, c) => {
        for (let k = end - PLACES + 1; k <= end; k++) {
          x.push(normalised(columns[c] as Column, values[k] as number));
        }
      });
      targets.forEach((values, t) => {
        y.push((values[end] as number) / (scales[t] as number));
      });
    }
  }
  return { count: y.length / scales.length, x: Float64Array.from(x), y: Float64Array.from(y) };
}

/** 16 channels, kernels of 3 at distances 1, 2, 4, 8: six places are left of 36. */
export function seqSpec(channels: number, outputs: number): NetSpec {
  const conv = (dilation: number): NetSpec["layers"][number] => {
    return { size: 16, weights: dilation === 1 ? "int8" : "ternary", kernel: 3, dilation };
  };
  const layers = [...[1, 2, 4, 8].map(conv), { size: outputs, weights: "int8" as const }];
  return { channels, places: PLACES, inputStep: Math.fround(1 / 127), layers };
}

export function seqRecipe(channels: number, outputs: number, steps: number): Plan {
  return {
    net: seqSpec(channels, outputs),
    goal: "values",
    batch: 32,
    teacherSteps: steps,
    pupilSteps: steps,
    rate: 4e-3,
    distil: 0.3,
    temperature: 1,
    jitter: 0,
    frozen: 0.5,
    refit: true,
    start: "teacher",
  };
}

export function seqTask(runs: readonly SeqRun[], { steps }: SeqPlan): Task {
  const held = (i: number): boolean => i % HELD_OUT === HELD_OUT - 1;
  const scales = TARGETS.map(({ scale_K }) => scale_K);
  const windows = (some: readonly SeqRun[]) => windowsOf(some, SEQ_COLUMNS, scales, 2);
  const set = windows(runs.filter((_, i) => !held(i)));
  const rest = runs.filter((_, i) => held(i));
  const plan = seqRecipe(SEQ_COLUMNS.length, TARGETS.length, steps);
  return { plan, set, validation: rest.length === 0 ? set : windows(rest) };
}

export type Seq = { readonly bytes: Uint8Array; readonly teacher: Net; readonly pupil: Net };

export const makeSeq = (plan: SeqPlan): Seq => fitSeq(simulatedSeq(plan), plan, rehearseSeq());

export const rehearseSeq = (): string => hashOf(fitSeq(simulatedSeq(SHORT), SHORT, "").bytes);

export function fitSeq(runs: readonly SeqRun[], plan: SeqPlan, rehearsal: string): Seq {
  const { plan: recipe, set, validation } = seqTask(runs, plan);
  const found = train(recipe, set, prng(plan.seed, "scadaseq/weights"), validation);
  const meta = provenance(plan, set, rehearsal, {
    about: "temperatures of a wind turbine from six hours of load and weather",
    columns: JSON.stringify(SEQ_COLUMNS),
    sampling: `${PLACES} means of ${MEAN_s} s, oldest first`,
    data: "simulated turbines of this repository; no recorded data",
  });
  const net: TernaryNet = {
    input: {
      name: "hours",
      unit: "1",
      min: -1,
      max: 1,
      shape: [SEQ_COLUMNS.length, PLACES],
      scale: found.pupil.steps[0] as number,
    },
    layers: fold(found.pupil).map((layer, i, all) => {
      if (i < all.length - 1 || !isWeighted(layer)) return layer;
      const times = (v: number, r: number): number => v * (TARGETS[r]?.scale_K ?? 1);
      return { ...layer, wScale: layer.wScale.map(times), bias: layer.bias.map(times) };
    }),
    output: {
      name: "rise",
      unit: "K",
      min: 0,
      max: Math.max(...TARGETS.map(({ scale_K }) => scale_K)),
      classes: TARGETS.map(({ name }) => name),
    },
    meta,
  };
  return { ...found, bytes: writeTernaryNet(net) };
}

/** Answers to the windows of a set, in its own shares. */
export type Say = (x: Float64Array) => Float64Array;

/** Root mean square of what is left of each temperature in K, as it is and about each middle. */
export function seqErrors_K(runs: readonly SeqRun[], say: Say): { plain: number; about: number }[] {
  const scales = TARGETS.map(({ scale_K }) => scale_K);
  const parts = runs.map((run) => {
    const set = windowsOf([run], SEQ_COLUMNS, scales, 3);
    const said = say(set.x);
    return TARGETS.map(({ scale_K }, t) => {
      const rest: number[] = [];
      for (let i = t; i < said.length; i += TARGETS.length) {
        rest.push(scale_K * ((set.y[i] as number) - (said[i] as number)));
      }
      return rest;
    });
  });
  const rms = (values: readonly number[]): number =>
    Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
  return TARGETS.map((_, t) => ({
    plain: rms(parts.flatMap((part) => part[t] ?? [])),
    about: rms(
      parts.flatMap((part) => {
        const middle = median(part[t] ?? []);
        return (part[t] ?? []).map((v) => v - middle);
      }),
    ),
  }));
}
