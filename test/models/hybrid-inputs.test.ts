//! What goes into the parts of a hybrid: inputs in the graph's order, a mask that nothing is bound to,
//! infinite values of the part before.
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { prng } from "../../agent/base/prng.js";
import { bindUserModel } from "../../agent/models/bind.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { writeModel, writeNode, writeValueInfo } from "../../agent/models/onnx/write.js";
import { writeEncoder } from "../../agent/models/onnx/write-encoder.js";
import { writeNet } from "../../agent/models/onnx/write-net.js";
import { openModel } from "../../agent/models/user-model.js";
import { parseUnit, type Unit } from "../../agent/units/parse.js";
import { randomEncoder } from "../accel/encoders.js";
import { chainOf, opened, type Piece, ternary, wholeOf } from "./hybrid-files.js";
import { gruNet } from "./mixed-nets.js";

const [PLACES, WIDTH] = [6, 32];
const SIZE = PLACES * WIDTH;

/** Tanh of "given", an encoder with a mask, and nodes behind that read "y" and write "z". */
function masked(tail: readonly Uint8Array[], maskFirst: boolean): Uint8Array {
  const form = { masked: true, order: "pre", activation: "gelu", ends: true } as const;
  const sizes = { sequence: PLACES, width: WIDTH, heads: 2, hidden: 64, limit: 127, depth: 2 };
  const inner = readOnnx(writeEncoder(randomEncoder(5, { ...sizes, kept: 1, form })));
  if (typeof inner === "string") throw new Error(inner);
  const { nodes, initializers, inputs } = inner.graph;
  const given = writeValueInfo("given", 1, [PLACES, WIDTH]);
  const mask = inputs.filter(({ name }) => name === "mask").map(({ raw }) => raw);
  const graph = {
    name: "masked",
    nodes: [writeNode("Tanh", ["given"], ["x"]), ...nodes.map(({ raw }) => raw), ...tail],
    tensors: [...initializers.values()].map(({ raw }) => raw),
    inputs: maskFirst ? [...mask, given] : [given, ...mask],
    outputs: [writeValueInfo("z", 1, [PLACES, WIDTH])],
  };
  return writeModel(graph, { "": 25 }, []);
}

const portsOf = ({ inputs }: Model) => {
  return inputs.map(({ name, optional = false }) => [name, optional]);
};

test("a mask that stands first may be left unbound, and is not what stands behind it", () => {
  const bytes = masked([writeNode("Softplus", ["y"], ["z"])], true);
  const model = opened(openModel(bytes, reference));
  expect(model.engine).toMatch(/, then ternary encoder on reference, then onnxruntime/);
  expect(portsOf(model)).toEqual([
    ["mask", true],
    ["given", false],
  ]);
  const whole = wholeOf(bytes);
  const random = prng(8, "x");
  const x = Float32Array.from({ length: SIZE }, () => random.normal());
  const [ours, theirs] = [new Float32Array(SIZE), new Float32Array(SIZE)];
  for (const hidden of [3, 0]) {
    const keys = Float32Array.from({ length: PLACES }, (_, i) => (i < PLACES - hidden ? 0 : -1e4));
    expect(model.run([hidden === 0 ? undefined : keys, x], [ours])).toBeNull();
    expect(whole.run([keys, x], [theirs])).toBeNull();
    const off = ours.map((value, k) => Math.abs(value - (theirs[k] as number)));
    expect(Math.max(...off)).toBeLessThan(0.02);
  }
  // Bound to a channel, the mask to none.
  const unit = parseUnit("1") as Unit;
  const spec = {
    name: "masked",
    in: [{ tensor: "given", channels: ["a"], window: SIZE, units: [unit] }],
    out: [{ tensor: "z", index: 0, channel: "score", unit }],
  };
  const monitor = bindUserModel(model, spec, [{ name: "a", dim: "1", kind: "" }]);
  if (!("onSample" in monitor)) throw new Error(JSON.stringify(monitor));
  const scores: number[] = [];
  for (const [i, value] of x.entries()) {
    const set = (_: number, score: number): number => scores.push(score);
    monitor.onSample({ get: () => value, set }, 0, i);
  }
  expect(scores.at(-1)).toBe(ours[0]);
});

test("a mask that ONNX Runtime reads too has to be bound", () => {
  const tail = [
    writeNode("ReduceMean", ["mask"], ["share"], { keepdims: 1n }),
    writeNode("Add", ["y", "share"], ["z"]),
  ];
  const model = opened(openModel(masked(tail, false), reference));
  expect(model.parts).toHaveLength(3);
  expect(portsOf(model)).toEqual([
    ["given", false],
    ["mask", false],
  ]);
});

test("an infinite value between parts is the last step, as ONNX Runtime has it", () => {
  const log: Piece = (draft, from, size, key) => {
    draft.nodes.push(writeNode("Log", [from], [`log_${key}`]));
    return { to: `log_${key}`, size };
  };
  const reciprocal: Piece = (draft, from, size, key) => {
    draft.nodes.push(writeNode("Reciprocal", [from], [`one_over_${key}`]));
    return { to: `one_over_${key}`, size };
  };
  for (const piece of [log, reciprocal]) {
    const bytes = chainOf(8, [piece, ternary(1)]);
    const [model, other] = [opened(openModel(bytes, reference)), wholeOf(bytes)];
    expect(model.engine).toMatch(/, then ternary on reference$/);
    // Log of 0 is below all, its reciprocal above.
    const x = Float32Array.of(0, 0.5, 0, 2, 1, 3, 0.1, 0);
    const [ours, theirs] = [new Float32Array(6), new Float32Array(6)];
    expect(model.run([x], [ours])).toBeNull();
    expect(other.run([x], [theirs])).toBeNull();
    ours.forEach((value, k) => {
      expect(Math.abs(value - (theirs[k] as number))).toBeLessThan(0.031);
    });
    model.run([x.fill(Number.NaN)], [ours]);
    expect(ours.every(Number.isNaN)).toBe(true);
  }
});

test("a state in the last part is kept between runs, and forgotten by a reset", () => {
  const net = readOnnx(writeNet(gruNet(prng(3, "gru"))));
  if (typeof net === "string") throw new Error(net);
  const { nodes, initializers, inputs, outputs } = net.graph;
  const [x, ...states] = inputs;
  const [size = 0] = x?.dims?.slice(1) ?? [];
  const graph = {
    name: "kept",
    nodes: [writeNode("Softplus", ["given"], [x?.name ?? ""]), ...nodes.map(({ raw }) => raw)],
    tensors: [...initializers.values()].map(({ raw }) => raw),
    inputs: [writeValueInfo("given", 1, [size]), ...states.map(({ raw }) => raw)],
    outputs: outputs.map(({ raw }) => raw),
  };
  const state = net.metadata.get("sterna.state") ?? "";
  const model = opened(
    openModel(writeModel(graph, { "": 25 }, [["sterna.state", state]]), reference),
  );
  expect(model.engine).toMatch(/^onnxruntime .*, then ternary on reference$/);
  expect(model.inputs.map(({ name }) => name)).toEqual(["given"]);
  const run = (): Float32Array => {
    const y = new Float32Array(model.outputs[0]?.size ?? 0);
    expect(model.run([new Float32Array(size).fill(1)], [y])).toBeNull();
    return y;
  };
  const [first, second] = [run(), run()];
  expect(second).not.toEqual(first);
  model.reset?.();
  expect(run()).toEqual(first);
});
