//! The recipe that trains every shipped network: a float teacher; its weights cut to trits at
//! 0.845 E|w| (half of a Gaussian becomes 0); batch-norm re-estimation; activation scales at a high
//! quantile; then training through the rounding (straight-through estimator), with the teacher's
//! opinion as second target. Or ternary from the start, whichever does better on a validation set.
//! Everything random comes from one stream, so a run gives the same weights each time.
import type { Prng } from "../../base/prng.js";
import { createTape, type Matrix, matrix, softmax, type Tape } from "./autodiff.js";
import type { NetSpec } from "./layout.js";
import { refitLast } from "./refit.js";
import { copyNet, createNet, forward, keepRising, type Net, predict } from "./ternary.js";

export type Examples = {
  readonly count: number;
  /** count x inputs, each example channel by channel. */
  readonly x: Float64Array;
  /** count x outputs: probabilities of classes, or values; of a bounded head within +-1. */
  readonly y: Float64Array;
};

export type Plan = {
  readonly net: NetSpec;
  readonly goal: "classes" | "values";
  readonly batch: number;
  readonly teacherSteps: number;
  readonly pupilSteps: number;
  readonly rate: number;
  /** Weight of the teacher's opinion, 0 for none, and its temperature (classes alone). */
  readonly distil: number;
  readonly temperature: number;
  /** Drawn on every input while training: inputs differ in more than the data know. */
  readonly jitter: number;
  /**
   * Share of the steps, at the end, with batch-norm statistics that stand still, so that the
   * weights learn to live with them. Precise values need it: an error of the statistics is
   * common to all units of a layer. 0: they move to the end, and are settled afterwards.
   */
  readonly frozen?: number;
  /** Ends with the last layer by least squares; for values without a bounded head. */
  readonly refit?: boolean;
  /** Weight of each value's squared error; by default alike. */
  readonly weights?: readonly number[];
  /** `better` trains both ways and needs a validation set. */
  readonly start: "teacher" | "scratch" | "better";
};

export type Trained = {
  readonly teacher: Net;
  readonly pupil: Net;
  readonly from: "teacher" | "scratch";
};

const CLIP = 5;
const REESTIMATE_BATCHES = 40;
const ACTIVATION_QUANTILE = 0.9995;

export function train(plan: Plan, set: Examples, random: Prng, validation?: Examples): Trained {
  if (set.count === 0) throw new Error("there are no examples to train on");
  const run: Run = { plan, set, random };
  const teacher = createNet(plan.net, random);
  descend(run, teacher, plan.teacherSteps, "float", null);
  if (plan.refit) refitLast(teacher, set, false);
  const taught = (): Net => quantise(run, copyNet(teacher), teacher);
  const untaught = (): Net => {
    const net = createNet(plan.net, random);
    descend(run, net, plan.teacherSteps, "rounded", null);
    return quantise(run, net, null);
  };
  if (plan.start === "teacher") return { teacher, pupil: taught(), from: "teacher" };
  if (plan.start === "scratch") return { teacher, pupil: untaught(), from: "scratch" };
  if (validation === undefined) throw new Error("the better of two needs a validation set");
  const [first, second] = [taught(), untaught()];
  const better = lossOf(plan, second, validation) < lossOf(plan, first, validation);
  return { teacher, pupil: better ? second : first, from: better ? "scratch" : "teacher" };
}

/** What to train, on what, and what to choose by. */
export type Task = {
  readonly plan: Plan;
  readonly set: Examples;
  readonly validation: Examples;
};

/** A float network with as many steps as the pupil gets in all: what its loss is held against. */
export function trainFloat({ plan, set }: Task, random: Prng): Net {
  const net = createNet(plan.net, random);
  descend({ plan, set, random }, net, plan.teacherSteps + plan.pupilSteps, "float", null);
  if (plan.refit) refitLast(net, set, false);
  return net;
}

/** Mean loss over a set, in the terms of the plan. */
export function lossOf(plan: Plan, net: Net, set: Examples, quantised = true): number {
  const size = net.spec.layers.at(-1)?.size ?? 1;
  const said = matrix(set.count, size, predict(net, set.x, quantised));
  return lossAgainst(createTape(), plan, said, set.y).data[0] as number;
}

type Run = { readonly plan: Plan; readonly set: Examples; readonly random: Prng };

/** Static scales, then the training that makes weights fit them. */
function quantise(run: Run, net: Net, teacher: Net | null): Net {
  reestimate(run, net, true);
  setSteps(run, net);
  descend(run, net, run.plan.pupilSteps, "rounded", teacher);
  // The last batches still moved the statistics: settle them on the final weights.
  if ((run.plan.frozen ?? 0) === 0) reestimate(run, net, true);
  if (run.plan.refit) refitLast(net, run.set, true);
  return net;
}

function descend(
  run: Run,
  net: Net,
  steps: number,
  way: "float" | "rounded",
  teacher: Net | null,
): void {
  const { plan } = run;
  const leaves = net.layers.flatMap(({ w, gamma, beta, last }) =>
    last ? [w, beta] : [w, gamma, beta],
  );
  const update = adam(leaves);
  const quantised = way === "rounded";
  const still = Math.ceil(steps * (1 - (plan.frozen ?? 0)));
  for (let step = 0; step < steps; step++) {
    if (step === still) reestimate(run, net, quantised);
    const { x, target } = drawBatch(run, plan.jitter);
    const tape = createTape();
    const raw = forward(tape, net, x, { quantised, learn: step < still });
    const said = plan.net.bounded ? tape.tanh(raw) : raw;
    let loss = lossAgainst(tape, plan, said, target);
    if (teacher !== null && plan.distil > 0) {
      const told = forward(createTape(), teacher, x, { quantised: false, learn: false });
      loss = withOpinion(tape, plan, { said, told, loss });
    }
    tape.backward(loss);
    const cosine = 0.5 + 0.5 * Math.cos((Math.PI * step) / steps);
    update(plan.rate * (0.02 + 0.98 * cosine));
    keepRising(net);
  }
}

function lossAgainst(tape: Tape, plan: Plan, said: Matrix, target: Float64Array): Matrix {
  if (plan.goal === "classes") return tape.crossEntropy(said, target, 1);
  return tape.squaredError(said, target, plan.weights ?? new Array<number>(said.cols).fill(1));
}

function withOpinion(
  tape: Tape,
  plan: Plan,
  { said, told, loss }: { said: Matrix; told: Matrix; loss: Matrix },
): Matrix {
  const { distil, temperature: t } = plan;
  if (plan.goal === "classes") {
    const soft = tape.crossEntropy(said, softmax(told, t), t);
    return tape.blend(loss, 1 - distil, soft, distil * t ** 2);
  }
  const opinion = plan.net.bounded ? told.data.map(Math.tanh) : told.data;
  return tape.blend(loss, 1 - distil, lossAgainst(tape, plan, said, opinion), distil);
}

function drawBatch({ plan, set, random }: Run, jitter: number) {
  const cols = plan.net.channels * plan.net.places;
  const size = set.y.length / set.count;
  const x = matrix(plan.batch, cols);
  const target = new Float64Array(plan.batch * size);
  for (let b = 0; b < plan.batch; b++) {
    const i = Math.floor(random.next() * set.count);
    for (let c = 0; c < cols; c++) {
      const noise = jitter === 0 ? 0 : jitter * (random.next() - random.next());
      x.data[b * cols + c] = (set.x[i * cols + c] as number) + noise;
    }
    target.set(set.y.subarray(i * size, (i + 1) * size), b * size);
  }
  return { x, target };
}

/** Running statistics for the weights as they are, or as they round; without labels. */
function reestimate(run: Run, net: Net, quantised: boolean): void {
  for (let k = 1; k <= REESTIMATE_BATCHES; k++) {
    for (const { stats } of net.layers) stats.momentum = 1 / k; // a plain mean of all batches
    const { x } = drawBatch(run, 0);
    forward(createTape(), net, x, { quantised, learn: true });
  }
  for (const { stats } of net.layers) stats.momentum = 0.1;
}

/** Static activation scales from a high quantile: a rare large value may clip. */
function setSteps(run: Run, net: Net): void {
  const seen: number[][] = net.layers.map(() => []);
  const watch = (layer: number, y: Matrix): void => {
    for (const v of y.data) seen[layer]?.push(v);
  };
  for (let k = 0; k < REESTIMATE_BATCHES; k++) {
    const { x } = drawBatch(run, 0);
    forward(createTape(), net, x, { quantised: true, learn: false, watch });
  }
  seen.slice(0, -1).forEach((values, layer) => {
    if (net.spec.layers[layer]?.ceiling !== undefined) return; // the layer states its own
    const sorted = Float64Array.from(values).sort();
    const top = sorted[Math.floor(ACTIVATION_QUANTILE * (sorted.length - 1))] ?? 1;
    net.steps[layer + 1] = Math.fround(Math.max(top, 1e-3) / 127);
  });
}

function adam(leaves: readonly Matrix[]): (rate: number) => void {
  const first = leaves.map((m) => new Float64Array(m.data.length));
  const second = leaves.map((m) => new Float64Array(m.data.length));
  let b1 = 1;
  let b2 = 1;
  return (rate) => {
    b1 *= 0.9;
    b2 *= 0.999;
    let norm = 0;
    for (const { grad } of leaves) for (const g of grad) norm += g * g;
    const clip = Math.min(1, CLIP / Math.sqrt(norm + 1e-30));
    leaves.forEach(({ data, grad }, leaf) => {
      const m = first[leaf] as Float64Array;
      const v = second[leaf] as Float64Array;
      for (let i = 0; i < data.length; i++) {
        const g = clip * (grad[i] as number);
        m[i] = 0.9 * (m[i] as number) + 0.1 * g;
        v[i] = 0.999 * (v[i] as number) + 0.001 * g * g;
        const move = (m[i] as number) / (1 - b1) / (Math.sqrt((v[i] as number) / (1 - b2)) + 1e-8);
        data[i] = (data[i] as number) - rate * move;
      }
      grad.fill(0);
    });
  };
}
