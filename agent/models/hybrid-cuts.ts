//! Where a graph that the kernels do not know as a whole may be cut: parts that are ternary networks or
//! encoders, and between, before and behind them parts for ONNX Runtime. Parts are cut at one
//! value; the latter may hand on more, which pass the next part by: a residual.
import type { Node, OnnxModel } from "./onnx/model.js";
import { reachable, recognise } from "./onnx/recognise.js";
import { type EncoderNet, recogniseEncoder } from "./onnx/recognise-encoder.js";
import { withNorms } from "./onnx/recognise-norms.js";
import type { Constant } from "./onnx/recognised.js";
import { type Between, nodesFor, sliceOf } from "./onnx/slice.js";
import { isWeighted, type TernaryNet } from "./onnx/ternary-net.js";

/** Values that are tried as the beginning of a part, and as its end. */
const TRIES_MAX = 64;
/** Each try looks at every node: so many in all, or a hostile file would take its time. */
const VISITS_MAX = 2 ** 21;
/**
 * A try reads the weights of its layers before it knows whether all of them fit: those of a small model
 * may be read again and again, those of a large one this often.
 */
const READ_BYTES_MAX = 2 ** 26;
const READS_MAX = 16;
/** Values that may pass a part by. */
const PASSING_MAX = 4;
const STARTS = ["Clip", "QuantizeLinear", "LayerNormalization", "RMSNormalization"];
/** One of them is in each layer of an encoder. */
export const ATTENDS = ["Softmax", "Attention"];

export type Own =
  | { readonly kind: "network"; readonly net: TernaryNet }
  | { readonly kind: "encoder"; readonly net: EncoderNet };
/** `own` null: for ONNX Runtime. */
export type GraphPart = { readonly slice: OnnxModel; readonly own: Own | null };

/** What of a graph is looked at, and whether the backend takes a network. */
type World = {
  readonly onnx: OnnxModel;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly takes: (net: TernaryNet) => boolean;
  readonly budget: Budget;
};

/** Visits of nodes and bytes of constants that tries may still cost. */
type Budget = { visits: number; bytes: number };

const isSpent = ({ visits, bytes }: Budget): boolean => visits < 0 || bytes < 0;

/** `shapes`: of float values between nodes, with their batch. Empty: nothing is for the kernels. */
export function partsIn(
  given: OnnxModel,
  shapes: ReadonlyMap<string, readonly number[]>,
  takes: (net: TernaryNet) => boolean,
): readonly GraphPart[] {
  const { onnx, budget } = metered(withNorms(given, (name) => shapes.get(name)?.length ?? 0));
  const { graph } = onnx;
  const inputs = graph.inputs.map(({ name, dims }): Between => {
    return { name, shape: (dims ?? []).slice(1) };
  });
  const parts: GraphPart[] = [];
  const done: Between[] = [];
  const world: World = { onnx, shapes, takes, budget };
  let starts = [...inputs, ...startsIn(onnx, shapes)].slice(0, TRIES_MAX);
  for (;;) {
    const found = firstOwn(world, done, starts);
    if (found === null) break;
    const { start, passing, slice, own, end } = found;
    if (!inputs.includes(start) && done.at(-1)?.name !== start.name) {
      const made = [start, ...passing];
      parts.push({ slice: sliceOf(onnx, done, made), own: null });
      done.push(...made);
    }
    parts.push({ slice, own });
    if (end === null) return parts;
    done.push(end);
    // What is left begins there at the earliest.
    const left = nodesBehind(onnx, done);
    const outs = new Set(left.flatMap((node) => node.outputs));
    starts = [end, ...starts.filter(({ name }) => outs.has(name))];
  }
  if (parts.length === 0) return [];
  return [...parts, { slice: sliceOf(onnx, done, graph.outputs), own: null }];
}

/** The model with constants that count what is read of them. */
function metered(given: OnnxModel): { readonly onnx: OnnxModel; readonly budget: Budget } {
  const { nodes, initializers } = given.graph;
  const budget = { visits: VISITS_MAX, bytes: READ_BYTES_MAX };
  const counted = <T extends Constant>(tensor: T): T => {
    // As many as it has unpacked.
    const cost = Math.max(tensor.count, tensor.bytes.length);
    budget.bytes += READS_MAX * cost;
    const read = (): Uint8Array => {
      budget.bytes -= cost;
      return tensor.bytes;
    };
    return Object.defineProperty({ ...tensor }, "bytes", { get: read });
  };
  const ofNode = (node: Node): Node => {
    const value = node.op === "Constant" ? node.attributes.get("value") : undefined;
    if (value === undefined || value.tensor === null) return node;
    const own = { ...value, tensor: counted(value.tensor) };
    return { ...node, attributes: new Map(node.attributes).set("value", own) };
  };
  const tensors = new Map([...initializers].map(([name, one]) => [name, counted(one)]));
  const graph = { ...given.graph, nodes: nodes.map(ofNode), initializers: tensors };
  return { onnx: { ...given, graph }, budget };
}

type Found = {
  readonly start: Between;
  /** What is made before it and needed behind. */
  readonly passing: readonly Between[];
  readonly slice: OnnxModel;
  readonly own: Own;
  /** Null: it gives the outputs of the graph. */
  readonly end: Between | null;
};

/** Where the first part for the kernels begins, and as much of the graph as it can have. */
function firstOwn(
  world: World,
  done: readonly Between[],
  starts: readonly Between[],
): Found | null {
  const { onnx, shapes, budget } = world;
  for (const start of starts) {
    budget.visits -= onnx.graph.nodes.length;
    const passing = isSpent(budget) ? null : passingBy(world, done, start);
    if (passing === null) continue;
    const given = [...done, start, ...passing];
    const whole = sliceOf(onnx, given, onnx.graph.outputs);
    const own = ownOf(world, whole, start);
    if (own !== null) return { start, passing, slice: whole, own, end: null };
    for (const name of endsIn(whole, start, shapes)) {
      const end = betweenOf(name, shapes);
      budget.visits -= onnx.graph.nodes.length;
      if (isSpent(budget) || end === null) continue;
      if (passingBy(world, given, end)?.length !== 0) continue;
      const slice = sliceOf(onnx, given, [end]);
      const part = ownOf(world, slice, start);
      if (part !== null) return { start, passing, slice, own: part, end };
    }
  }
  return null;
}

function ownOf({ takes, budget }: World, slice: OnnxModel, start: Between): Own | null {
  const [first] = slice.graph.inputs;
  if (first?.name !== start.name) return null;
  const net = recognise(slice);
  if (typeof net !== "string") {
    const weighted = net.layers.filter(isWeighted);
    // The planner reads them again.
    for (const { weights } of weighted) budget.bytes -= weights.length;
    return weighted.length > 0 && takes(net) ? { kind: "network", net } : null;
  }
  const encoder = recogniseEncoder(slice);
  return typeof encoder === "string" ? null : { kind: "encoder", net: encoder };
}

/** Values that a part which begins at `start` may end with, the farthest first. */
function endsIn(
  slice: OnnxModel,
  start: Between,
  shapes: ReadonlyMap<string, readonly number[]>,
): readonly string[] {
  // Others may read the beginning too.
  const nodes = slice.graph.nodes.filter(({ op, inputs }) => {
    return STARTS.includes(op) || !inputs.includes(start.name);
  });
  const known = { ...slice, graph: { ...slice.graph, nodes } };
  const steps = reachable(known, start.name).slice(-TRIES_MAX).toReversed();
  const attends = slice.graph.nodes.some(({ op }) => ATTENDS.includes(op));
  const alike = !attends
    ? []
    : slice.graph.nodes.flatMap(({ op, outputs: [out = ""] }) => {
        const sum = op === "Add" || STARTS.includes(op);
        const same = shapes.get(out)?.slice(1).join() === start.shape.join();
        return sum && same ? [out] : [];
      });
  return [...steps, ...alike.slice(-TRIES_MAX).toReversed()];
}

/** Values that what begins a part reads. */
function startsIn(
  { graph }: OnnxModel,
  shapes: ReadonlyMap<string, readonly number[]>,
): readonly Between[] {
  const names = new Set(
    graph.nodes.flatMap(({ op, inputs }) => (STARTS.includes(op) ? inputs.slice(0, 1) : [])),
  );
  return graph.nodes.flatMap(({ outputs }) =>
    outputs.flatMap((name) => {
      const between = names.has(name) ? betweenOf(name, shapes) : null;
      return between === null ? [] : [between];
    }),
  );
}

/** Null where it is no float value of known sides with a batch of one. */
function betweenOf(name: string, shapes: ReadonlyMap<string, readonly number[]>): Between | null {
  const [batch, ...shape] = shapes.get(name) ?? [];
  return batch === 1 && shape.length > 0 && shape.every((side) => side >= 1)
    ? { name, shape }
    : null;
}

const nodesBehind = ({ graph }: OnnxModel, done: readonly Between[]): readonly Node[] =>
  nodesFor(
    graph.nodes,
    graph.outputs.map(({ name }) => name),
    new Set(done.map(({ name }) => name)),
  );

/**
 * What leads to the value and is needed again behind it, but for constants and what comes of inputs
 * beside the first: a mask. Null where that is an output, no float of a known shape, or too much.
 */
function passingBy(
  { onnx, shapes }: World,
  done: readonly Between[],
  at: Between,
): readonly Between[] | null {
  const { graph } = onnx;
  const given = new Set(done.map(({ name }) => name));
  const live = new Set([graph.inputs[0]?.name ?? "", ...given]);
  const made: string[] = [];
  for (const { inputs, outputs } of nodesFor(graph.nodes, [at.name], given)) {
    if (!inputs.some((name) => live.has(name))) continue;
    for (const name of outputs) live.add(name);
    made.push(...outputs);
  }
  const ends = new Set([at.name, ...made]);
  if (graph.outputs.some(({ name }) => ends.has(name))) return null;
  const behind = nodesFor(
    graph.nodes,
    graph.outputs.map(({ name }) => name),
    new Set([...given, ...ends]),
  );
  const read = new Set(behind.flatMap(({ inputs }) => inputs));
  const passing = made.filter((name) => name !== at.name && read.has(name));
  const found = passing.slice(0, PASSING_MAX).map((name) => betweenOf(name, shapes));
  const known = found.filter((between) => between !== null);
  return known.length === passing.length ? known : null;
}
