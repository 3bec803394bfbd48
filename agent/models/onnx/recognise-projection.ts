//! Pieces of an encoder in an ONNX graph, found from their output back: a projection with its steps.
import type { Projection } from "../../accel/encoder.js";
import { type Node, nodeName, quote } from "./model.js";
import { ELEMENT, floatsOf, int8sOf, type Tensor } from "./tensor.js";

/** How far a stated number may lie from what it must be: float32 rounding. */
export const TOLERANCE = 1e-4;
/** Clips to so many steps. */
const LIMITS = [127, 7] as const;

/** `fault`: the first reason why this is not the pattern; what is read after it counts for nothing. */
export type Search = {
  readonly writers: ReadonlyMap<string, Node>;
  readonly constants: ReadonlyMap<string, Tensor>;
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

export function constantOf(search: Search, node: Node, input: number): Float32Array {
  const tensor = search.constants.get(node.inputs[input] ?? "");
  const values = tensor === undefined ? null : floatsOf(tensor);
  if (values === null) stop(search, `${nodeName(node)} has no float constant as input ${input}`);
  return values ?? new Float32Array(1);
}

export function readProjection(search: Search, value: string): Found {
  const add = writer(search, value, "Add");
  const at = isA(search, add.inputs[0], "MatMul") ? 0 : 1;
  const product = writer(search, add.inputs[at] ?? "", "MatMul");
  const bias = constantOf(search, add, 1 - at);
  const { x, step, limit } = readSteps(search, product.inputs[0] ?? "");
  const back = writer(search, product.inputs[1] ?? "", "DequantizeLinear");
  const tensor = search.constants.get(back.inputs[0] ?? "");
  const [cols = 0, rows = 0] = tensor?.dims ?? [];
  const stored = tensor?.type === ELEMENT.INT2 ? int8sOf(tensor) : null;
  const scales = constantOf(search, back, 1);
  const zero = search.constants.get(back.inputs[2] ?? "");
  const plain = zero === undefined || zero.bytes.every((byte) => byte === 0);
  const axis = back.attributes.get("axis")?.integer ?? 1;
  const single = scales.length === 1 || (scales.length === rows && (axis === 1 || axis === -1));
  const sized = tensor?.dims.length === 2 && bias.length === rows;
  if (stored === null || !plain || !single || !sized || stored.some((w) => w === -2)) {
    stop(search, `${nodeName(product)} has no INT2 weights of -1, 0, 1 [in, out] with a bias`);
    return { ...NOTHING, x, limit };
  }
  const weights = new Int8Array(rows * cols);
  for (let col = 0; col < cols; col++) {
    for (let row = 0; row < rows; row++) {
      weights[row * cols + col] = stored[col * rows + row] as number;
    }
  }
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
  const same = constantOf(search, back, 1)[0] === step && more.length === 0;
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
