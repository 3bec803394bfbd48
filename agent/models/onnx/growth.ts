//! What a model would make ONNX Runtime hold and compute, known before it runs: a small file can ask
//! for gigabytes. ONNX Runtime infers every shape itself when all tensors are outputs of the graph;
//! this judges them. The integer path has bounds of its own.
import { type Graph, type Node, nodeName, type OnnxModel, quote } from "./model.js";
import { finish, type Message, putBytes } from "./proto.js";
import { countOf } from "./tensor.js";
import { writeName } from "./write.js";

/** Values of all tensors together, and of one input: 1 GB as float32. */
const VALUES_MAX = 2 ** 28;
const INPUT_VALUES_MAX = 2 ** 24;
/** Multiplications of all products of one run: seconds. */
const MACS_MAX = 2 ** 36;

/** Their results have any size, so one that is not known is refused. */
const GROWING = [
  ...[
    "ConstantOfShape",
    "Expand",
    "Tile",
    "Resize",
    "Upsample",
    "Pad",
    "Range",
    "OneHot",
    "Einsum",
  ],
  ...["Gather", "GatherElements", "GatherND", "ConvTranspose", "MaxUnpool", "CenterCropPad"],
  ...["RandomNormal", "RandomUniform", "MatMul", "Gemm", "Conv", "Reshape", "EyeLike", "Col2Im"],
];
const RANDOM = /^(Random(Normal|Uniform)(Like)?|Bernoulli|Multinomial)$/;
const PRODUCTS = ["MatMul", "Gemm", "Conv", "ConvTranspose", "MatMulInteger", "ConvInteger"];

/** Before anything is loaded: inputs, and what no shape is inferred of. */
export function hiddenFault({ graph, functions }: OnnxModel): string | null {
  for (const { name, dims } of graph.inputs) {
    const fixed = (dims ?? []).map((dim) => Math.max(1, dim));
    if (countOf(fixed, INPUT_VALUES_MAX) === null) {
      return `input ${quote(name)} has more than ${INPUT_VALUES_MAX} values`;
    }
  }
  const chance = graph.nodes.find(isRandom);
  if (chance !== undefined) {
    return `${nodeName(chance)} draws random numbers: no replay repeats it; export without it`;
  }
  const inner = graph.nodes.find((node) => [...node.attributes.values()].some((a) => a.graph));
  const advice = "what they hold is not known before they run; export the model without";
  if (inner !== undefined) return `${nodeName(inner)} has a graph of its own: ${advice}`;
  return functions ? `it defines operators of its own: ${advice}` : null;
}

/** A Dropout has a third input where it may be in training. */
const isRandom = ({ op, domain, inputs }: Node): boolean =>
  domain === "" && (RANDOM.test(op) || (op === "Dropout" && (inputs[2] ?? "") !== ""));

/** The file with every tensor as an output. */
export function withAllOutputs(bytes: Uint8Array, { graph }: OnnxModel): Uint8Array {
  return withOutputs(
    bytes,
    graph,
    graph.nodes.flatMap((node) => node.outputs),
  );
}

/** The file with the scores before each ZipMap as an output: the map itself is no tensor. */
export function withScores(bytes: Uint8Array, { graph }: OnnxModel): Uint8Array {
  const zipped = graph.nodes.filter(({ op, outputs }) => {
    return op === "ZipMap" && graph.outputs.some(({ name }) => outputs.includes(name));
  });
  const scores = zipped.map(({ inputs }) => inputs[0] ?? "");
  return scores.length === 0 ? bytes : withOutputs(bytes, graph, scores);
}

/** Fields of a message given twice are merged. */
function withOutputs(bytes: Uint8Array, graph: Graph, names: readonly string[]): Uint8Array {
  const known = new Set(graph.outputs.map(({ name }) => name));
  const more: Message = [];
  for (const name of new Set(names)) {
    if (name === "" || known.has(name)) continue;
    putBytes(more, 12, writeName(name));
  }
  const model: Message = [bytes];
  putBytes(model, 7, finish(more));
  return finish(model);
}

/** `shapes` by tensor, -1 for a side that is not known. */
export function growthFault(
  { graph }: OnnxModel,
  shapes: ReadonlyMap<string, readonly number[]>,
): string | null {
  let values = 0;
  let macs = 0;
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      const shape = shapes.get(output);
      const open = shape === undefined || shape.some((dim) => dim < 0);
      if (open && GROWING.includes(node.op)) {
        return `${nodeName(node)} makes a tensor of unknown size; export the model with fixed shapes`;
      }
      const count = countOf(
        (shape ?? []).map((dim) => Math.max(1, dim)),
        VALUES_MAX,
      );
      values += count ?? Number.POSITIVE_INFINITY;
      if (!(values <= VALUES_MAX)) return `${nodeName(node)} makes more than ${VALUES_MAX} values`;
      if (PRODUCTS.includes(node.op)) macs += (count ?? 0) * depthOf(node, graph, shapes);
      if (!(macs <= MACS_MAX)) return `${nodeName(node)}: more than ${MACS_MAX} multiplications`;
    }
  }
  return null;
}

/** Products that are summed to one value: what the second factor has for each of its outputs. */
function depthOf(
  node: Node,
  graph: OnnxModel["graph"],
  shapes: ReadonlyMap<string, readonly number[]>,
): number {
  const name = node.inputs[1] ?? "";
  const dims = graph.initializers.get(name)?.dims ?? shapes.get(name) ?? [];
  const size = dims.reduce((a, b) => a * Math.max(1, b), 1);
  // [rows, ...] of a convolution, and of a matrix at worst its longer side.
  if (node.op.startsWith("Conv")) return size / Math.max(1, dims[0] ?? 1);
  return Math.max(1, ...dims.slice(-2));
}
