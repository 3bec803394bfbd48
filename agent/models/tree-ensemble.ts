//! The operator TreeEnsemble (ai.onnx.ml 5), which replaces the two older ones: nodes and leaves in
//! tables of their own. What is not settled here (sets of members, MIN, MAX, and transforms, whose
//! numbers ONNX and ONNX Runtime read differently) is null: ONNX Runtime.
import { type Attribute, type Node, nodeName } from "./onnx/model.js";
import { ELEMENT, floatsOf } from "./onnx/tensor.js";
import type { Forest } from "./trees.js";

const UINT8 = 2;
const MODE_NOT_EQUAL = 5;
/** By the number of the aggregate function. */
export const AGGREGATES = ["AVERAGE", "SUM"];

function floats(attribute: Attribute | undefined): Float32Array | null {
  const tensor = attribute?.tensor ?? null;
  return tensor === null ? null : floatsOf(tensor);
}

/** Interior nodes first, leaves behind them; a text says why the trees are broken. */
export function readEnsemble(node: Node, targets: number): Forest | string | null {
  const ints = (name: string): readonly number[] => node.attributes.get(name)?.integers ?? [];
  const modes = node.attributes.get("nodes_modes")?.tensor ?? null;
  const splits = floats(node.attributes.get("nodes_splits"));
  const weights = floats(node.attributes.get("leaf_weights"));
  if (modes === null || modes.type !== UINT8 || splits === null || weights === null) return null;
  if (modes.bytes.some((mode) => mode > MODE_NOT_EQUAL)) return null;
  const [features, ids] = [ints("nodes_featureids"), ints("leaf_targetids")];
  const sides = [
    { next: ints("nodes_truenodeids"), leaf: ints("nodes_trueleafs") },
    { next: ints("nodes_falsenodeids"), leaf: ints("nodes_falseleafs") },
  ] as const;
  const [count, leaves] = [features.length, ids.length];
  const lists = [modes.bytes, splits, ...sides.flatMap(({ next, leaf }) => [next, leaf])];
  if (count === 0 || lists.some(({ length }) => length !== count) || weights.length !== leaves) {
    return `${nodeName(node)} has lists of different lengths`;
  }
  const wrong = ids.find((id) => !(id >= 0 && id < targets));
  if (wrong !== undefined) return `${nodeName(node)} votes for ${wrong} of ${targets}`;
  const negative = features.find((feature) => !(feature >= 0 && feature < 2 ** 24));
  if (negative !== undefined) return `${nodeName(node)} reads feature ${negative}`;
  const roots = ints("tree_roots");
  const parents = new Uint8Array(count);
  const children = sides.map(() => new Int32Array(count + leaves).fill(-1));
  for (const root of roots) {
    if (!(root >= 0 && root < count)) return `${nodeName(node)} has no node ${root} for a root`;
    parents[root] = (parents[root] as number) + 1;
  }
  for (const [side, { next, leaf }] of sides.entries()) {
    for (let i = 0; i < count; i++) {
      const [to, isLeaf] = [next[i] as number, leaf[i] === 1];
      if (!(to >= 0 && to < (isLeaf ? leaves : count))) {
        return `${nodeName(node)}: node ${i} has no child ${to}`;
      }
      (children[side] as Int32Array)[i] = isLeaf ? count + to : to;
      // A leaf may be shared; a node with two parents would be a loop or a shared branch.
      if (!isLeaf) parents[to] = (parents[to] as number) + 1;
    }
  }
  if (roots.length === 0 || parents.some((parent) => parent > 1)) {
    return `${nodeName(node)} has no root, or a node with two parents`;
  }
  const tracks = ints("nodes_missing_value_tracks_true");
  const all = count + leaves;
  const isLeaf = (i: number): boolean => i >= count;
  const [yes, no] = children as [Int32Array, Int32Array];
  return {
    roots,
    // The table of the older operators has 0 for a leaf.
    mode: Uint8Array.from({ length: all }, (_, i) => (isLeaf(i) ? 0 : (modes.bytes[i] ?? 0) + 1)),
    feature: Int32Array.from({ length: all }, (_, i) => features[i] ?? 0),
    value: Float32Array.from({ length: all }, (_, i) => splits[i] ?? 0),
    ...{ yes, no },
    missingYes: Uint8Array.from({ length: all }, (_, i) => (tracks[i] === 1 ? 1 : 0)),
    from: Int32Array.from({ length: all }, (_, i) => (isLeaf(i) ? i - count : 0)),
    to: Int32Array.from({ length: all }, (_, i) => (isLeaf(i) ? i - count + 1 : 0)),
    voteTarget: Int32Array.from(ids),
    voteWeight: weights,
    targets,
    features: features.reduce((most, feature) => Math.max(most, feature + 1), 0),
  };
}

/** Whether the splits are float32: those in float64 are for inputs in float64. */
export function isSingle(node: Node): boolean {
  const type = node.attributes.get("leaf_weights")?.tensor?.type ?? ELEMENT.FLOAT;
  return type === ELEMENT.FLOAT && !node.attributes.has("nodes_values_as_tensor");
}
