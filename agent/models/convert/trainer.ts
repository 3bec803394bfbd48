//! The training loop: Adam, cosine rate, gradient clip; first the float teacher, then the ternary
//! pupil. Everything random comes from one seed, so a run gives the same weights each time.
import type { Prng } from "../../base/prng.js";
import { createTape, type Matrix, matrix, softmax } from "./autodiff.js";
import { copyNet, createNet, forward, type Net } from "./ternary.js";

export type Examples = {
  readonly count: number;
  readonly cols: number;
  readonly x: Float64Array;
  readonly label: Uint8Array;
};

export type Plan = {
  readonly sizes: readonly number[];
  readonly inputStep: number;
  readonly batch: number;
  readonly teacherSteps: number;
  readonly pupilSteps: number;
  readonly rate: number;
  /** Weight of the teacher's opinion and its temperature. */
  readonly distil: number;
  readonly temperature: number;
};

const CLIP = 5;
const REESTIMATE_BATCHES = 40;
const ACTIVATION_QUANTILE = 0.9995;
/** Drawn on every input while training: spectra differ in more than the simulator knows. */
const JITTER = 0.1;

export function train(plan: Plan, set: Examples, random: Prng): { teacher: Net; pupil: Net } {
  const teacher = createNet(plan.sizes, plan.inputStep, random);
  descend(plan, set, random, teacher, null, plan.teacherSteps);
  const pupil = copyNet(teacher);
  reestimate(plan, set, random, pupil);
  setSteps(plan, set, random, pupil);
  descend(plan, set, random, pupil, teacher, plan.pupilSteps);
  // The last batches still moved the statistics: settle them on the final weights.
  reestimate(plan, set, random, pupil);
  return { teacher, pupil };
}

function descend(
  plan: Plan,
  set: Examples,
  random: Prng,
  net: Net,
  teacher: Net | null,
  steps: number,
): void {
  const leaves = net.layers.flatMap(({ w, gamma, beta, last }) =>
    last ? [w, beta] : [w, gamma, beta],
  );
  const update = adam(leaves);
  for (let step = 0; step < steps; step++) {
    const { x, target } = drawBatch(plan, set, random, JITTER);
    const tape = createTape();
    const logits = forward(tape, net, x, { quantised: teacher !== null, learn: true });
    let loss = tape.crossEntropy(logits, target, 1);
    if (teacher !== null) {
      const said = forward(createTape(), teacher, x, { quantised: false, learn: false });
      const soft = tape.crossEntropy(logits, softmax(said, plan.temperature), plan.temperature);
      loss = tape.blend(loss, 1 - plan.distil, soft, plan.distil * plan.temperature ** 2);
    }
    tape.backward(loss);
    const cosine = 0.5 + 0.5 * Math.cos((Math.PI * step) / steps);
    update(plan.rate * (0.02 + 0.98 * cosine));
  }
}

function drawBatch(plan: Plan, set: Examples, random: Prng, jitter: number) {
  const classes = plan.sizes[plan.sizes.length - 1] as number;
  const x = matrix(plan.batch, set.cols);
  const target = new Float64Array(plan.batch * classes);
  for (let b = 0; b < plan.batch; b++) {
    const i = Math.floor(random.next() * set.count);
    for (let c = 0; c < set.cols; c++) {
      const noise = jitter === 0 ? 0 : jitter * (random.next() - random.next());
      x.data[b * set.cols + c] = (set.x[i * set.cols + c] as number) + noise;
    }
    target[b * classes + (set.label[i] as number)] = 1;
  }
  return { x, target };
}

/** Running statistics for the rounded weights, without labels. */
function reestimate(plan: Plan, set: Examples, random: Prng, net: Net): void {
  for (let k = 1; k <= REESTIMATE_BATCHES; k++) {
    for (const { stats } of net.layers) stats.momentum = 1 / k; // a plain mean of all batches
    const { x } = drawBatch(plan, set, random, 0);
    forward(createTape(), net, x, { quantised: true, learn: true });
  }
  for (const { stats } of net.layers) stats.momentum = 0.1;
}

/** Static activation scales from a high quantile: a rare large value may clip. */
function setSteps(plan: Plan, set: Examples, random: Prng, net: Net): void {
  const seen: number[][] = net.layers.map(() => []);
  const watch = (layer: number, y: Matrix): void => {
    for (const v of y.data) seen[layer]?.push(v);
  };
  for (let k = 0; k < REESTIMATE_BATCHES; k++) {
    const { x } = drawBatch(plan, set, random, 0);
    forward(createTape(), net, x, { quantised: true, learn: false, watch });
  }
  seen.slice(0, -1).forEach((values, layer) => {
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
