//! An ONNX file as data: the subset of its messages that the runtime looks at.
import type { Tensor } from "./tensor.js";

export type OnnxModel = {
  readonly irVersion: number;
  /** Version by operator domain; "" is the standard domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: Graph;
  /** True for operators defined in the file itself: only ONNX Runtime unfolds them. */
  readonly functions: boolean;
};

/** Nodes stand in an order in which each reads only what stands before it; the reader checks it. */
export type Graph = {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Without the initializers that old files list as inputs too. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
};

export type Node = {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** The message as it stands in the file, to be written into another. */
  readonly raw: Uint8Array;
};

/** One attribute; the field that its type names is the one that counts. */
export type Attribute = {
  readonly float: number;
  readonly integer: number;
  readonly text: string;
  readonly tensor: Omit<Tensor, "raw"> | null;
  readonly floats: readonly number[];
  readonly integers: readonly number[];
  readonly texts: readonly string[];
  /** It holds a sub-graph, which the reader bounds but does not look into. */
  readonly graph: boolean;
};

export type ValueInfo = {
  readonly name: string;
  /** TensorProto.DataType, 0 when it is no tensor. */
  readonly type: number;
  /** A free dimension (the batch) is -1; null when the file states no shape. */
  readonly dims: readonly number[] | null;
  readonly raw: Uint8Array;
};

/** How a node is named in a fault: by its operator and its name, or its first output. */
export function nodeName(node: Node): string {
  return `${word(node.op)} ${quote(node.name === "" ? (node.outputs[0] ?? "") : node.name)}`;
}

/** Operators and modes are plain words; what is not one is quoted. */
export function word(text: string): string {
  return /^\w{1,60}$/.test(text) ? text : quote(text);
}

/** Names come from the file: quoted, short, and without control characters. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
}

/** Why an input is not one of a free batch or a batch of one; null where it is. */
export function fixedBatch({ name, dims }: ValueInfo): string | null {
  const [batch = 1, ...rest] = dims ?? [];
  return batch > 1 && rest.length > 0
    ? `input ${quote(name)} has a fixed batch of ${batch}; export it with a free batch`
    : null;
}
