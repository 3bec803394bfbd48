import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { imageOf, stageBytes } from "../../agent/accel/image.js";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { planNet } from "../../agent/models/net-plan.js";
import { loadNetwork, type Network, planNetwork } from "../../agent/models/network.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recognise } from "../../agent/models/onnx/recognise.js";
import {
  channelsOut,
  convLength,
  type DenseLayer,
  type TernaryNet,
} from "../../agent/models/onnx/ternary-net.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { KINDS, mixedNet } from "./mixed-nets.js";
import { alone, type Chain, LEVELS, randomCnn, randomInput, randomMlp, runOrt } from "./nets.js";

const ROUNDS = 20;
const BATCH = 20;

function load(net: TernaryNet): Network {
  const network = loadNetwork(writeTernaryNet(net), reference);
  if (typeof network === "string") throw new Error(network);
  return network;
}

function inferAll(network: Network, x: Float32Array): Float32Array {
  const [from, to] = [network.inputs[0]?.size ?? 0, network.outputs[0]?.size ?? 0];
  const y = new Float32Array((x.length / from) * to);
  for (let i = 0; i < x.length / from; i++) {
    network.infer(x.subarray(i * from, (i + 1) * from), y.subarray(i * to, (i + 1) * to));
  }
  return y;
}

function shapesOf(net: Chain): (readonly number[])[] {
  const shapes: (readonly number[])[] = [net.input.shape];
  for (const layer of net.layers) {
    const [, length = 0] = shapes.at(-1) ?? [];
    const conv = layer.kind === "conv1d";
    const filters = channelsOut(layer);
    shapes.push(conv ? [filters, convLength(layer, length)] : [filters]);
  }
  return shapes;
}

/** Largest difference and how many differ, in steps of the layer's output (or of its sums). */
function compare(net: Chain, ours: Float32Array, theirs: Float32Array) {
  const step = net.layers.at(-1)?.outScale ?? null;
  const counts = { values: ours.length, differ: 0, most: 0 };
  for (const [i, value] of ours.entries()) {
    const other = theirs[i] as number;
    const unit = step ?? 1e-4 * (1 + Math.abs(other));
    const away = Math.round(Math.abs(value - other) / unit);
    if (away > 0) counts.differ += 1;
    counts.most = Math.max(counts.most, away);
  }
  return counts;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function isClipped(net: Chain, value: number): boolean {
  const step = net.layers.at(-1)?.outScale ?? null;
  return step !== null && Math.abs(value) >= 126.5 * step;
}

for (const [kind, make] of [
  ["dense", randomMlp],
  ["conv", randomCnn],
] as const) {
  test(`${kind}: each layer is at most 1 step from ONNX Runtime`, async () => {
    let [values, differ, inner] = [0, 0, 0];
    for (let seed = 0; seed < ROUNDS; seed++) {
      const net = make(seed);
      const shapes = shapesOf(net);
      let x = randomInput(prng(seed, "input"), BATCH * sizeOf(net.input.shape));
      for (const at of net.layers.keys()) {
        const layerShape =
          net.layers[at]?.kind === "dense" ? [net.layers[at].cols] : (shapes[at] ?? []);
        const one = alone(net, at, layerShape);
        const ours = inferAll(load(one), x);
        const theirs = await runOrt(writeTernaryNet(one), layerShape, x, "basic");
        expect(theirs).toHaveLength(ours.length);
        const counts = compare(one, ours, theirs);
        expect(counts.most, `seed ${seed} layer ${at}`).toBeLessThanOrEqual(1);
        values += counts.values;
        differ += counts.differ;
        inner += ours.filter((value) => value !== 0 && !isClipped(one, value)).length;
        x = ours;
      }
    }
    console.info(`${kind}: ${differ} of ${values} layer outputs are 1 step from ONNX Runtime`);
    expect(differ / values).toBeLessThan(0.002);
    expect(inner / values, "most values must not be clipped").toBeGreaterThan(0.3);
  });

  test(`${kind}: the whole file runs at each level and agrees`, async () => {
    const net = make(99);
    const bytes = writeTernaryNet(net);
    const size = sizeOf(net.input.shape);
    const x = randomInput(prng(99, "whole"), BATCH * size);
    const ours = inferAll(load(net), x);
    for (const level of Object.keys(LEVELS) as (keyof typeof LEVELS)[]) {
      const theirs = await runOrt(bytes, net.input.shape, x, level);
      const spread = Math.max(...theirs) - Math.min(...theirs);
      const away = ours.map((value, i) => Math.abs(value - (theirs[i] as number)));
      expect(Math.max(...away) / spread, level).toBeLessThan(0.02);
    }
  });
}

test("a value that is no number makes every output unknown, and is forgotten after", () => {
  const network = load(randomMlp(2));
  const x = new Float32Array(network.inputs[0]?.size ?? 0).fill(0.3);
  const y = new Float32Array(network.outputs[0]?.size ?? 0);
  network.infer(x, y);
  const known = [...y];
  expect(known.every(Number.isFinite)).toBe(true);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    network.infer(x.with(0, bad), y);
    expect([...y].every(Number.isNaN)).toBe(true);
    network.infer(x, y);
    expect([...y]).toEqual(known);
  }
});

test("a row of zeros gives its bias, whatever scale training left it", async () => {
  const net = randomMlp(2);
  for (const [at, layer] of net.layers.entries()) {
    layer.weights.fill(0, 0, layer.weights.length / layer.bias.length);
    layer.wScale[0] = 1e-30;
    layer.bias[0] = 0.4;
    const size = layer.kind === "dense" ? layer.cols : 0;
    const one = alone(net, at, [size]);
    const x = randomInput(prng(at, "dead"), size);
    const theirs = await runOrt(writeTernaryNet(one), [size], x, "basic");
    const ours = inferAll(load(one), x);
    const step = layer.outScale ?? 1e-5;
    expect(Math.abs((ours[0] as number) - 0.4)).toBeLessThanOrEqual(step * 0.51);
    expect(compare(one, ours, theirs).most, `layer ${at}`).toBeLessThanOrEqual(1);
  }
});

const SHIPPED = new URL("../../agent/models/", import.meta.url);
for (const name of readdirSync(SHIPPED).filter((file) => file.endsWith(".onnx"))) {
  test(`shipped ${name}: ONNX Runtime loads it at each level and agrees`, async () => {
    const bytes = readFileSync(new URL(name, SHIPPED));
    const network = loadNetwork(bytes, reference);
    if (typeof network === "string") throw new Error(network);
    const model = readOnnx(bytes);
    const net = typeof model === "string" ? model : recognise(model);
    if (typeof net === "string") throw new Error(net);
    const random = prng(1, name);
    const { shape, scale } = net.input;
    const size = network.inputs[0]?.size ?? 0;
    const x = Float32Array.from({ length: BATCH * size }, () => random.normal() * 60 * scale);
    const ours = inferAll(network, x);
    for (const level of Object.keys(LEVELS) as (keyof typeof LEVELS)[]) {
      const theirs = await runOrt(bytes, shape, x, level, net.input.name);
      const spread = Math.max(...theirs) - Math.min(...theirs);
      const away = ours.map((value, i) => Math.abs(value - (theirs[i] as number)));
      expect(Math.max(...away) / spread, level).toBeLessThan(0.02);
    }
  });
}

test("the planner counts at least what the image takes", () => {
  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];
  for (let seed = 0; seed < 10; seed++) {
    const mixed = kinds.map((kind) => mixedNet(kind, seed));
    for (const net of [randomMlp(seed), randomCnn(seed), ...mixed]) {
      const planned = planNet(net, reference);
      if (typeof planned === "string") throw new Error(planned);
      const { stages, output } = planned.plan;
      const most = stages.reduce((sum, stage) => sum + stageBytes(stage), 0);
      for (const lookup of [false, true]) {
        const { bytes } = imageOf(planned.plan, 1, lookup);
        expect(bytes.length - 1024 - 8 * output.channels).toBeLessThanOrEqual(most);
      }
    }
  }
});

test("a net that takes more than the image holds is refused by the layer, not by an assertion", () => {
  const cols = 65_536;
  // One row of bytes fills a tile of 64: 4 MiB for 64 KiB of weights, which all layers share.
  const layer: DenseLayer = {
    ...{ kind: "dense", rows: 1, cols, weights: new Int8Array(cols).fill(2), ternary: false },
    ...{ wScale: Float32Array.of(1), bias: Float32Array.of(0), relu: false, outScale: 1 },
    from: ["x"],
  };
  const net: TernaryNet = {
    ...{ ...randomMlp(1), input: { ...randomMlp(1).input, shape: [cols] } },
    layers: new Array<DenseLayer>(256).fill(layer),
  };
  expect(planNet(net, reference)).toBe(
    "layer 239 (dense): the layers up to it take more than 960 MiB as kernels read them",
  );
  const wide: TernaryNet = { ...net, layers: [layer] };
  expect(planNetwork(wide, reference, "", { batch: 16_385 })).toMatch(/16385 times at once/);
});
