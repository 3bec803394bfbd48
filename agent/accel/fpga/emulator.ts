//! The core in TypeScript, by its register map: the same memories, stages, integers and check sums,
//! without clocks. What stands in for a board; test/accel/fpga.test.ts holds it to the Verilog.
import { assert } from "../../base/errors.js";
import {
  AT,
  CONTROL,
  FLAG,
  ID,
  MAJOR,
  REGISTER,
  type Shape,
  STAGE_WORDS,
  STATUS,
  shapeWords,
  UP5K,
} from "./registers.js";
import { CheckSum, type Transport } from "./transport.js";

/** A stage as it runs: weights unpacked to int8 rows, parameters in typed arrays. */
type Ready = {
  readonly rows: number;
  readonly cols: number;
  readonly places: number;
  readonly raw: boolean;
  readonly relu: boolean;
  readonly from: number;
  readonly step: number;
  readonly to: number;
  readonly weights: Int8Array;
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly shift: Int32Array;
};

export function openEmulator(shape: Shape = UP5K): Transport {
  return new Emulator(shape);
}

class Emulator implements Transport {
  readonly name = "emulator";
  readonly #shape: Shape;
  readonly #weights: Uint32Array;
  readonly #params: Uint32Array;
  readonly #stages: Uint32Array;
  readonly #data: Uint32Array;
  readonly #bytes: Int8Array;
  readonly #sum = new CheckSum();
  /** Unpacked at the first run after a write. */
  readonly #ready = new Map<number, Ready>();
  #done = false;

  constructor(shape: Shape) {
    this.#shape = shape;
    this.#weights = new Uint32Array((shape.weight_words * shape.lanes) / 16);
    this.#params = new Uint32Array(2 * shape.rows);
    this.#stages = new Uint32Array(STAGE_WORDS * shape.stages);
    this.#data = new Uint32Array(shape.data_bytes / 4);
    this.#bytes = new Int8Array(this.#data.buffer);
  }

  write(addr: number, words: Uint32Array): void {
    if (addr < AT.data) {
      for (let i = 0; i < words.length; i++) {
        if (addr + i === REGISTER.control) this.#control(words[i] as number);
      }
      return;
    }
    const [memory, base] = this.#memoryOf(addr);
    assert(addr - base + words.length <= memory.length, "emulator: a write beyond its memory");
    memory.set(words, addr - base);
    this.#sum.addAll(words);
    if (memory !== this.#data) this.#ready.clear();
  }

  read(addr: number, words: Uint32Array): void {
    const at = addr - AT.data;
    const data = at >= 0 && at < this.#data.length;
    for (let i = 0; i < words.length; i++) {
      words[i] = data ? (this.#data[at + i] as number) : this.#register(addr + i);
    }
  }

  waitIrq(): boolean {
    return this.#done;
  }

  close(): void {}

  #memoryOf(addr: number): readonly [Uint32Array, number] {
    if (addr >= AT.weights) return [this.#weights, AT.weights];
    if (addr >= AT.stages) return [this.#stages, AT.stages];
    return addr >= AT.params ? [this.#params, AT.params] : [this.#data, AT.data];
  }

  #register(addr: number): number {
    const [a, b] = shapeWords(this.#shape);
    if (addr === REGISTER.id) return ID;
    if (addr === REGISTER.version) return MAJOR << 16;
    if (addr === REGISTER.shape) return a;
    if (addr === REGISTER.limits) return b;
    if (addr === REGISTER.status) return this.#done ? STATUS.done : 0;
    if (addr === REGISTER.checkA) return this.#sum.a;
    return addr === REGISTER.checkB ? this.#sum.b : 0;
  }

  #control(word: number): void {
    if ((word & CONTROL.reset) !== 0) {
      this.#sum.reset();
      this.#done = false;
      return;
    }
    if ((word & (CONTROL.acknowledge | CONTROL.start)) !== 0) this.#done = false;
    if ((word & CONTROL.start) === 0) return;
    const [first, count] = [(word >>> 8) & 0xff, word >>> 16];
    for (let i = 0; i < count; i++) {
      const stage = (first + i) % this.#shape.stages;
      const ready = this.#ready.get(stage) ?? this.#unpack(stage);
      this.#ready.set(stage, ready);
      this.#run(ready, i === count - 1);
    }
    this.#done = true;
  }

  #unpack(stage: number): Ready {
    const words = this.#stages.subarray(STAGE_WORDS * stage, STAGE_WORDS * (stage + 1));
    const [head = 0, cols = 0, places = 0, w = 0, p = 0, from = 0, step = 0, to = 0] = words;
    const rows = head & 0x1fff;
    const { lanes, acc_bits } = this.#shape;
    const weights = new Int8Array(rows * cols);
    const bias = new Int32Array(rows);
    const multiplier = new Int32Array(rows);
    const shift = new Int32Array(rows);
    for (let row = 0; row < rows; row++) {
      const lane = row % lanes;
      const block = (w + Math.floor(row / lanes) * cols) * (lanes / 16) + (lane >> 4);
      const up = 30 - 2 * (lane % 16);
      for (let col = 0; col < cols; col++) {
        const word = this.#weights[block + col * (lanes / 16)] as number;
        weights[row * cols + col] = (word << up) >> 30;
      }
      const second = this.#params[2 * (p + row) + 1] as number;
      bias[row] = ((this.#params[2 * (p + row)] as number) << (32 - acc_bits)) >> (32 - acc_bits);
      multiplier[row] = second & 0x7fff;
      shift[row] = (second >>> 16) & 0x1f;
    }
    const flags = { raw: (head & FLAG.raw) !== 0, relu: (head & FLAG.relu) !== 0 };
    const rest = { weights, bias, multiplier, shift };
    return { rows, cols, places, ...flags, from, step, to, ...rest };
  }

  #run(stage: Ready, last: boolean): void {
    const { rows, places, raw, relu, from, step, to, bias, multiplier, shift } = stage;
    const cut = 32 - this.#shape.acc_bits;
    for (let place = 0; place < places; place++) {
      for (let row = 0; row < rows; row++) {
        const dot = this.#dot(stage, row, from + place * step);
        const sum = ((dot + (bias[row] as number)) << cut) >> cut;
        const at = place * rows + row;
        const y = raw
          ? sum
          : requantise(sum, multiplier[row] as number, shift[row] as number, relu);
        if (raw) this.#data[(to >> 2) + at] = y;
        else this.#bytes[to + at] = y;
        if (last) this.#sum.add(y >>> 0);
      }
    }
  }

  #dot({ weights, cols }: Ready, row: number, from: number): number {
    const bytes = this.#bytes;
    const at = row * cols;
    let sum = 0;
    // Four at a time, and said to be integers: some 1.3 times as fast.
    const whole = cols - (cols & 3);
    for (let i = 0; i < whole; i += 4) {
      const w = at + i;
      const x = from + i;
      sum =
        (sum +
          (weights[w] as number) * (bytes[x] as number) +
          (weights[w + 1] as number) * (bytes[x + 1] as number) +
          (weights[w + 2] as number) * (bytes[x + 2] as number) +
          (weights[w + 3] as number) * (bytes[x + 3] as number)) |
        0;
    }
    for (let i = whole; i < cols; i++) {
      sum += (weights[at + i] as number) * (bytes[from + i] as number);
    }
    return sum;
  }
}

/** The product has 36 bits at most: exact in a double. */
function requantise(sum: number, multiplier: number, shift: number, relu: boolean): number {
  const half = shift === 0 ? 0 : 2 ** (shift - 1);
  const value = Math.floor((sum * multiplier + half) / 2 ** shift);
  if (relu && value < 0) return 0;
  return Math.max(-127, Math.min(127, value));
}
