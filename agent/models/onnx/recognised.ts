//! What the recogniser knows of a graph while it walks it: constants, int8 values, and real values
//! that wait for their QuantizeLinear.
import { type Graph, type Node, nodeName, type OnnxModel } from "./model.js";
import { ELEMENT, floatsOf, type Tensor } from "./tensor.js";
import type {
  ConcatLayer,
  MulLayer,
  NetLayer,
  PoolLayer,
  ReshapeLayer,
  TableLayer,
  TransposeLayer,
  WeightedLayer,
} from "./ternary-net.js";

/** An initializer, or the value of a Constant node. */
export type Constant = Omit<Tensor, "raw">;

/** The output of a DequantizeLinear: the value of a layer, by its name. */
export type Steps = {
  readonly name: string;
  readonly scale: number;
  readonly bits: 8 | 16;
  readonly shape: readonly number[];
};

/** One source of a sum, times a constant. */
export type Term = { readonly value: Steps; readonly gain: Float32Array | null };

type Open =
  | { readonly form: "input"; readonly name: string }
  | { readonly form: "weighted"; readonly layer: WeightedLayer; readonly sources: readonly Steps[] }
  | { readonly form: "sum"; readonly terms: readonly Term[]; readonly bias: Float32Array | null }
  | {
      readonly form: "other";
      readonly layer: MulLayer | TableLayer | PoolLayer | ConcatLayer;
      readonly sources: readonly Steps[];
    };

/** A real value that one node reads: a layer whose step is not known yet. */
export type Real = Open & {
  readonly shape: readonly number[];
  readonly relu: boolean;
  /** A clip of its own, before that to 127 steps. */
  readonly ends: readonly [number, number] | null;
  /** Clipped to 127 (32,767) steps of this, so that -128 does not occur. */
  readonly clipped: boolean;
  /** Moves before its steps: they are made behind them, which is the same. */
  readonly moves: readonly Move[];
};

/** What moves values, and the shape that they have before it. */
export type Move = {
  readonly layer: ReshapeLayer | TransposeLayer;
  readonly from: readonly number[];
};

export type Walk = {
  readonly model: OnnxModel;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly readers: ReadonlyMap<string, readonly Node[]>;
  readonly writers: ReadonlyMap<string, Node>;
  /** By the name of a tensor. */
  readonly steps: Map<string, Steps>;
  readonly reals: Map<string, Real>;
  readonly ints: Map<
    string,
    { readonly real: Real; readonly scale: number; readonly bits: 8 | 16 }
  >;
  readonly layers: NetLayer[];
  readonly taken: Set<Node>;
  /** The input, and the names of it and of the states in the graph. */
  readonly input: string;
  readonly inputs: ReadonlySet<string>;
};

/** Initializers, and what Constant nodes hold, which are `taken` by that. */
export function constantsOf({ nodes, initializers }: Pick<Graph, "nodes" | "initializers">) {
  const constants = new Map<string, Constant>(initializers);
  const taken = new Set<Node>();
  for (const node of nodes) {
    const value = node.op === "Constant" ? node.attributes.get("value")?.tensor : undefined;
    if (value === undefined || value === null) continue;
    constants.set(node.outputs[0] ?? "", value);
    taken.add(node);
  }
  return { constants, taken };
}

export function walkOf(model: OnnxModel, input: string): Walk {
  const { nodes, inputs } = model.graph;
  const { constants, taken } = constantsOf(model.graph);
  const readers = new Map<string, Node[]>();
  const writers = new Map<string, Node>();
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) {
      const list = readers.get(input);
      if (list === undefined) readers.set(input, [node]);
      else list.push(node);
    }
    for (const output of node.outputs) writers.set(output, node);
  }
  const names = new Set(inputs.map(({ name }) => name));
  const maps = { steps: new Map(), reals: new Map(), ints: new Map() };
  return { model, constants, readers, writers, ...maps, layers: [], taken, input, inputs: names };
}

export function integer(node: Node, name: string, standard: number): number {
  return node.attributes.get(name)?.integer ?? standard;
}

export function constant(walk: Walk, node: Node, input: number): Constant | null {
  return walk.constants.get(node.inputs[input] ?? "") ?? null;
}

/** NaN where it is no single FLOAT. */
export function scalar(tensor: Constant | null): number {
  const values = tensor === null || tensor.count !== 1 ? null : floatsOf(tensor);
  return values?.[0] ?? Number.NaN;
}

/** 8 or 16 where it is a zero of INT8 or INT16, else null. */
export function bitsOfZero(tensor: Constant | null): 8 | 16 | null {
  if (tensor === null || tensor.count !== 1 || tensor.bytes.some((byte) => byte !== 0)) return null;
  if (tensor.type === ELEMENT.INT8) return 8;
  return tensor.type === ELEMENT.INT16 ? 16 : null;
}

/**
 * A constant that a Mul or Add applies by channel: one value, or one for each channel of a value of
 * this shape (without the batch). Null where it is anything else.
 */
export function byChannel(tensor: Constant | null, shape: readonly number[]): Float32Array | null {
  const values = tensor === null ? null : floatsOf(tensor);
  if (tensor === null || values === null || values.length === 0) return null;
  if (values.length === 1) return values;
  const missing = shape.length + 1 - tensor.dims.length;
  if (missing < 0) return null;
  const dims = [...new Array<number>(missing).fill(1), ...tensor.dims];
  const fits = dims.every((dim, at) => dim === (at === 1 ? (shape[0] ?? 1) : 1));
  return fits ? values : null;
}

/** The value of a tensor that only this node reads, so that nothing else sees it without steps. */
export function realOf(walk: Walk, node: Node, input = 0): Real | string {
  const tensor = node.inputs[input] ?? "";
  const steps = walk.steps.get(tensor);
  const plain = { relu: false, ends: null, clipped: false, moves: [] };
  if (steps !== undefined) {
    const terms = [{ value: steps, gain: null }];
    return { form: "sum", terms, bias: null, shape: steps.shape, ...plain };
  }
  const readers = walk.readers.get(tensor) ?? [];
  const seen = walk.model.graph.outputs.some((output) => output.name === tensor);
  const alone =
    readers.length === 1 && !seen && node.inputs.filter((i) => i === tensor).length === 1;
  const where = `${nodeName(node)} reads a value without int8 steps`;
  if (walk.inputs.has(tensor)) {
    const shape = walk.model.graph.inputs.find((i) => i.name === tensor)?.dims?.slice(1) ?? [];
    return alone
      ? { form: "input", name: tensor, shape, ...plain }
      : `${where} that others read too`;
  }
  const real = walk.reals.get(tensor);
  if (real === undefined) return `${where}; put QuantizeLinear and DequantizeLinear before it`;
  return alone ? real : `${where} that others read too`;
}

/** The int8 value that a node reads. */
export function stepsOf(walk: Walk, node: Node, input = 0): Steps | string {
  const tensor = node.inputs[input] ?? "";
  const advice = "put Clip, QuantizeLinear and DequantizeLinear before it";
  return walk.steps.get(tensor) ?? `${nodeName(node)} reads a value without int8 steps; ${advice}`;
}

/** Names that the writer gives by itself say nothing. */
export function nameFor(tensor: string): string | undefined {
  return /^step\d+$/.test(tensor) ? undefined : tensor;
}

/** The name of the layer; `from` and the name are left out where they are the usual ones. */
export function push(
  walk: Walk,
  layer: NetLayer,
  from: readonly string[],
  name: string | undefined,
): string {
  const { layers } = walk;
  const before = layers.at(-1);
  const last = before === undefined ? walk.input : (before.name ?? `layer${layers.length - 1}`);
  const usual = from.length === 1 && from[0] === last;
  layers.push({ ...layer, ...(usual ? {} : { from }), ...(name === undefined ? {} : { name }) });
  return name ?? `layer${layers.length - 1}`;
}

/** Null where it is no short constant of whole numbers. */
export function int64s(walk: Walk, node: Node, at: number): number[] | null {
  const tensor = constant(walk, node, at);
  if (tensor === null || tensor.type !== ELEMENT.INT64 || tensor.count > 8) return null;
  const { buffer, byteOffset, byteLength } = tensor.bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  return Array.from({ length: tensor.count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}
