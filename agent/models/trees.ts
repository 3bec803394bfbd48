//! Decision trees and forests of `ai.onnx.ml` (TreeEnsembleRegressor, TreeEnsembleClassifier; the
//! newer TreeEnsemble is read in tree-ensemble.ts) in plain TypeScript. The one operator must be the
//! whole graph; other forms go to ONNX Runtime.
import type { Attribute, Node, OnnxModel } from "./onnx/model.js";
import { nodeName, word } from "./onnx/model.js";

const MODES = [
  ...["LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"],
  ...["BRANCH_EQ", "BRANCH_NEQ"],
];
const LEAF = 0;
/** What scikit-learn's exporter puts behind the one operator: no number changes. */
const BEHIND = ["ZipMap", "Cast", "Identity"];
const OPERATORS = ["TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble"];

/** All nodes of all trees in one table; a leaf's votes are `votes[from..to)`. */
export type Forest = {
  readonly roots: readonly number[];
  readonly mode: Uint8Array;
  readonly feature: Int32Array;
  readonly value: Float32Array;
  readonly yes: Int32Array;
  readonly no: Int32Array;
  /** 1: a missing value (NaN) takes the branch of yes. */
  readonly missingYes: Uint8Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly voteTarget: Int32Array;
  readonly voteWeight: Float32Array;
  readonly targets: number;
  readonly features: number;
};

/** Adds the votes of every tree to `scores`. It ends, because each node has one parent at most. */
export function vote(forest: Forest, x: Float32Array, scores: Float64Array): void {
  for (const root of forest.roots) {
    let node = root;
    while (forest.mode[node] !== LEAF) {
      const value = x[forest.feature[node] as number] as number;
      const holds = Number.isNaN(value)
        ? forest.missingYes[node] === 1
        : branch(forest.mode[node] as number, value, forest.value[node] as number);
      node = (holds ? forest.yes[node] : forest.no[node]) as number;
    }
    for (let i = forest.from[node] as number; i < (forest.to[node] as number); i++) {
      const target = forest.voteTarget[i] as number;
      scores[target] = (scores[target] as number) + (forest.voteWeight[i] as number);
    }
  }
}

function branch(mode: number, value: number, limit: number): boolean {
  if (mode === 1) return value <= limit;
  if (mode === 2) return value < limit;
  if (mode === 3) return value >= limit;
  if (mode === 4) return value > limit;
  return (value === limit) === (mode === 5);
}

/** `kind` is the prefix of the vote attributes: target (regressor) or class (classifier). */
export function readForest(node: Node, kind: "target" | "class", targets: number): Forest | string {
  const ints = (name: string): readonly number[] => node.attributes.get(name)?.integers ?? [];
  const floats = (name: string): readonly number[] => node.attributes.get(name)?.floats ?? [];
  const trees = ints("nodes_treeids");
  const ids = ints("nodes_nodeids");
  const modes = node.attributes.get("nodes_modes")?.texts ?? [];
  const count = trees.length;
  const lists = [ids, modes, ints("nodes_featureids"), floats("nodes_values")];
  const children = [ints("nodes_truenodeids"), ints("nodes_falsenodeids")] as const;
  if (count === 0) return `${nodeName(node)} has no trees`;
  if ([...lists, ...children].some((list) => list.length !== count)) {
    return `${nodeName(node)} has node lists of different lengths`;
  }
  const index = new Map<string, number>();
  for (let i = 0; i < count; i++) index.set(`${trees[i]}/${ids[i]}`, i);
  if (index.size !== count) return `${nodeName(node)} has a node twice`;
  const tracks = ints("nodes_missing_value_tracks_true");
  const table = {
    mode: new Uint8Array(count),
    feature: Int32Array.from(ints("nodes_featureids")),
    value: Float32Array.from(floats("nodes_values")),
    yes: new Int32Array(count).fill(-1),
    no: new Int32Array(count).fill(-1),
    missingYes: Uint8Array.from({ length: count }, (_, i) => (tracks[i] === 1 ? 1 : 0)),
  };
  const parents = new Uint8Array(count);
  let features = 0;
  for (let i = 0; i < count; i++) {
    const mode = MODES.indexOf(modes[i] ?? "");
    if (mode < 0) return `${nodeName(node)} branches by ${word(modes[i] ?? "")}`;
    table.mode[i] = mode;
    if (mode === LEAF) continue;
    const feature = table.feature[i] as number;
    if (feature < 0) return `${nodeName(node)} reads feature ${feature}`;
    features = Math.max(features, feature + 1);
    for (const [side, list] of [
      [table.yes, children[0]],
      [table.no, children[1]],
    ] as const) {
      const child = index.get(`${trees[i]}/${list[i]}`);
      if (child === undefined) return `${nodeName(node)}: node ${ids[i]} has no child ${list[i]}`;
      // Two parents would be a loop or a shared branch: a tree has neither.
      if (parents[child] === 1) return `${nodeName(node)}: node ${list[i]} has two parents`;
      parents[child] = 1;
      side[i] = child;
    }
  }
  const roots = [...parents.keys()].filter((i) => parents[i] === 0);
  const reached = reach(roots, table.yes, table.no);
  if (roots.length !== new Set(trees).size || reached !== count) {
    return `${nodeName(node)} has a loop, or a tree with two roots`;
  }
  const votes = readVotes(node, kind, index, count, targets);
  return typeof votes === "string" ? votes : { roots, ...table, ...votes, targets, features };
}

/** How many nodes the roots lead to; a node has one parent at most, so none is met twice. */
function reach(roots: readonly number[], yes: Int32Array, no: Int32Array): number {
  const open = [...roots];
  let count = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    count += 1;
    for (const child of [yes[node] as number, no[node] as number]) if (child >= 0) open.push(child);
  }
  return count;
}

function readVotes(
  node: Node,
  kind: "target" | "class",
  index: ReadonlyMap<string, number>,
  count: number,
  targets: number,
) {
  const list = (name: string): Attribute | undefined => node.attributes.get(`${kind}_${name}`);
  const trees = list("treeids")?.integers ?? [];
  const nodes = list("nodeids")?.integers ?? [];
  const ids = list("ids")?.integers ?? [];
  const weights = list("weights")?.floats ?? [];
  if ([nodes, ids, weights].some((other) => other.length !== trees.length)) {
    return `${nodeName(node)} has ${kind} lists of different lengths`;
  }
  const byNode = Array.from({ length: count }, (): number[] => []);
  for (let i = 0; i < trees.length; i++) {
    const at = index.get(`${trees[i]}/${nodes[i]}`);
    const id = ids[i] as number;
    if (at === undefined) return `${nodeName(node)} votes at node ${nodes[i]}, which is not there`;
    if (!(id >= 0 && id < targets)) return `${nodeName(node)} votes for ${id} of ${targets}`;
    byNode[at]?.push(i);
  }
  const order = byNode.flat();
  const to = new Int32Array(count);
  const from = new Int32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    from[i] = at;
    at += byNode[i]?.length ?? 0;
    to[i] = at;
  }
  return {
    from,
    to,
    voteTarget: Int32Array.from(order, (i) => ids[i] as number),
    voteWeight: Float32Array.from(order, (i) => weights[i] as number),
  };
}

/** The one tree operator of a graph that has nothing else, or null. */
export function treeNode(model: OnnxModel): Node | null {
  const { nodes, inputs } = model.graph;
  const node = nodes.find(({ op }) => OPERATORS.includes(op));
  if (node === undefined || node.domain !== "ai.onnx.ml" || inputs.length !== 1) return null;
  const names = new Map<string, string>();
  for (const {
    op,
    inputs: read,
    outputs: [to = ""],
  } of nodes.filter((one) => one !== node)) {
    const [from = ""] = read;
    if (!BEHIND.includes(op) || !node.outputs.includes(from)) return null;
    // A map of scores is no tensor: they go by the name that they have before it.
    names.set(from, op === "ZipMap" ? from : to);
  }
  return { ...node, outputs: node.outputs.map((name) => names.get(name) ?? name) };
}
