//! A model file that is one tree ensemble: what its votes mean (regression, classes, transforms).
//! A form whose meaning is not settled here is null: ONNX Runtime takes it.

import type { Model, ModelPort } from "./model.js";
import { describePort, readMeta, type SternaMeta } from "./onnx/meta.js";
import type { Node, OnnxModel } from "./onnx/model.js";
import { ELEMENT } from "./onnx/tensor.js";
import { AGGREGATES, isSingle, readEnsemble } from "./tree-ensemble.js";
import { type Forest, readForest, treeNode, vote } from "./trees.js";

const TARGETS_MAX = 1024;

/** `finish` turns votes into the outputs. */
type Ensemble = {
  readonly forest: Forest;
  readonly base: Float64Array;
  readonly outputs: readonly ModelPort[];
  readonly finish: (scores: Float64Array, outputs: readonly Float32Array[]) => void;
};

/** A text says why the trees are broken. */
export function openTrees(model: OnnxModel, hash: string): Model | string | null {
  const node = treeNode(model);
  const [input] = model.graph.inputs;
  if (node === null || input === undefined || input.type !== ELEMENT.FLOAT) return null;
  const meta = readMeta(model.metadata);
  if (typeof meta === "string") return meta;
  if (!isSingle(node)) return null;
  const make = { TreeEnsembleRegressor: regression, TreeEnsemble: ensemble }[node.op];
  const made = (make ?? classification)(node, meta);
  if (made === null || typeof made === "string") return made;
  const { forest, base, outputs, finish } = made;
  const stated = input.dims?.at(-1) ?? -1;
  const size = stated < 0 ? forest.features : stated;
  if (size < forest.features) return `the trees read ${forest.features} features of ${size}`;
  const scores = new Float64Array(forest.targets);
  return {
    inputs: [{ ...describePort(meta.inputs, input.name), shape: [size], size }],
    outputs,
    hash,
    tier: "within 1e-6 relative",
    engine: "trees",
    run([x], results): string | null {
      if (x === undefined) return "no input";
      scores.set(base);
      vote(forest, x, scores);
      finish(scores, results);
      return null;
    },
  };
}

function baseOf(node: Node, targets: number): Float64Array | null {
  const values = node.attributes.get("base_values")?.floats ?? [];
  if (values.length === 0) return new Float64Array(targets);
  return values.length === targets ? Float64Array.from(values) : null;
}

function transformOf(node: Node): string {
  return node.attributes.get("post_transform")?.text ?? "NONE";
}

function regression(node: Node, meta: SternaMeta): Ensemble | string | null {
  const targets = node.attributes.get("n_targets")?.integer ?? 1;
  const aggregate = node.attributes.get("aggregate_function")?.text ?? "SUM";
  if (!["SUM", "AVERAGE"].includes(aggregate) || transformOf(node) !== "NONE") return null;
  if (!(targets >= 1 && targets <= TARGETS_MAX)) return `the trees have ${targets} targets`;
  const forest = readForest(node, "target", targets);
  if (typeof forest === "string") return forest;
  const base = baseOf(node, targets);
  if (base === null) return "the trees have not one base value for each target";
  const share = aggregate === "AVERAGE" ? 1 / forest.roots.length : 1;
  const output = describePort(meta.outputs, node.outputs[0] ?? "");
  return {
    forest,
    base: new Float64Array(targets),
    outputs: [{ ...output, shape: [targets], size: targets }],
    finish(scores, [y]): void {
      for (let i = 0; i < targets; i++) {
        if (y !== undefined) y[i] = (scores[i] as number) * share + (base[i] as number);
      }
    },
  };
}

/** TreeEnsemble: votes for targets, summed or averaged. */
function ensemble(node: Node, meta: SternaMeta): Ensemble | string | null {
  const number = (name: string, standard: number): number =>
    node.attributes.get(name)?.integer ?? standard;
  const aggregate = AGGREGATES[number("aggregate_function", 1)];
  const targets = number("n_targets", 1);
  if (aggregate === undefined || number("post_transform", 0) !== 0) return null;
  if (!(targets >= 1 && targets <= TARGETS_MAX)) return `the trees have ${targets} targets`;
  const forest = readEnsemble(node, targets);
  if (forest === null || typeof forest === "string") return forest;
  const share = aggregate === "AVERAGE" ? 1 / forest.roots.length : 1;
  const output = describePort(meta.outputs, node.outputs[0] ?? "");
  return {
    forest,
    base: new Float64Array(targets),
    outputs: [{ ...output, shape: [targets], size: targets }],
    finish(scores, [y]): void {
      for (let i = 0; i < targets; i++) if (y !== undefined) y[i] = (scores[i] as number) * share;
    },
  };
}

function classification(node: Node, meta: SternaMeta): Ensemble | string | null {
  const names = node.attributes.get("classlabels_strings")?.texts ?? [];
  const numbers = node.attributes.get("classlabels_int64s")?.integers ?? [];
  const count = Math.max(names.length, numbers.length);
  const transform = transformOf(node);
  // ONNX Runtime chooses between two classes by rules of its own (the sign of one vote): it keeps
  // them. Below three voted classes it does so too.
  const voted = new Set(node.attributes.get("class_ids")?.integers ?? []);
  const plain = ["NONE", "SOFTMAX", "LOGISTIC"].includes(transform);
  if (count < 3 || voted.size < count || !plain) return null;
  if (count > TARGETS_MAX) return `the trees have ${count} classes`;
  const forest = readForest(node, "class", count);
  if (typeof forest === "string") return forest;
  const base = baseOf(node, count);
  if (base === null) return null;
  const classes = names.length > 0 ? names : numbers.map(String);
  const label = describePort(meta.outputs, node.outputs[0] ?? "");
  const score = describePort(meta.outputs, node.outputs[1] ?? "");
  return {
    forest,
    base,
    outputs: [
      // A label that is a word comes out as its place in the list.
      { ...label, unit: label.unit || "1", classes, shape: [1], size: 1 },
      { ...score, unit: score.unit || "1", classes, shape: [count], size: count },
    ],
    finish(scores, [chosen, y]): void {
      const best = scores.indexOf(Math.max(...scores));
      if (chosen !== undefined) chosen[0] = names.length > 0 ? best : (numbers[best] as number);
      if (y !== undefined) spread(scores, transform, y);
    },
  };
}

function spread(scores: Float64Array, transform: string, y: Float32Array): void {
  const most = Math.max(...scores);
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    const softmax = transform === "SOFTMAX";
    y[i] = softmax ? Math.exp(score - most) : score;
    if (transform === "LOGISTIC") y[i] = 1 / (1 + Math.exp(-score));
    total += y[i] as number;
  }
  if (transform === "SOFTMAX") for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) / total;
}
