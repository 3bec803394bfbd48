//! Element types of ONNX tensors and the few conversions that the runtime needs.

/** TensorProto.DataType, the values that we name. */
export const ELEMENT = {
  FLOAT: 1,
  INT8: 3,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  DOUBLE: 11,
  INT2: 26,
} as const;

/** Bits of an element by TensorProto.DataType; strings have none. */
const BITS: readonly number[] = [
  0, 32, 8, 8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64, 64, 128, 16, 8, 8, 8, 8, 4, 4, 4, 8, 2, 2,
];

/** A tensor of the file: `bytes` is a view of little-endian elements, checked against `dims`. */
export type Tensor = {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** The whole message of an initializer. */
  readonly raw: Uint8Array;
};

/** Bits of one element, or 0 when the type has no fixed size or is not known. */
export function bitsOf(type: number): number {
  return BITS[type] ?? 0;
}

/** Product of the dims, or null when one is negative, no integer, or the product exceeds `most`. */
export function countOf(dims: readonly number[], most: number): number | null {
  let count = 1;
  for (const dim of dims) {
    if (!(Number.isInteger(dim) && dim >= 0)) return null;
    count *= dim;
    // Checked at every step: a later zero must not hide a product that cannot be.
    if (count > most) return null;
  }
  return count;
}

/** INT2 is packed 4 per byte, the first element in the low bits, two's complement. */
export function unpackInt2(bytes: Uint8Array, count: number): Int8Array {
  const fours = new Int32Array(Math.ceil(count / 4));
  for (let i = 0; i < fours.length; i++) fours[i] = INT2_FOURS[bytes[i] ?? 0] as number;
  return new Int8Array(fours.buffer, 0, count);
}

/** The four elements of every byte, as four bytes of a little-endian word. */
const INT2_FOURS = Int32Array.from({ length: 256 }, (_, byte) => {
  const [a = 0, b = 0, c = 0, d = 0] = [30, 28, 26, 24].map((shift) => (byte << shift) >> 30);
  return (a & 255) | ((b & 255) << 8) | ((c & 255) << 16) | ((d & 255) << 24);
});

export function packInt2(values: Int8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 4));
  for (let i = 0; i < values.length; i++) {
    const code = (values[i] as number) & 3;
    bytes[i >> 2] = (bytes[i >> 2] as number) | (code << ((i & 3) * 2));
  }
  return bytes;
}

/** A copy, because the view in the file need not be aligned. Null when it is not FLOAT. */
export function floatsOf(tensor: Omit<Tensor, "raw">): Float32Array | null {
  return tensor.type === ELEMENT.FLOAT ? new Float32Array(copyOf(tensor.bytes)) : null;
}

/** Not `slice`: of a Buffer that is a view, and its `buffer` is the pool of all Buffers. */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** By what they are made of, for as long as that is kept: layers share them, nobody writes to them. */
const unpacked = new WeakMap<Uint8Array, Int8Array>();
const transposes = new WeakMap<Int8Array, Int8Array>();

/** INT8 or INT2 as int8, unpacked once a tensor; null when it is neither. */
export function int8sOf({ type, bytes, count }: Omit<Tensor, "raw">): Int8Array | null {
  if (type !== ELEMENT.INT2 && type !== ELEMENT.INT8) return null;
  const known = unpacked.get(bytes);
  if (known !== undefined) return known;
  const made = type === ELEMENT.INT2 ? unpackInt2(bytes, count) : new Int8Array(copyOf(bytes));
  unpacked.set(bytes, made);
  return made;
}

/** A matrix of so many lines with its sides exchanged, turned once. */
export function transposeOf(matrix: Int8Array, lines: number): Int8Array {
  const known = transposes.get(matrix);
  if (known !== undefined) return known;
  const cols = lines === 0 ? 0 : matrix.length / lines;
  const made = new Int8Array(matrix.length);
  for (let line = 0; line < lines; line++) {
    for (let col = 0; col < cols; col++) {
      made[col * lines + line] = matrix[line * cols + col] as number;
    }
  }
  transposes.set(matrix, made);
  return made;
}
