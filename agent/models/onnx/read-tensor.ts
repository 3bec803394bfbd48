//! The tensors and value descriptions of an ONNX file; shapes and sizes are settled here.
import { quote, type ValueInfo } from "./model.js";
import type { WireReader } from "./proto.js";
import { bitsOf, countOf, ELEMENT, type Tensor } from "./tensor.js";

export const MODEL_BYTES_MAX = 64 * 1024 * 1024;
const DIMS_MAX = 16;
const NO_BYTES = new Uint8Array(0);

export function readTensor(wire: WireReader): Omit<Tensor, "raw"> {
  const end = wire.enter();
  const dims: number[] = [];
  const floats: number[] = [];
  const integers: number[] = [];
  let [name, type] = ["", 0];
  let raw: Uint8Array | null = null;
  while (wire.next(end)) {
    if (wire.field === 1) wire.integers(dims);
    else if (wire.field === 2) type = wire.integer();
    else if (wire.field === 4) wire.floats(floats);
    else if (wire.field === 5 || wire.field === 7) wire.integers(integers);
    else if (wire.field === 8) name = wire.text();
    else if (wire.field === 9) raw = wire.bytes();
    else if (wire.field === 13) {
      wire.fail(`tensor ${quote(name)} lies in another file; save the model as one file`);
    }
  }
  if (wire.fault !== null) return { name, dims, type, count: 0, bytes: NO_BYTES };
  const bits = bitsOf(type);
  const most = (MODEL_BYTES_MAX * 8) / Math.max(2, bits);
  const count = dims.length > DIMS_MAX ? null : countOf(dims, most);
  if (count === null) {
    wire.fail(`tensor ${quote(name)} has an impossible shape [${shown(dims)}]`);
    return { name, dims, type, count: 0, bytes: NO_BYTES };
  }
  const bytes = raw ?? typedBytes(type, floats, integers);
  const wanted = Math.ceil((count * bits) / 8);
  if (bytes !== null && bits !== 0 && bytes.length !== wanted) {
    const what = `has ${bytes.length} bytes, its shape [${shown(dims)}] wants ${wanted}`;
    wire.fail(`tensor ${quote(name)} ${what}`);
  }
  return { name, dims, type, count, bytes: bytes ?? NO_BYTES };
}

/** Small tensors may be lists of numbers. Null: a type that only ONNX Runtime reads and checks. */
function typedBytes(type: number, floats: number[], integers: number[]): Uint8Array | null {
  if (type === ELEMENT.FLOAT) return bytesOf(Float32Array.from(floats));
  if (type === ELEMENT.INT32) return bytesOf(Int32Array.from(integers));
  if (type === ELEMENT.INT8) return bytesOf(Int8Array.from(integers));
  if (type === ELEMENT.INT16) return bytesOf(Int16Array.from(integers));
  if (type === ELEMENT.INT64) return bytesOf(BigInt64Array.from(integers, BigInt));
  return type === ELEMENT.INT2 ? NO_BYTES : null;
}

function bytesOf(
  values: Float32Array | Int32Array | Int16Array | Int8Array | BigInt64Array,
): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

export function readValueInfo(wire: WireReader): Omit<ValueInfo, "raw"> {
  const end = wire.enter();
  let name = "";
  let type: Pick<ValueInfo, "type" | "dims"> = { type: 0, dims: null };
  while (wire.next(end)) {
    if (wire.field === 1) name = wire.text();
    else if (wire.field === 2) type = readType(wire);
  }
  const { dims } = type;
  const fine = dims === null || (dims.length <= DIMS_MAX && dims.every((dim) => dim >= -1));
  if (!fine) wire.fail(`${quote(name)} has an impossible shape [${shown(dims)}]`);
  return { name, ...type };
}

/** Sequences and maps keep type 0: they are no tensors. */
function readType(wire: WireReader): Pick<ValueInfo, "type" | "dims"> {
  const end = wire.enter();
  let found: Pick<ValueInfo, "type" | "dims"> = { type: 0, dims: null };
  while (wire.next(end)) if (wire.field === 1) found = readTensorType(wire);
  return found;
}

function readTensorType(wire: WireReader): Pick<ValueInfo, "type" | "dims"> {
  const end = wire.enter();
  let type = 0;
  let dims: number[] | null = null;
  while (wire.next(end)) {
    if (wire.field === 1) type = wire.integer();
    else if (wire.field === 2) dims = readShape(wire);
  }
  return { type, dims };
}

function readShape(wire: WireReader): number[] {
  const end = wire.enter();
  const dims: number[] = [];
  while (wire.next(end)) {
    if (wire.field === 1 && wire.keep(1)) dims.push(readDimension(wire));
  }
  return dims;
}

/** A dimension that has a name or nothing is free: -1. */
function readDimension(wire: WireReader): number {
  const end = wire.enter();
  let dim = -1;
  while (wire.next(end)) if (wire.field === 1) dim = wire.integer();
  return dim;
}

function shown(dims: readonly number[]): string {
  return dims.length > DIMS_MAX ? `${dims.slice(0, 4).join(",")},...` : dims.join(",");
}
