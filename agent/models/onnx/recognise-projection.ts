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
  /** Values that may still be computed of constants alone. */
  folds: number;
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

/** Whether a Reshape to these sizes leaves the batch and the places as the first two. */
export function isPlaces([batch = 2, places = 0, ...rest]: readonly number[], sequence: number) {
  const free = [batch, places, ...rest].filter((side) => side === -1).length;
  return [0, 1, -1].includes(batch) && [0, -1, sequence].includes(places) && free <= 1;
}

/** A projection, or a third of one that makes queries, keys and values behind one another. */
export function readPart(search: Search, value: string): Found {
  const node = search.writers.get(value);
  if (node?.op === "Split") {
    const whole = readProjection(search, node.inputs[0] ?? "");
    const { part } = splitOf(search, value, [2, -1], whole.rows / 3);
    return thirdOf(search, whole, part);
  }
  if (node?.op !== "Slice") return readProjection(search, value);
  const slice = writer(search, value, "Slice");
  const whole = readProjection(search, slice.inputs[0] ?? "");
  const [from, to, axis, step] = [1, 2, 3, 4].map((i) => wholesOf(search, slice.inputs[i] ?? ""));
  const third = whole.rows / 3;
  const [first = 0] = from ?? [];
  const end = Math.min(to?.[0] ?? 0, whole.rows);
  const plain = (slice.inputs[4] ?? "") === "" || `${step}` === "1";
  const last = axis?.length === 1 && [2, -1].includes(axis[0] ?? 0);
  if (!plain || !last || from?.length !== 1 || to?.length !== 1 || end - first !== third) {
    stop(search, `${nodeName(slice)} does not take a third of its channels`);
  }
  return thirdOf(search, whole, first / third);
}

/** A Split into three of `size` along one of these axes: what it parts, and which part is meant. */
export function splitOf(search: Search, value: string, axes: readonly number[], size: number) {
  const node = search.writers.get(value);
  const axis = node?.attributes.get("axis")?.integer ?? 0;
  const sizes = wholesOf(search, node?.inputs[1] ?? "");
  const even =
    (node?.inputs[1] ?? "") === "" || (sizes.length === 3 && sizes.every((s) => s === size));
  const three = node?.op === "Split" && node.domain === "" && node.outputs.length === 3;
  if (node === undefined || !three || !even || !axes.includes(axis)) {
    const found = node === undefined ? quote(value) : nodeName(node);
    stop(search, `${found} does not part queries, keys and values`);
    return { from: "", part: 0 };
  }
  search.taken.add(node);
  return { from: node.inputs[0] ?? "", part: node.outputs.indexOf(value) };
}

/** One of three of a projection. */
export function thirdOf(search: Search, whole: Found, part: number): Found {
  const rows = Math.floor(whole.rows / 3);
  if (![0, 1, 2].includes(part) || 3 * rows !== whole.rows) {
    stop(search, `the projection of ${quote(whole.x)} is no queries, keys and values`);
  }
  const [from, to] = [part * rows, (part + 1) * rows];
  return {
    ...{ ...whole, rows, weights: whole.weights.subarray(from * whole.cols, to * whole.cols) },
    ...{ scale: whole.scale.subarray(from, to), bias: whole.bias.subarray(from, to) },
  };
}

/** The Gemm behind a Reshape back to places, or null. */
function gemmOf(search: Search, value: string): Node | null {
  const node = search.writers.get(value);
  const before = node?.op === "Reshape" ? search.writers.get(node.inputs[0] ?? "") : undefined;
  return before?.op === "Gemm" && before.domain === "" ? before : null;
}

/** Whether `value` is a product with constant weights, with a bias or without. */
export function isProjection(search: Search, value: string): boolean {
  const node = search.writers.get(value);
  const weighted = (name: string): boolean => {
    const product = gemmOf(search, name) ?? search.writers.get(name);
    const known = product?.op === "MatMul" || product?.op === "Gemm";
    return known && isA(search, weightsOf(search, product), "DequantizeLinear");
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

/** The product, what it is of, its bias and whether its weights are `[out, in]`. */
type Product = {
  readonly node: Node;
  readonly x: string;
  /** Null: none. Else the node and its input that has it. */
  readonly bias: readonly [Node, number] | null;
  readonly turned: boolean;
  /** Its columns out, where they are stated. */
  readonly wide: number | null;
};

function productOf(search: Search, value: string): Product {
  if (gemmOf(search, value) !== null) return gemmProduct(search, value);
  const bare = isA(search, value, "MatMul");
  const add = bare ? null : writer(search, value, "Add");
  const at = add !== null && isA(search, add.inputs[0], "MatMul") ? 0 : 1;
  const node = writer(search, add?.inputs[at] ?? value, "MatMul");
  const bias = add === null ? null : ([add, 1 - at] as const);
  return { node, x: node.inputs[0] ?? "", bias, turned: false, wide: null };
}

/** A Gemm over all places of all sequences in a row, and the Reshape back. */
function gemmProduct(search: Search, value: string): Product {
  const back = writer(search, value, "Reshape");
  const node = writer(search, back.inputs[0] ?? "", "Gemm");
  const integer = (name: string): number => node.attributes.get(name)?.integer ?? 0;
  const plain = ["alpha", "beta"].every((a) => (node.attributes.get(a)?.float ?? 1) === 1);
  if (!plain || integer("transA") !== 0)
    stop(search, `${nodeName(node)} has transA, alpha or beta`);
  const sizes = wholesOf(search, back.inputs[1] ?? "");
  const sequence = sequenceOf(search);
  if (sizes.length !== 3 || !(isPlaces(sizes, sequence) && sizes[0] !== 0)) {
    stop(search, `${nodeName(back)} does not lay the places out again`);
  }
  const bias = (node.inputs[2] ?? "") === "" ? null : ([node, 2] as const);
  return {
    node,
    x: node.inputs[0] ?? "",
    bias,
    turned: integer("transB") !== 0,
    wide: sizes[2] ?? 0,
  };
}

const sequenceOf = ({ inputs }: Search): number =>
  inputs.find(({ dims }) => dims?.length === 3)?.dims?.[1] ?? 0;

/** What is before a Reshape to rows of `cols`, where there is one. */
function flattened(search: Search, value: string, cols: number): string {
  const sizes = wholesOf(search, search.writers.get(value)?.inputs[1] ?? "");
  if (!isA(search, value, "Reshape") || sizes.length !== 2) return value;
  const node = writer(search, value, "Reshape");
  if (![cols, -1].includes(sizes[1] ?? 0) || sizes[0] === 0)
    stop(search, `${nodeName(node)} does not lay places behind one another`);
  return node.inputs[0] ?? "";
}

export function readProjection(search: Search, value: string): Found {
  const { node: product, x: made, bias: stated, turned, wide } = productOf(search, value);
  const from = weightsOf(search, product);
  const behind = from !== (product.inputs[1] ?? "");
  if (behind) writer(search, product.inputs[1] ?? "", "Transpose");
  const flipped = behind !== turned;
  const back = writer(search, from, "DequantizeLinear");
  const tensor = search.constants.get(back.inputs[0] ?? "");
  const [a = 0, b = 0] = tensor?.dims ?? [];
  const [cols, rows] = flipped ? [b, a] : [a, b];
  // Places in a row before the steps or behind them.
  const rowed = product.op === "Gemm";
  if (wide !== null && wide !== rows) stop(search, `${nodeName(product)} is laid out otherwise`);
  const quantised = readSteps(search, rowed ? flattened(search, made, cols) : made);
  const { step, limit } = quantised;
  const x = rowed ? flattened(search, quantised.x, cols) : quantised.x;
  const stored = tensor?.type === ELEMENT.INT2 ? int8sOf(tensor) : null;
  const scales = vectorOf(search, back, 1);
  const zero = search.constants.get(back.inputs[2] ?? "");
  const shifted = zero?.bytes.some((byte) => byte !== 0) ?? false;
  const plain = !shifted && (back.attributes.get("block_size")?.integer ?? 0) === 0;
  const axis = back.attributes.get("axis")?.integer ?? 1;
  const along = flipped ? [0, -2] : [1, -1];
  const single = scales.length === 1 || (scales.length === rows && along.includes(axis));
  const bias = stated === null ? new Float32Array(rows) : vectorOf(search, ...stated);
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
