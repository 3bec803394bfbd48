//! A float32 graph with what belongs to one layer in one place: weights as rows, biases, and the
//! batch normalisation behind a layer folded into it. The numbers stay the same but for rounding.
import type { Node, OnnxModel } from "./model.js";
import { constantsOf, integer } from "./recognised.js";
import { floatsOf } from "./tensor.js";

/** Gemm or Conv. `weights`: dims[0] rows, one for each output channel; `bias`: one for each. */
export type FloatLayer = {
  readonly op: "Gemm" | "Conv";
  /** Strides and pads of a Conv. */
  readonly node: Node;
  readonly input: string;
  readonly output: string;
  readonly dims: readonly number[];
  readonly weights: Float32Array;
  readonly bias: Float32Array;
};

/** In the order of the graph. */
export type Item = FloatLayer | Node;
export const isLayer = (item: Item): item is FloatLayer => "weights" in item;

const STILL = ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"];

type Shapes = ReadonlyMap<string, readonly number[]>;
type Search = {
  readonly readers: ReadonlyMap<string, readonly Node[]>;
  readonly floats: (name: string | undefined) => Float32Array | null;
  readonly dims: (name: string | undefined) => readonly number[];
  readonly shapes: Shapes;
  readonly outputs: ReadonlySet<string>;
};

/** `shapes`: of all values, with a batch of one. */
export function floatLayers(model: OnnxModel, shapes: Shapes): readonly Item[] {
  const { graph } = model;
  const { constants, taken } = constantsOf(graph);
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs))
      readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const search: Search = {
    readers,
    shapes,
    outputs: new Set(graph.outputs.map(({ name }) => name)),
    floats: (name = "") => {
      const tensor = constants.get(name);
      return tensor === undefined ? null : floatsOf(tensor);
    },
    dims: (name = "") => constants.get(name)?.dims ?? [],
  };
  const gone = new Set<Node>();
  return graph.nodes.flatMap((node): Item[] => {
    if (gone.has(node)) return [];
    const layer = taken.has(node) ? null : layerOf(search, node);
    return [layer === null ? node : withNext(search, layer, gone)];
  });
}

/** Null where it is no Gemm, MatMul or Conv of a value with constants. */
function layerOf(search: Search, node: Node): FloatLayer | null {
  const { op, domain, inputs, outputs } = node;
  const given = search.floats(inputs[1]);
  const dims = search.dims(inputs[1]);
  if (domain !== "" || given === null || search.floats(inputs[0]) !== null) return null;
  const names = { node, input: inputs[0] ?? "", output: outputs[0] ?? "" };
  if (op === "Conv") {
    const bias = inputs[2] ? search.floats(inputs[2]) : new Float32Array(dims[0] ?? 0);
    return bias === null ? null : { ...names, op, dims, weights: given, bias };
  }
  const flat = search.shapes.get(names.input)?.length === 2 && dims.length === 2;
  const plain = ["alpha", "beta"].every((a) => (node.attributes.get(a)?.float ?? 1) === 1);
  if (!flat || !plain || integer(node, "transA", 0) !== 0) return null;
  if (op !== "Gemm" && op !== "MatMul") return null;
  const stored = op === "Gemm" && integer(node, "transB", 0) === 1;
  const [rows = 0, cols = 0] = stored ? dims : dims.toReversed();
  const weights = Float32Array.from(given, (_, i) => {
    return given[stored ? i : (i % cols) * rows + Math.floor(i / cols)] as number;
  });
  const bias = inputs[2] ? spread(search.floats(inputs[2]), rows) : new Float32Array(rows);
  return bias === null ? null : { ...names, op: "Gemm", dims: [rows, cols], weights, bias };
}

/** One value for all, or one for each. */
function spread(values: Float32Array | null, count: number): Float32Array | null {
  if (values?.length === count) return values;
  return values?.length === 1 ? new Float32Array(count).fill(values[0] as number) : null;
}

/** With the bias, the norm and what changes nothing, where that alone reads it. */
function withNext(search: Search, layer: FloatLayer, gone: Set<Node>): FloatLayer {
  const [next, ...more] = search.readers.get(layer.output) ?? [];
  if (next === undefined || more.length > 0 || search.outputs.has(layer.output)) return layer;
  const joined =
    next.op === "Add"
      ? withBias(search, layer, next)
      : (withNorm(search, layer, next) ?? withNothing(search, layer, next));
  if (joined === null) return layer;
  gone.add(next);
  return withNext(search, joined, gone);
}

function withBias(search: Search, layer: FloatLayer, next: Node): FloatLayer | null {
  const name = next.inputs.find((one) => one !== layer.output);
  const { length } = layer.bias;
  const dims = search.dims(name);
  const sides = layer.dims.length - 2;
  // By channel: [n] behind a matrix, [n, 1] or [1, n, 1] behind a convolution.
  const at = dims.length - 1 - sides;
  const within = dims.length <= layer.dims.length;
  const fits = within && dims.every((dim, i) => dim === (i === at ? length : 1));
  const added = fits ? spread(search.floats(name), length) : null;
  if (added === null) return null;
  const bias = layer.bias.map((b, i) => b + (added[i] as number));
  return { ...layer, bias, output: next.outputs[0] ?? "" };
}

function withNorm(search: Search, layer: FloatLayer, next: Node): FloatLayer | null {
  if (next.op !== "BatchNormalization" || integer(next, "training_mode", 0) !== 0) return null;
  const [gain, offset, mean, variance] = next.inputs.slice(1).map((name) => search.floats(name));
  if (!gain || !offset || !mean || !variance || next.outputs.length > 1) return null;
  const epsilon = next.attributes.get("epsilon")?.float ?? 1e-5;
  const cols = layer.weights.length / layer.bias.length;
  const times = gain.map((g, i) => g / Math.sqrt((variance[i] as number) + epsilon));
  const weights = layer.weights.map((w, i) => w * (times[Math.floor(i / cols)] as number));
  const bias = layer.bias.map((b, i) => {
    return (b - (mean[i] as number)) * (times[i] as number) + (offset[i] as number);
  });
  return { ...layer, weights, bias, output: next.outputs[0] ?? "" };
}

/** Behind an operator that gives what it reads: a Reshape to the same sides, a Dropout in operation. */
function withNothing(search: Search, layer: FloatLayer, next: Node): FloatLayer | null {
  const [output = "", ...more] = next.outputs;
  const [before, after] = [layer.output, output].map((name) => search.shapes.get(name)?.join());
  const still = next.op === "Dropout" ? (next.inputs[2] ?? "") === "" : STILL.includes(next.op);
  const same = before !== undefined && before === after && next.inputs[0] === layer.output;
  return still && same && more.length === 0 ? { ...layer, output } : null;
}
