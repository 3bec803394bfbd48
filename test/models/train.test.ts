import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { makeVibnet, scoreProbabilities, VIBNET_PLAN } from "../../agent/models/convert/vibnet.js";
import { CLASSES, makeSet } from "../../agent/models/convert/vibration-set.js";
import { ORDER_BINS } from "../../agent/models/features/orders.js";
import { hashOf, loadNetwork } from "../../agent/models/network.js";
import { isWeighted } from "../../agent/models/onnx/ternary-net.js";
import { checkGradients, draw } from "./gradients.js";
import { agreesWithOnnxruntime, netOf } from "./shipped.js";

const SHIPPED = readFileSync("agent/models/vibnet.onnx");
test("gradients of a whole small network agree with finite differences", () => {
  const [x, w, gamma, beta, v, b] = [
    draw(6, 7),
    draw(5, 7),
    draw(1, 5),
    draw(1, 5),
    draw(3, 5),
    draw(1, 3),
  ];
  const stats = { mean: new Float64Array(5), variance: new Float64Array(5).fill(1), momentum: 0 };
  const target = new Float64Array(18);
  for (let i = 0; i < 6; i++) target[3 * i + (i % 3)] = 1;
  const soft = Float64Array.from({ length: 18 }, () => 1 / 3);
  for (const learn of [true, false]) {
    checkGradients([x, w, gamma, beta, v, b], (tape) => {
      const hidden = tape.relu(tape.batchNorm(tape.linear(x, w), gamma, beta, stats, learn));
      const logits = tape.shift(tape.linear(hidden, v), b);
      const hard = tape.crossEntropy(logits, target, 1);
      return tape.blend(hard, 0.4, tape.crossEntropy(logits, soft, 3), 5.4);
    });
  }
});

test("a reduced training run gives the same bytes each time, and other ones of another seed", {
  timeout: 60_000,
}, () => {
  const plan = { ...VIBNET_PLAN, examples: 60, teacherSteps: 30, pupilSteps: 20 };
  const first = makeVibnet(plan);
  expect(hashOf(makeVibnet(plan).bytes)).toBe(hashOf(first.bytes));
  expect(hashOf(makeVibnet({ ...plan, seed: 2 }).bytes)).not.toBe(hashOf(first.bytes));
});

test("the shipped file: ternary where it says so, units, classes, training hash", () => {
  const net = netOf(SHIPPED);
  const layers = net.layers.filter(isWeighted);
  expect(layers.map((layer) => layer.ternary)).toEqual([true, true, false]);
  expect(layers.reduce((sum, layer) => sum + layer.weights.length, 0)).toBe(34_944);
  const [first] = layers;
  const zeros = first?.weights.filter((w) => w === 0).length ?? 0;
  expect(zeros / (first?.weights.length ?? 1)).toBeGreaterThan(0.4);
  expect(zeros / (first?.weights.length ?? 1)).toBeLessThan(0.6);
  expect(net.output.classes).toEqual(CLASSES);
  expect(net.input.unit).toBe("1");
  expect(net.meta.training).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test("the shipped file on blocks that training never saw", () => {
  const network = loadNetwork(SHIPPED, reference);
  if (typeof network === "string") throw new Error(network);
  const set = makeSet(300, 2001, "test");
  const y = new Float32Array(set.count * CLASSES.length);
  for (let i = 0; i < set.count; i++) {
    const x = Float32Array.from(set.x.subarray(i * ORDER_BINS, (i + 1) * ORDER_BINS));
    network.infer(x, y.subarray(i * CLASSES.length, (i + 1) * CLASSES.length));
  }
  const all = scoreProbabilities(y, set, () => true);
  const strong = scoreProbabilities(y, set, (i) => (set.strength[i] ?? 0) >= 4);
  expect(all.right).toBeGreaterThan(0.92);
  expect(all.false).toBeLessThan(0.08);
  expect(strong.right).toBeGreaterThan(0.98);
});

test("onnxruntime agrees within one step a layer", { timeout: 60_000 }, async () => {
  const set = makeSet(60, 3001, "test");
  const rows = Array.from({ length: set.count }, (_, i) =>
    Float32Array.from(set.x.subarray(i * ORDER_BINS, (i + 1) * ORDER_BINS)),
  );
  await agreesWithOnnxruntime(netOf(SHIPPED), rows);
});

test("normalised inputs of any sign and size stay numbers", () => {
  const network = loadNetwork(SHIPPED, reference);
  if (typeof network === "string") throw new Error(network);
  const y = new Float32Array(CLASSES.length);
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      network.infer(new Float32Array(ORDER_BINS).fill(value), y);
      return y.every(Number.isFinite);
    }),
  );
});
