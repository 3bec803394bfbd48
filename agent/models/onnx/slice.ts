//! Part of a graph as a model of its own: what leads from some values to others.
import type { Node, OnnxModel, ValueInfo } from "./model.js";
import { ELEMENT } from "./tensor.js";
import { writeModel, writeName, writeNode, writeValueInfo } from "./write.js";

/** A float value between two parts; its shape leaves the batch out. */
export type Between = { readonly name: string; readonly shape: readonly number[] };

/**
 * The nodes that `to` needs, of which those in `from` and the inputs of the graph are given. It reads
 * as inputs what of these it needs.
 */
export function sliceOf(
  { graph, ...rest }: OnnxModel,
  from: readonly Between[],
  to: readonly (Between | ValueInfo)[],
): OnnxModel {
  const given = new Set(from.map(({ name }) => name));
  const names = to.map(({ name }) => name);
  const nodes = nodesFor(graph.nodes, names, given);
  const read = new Set(nodes.flatMap((node) => node.inputs));
  const used = ({ name }: { readonly name: string }): boolean => read.has(name);
  const others = graph.inputs.filter((input) => used(input) && !given.has(input.name));
  const inputs = [...from.filter(used).map(infoOf), ...others];
  const initializers = new Map([...graph.initializers].filter(([name]) => read.has(name)));
  const outputs = to.map((one) => ("raw" in one ? one : infoOf(one)));
  return { ...rest, graph: { ...graph, nodes, initializers, inputs, outputs } };
}

/** In the order of the graph; `given` values are not computed. */
export function nodesFor(
  nodes: readonly Node[],
  wanted: readonly string[],
  given: ReadonlySet<string>,
): readonly Node[] {
  const needed = new Set(wanted);
  // Each node reads only what stands before it.
  const found = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => needed.has(name) && !given.has(name))) return false;
    for (const name of node.inputs) needed.add(name);
    return true;
  });
  return found.reverse();
}

/** The file of it, without metadata. */
export function bytesOf({ graph, opsets }: OnnxModel): Uint8Array {
  const raw = (all: Iterable<{ readonly raw: Uint8Array }>): Uint8Array[] =>
    Array.from(all, (one) => one.raw);
  const whole = {
    name: "part",
    nodes: raw(graph.nodes),
    tensors: raw(graph.initializers.values()),
    inputs: raw(graph.inputs),
    outputs: raw(graph.outputs),
  };
  return writeModel(whole, Object.fromEntries(opsets), []);
}

/** Operators of ai.onnx.ml that keep the shape of their input; nobody infers it. */
const ALIKE = ["Scaler", "Normalizer", "Binarizer"];

/**
 * The file as its shapes are inferred from: with a batch of this size where that is free, so that
 * sides which follow from it are known, too.
 */
export function bytesOfBatch(bytes: Uint8Array, model: OnnxModel, batch: number): Uint8Array {
  const { graph } = model;
  const inputs = graph.inputs.map((input): ValueInfo => {
    const [first = 0, ...rest] = input.dims ?? [];
    if (first >= 0 || rest.some((dim) => dim < 0)) return input;
    return { ...input, raw: writeValueInfo(input.name, input.type, rest, batch) };
  });
  const nodes = graph.nodes.map((node): Node => {
    if (node.domain !== "ai.onnx.ml" || !ALIKE.includes(node.op)) return node;
    return { ...node, raw: writeNode("Cast", node.inputs, node.outputs, { to: 1n }) };
  });
  const same = inputs.every((one, i) => one === graph.inputs[i]);
  if (same && nodes.every((one, i) => one === graph.nodes[i])) return bytes;
  // A shape that the file states of an output would hide the one that is inferred.
  const outputs = graph.outputs.map((output): ValueInfo => {
    return output.type === 0 ? output : { ...output, raw: writeName(output.name) };
  });
  return bytesOf({ ...model, graph: { ...graph, nodes, inputs, outputs } });
}

function infoOf({ name, shape }: Between): ValueInfo {
  const raw = writeValueInfo(name, ELEMENT.FLOAT, shape);
  return { name, type: ELEMENT.FLOAT, dims: [-1, ...shape], raw };
}
