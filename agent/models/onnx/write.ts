//! The messages of an ONNX file, as bytes: what write-net.ts and the tests build models from.
import { createHash } from "node:crypto";
import { finish, type Message, putBytes, putFloat, putText, putVarint } from "./proto.js";
import { DIGEST_KEY } from "./read.js";
import { ELEMENT } from "./tensor.js";

const IR_VERSION = 13;
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_TENSOR = 4;
const ATTRIBUTE_FLOATS = 6;
const ATTRIBUTE_INTS = 7;
const ATTRIBUTE_STRINGS = 8;

type Plain = number | bigint | string;
export type WriteAttribute = Plain | readonly Plain[] | Uint8Array;

/** Attributes: a bigint is an INT, a number a FLOAT, lists alike; bytes are those of a tensor. */
export function writeNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, WriteAttribute>> = {},
  domain = "",
): Uint8Array {
  const node: Message = [];
  for (const input of inputs) putText(node, 1, input);
  for (const output of outputs) putText(node, 2, output);
  putText(node, 3, `${op}_${outputs[0] ?? ""}`);
  putText(node, 4, op);
  for (const [name, value] of Object.entries(attributes)) {
    const attribute: Message = [];
    putText(attribute, 1, name);
    const tensor = value instanceof Uint8Array;
    if (tensor) putBytes(attribute, 5, value);
    const list = typeof value === "object";
    for (const one of tensor ? [] : list ? value : [value]) {
      if (typeof one === "bigint") putVarint(attribute, list ? 8 : 3, Number(one));
      else if (typeof one === "number") putFloat(attribute, list ? 7 : 2, one);
      else putText(attribute, list ? 9 : 4, one);
    }
    putVarint(attribute, 20, attributeType(value));
    putBytes(node, 5, finish(attribute));
  }
  if (domain !== "") putText(node, 7, domain);
  return finish(node);
}

function attributeType(value: WriteAttribute): number {
  if (value instanceof Uint8Array) return ATTRIBUTE_TENSOR;
  const first = typeof value === "object" ? value[0] : value;
  const list = typeof value === "object";
  if (typeof first === "bigint") return list ? ATTRIBUTE_INTS : ATTRIBUTE_INT;
  if (typeof first === "number") return list ? ATTRIBUTE_FLOATS : ATTRIBUTE_FLOAT;
  return list ? ATTRIBUTE_STRINGS : ATTRIBUTE_STRING;
}

export function writeTensor(
  name: string,
  dims: readonly number[],
  type: number,
  bytes: Uint8Array,
): Uint8Array {
  const tensor: Message = [];
  for (const dim of dims) putVarint(tensor, 1, dim);
  putVarint(tensor, 2, type);
  putText(tensor, 8, name);
  putBytes(tensor, 9, bytes);
  return finish(tensor);
}

export function floatTensor(name: string, dims: readonly number[], values: Float32Array) {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return writeTensor(name, dims, ELEMENT.FLOAT, bytes);
}

export function int64Tensor(name: string, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return writeTensor(name, [values.length], ELEMENT.INT64, bytes);
}

/** The first dimension is the batch, by name, so that one file serves any batch, or a fixed one. */
export function writeValueInfo(
  name: string,
  type: number,
  dims: readonly number[],
  batch: number | null = null,
): Uint8Array {
  const shape: Message = [];
  const first: Message = [];
  if (batch === null) putText(first, 2, "batch");
  else putVarint(first, 1, batch);
  putBytes(shape, 1, finish(first));
  for (const size of dims) {
    const dim: Message = [];
    putVarint(dim, 1, size);
    putBytes(shape, 1, finish(dim));
  }
  const tensor: Message = [];
  putVarint(tensor, 1, type);
  putBytes(tensor, 2, finish(shape));
  const typed: Message = [];
  putBytes(typed, 1, finish(tensor));
  const info: Message = [];
  putText(info, 1, name);
  putBytes(info, 2, finish(typed));
  return finish(info);
}

/** An output of which nothing is stated: who reads the file infers its type and shape. */
export function writeName(name: string): Uint8Array {
  const info: Message = [];
  putText(info, 1, name);
  return finish(info);
}

export type WriteGraph = {
  readonly name: string;
  readonly nodes: readonly Uint8Array[];
  readonly tensors: readonly Uint8Array[];
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
};

/** Metadata in the given order; the digest comes last when any of it is ours. */
export function writeModel(
  graph: WriteGraph,
  opsets: Readonly<Record<string, number>>,
  metadata: readonly (readonly [string, string])[],
): Uint8Array {
  const body: Message = [];
  for (const node of graph.nodes) putBytes(body, 1, node);
  putText(body, 2, graph.name);
  for (const tensor of graph.tensors) putBytes(body, 5, tensor);
  for (const input of graph.inputs) putBytes(body, 11, input);
  for (const output of graph.outputs) putBytes(body, 12, output);
  const model: Message = [];
  putVarint(model, 1, IR_VERSION);
  putText(model, 2, "sterna");
  putBytes(model, 7, finish(body));
  for (const [domain, version] of Object.entries(opsets)) {
    const opset: Message = [];
    if (domain !== "") putText(opset, 1, domain);
    putVarint(opset, 2, version);
    putBytes(model, 8, finish(opset));
  }
  for (const [key, value] of metadata) putEntry(model, key, value);
  if (metadata.some(([key]) => key.startsWith("sterna."))) {
    putEntry(model, DIGEST_KEY, createHash("sha256").update(finish(model)).digest("hex"));
  }
  return finish(model);
}

function putEntry(model: Message, key: string, value: string): void {
  const entry: Message = [];
  putText(entry, 1, key);
  putText(entry, 2, value);
  putBytes(model, 14, finish(entry));
}
