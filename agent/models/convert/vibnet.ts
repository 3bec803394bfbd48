//! VibNet from nothing: simulated blocks, training, and the bytes of the ONNX file. The same plan
//! gives the same bytes, so the shipped file can be made again and compared.
import { createHash } from "node:crypto";
import { prng } from "../../base/prng.js";
import { CELL_ORDERS, ORDER_BINS } from "../features/orders.js";
import type { TernaryNet } from "../onnx/ternary-net.js";
import { writeTernaryNet } from "../onnx/write-net.js";
import { perceptron } from "./layout.js";
import { classify, fold, type Net } from "./ternary.js";
import { type Plan, train } from "./trainer.js";
import { CLASSES, makeSet, type VibrationSet } from "./vibration-set.js";

export type VibnetPlan = Omit<Plan, "net" | "goal" | "jitter" | "start"> & {
  readonly seed: number;
  readonly examples: number;
  readonly sizes: readonly number[];
  readonly inputStep: number;
};

/** Spectra differ in more than the simulator knows. */
const JITTER = 0.1;

export const VIBNET_PLAN: VibnetPlan = {
  seed: 1,
  examples: 5000,
  sizes: [ORDER_BINS, 64, 32, CLASSES.length],
  inputStep: Math.fround(8 / 127), // log2(1 + ratio): a line 255 times the floor is full scale
  batch: 64,
  teacherSteps: 2200,
  pupilSteps: 2200,
  rate: 2e-3,
  distil: 0.5,
  temperature: 3,
};

export type Vibnet = { readonly bytes: Uint8Array; readonly teacher: Net; readonly pupil: Net };

export function makeVibnet(plan: VibnetPlan): Vibnet {
  const set = makeSet(plan.examples, plan.seed, "train");
  const net = perceptron(plan.sizes, plan.inputStep, { first: "ternary", last: "int8" });
  const recipe: Plan = { ...plan, net, goal: "classes", jitter: JITTER, start: "teacher" };
  const y = new Float64Array(set.count * CLASSES.length);
  set.label.forEach((label, i) => {
    y[i * CLASSES.length + label] = 1;
  });
  const examples = { count: set.count, x: set.x, y };
  const { teacher, pupil } = train(recipe, examples, prng(plan.seed, "vibnet/weights"));
  return { bytes: writeTernaryNet(describe(plan, pupil, set)), teacher, pupil };
}

function describe(plan: VibnetPlan, net: Net, set: VibrationSet): TernaryNet {
  const sum = createHash("sha256").update(JSON.stringify(plan));
  sum.update(new Uint8Array(set.x.buffer)).update(set.label);
  return {
    input: {
      name: "spectrum",
      unit: "1",
      min: 0,
      max: 8,
      shape: [ORDER_BINS],
      scale: net.steps[0] as number,
    },
    layers: fold(net),
    output: {
      name: "logits",
      unit: "1",
      min: Number.NEGATIVE_INFINITY,
      max: Number.POSITIVE_INFINITY,
      classes: CLASSES,
    },
    meta: {
      version: "1",
      training: `sha256:${sum.digest("hex")}`,
      facts: {
        about: "bearing condition from the envelope spectrum around its fault orders",
        input: `log2(1 + amplitude / median), ${ORDER_BINS} cells of ${CELL_ORDERS} orders`,
        data: "simulated vibration of this repository; no recorded data",
      },
    },
  };
}

/** Share of right answers of a net, and how many healthy blocks it calls damaged. */
export function score(
  net: Net,
  set: VibrationSet,
  quantised: boolean,
): { readonly right: number; readonly false: number } {
  const p = classify(net, set.x, quantised);
  return scoreProbabilities(p, set, () => true);
}

/** The same over the blocks that `keep` keeps. */
export function scoreProbabilities(
  p: ArrayLike<number>,
  set: VibrationSet,
  keep: (i: number) => boolean,
): { readonly right: number; readonly false: number; readonly count: number } {
  const width = CLASSES.length;
  let [right, count, healthy, wrong] = [0, 0, 0, 0];
  for (let i = 0; i < set.count; i++) {
    if (!keep(i)) continue;
    let best = 0;
    for (let c = 1; c < width; c++) {
      if ((p[i * width + c] as number) > (p[i * width + best] as number)) best = c;
    }
    count += 1;
    if (best === set.label[i]) right += 1;
    if (set.label[i] !== 0) continue;
    healthy += 1;
    if (best !== 0) wrong += 1;
  }
  return { right: right / count, false: wrong / Math.max(1, healthy), count };
}
