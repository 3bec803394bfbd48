//! Norms that exporters spell in their nodes, as one node each: the mean, what is left of it, the mean
//! of squares, the root. The file before them and behind them stays as it is.
import type { Node, OnnxModel } from "./model.js";
import { type Constant, constantsOf } from "./recognised.js";
import { ELEMENT, floatsOf } from "./tensor.js";
import { writeNode } from "./write.js";

/** Versions of the standard operators that have them. */
const LAYER_SINCE = 17;
const RMS_SINCE = 23;

type Graph = {
  readonly writers: ReadonlyMap<string, Node>;
  readonly constants: ReadonlyMap<string, Constant>;
};
/** What is left of x without its factor and offset, and the nodes that make it. */
type Found = {
  readonly x: string;
  readonly axis: number;
  readonly epsilon: number;
  readonly centred: boolean;
  readonly nodes: readonly Node[];
};

/**
 * The model with LayerNormalization and RMSNormalization wherever they are spelled in many nodes.
 * `rankOf`: how many sides a value has, which tells whether the third is the last.
 */
export function withNorms(model: OnnxModel, rankOf = (_: string): number => 3): OnnxModel {
  const { graph, opsets } = model;
  const version = opsets.get("") ?? 0;
  if (version < LAYER_SINCE || !graph.nodes.some(({ op }) => op === "ReduceMean")) return model;
  const writers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const { constants } = constantsOf(graph);
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs)) {
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [node]);
      else list.push(node);
    }
  }
  const norms = new Map<Node, Node>();
  const gone = new Set<Node>();
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    const found = node.op === "Mul" ? scaledNorm({ writers, constants }, node) : null;
    if (found === null || (!found.centred && version < RMS_SINCE)) continue;
    if (found.axis !== -1 && rankOf(found.x) !== found.axis + 1) continue;
    const [next, ...more] = readers.get(node.outputs[0] ?? "") ?? [];
    const alone = more.length === 0 && !outputs.has(node.outputs[0] ?? "");
    const offset = alone && found.centred ? offsetOf({ writers, constants }, next, node) : null;
    const last = offset === null || next === undefined ? node : next;
    const all = new Set(last === node ? [...found.nodes, node] : [...found.nodes, node, last]);
    // What others read of it, and what is an output, must stay.
    const inner = [...all].filter((one) => one !== last).flatMap((one) => one.outputs);
    const kept = inner.some((name) => {
      return outputs.has(name) || (readers.get(name) ?? []).some((reader) => !all.has(reader));
    });
    if (kept) continue;
    norms.set(last, nodeOf(found, last, offset));
    for (const one of all) if (one !== last) gone.add(one);
  }
  if (norms.size === 0) return model;
  const nodes = graph.nodes.flatMap((node) => (gone.has(node) ? [] : [norms.get(node) ?? node]));
  return { ...model, graph: { ...graph, nodes } };
}

type Scaled = Found & { readonly gain: string };

function nodeOf({ x, gain, axis, epsilon, centred }: Scaled, last: Node, offset: string | null) {
  const op = centred ? "LayerNormalization" : "RMSNormalization";
  const inputs = offset === null ? [x, gain] : [x, gain, offset];
  const plain = { text: "", tensor: null, floats: [], integers: [], texts: [], graph: false };
  const attributes = new Map([
    ["axis", { ...plain, float: 0, integer: axis }],
    ["epsilon", { ...plain, float: epsilon, integer: 0 }],
  ]);
  const raw = writeNode(op, inputs, last.outputs, { axis: BigInt(axis), epsilon });
  return { name: last.name, op, domain: "", inputs, outputs: last.outputs, attributes, raw };
}

/** A norm times a vector. */
function scaledNorm(graph: Graph, { inputs }: Node): Scaled | null {
  for (const at of [0, 1]) {
    const gain = inputs[1 - at] ?? "";
    if (!isVector(graph, gain)) continue;
    const found = bareNorm(graph, inputs[at] ?? "");
    if (found !== null) return { ...found, gain };
  }
  return null;
}

/** What is added to the norm that `norm` writes. */
function offsetOf(graph: Graph, next: Node | undefined, norm: Node): string | null {
  if (next?.op !== "Add" || next.domain !== "") return null;
  const at = next.inputs[0] === norm.outputs[0] ? 0 : 1;
  const offset = next.inputs[1 - at] ?? "";
  return isVector(graph, offset) ? offset : null;
}

function isVector({ constants }: Graph, value: string): boolean {
  const tensor = constants.get(value);
  return tensor?.dims.length === 1 && tensor.count > 1 && tensor.type === ELEMENT.FLOAT;
}

/** d / sqrt(mean(d^2) + epsilon), or d times the reciprocal of the root; d = x - mean(x), or x. */
function bareNorm(graph: Graph, value: string): Found | null {
  const node = nodeAt(graph, value, ["Div", "Mul"]);
  if (node === null) return null;
  for (const at of node.op === "Div" ? [0] : [0, 1]) {
    const whole = node.inputs[at] ?? "";
    const root = node.op === "Div" ? (node.inputs[1] ?? "") : null;
    const inverse = root === null ? reciprocal(graph, node.inputs[1 - at] ?? "") : null;
    const from = root ?? inverse?.from;
    const found = from === undefined ? null : rootOf(graph, from);
    if (found === null) continue;
    const nodes = [node, ...(inverse?.nodes ?? []), ...found.nodes];
    const known = { axis: found.axis, epsilon: found.epsilon };
    const rest = centre(graph, whole, found.axis);
    const squared = centre(graph, found.of, found.axis);
    if (rest !== null && squared !== null && rest.x === squared.x) {
      const all = [...nodes, ...rest.nodes, ...squared.nodes];
      return { ...known, x: rest.x, centred: true, nodes: all };
    }
    if (whole === found.of) return { ...known, x: whole, centred: false, nodes };
  }
  return null;
}

function nodeAt({ writers }: Graph, value: string, ops: readonly string[]): Node | null {
  const node = writers.get(value);
  return node !== undefined && node.domain === "" && ops.includes(node.op) ? node : null;
}

/** Of 1 / value. */
function reciprocal(graph: Graph, value: string) {
  const node = nodeAt(graph, value, ["Reciprocal", "Div"]);
  if (node?.op === "Reciprocal") return { from: node.inputs[0] ?? "", nodes: [node] };
  const one = node === null ? null : numberOf(graph, node.inputs[0] ?? "");
  return node === null || one !== 1 ? null : { from: node.inputs[1] ?? "", nodes: [node] };
}

/** sqrt(mean(of^2) + epsilon), the mean over one axis. */
function rootOf(graph: Graph, value: string) {
  const root = nodeAt(graph, value, ["Sqrt", "Pow"]);
  if (root === null) return null;
  if (root.op === "Pow" && numberOf(graph, root.inputs[1] ?? "") !== 0.5) return null;
  const sum = nodeAt(graph, root.inputs[0] ?? "", ["Add"]);
  if (sum === null) return null;
  const at = numberOf(graph, sum.inputs[0] ?? "") === null ? 0 : 1;
  const epsilon = numberOf(graph, sum.inputs[1 - at] ?? "");
  const mean = meanOf(graph, sum.inputs[at] ?? "");
  const square = mean === null ? null : nodeAt(graph, mean.of, ["Pow", "Mul"]);
  if (epsilon === null || mean === null || square === null) return null;
  const [of = "", by = ""] = square.inputs;
  const two = square.op === "Pow" ? numberOf(graph, by) === 2 : by === of;
  if (!two) return null;
  return { of, axis: mean.axis, epsilon, nodes: [root, sum, mean.node, square] };
}

function meanOf(graph: Graph, value: string) {
  const node = nodeAt(graph, value, ["ReduceMean"]);
  if (node === null || (node.attributes.get("keepdims")?.integer ?? 1) !== 1) return null;
  const { constants } = graph;
  const tensor = constants.get(node.inputs[1] ?? "");
  const stated = node.attributes.get("axes")?.integers ?? [];
  const whole = tensor?.type === ELEMENT.INT64 && tensor.count === 1;
  const given = whole ? Number(new BigInt64Array(new Uint8Array(tensor.bytes).buffer)[0]) : null;
  const [axis] = given === null ? stated : [given];
  // The last side of three, or by its number from the end.
  const last = stated.length <= 1 && (axis === -1 || axis === 2);
  return last ? { of: node.inputs[0] ?? "", axis, node } : null;
}

/** x - mean(x): what x is. */
function centre(graph: Graph, value: string, axis: number) {
  const node = nodeAt(graph, value, ["Sub"]);
  const [x = "", other = ""] = node?.inputs ?? [];
  const mean = node === null ? null : meanOf(graph, other);
  if (node === null || mean === null || mean.of !== x || mean.axis !== axis) return null;
  return { x, nodes: [node, mean.node] };
}

function numberOf({ constants }: Graph, value: string): number | null {
  const tensor = constants.get(value);
  if (tensor === undefined || tensor.count !== 1 || tensor.dims.length > 1) return null;
  return floatsOf(tensor)?.[0] ?? null;
}
