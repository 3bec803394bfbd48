//! The shared recipe: its gradients against finite differences and against jax, and what it trains.
import { defaultDevice, grad, init, numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { createTape, type Matrix } from "../../agent/models/convert/autodiff.js";
import { type NetSpec, perceptron } from "../../agent/models/convert/layout.js";
import {
  createNet,
  fold,
  forward,
  type Net,
  predict,
  weightBytes,
} from "../../agent/models/convert/ternary.js";
import { type Examples, type Plan, train } from "../../agent/models/convert/trainer.js";
import { loadNetwork } from "../../agent/models/network.js";
import { isWeighted, type TernaryNet } from "../../agent/models/onnx/ternary-net.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { checkGradients, draw } from "./gradients.js";

const TCN: NetSpec = {
  channels: 2,
  places: 9,
  inputStep: Math.fround(4 / 127),
  layers: [
    { size: 6, weights: "int8", kernel: 3 },
    { size: 6, weights: "ternary", kernel: 3, dilation: 2 },
    { size: 2, weights: "int8" },
  ],
};

test("gradients of convs, saturating layers, bounded heads and squared errors", () => {
  const spec: NetSpec = { ...TCN, layers: TCN.layers.map((l) => ({ ...l, ceiling: 1.5 })) };
  const net = createNet(spec, prng(2, "tcn"));
  const x = draw(4, 18);
  const target = draw(4, 2).data;
  const leaves = net.layers.flatMap(({ w, gamma, beta, last }) =>
    last ? [w, beta] : [w, gamma, beta],
  );
  // In an order of its own, so that a wrong index shows.
  const turned = Int32Array.from({ length: 72 }, (_, i) => (i * 35) % 72);
  for (const learn of [true, false]) {
    checkGradients([x, ...leaves], (tape) => {
      const raw = forward(tape, net, tape.gather(x, 18, turned), { quantised: false, learn });
      return tape.squaredError(tape.tanh(raw), target, [1, 0.3]);
    });
  }
});

test("jax finds the same gradients of a dense network", async () => {
  await init("wasm");
  defaultDevice("wasm");
  const [x, w, gamma, beta] = [draw(16, 5), draw(7, 5), draw(1, 7), draw(1, 7)];
  const [v, b, target] = [draw(3, 7), draw(1, 3), draw(16, 3)];
  const stats = { mean: new Float64Array(7), variance: new Float64Array(7), momentum: 0 };
  const tape = createTape();
  const hidden = tape.relu(tape.batchNorm(tape.linear(x, w), gamma, beta, stats, true), 1.5);
  const said = tape.tanh(tape.shift(tape.linear(hidden, v), b));
  const loss = tape.squaredError(said, target.data, [1, 1, 1]);
  tape.backward(loss);

  type Value = ReturnType<typeof np.array>;
  const give = (m: Matrix): Value =>
    np.array(m.data.slice(), { dtype: np.float64 }).reshape([m.rows, m.cols]);
  const theirs = ([x, w, gamma, beta, v, b]: Value[]): Value => {
    const z = np.matmul(x as Value, np.transpose(w as Value));
    const off = z.ref.sub(np.mean(z, 0));
    const variance = np.mean(np.square(off.ref), 0);
    const unit = off.div(np.sqrt(variance.add(1e-5)));
    const clipped = np.clip(unit.mul(gamma as Value).add(beta as Value), 0, 1.5);
    const out = np.tanh(np.matmul(clipped, np.transpose(v as Value)).add(b as Value));
    return np
      .square(out.sub(give(target)))
      .sum()
      .div(16);
  };
  const leaves = [x, w, gamma, beta, v, b];
  expect(theirs(leaves.map(give)).js()).toBeCloseTo(loss.data[0] as number, 6);
  const found = grad(theirs)(leaves.map(give));
  leaves.forEach((leaf, i) => {
    (found[i] as Value).dataSync().forEach((value, k) => {
      expect(leaf.grad[k]).toBeCloseTo(Number(value), 6);
    });
  });
});

/** Two smooth values of two channels over nine places, with some noise. */
function makeExamples(count: number, seed: number): Examples {
  const random = prng(seed, "recipe/examples");
  const x = new Float64Array(count * 18).map(() => 1.2 * random.normal());
  const y = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) {
    const at = (channel: number, p: number): number => x[i * 18 + channel * 9 + p] as number;
    y[2 * i] = 0.5 * at(0, 8) + 0.3 * at(0, 4) + 0.1 * at(1, 2) + 0.05 * random.normal();
    y[2 * i + 1] = 0.4 * at(1, 8) - 0.4 * Math.abs(at(1, 6)) + 0.05 * random.normal();
  }
  return { count, x, y };
}

const PLAN: Plan = {
  net: TCN,
  goal: "values",
  batch: 32,
  teacherSteps: 300,
  pupilSteps: 300,
  rate: 1e-2,
  distil: 0.3,
  temperature: 3,
  jitter: 0,
  start: "better",
};

function rmse(net: Net, { x, y }: Examples, quantised: boolean): number {
  const said = predict(net, x, quantised);
  return Math.sqrt(said.reduce((sum, v, i) => sum + (v - (y[i] as number)) ** 2, 0) / y.length);
}

function file(net: Net, shape: readonly number[]): TernaryNet {
  const open = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
  return {
    input: { name: "x", unit: "1", ...open, shape, scale: net.steps[0] as number },
    layers: fold(net),
    output: { name: "y", unit: "1", ...open, classes: [] },
    meta: { version: "1", training: "", facts: {} },
  };
}

test("a conv net learns values, the same each time; the file says what the float rehearsed", {
  timeout: 60_000,
}, () => {
  const [set, validation, unseen] = [1, 2, 3].map((seed) => makeExamples(1000, seed));
  if (set === undefined || validation === undefined || unseen === undefined) throw new Error();
  const run = () => train(PLAN, set, prng(5, "recipe"), validation);
  const { teacher, pupil, from } = run();
  const again = run();
  expect(again.from).toBe(from);
  const bytes = writeTernaryNet(file(pupil, [2, 9]));
  expect(writeTernaryNet(file(again.pupil, [2, 9]))).toEqual(bytes);
  const spread = Math.sqrt(unseen.y.reduce((a, v) => a + v * v, 0) / unseen.y.length);
  expect(rmse(teacher, unseen, false)).toBeLessThan(0.6 * spread);
  expect(rmse(pupil, unseen, true)).toBeLessThan(0.45 * spread);
  const network = loadNetwork(bytes, reference);
  if (typeof network === "string") throw new Error(network);
  const said = predict(pupil, unseen.x, true);
  const y = new Float32Array(2);
  let worst = 0;
  for (let i = 0; i < 100; i++) {
    network.infer(Float32Array.from(unseen.x.subarray(18 * i, 18 * i + 18)), y);
    worst = Math.max(worst, ...y.map((v, k) => Math.abs(v - (said[2 * i + k] as number))));
  }
  // A step of a hidden layer here and there: multipliers have 15 bits.
  expect(worst).toBeLessThan(0.05 * spread);
  const zeros =
    fold(pupil)
      .filter(isWeighted)[1]
      ?.weights.filter((w) => w === 0).length ?? 0;
  expect(zeros / 108).toBeGreaterThan(0.35);
  expect(zeros / 108).toBeLessThan(0.65);
  expect(weightBytes(pupil)).toEqual({ float: 4 * (36 + 108 + 36), packed: 36 + 27 + 36 });
});

test("what is declared to rise rises, in every weight, and is proven at load", () => {
  const flat = perceptron([2, 8, 8, 1], Math.fround(4 / 127), { first: "int8", last: "int8" });
  const layers = flat.layers.map((layer, i) => {
    const rising = i === 0 ? ([1] as const) : ("all" as const);
    return { ...layer, ceiling: 3, rising };
  });
  const random = prng(8, "rising");
  const x = Float64Array.from({ length: 600 }, () => 1.3 * random.normal());
  const y = Float64Array.from({ length: 300 }, (_, i) => {
    return Math.sin(2 * (x[2 * i] as number)) + Math.tanh(2 * (x[2 * i + 1] as number));
  });
  const plan: Plan = { ...PLAN, net: { ...flat, layers }, start: "teacher" };
  const { pupil } = train(plan, { count: 300, x, y }, prng(9, "rising"));
  const net = file(pupil, [2]);
  const [first, ...rest] = net.layers.filter(isWeighted);
  expect(first?.weights.filter((_, i) => i % 2 === 1).every((w) => w >= 0)).toBe(true);
  expect(rest.every(({ weights }) => weights.every((w) => w >= 0))).toBe(true);
  expect(first?.weights.some((w) => w < 0)).toBe(true);
  writeTernaryNet({ ...net, claims: { monotone: [1] } });
  expect(() => writeTernaryNet({ ...net, claims: { monotone: [0] } })).toThrow(/may fall/);
  const grid = Float64Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 0.3 : -4 + i / 25));
  const curve = predict(pupil, grid, true);
  expect(curve.every((v, i) => i === 0 || v >= (curve[i - 1] as number))).toBe(true);
  expect((curve.at(-1) as number) - (curve[0] as number)).toBeGreaterThan(1);
});

test("a layout that does not fit, and a choice without a set to choose on, are refused", () => {
  const long = { ...TCN, places: 5 };
  expect(() => createNet(long, prng(1, "x"))).toThrow(/layer 1: its kernel is longer/);
  expect(() =>
    train({ ...PLAN, teacherSteps: 1, pupilSteps: 1 }, makeExamples(40, 1), prng(1, "x")),
  ).toThrow(/validation set/);
});
