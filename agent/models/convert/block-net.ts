//! A ternary network on labelled blocks: trained, judged on groups that it never saw, and written as
//! the file that `network:` or `models:` of a config takes.
import { createHash } from "node:crypto";
import { reference } from "../../accel/reference.js";
import { assert } from "../../base/errors.js";
import { prng } from "../../base/prng.js";
import { BANDS } from "../features/bands.js";
import { loadNetwork } from "../network.js";
import { isWeighted } from "../onnx/ternary-net.js";
import { writeTernaryNet } from "../onnx/write-net.js";
import { examplesOf, type Features, INPUT_STEP, type Sample } from "./block-set.js";
import { perceptron } from "./layout.js";
import { fold, type Net, predict, weightBytes } from "./ternary.js";
import { type Plan, train } from "./trainer.js";

export type BlockPlan = {
  readonly features: Features;
  readonly classes: readonly string[];
  readonly seed: number;
};

export type BlockNet = {
  readonly teacher: Net;
  readonly pupil: Net;
  readonly bytes: Uint8Array;
};

/** Hidden layers: small sets, so small that they cannot learn a recording by heart. */
const HIDDEN = [32, 32];
/** Blocks differ in more than few recordings show. */
const JITTER = 0.1;

/** How a small classifier is trained, whatever it reads; `sizes` from its inputs to its classes. */
export function classRecipe(sizes: readonly number[], inputStep: number, jitter: number): Plan {
  return {
    net: perceptron(sizes, inputStep, { first: "ternary", last: "int8" }),
    goal: "classes",
    batch: 32,
    teacherSteps: 600,
    pupilSteps: 1200,
    rate: 2e-3,
    distil: 0.5,
    temperature: 3,
    jitter,
    start: "teacher",
  };
}

export function trainBlocks(samples: readonly Sample[], plan: BlockPlan): BlockNet {
  const { features, classes, seed } = plan;
  const inputs = samples[0]?.x.length ?? 0;
  const set = examplesOf(samples, classes);
  const recipe = classRecipe([inputs, ...HIDDEN, classes.length], INPUT_STEP, JITTER);
  const { teacher, pupil } = train(recipe, set, prng(seed, `blocks/${features}`));
  const sum = createHash("sha256").update(JSON.stringify([recipe, plan]));
  sum.update(new Uint8Array(set.x.buffer)).update(new Uint8Array(set.y.buffer));
  const orders = features === "orders";
  const bytes = writeTernaryNet({
    input: {
      name: orders ? "spectrum" : "bands",
      unit: "1",
      min: orders ? 0 : -8,
      max: 8,
      shape: [inputs],
      scale: pupil.steps[0] as number,
    },
    layers: fold(pupil),
    output: {
      name: "logits",
      unit: "1",
      min: Number.NEGATIVE_INFINITY,
      max: Number.POSITIVE_INFINITY,
      classes,
    },
    meta: {
      version: "1",
      training: `sha256:${sum.digest("hex")}`,
      facts: {
        about: "condition of a machine from labelled blocks of its own",
        input: orders ? "spectrum around fault orders" : `${BANDS} bands a channel`,
        data: `${samples.length} blocks of ${new Set(samples.map((s) => s.record)).size} records`,
      },
    },
  });
  return { teacher, pupil, bytes };
}

/** Class that each sample is called, by the float teacher. */
export function teacherSays({ teacher }: BlockNet, samples: readonly Sample[]): number[] {
  const size = samples[0]?.x.length ?? 0;
  const x = new Float64Array(samples.length * size);
  samples.forEach((sample, i) => {
    x.set(sample.x, i * size);
  });
  return bests(predict(teacher, x, false), samples.length);
}

/** The same by the integers of the file, as a gateway runs them. */
export function fileSays({ bytes }: Pick<BlockNet, "bytes">, samples: readonly Sample[]): number[] {
  const network = loadNetwork(bytes, reference);
  assert(typeof network !== "string", String(network));
  const classes = network.outputs[0]?.size ?? 0;
  const y = new Float32Array(samples.length * classes);
  samples.forEach(({ x }, i) => {
    network.infer(x, y.subarray(i * classes, (i + 1) * classes));
  });
  return bests(y, samples.length);
}

/** The likeliest class of each of `count` rows. */
export function bests(scores: ArrayLike<number>, count: number): number[] {
  const width = scores.length / Math.max(1, count);
  return Array.from({ length: count }, (_, i) => {
    let best = 0;
    for (let c = 1; c < width; c++) {
      const better = (scores[i * width + c] as number) > (scores[i * width + best] as number);
      if (better) best = c;
    }
    return best;
  });
}

/** Mean of the classes' F1, of those that occur: 2 right / (true + said). */
export function macroF1(truth: readonly number[], said: readonly number[]): number {
  const classes = [...new Set(truth)];
  const each = classes.map((own) => {
    const right = truth.filter((t, i) => t === own && said[i] === own).length;
    const sum = truth.filter((t) => t === own).length + said.filter((s) => s === own).length;
    return (2 * right) / sum;
  });
  return each.reduce((a, b) => a + b, 0) / classes.length;
}

/** Share of zeros among the trits, and how many times smaller the weights are than in float32. */
export function sizesOf(net: Net): { readonly zeros: number; readonly smaller: number } {
  const trits = fold(net).flatMap((layer) =>
    isWeighted(layer) && layer.ternary ? [layer.weights] : [],
  );
  const count = trits.reduce((sum, weights) => sum + weights.length, 0);
  const zeros = trits.reduce((sum, weights) => sum + weights.filter((w) => w === 0).length, 0);
  const { float, packed } = weightBytes(net);
  return { zeros: zeros / count, smaller: float / packed };
}
