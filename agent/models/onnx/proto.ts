//! The wire format of protocol buffers, as much as ONNX needs. The reader trusts nothing: it looks
//! at no byte outside the field it was given, keeps the first fault, and allocates nothing itself.

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const VARINT_BYTES_MAX = 10;

/** Walks the fields of one message at a time: `while (wire.next(end)) switch (wire.field) ...`. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #items_max: number;
  #items = 0;
  at = 0;
  fault: string | null = null;
  field = 0;
  /** Value of a varint field; of a length-delimited one the range of its content. */
  value = 0;
  from = 0;
  to = 0;
  #type = 0;

  constructor(bytes: Uint8Array, items_max: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#items_max = items_max;
  }

  fail(what: string): void {
    this.fault ??= `${what} at byte ${this.at}`;
  }

  /** Counts what a file makes us keep; false once it is more than any model needs. */
  keep(count: number): boolean {
    this.#items += count;
    if (this.#items > this.#items_max) this.fail(`more than ${this.#items_max} items`);
    return this.fault === null;
  }

  /** Reads the next field of the message that ends at `end`; false at its end or after a fault. */
  next(end: number): boolean {
    if (this.fault !== null || this.at >= end) return false;
    const tag = this.#varint(end);
    this.field = Math.floor(tag / 8);
    this.#type = tag % 8;
    if (this.#type === VARINT) {
      this.value = this.#varint(end);
    } else if (this.#type === LENGTH) {
      const length = this.#varint(end);
      // A negative length arrives as a negative number, a huge one as a huge one.
      if (!(length >= 0 && length <= end - this.at)) this.fail("a length leaves its message");
      else this.#range(length);
    } else if (this.#type === FIXED32 || this.#type === FIXED64) {
      const size = this.#type === FIXED32 ? 4 : 8;
      if (size > end - this.at) this.fail("the file ends within a number");
      else this.#range(size);
    } else {
      this.fail(`wire type ${this.#type}, which ONNX does not use`);
    }
    return this.fault === null;
  }

  /** Enters the message of the current field: its end, for `next`. */
  enter(): number {
    if (this.#type !== LENGTH) this.fail(`field ${this.field} is not a message`);
    this.at = this.from;
    return this.to;
  }

  /** The content of the current field, whatever it is; empty for a number. */
  content(): Uint8Array {
    return this.#type === LENGTH ? this.#bytes.subarray(this.from, this.to) : new Uint8Array(0);
  }

  bytes(): Uint8Array {
    if (this.#type !== LENGTH) this.fail(`field ${this.field} is not bytes`);
    return this.#bytes.subarray(this.from, this.to);
  }

  text(): string {
    this.keep(1);
    return new TextDecoder().decode(this.bytes());
  }

  integer(): number {
    if (this.#type !== VARINT) this.fail(`field ${this.field} is not an integer`);
    return this.value;
  }

  float(): number {
    if (this.#type !== FIXED32) this.fail(`field ${this.field} is not a float`);
    return this.fault === null ? this.#view.getFloat32(this.from, true) : 0;
  }

  /** Appends the current field of a repeated integer, packed or one by one. */
  integers(into: number[]): void {
    if (this.#type === VARINT) {
      if (this.keep(1)) into.push(this.value);
      return;
    }
    const end = this.enter();
    while (this.fault === null && this.at < end && this.keep(1)) into.push(this.#varint(end));
  }

  /** Appends the current field of a repeated float, packed or one by one. */
  floats(into: number[]): void {
    if (this.#type === FIXED32) {
      if (this.keep(1)) into.push(this.float());
      return;
    }
    const { length } = this.bytes();
    if (length % 4 !== 0) this.fail("a list of floats has a broken length");
    if (!this.keep(length / 4)) return;
    for (let i = this.from; i < this.to; i += 4) into.push(this.#view.getFloat32(i, true));
  }

  #range(length: number): void {
    this.from = this.at;
    this.to = this.at + length;
    this.at = this.to;
  }

  #varint(end: number): number {
    const from = this.at;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      if (this.at >= end) break;
      const byte = this.#bytes[this.at++] as number;
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return i < 7 ? value : this.#long(from);
    }
    this.fail("the file ends within an integer, or one is too long");
    return 0;
  }

  /** A varint of 8 bytes and more: a negative int64 takes ten. */
  #long(from: number): number {
    let value = 0n;
    for (let i = this.at - 1; i >= from; i--) {
      value = (value << 7n) | BigInt((this.#bytes[i] as number) & 127);
    }
    return Number(BigInt.asIntN(64, value));
  }
}

/** The parts of a message being written; a message within a message is written first. */
export type Message = Uint8Array[];

export function putVarint(to: Message, field: number, value: number): void {
  to.push(varint(field * 8 + VARINT), varint(value));
}

export function putBytes(to: Message, field: number, bytes: Uint8Array): void {
  to.push(varint(field * 8 + LENGTH), varint(bytes.length), bytes);
}

export function putText(to: Message, field: number, text: string): void {
  putBytes(to, field, new TextEncoder().encode(text));
}

export function putFloat(to: Message, field: number, value: number): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  to.push(varint(field * 8 + FIXED32), bytes);
}

export function finish(message: Message): Uint8Array {
  return new Uint8Array(Buffer.concat(message));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
