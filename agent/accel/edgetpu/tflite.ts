//! Writes a program as a fully int8 .tflite file for edgetpu_compiler: static shapes, constant
//! parameters, zero points of 0, and of each operator the version that the compiler has long known.
//! The schema is TensorFlow Lite's, version 3; the numbers below are its fields.
import { Builder } from "flatbuffers";
import { type Int8Layer, nameOf, type Program } from "./program.js";

const SCHEMA = 3;
const FILE_ID = "TFL3";
const INT32 = 2;
const INT8 = 9;
/** Builtin operators: code, version for int8, and which table of options each has. */
const OPERATORS = {
  fullyConnected: { code: 9, version: 4, options: 8 },
  conv: { code: 3, version: 3, options: 1 },
  pad: { code: 34, version: 2, options: 22 },
  reshape: { code: 22, version: 1, options: 17 },
} as const;
type Operator = keyof typeof OPERATORS;
const VALID = 1;
const RELU = 1;
const ALIGN = 16;

type Scales = ArrayLike<number>;

class Writer {
  readonly #b = new Builder(4096);
  readonly #buffers: number[] = [];
  readonly #tensors: number[] = [];
  readonly #operators: number[] = [];
  /** In order of use: an operator of the file names its kind by its place here. */
  readonly #kinds = new Set<Operator>();

  constructor() {
    // Buffer 0 is that of tensors without data.
    this.#buffer(null);
  }

  #vector(bytes: number, values: ArrayLike<number>, add: (value: number) => void): number {
    this.#b.startVector(bytes, values.length, bytes);
    for (let i = values.length - 1; i >= 0; i--) add(values[i] as number);
    return this.#b.endVector();
  }

  #ints(values: ArrayLike<number>): number {
    return this.#vector(4, values, (value) => this.#b.addInt32(value));
  }

  #offsets(values: readonly number[]): number {
    return this.#vector(4, values, (value) => this.#b.addOffset(value));
  }

  #table(fields: number, write: (b: Builder) => void): number {
    this.#b.startObject(fields);
    write(this.#b);
    return this.#b.endObject();
  }

  #buffer(data: Int8Array | Int32Array | null): number {
    let bytes = 0;
    if (data !== null) {
      const all = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      this.#b.startVector(1, all.length, ALIGN);
      for (let i = all.length - 1; i >= 0; i--) this.#b.addInt8(all[i] as number);
      bytes = this.#b.endVector();
    }
    const table = this.#table(3, (b) => {
      if (bytes !== 0) b.addFieldOffset(0, bytes, 0);
    });
    return this.#buffers.push(table) - 1;
  }

  /** `scales`: one of the tensor or one a row, along its first dimension. */
  tensor(
    name: string,
    shape: readonly number[],
    data: Int8Array | Int32Array | null,
    scales: Scales | null,
  ): number {
    const buffer = data === null ? 0 : this.#buffer(data);
    const named = this.#b.createString(name);
    const sizes = this.#ints(shape);
    let quantised = 0;
    if (scales !== null) {
      const real = this.#vector(4, scales, (value) => this.#b.addFloat32(value));
      const zeros = this.#vector(
        8,
        Array.from(scales, () => 0),
        () => this.#b.addInt64(0n),
      );
      quantised = this.#table(7, (b) => {
        b.addFieldOffset(2, real, 0);
        b.addFieldOffset(3, zeros, 0);
      });
    }
    const table = this.#table(11, (b) => {
      b.addFieldOffset(0, sizes, 0);
      b.addFieldInt8(1, data instanceof Int32Array ? INT32 : INT8, 0);
      b.addFieldInt32(2, buffer, 0);
      b.addFieldOffset(3, named, 0);
      if (quantised !== 0) b.addFieldOffset(4, quantised, 0);
    });
    return this.#tensors.push(table) - 1;
  }

  operator(kind: Operator, inputs: readonly number[], output: number, options: number): void {
    const [from, to] = [this.#ints(inputs), this.#ints([output])];
    this.#kinds.add(kind);
    const place = [...this.#kinds].indexOf(kind);
    const table = this.#table(9, (b) => {
      b.addFieldInt32(0, place, 0);
      b.addFieldOffset(1, from, 0);
      b.addFieldOffset(2, to, 0);
      b.addFieldInt8(3, OPERATORS[kind].options, 0);
      b.addFieldOffset(4, options, 0);
    });
    this.#operators.push(table);
  }

  reshape(from: number, name: string, shape: readonly number[]): number {
    const sizes = this.tensor(`${name}.shape`, [shape.length], Int32Array.from(shape), null);
    const to = this.tensor(name, shape, null, [1]);
    const own = this.#ints(shape);
    this.operator(
      "reshape",
      [from, sizes],
      to,
      this.#table(1, (b) => b.addFieldOffset(0, own, 0)),
    );
    return to;
  }

  pad(from: number, name: string, { channels, length, pad }: Int8Layer): number {
    const ends = Int32Array.of(0, 0, 0, 0, ...pad, 0, 0);
    const sizes = this.tensor(`${name}.ends`, [4, 2], ends, null);
    const to = this.tensor(name, [1, 1, pad[0] + length + pad[1], channels], null, [1]);
    this.operator(
      "pad",
      [from, sizes],
      to,
      this.#table(0, () => {}),
    );
    return to;
  }

  conv(inputs: readonly number[], to: number, { stride, relu }: Int8Layer): void {
    const options = this.#table(6, (b) => {
      b.addFieldInt8(0, VALID, 0);
      b.addFieldInt32(1, stride, 0);
      b.addFieldInt32(2, 1, 0);
      b.addFieldInt8(3, relu ? RELU : 0, 0);
      b.addFieldInt32(4, 1, 1);
      b.addFieldInt32(5, 1, 1);
    });
    this.operator("conv", inputs, to, options);
  }

  fullyConnected(inputs: readonly number[], to: number, { relu }: Int8Layer): void {
    const options = this.#table(5, (b) => b.addFieldInt8(0, relu ? RELU : 0, 0));
    this.operator("fullyConnected", inputs, to, options);
  }

  finish(input: number, output: number, about: string): Uint8Array {
    const b = this.#b;
    const [tensors, operators] = [this.#offsets(this.#tensors), this.#offsets(this.#operators)];
    const [from, to, name] = [this.#ints([input]), this.#ints([output]), b.createString("main")];
    const graph = this.#table(5, () => {
      for (const [i, at] of [tensors, from, to, operators, name].entries()) {
        b.addFieldOffset(i, at, 0);
      }
    });
    const codes = [...this.#kinds].map((kind) =>
      this.#table(4, () => {
        const { code, version } = OPERATORS[kind];
        b.addFieldInt8(0, code, 0);
        b.addFieldInt32(2, version, 1);
        b.addFieldInt32(3, code, 0);
      }),
    );
    const parts = [this.#offsets(codes), this.#offsets([graph]), b.createString(about)];
    parts.push(this.#offsets(this.#buffers));
    const model = this.#table(8, () => {
      b.addFieldInt32(0, SCHEMA, 0);
      for (const [i, at] of parts.entries()) b.addFieldOffset(i + 1, at, 0);
    });
    b.finish(model, FILE_ID);
    return b.asUint8Array().slice();
  }
}

export function writeTflite(program: Program): Uint8Array {
  const { layers } = program;
  const own = nameOf(program);
  const writer = new Writer();
  const [first] = layers;
  const { channels, length } = first as Int8Layer;
  let shape: readonly number[] = [1, 1, length, channels];
  const input = writer.tensor(own, shape, null, [1]);
  let from = input;
  for (const [i, layer] of layers.entries()) {
    const name = i === layers.length - 1 ? `${own}-out` : `layer${i + 1}`;
    const { scale, rows, weights, bias } = layer;
    const cols = layer.kernel * layer.channels;
    const dense = layer.places === 1 && layer.kernel === layer.length;
    // FULLY_CONNECTED reads one scale, whatever is written; a convolution reads one a row.
    const one = dense && scale.every((value) => value === scale[0]);
    const wanted = one ? [1, cols] : dense ? [1, 1, 1, cols] : [1, 1, layer.length, layer.channels];
    if (shape.join() !== wanted.join()) from = writer.reshape(from, `${name}.flat`, wanted);
    if (layer.pad[0] + layer.pad[1] > 0) from = writer.pad(from, `${name}.padded`, layer);
    const filter = one
      ? [rows, cols]
      : dense
        ? [rows, 1, 1, cols]
        : [rows, 1, layer.kernel, layer.channels];
    const scales = one ? scale.subarray(0, 1) : scale;
    const inputs = [
      from,
      writer.tensor(`${name}.weights`, filter, weights, scales),
      writer.tensor(`${name}.bias`, [rows], bias, scales),
    ];
    shape = one ? [1, rows] : [1, 1, layer.places, rows];
    const to = writer.tensor(name, shape, null, [1]);
    if (one) writer.fullyConnected(inputs, to, layer);
    else writer.conv(inputs, to, layer);
    from = to;
  }
  return writer.finish(input, from, own);
}
