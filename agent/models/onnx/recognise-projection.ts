//! Pieces of an encoder in an ONNX graph, found from their output back: a projection with its steps.
import type { Projection } from "../../accel/encoder.js";
import { withinRange } from "../../accel/image-check.js";
import { type Node, nodeName, quote, type ValueInfo } from "./model.js";
import { isFlip } from "./recognise-weights.js";
import { type Constant, scalar } from "./recognised.js";
import { ELEMENT, floatsOf, int8sOf, transposeOf } from "./tensor.js";

/** How far a stated number may lie from what it must be: float32 rounding. */
export const TOLERANCE = 1e-4;
/** Clips to so many steps. */
const LIMITS = [127, 7] as const;

/** `fault`: the first reason why this is not the pattern; what is read after it counts for nothing. */
export type Search = {
  readonly writers: ReadonlyMap<string, Node>;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly inputs: readonly ValueInfo[];
  readonly taken: Set<Node>;
  fault: string | null;
};

/** A projection, the float tensor it quantises, and what that is clipped to, in steps. */
export type Found = Projection & { readonly x: string; readonly limit: number };
export function stop(search: Search, why: string): void {
  search.fault ??= why;
}

const NO_NODE: Node = {
  ...{ name: "", op: "", domain: "", inputs: [], outputs: [] },
  attributes: new Map(),
  raw: new Uint8Array(),
};

/** The node that writes a value, which must be of this operator. */
export function writer(search: Search, value: string, op: string): Node {
  const node = search.writers.get(value);
  if (node?.op !== op || node.domain !== "" || node.outputs.length !== 1) {
    const found = node === undefined ? quote(value) : nodeName(node);
    stop(search, `${found} where ${op} of an encoder was expected`);
    return NO_NODE;
  }
  search.taken.add(node);
  return node;
}

export function isA(search: Search, value: string | undefined, op: string): boolean {
  return search.writers.get(value ?? "")?.op === op;
}

/** The one number of a constant, or null. */
export function scalarOf({ constants }: Search, value: string): number | null {
  const tensor = constants.get(value) ?? null;
  const found = tensor?.type === ELEMENT.INT64 ? int64sOf(tensor)[0] : scalar(tensor);
  return tensor?.count !== 1 || found === undefined || Number.isNaN(found) ? null : found;
}

/** Small whole numbers of a constant; none where it is anything else. */
export function wholesOf({ constants }: Search, value: string): readonly number[] {
  const tensor = constants.get(value);
  return tensor?.type === ELEMENT.INT64 && tensor.count <= 8 ? int64sOf(tensor) : [];
}

function int64sOf({ bytes }: Constant): number[] {
  return Array.from(new BigInt64Array(new Uint8Array(bytes).buffer), Number);
}

export function constantOf(search: Search, node: Node, input: number): Float32Array {
  const tensor = search.constants.get(node.inputs[input] ?? "");
  const values = tensor === undefined ? null : floatsOf(tensor);
  if (values === null) stop(search, `${nodeName(node)} has no float constant as input ${input}`);
  return values ?? new Float32Array(1);
}

/**
 * A constant of one value for each place of the last side, which may have sides of 1 before: what a
 * sum or a norm over `[batch, places, width]` spreads over all of them and leaves in its shape.
 */
export function vectorOf(search: Search, node: Node, input: number): Float32Array {
  const values = constantOf(search, node, input);
  const dims = search.constants.get(node.inputs[input] ?? "")?.dims ?? [];
  if (dims.length > 3 || (dims.at(-1) ?? 1) !== values.length) {
    stop(search, `input ${input} of ${nodeName(node)} is [${dims}], not one value a channel`);
  }
  return values;
}

/** Whether `value` is a product with constant weights, with a bias or without. */
export function isProjection(search: Search, value: string): boolean {
  const node = search.writers.get(value);
  const weighted = (name: string): boolean => {
    const product = search.writers.get(name);
    return product?.op === "MatMul" && isA(search, weightsOf(search, product), "DequantizeLinear");
  };
  if (node?.op !== "Add") return weighted(value);
  return node.inputs.some(weighted) && node.inputs.some((name) => search.constants.has(name));
}

/** The value that has the weights `[in, out]`, or `[out, in]` before it is turned. */
function weightsOf(search: Search, product: Node): string {
  const value = product.inputs[1] ?? "";
  const node = search.writers.get(value);
  return node !== undefined && isFlip(node) ? (node.inputs[0] ?? "") : value;
}

export function readProjection(search: Search, value: string): Found {
  const bare = isA(search, value, "MatMul");
  const add = bare ? null : writer(search, value, "Add");
  const at = add !== null && isA(search, add.inputs[0], "MatMul") ? 0 : 1;
  const product = writer(search, add?.inputs[at] ?? value, "MatMul");
  const { x, step, limit } = readSteps(search, product.inputs[0] ?? "");
  const from = weightsOf(search, product);
  const flipped = from !== (product.inputs[1] ?? "");
  if (flipped) writer(search, product.inputs[1] ?? "", "Transpose");
  const back = writer(search, from, "DequantizeLinear");
  const tensor = search.constants.get(back.inputs[0] ?? "");
  const [a = 0, b = 0] = tensor?.dims ?? [];
  const [cols, rows] = flipped ? [b, a] : [a, b];
  const stored = tensor?.type === ELEMENT.INT2 ? int8sOf(tensor) : null;
  const scales = vectorOf(search, back, 1);
  const zero = search.constants.get(back.inputs[2] ?? "");
  const shifted = zero?.bytes.some((byte) => byte !== 0) ?? false;
  const plain = !shifted && (back.attributes.get("block_size")?.integer ?? 0) === 0;
  const axis = back.attributes.get("axis")?.integer ?? 1;
  const along = flipped ? [0, -2] : [1, -1];
  const single = scales.length === 1 || (scales.length === rows && along.includes(axis));
  const bias = add === null ? new Float32Array(rows) : vectorOf(search, add, 1 - at);
  const sized = tensor?.dims.length === 2 && bias.length === rows;
  if (stored === null || !plain || !single || !sized || !withinRange(stored, 1)) {
    stop(search, `${nodeName(product)} has no INT2 weights of -1, 0, 1 [in, out] with a bias`);
    return { ...NOTHING, x, limit };
  }
  const weights = flipped ? stored : transposeOf(stored, cols);
  const scale = Float32Array.from({ length: rows }, (_, row) => {
    return step * (scales[scales.length === 1 ? 0 : row] as number);
  });
  const good = [...scale, ...bias].every(Number.isFinite) && 1 / step < 1e30;
  if (!good) stop(search, `${nodeName(product)} has a scale or a bias that is no finite number`);
  return { rows, cols, weights, scale, bias, inverse: Math.fround(1 / step), x, limit };
}

export const NOTHING: Projection = {
  ...{ rows: 0, cols: 0, inverse: 1, weights: new Int8Array(0) },
  ...{ scale: new Float32Array(0), bias: new Float32Array(0) },
};

/** Clip, QuantizeLinear, DequantizeLinear: the value before them and its step. */
function readSteps(search: Search, value: string) {
  const back = writer(search, value, "DequantizeLinear");
  const from = writer(search, back.inputs[0] ?? "", "QuantizeLinear");
  const clip = writer(search, from.inputs[0] ?? "", "Clip");
  const [step = Number.NaN, ...more] = constantOf(search, from, 1);
  const [again, ...others] = constantOf(search, back, 1);
  const same = again === step && more.length === 0 && others.length === 0;
  const zeros = [from, back].every((node) => {
    const zero = search.constants.get(node.inputs[2] ?? "");
    return zero?.type === ELEMENT.INT8 && zero.bytes.every((byte) => byte === 0);
  });
  if (!same || !zeros || !(step > 0 && Number.isFinite(step))) {
    stop(search, `${nodeName(from)} has no single scale above 0, or no int8 zero point of 0`);
  }
  const ends = [1, 2].map((i) => (constantOf(search, clip, i)[0] ?? Number.NaN) / step);
  const [low = 0, high = 0] = ends;
  const limit = LIMITS.find((most) => {
    return Math.abs(high - most) < TOLERANCE * most && Math.abs(low + most) < TOLERANCE * most;
  });
  if (limit === undefined) {
    stop(search, `${nodeName(clip)} clips to neither 127 nor 7 scales of ${nodeName(from)}`);
  }
  return { x: clip.inputs[0] ?? "", step, limit: limit ?? 0 };
}
