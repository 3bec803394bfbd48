//! A core behind a transport: told apart from anything else, loaded, run, and held to its check
//! sums. It throws an OperatingError at the first thing that is not as it should be; whoever holds
//! it uses it no more after that.
import { OperatingError } from "../../base/errors.js";
import type { Plan } from "../backend.js";
import { compile, type Program } from "./program.js";
import { AT, CONTROL, ID, MAJOR, REGISTER, readShape, type Shape, STATUS } from "./registers.js";
import { nothingTaken, type Run, type Usage } from "./runs.js";
import { CheckSum, type Transport } from "./transport.js";

/** Clocks a millisecond that any core has: a run that takes longer hangs. */
const SLOWEST_kHz = 1_000;
const GRACE_ms = 100;
/** Words of one write: what a transport must take. */
const CHUNK_WORDS = 1024;

const refuse = (code: string, name: string, what: string): OperatingError =>
  new OperatingError(code, `${name}: ${what}`);

export class Core {
  readonly shape: Shape;
  readonly #transport: Transport;
  readonly #sum = new CheckSum();
  readonly #word = new Uint32Array(1);
  /** status, cycles, checkA, checkB: registers that follow one another. */
  readonly #end = new Uint32Array(4);
  #usage: Usage = nothingTaken();
  /** The program that came last, and what was taken before it. */
  #last: { readonly program: Program; readonly before: Usage } | null = null;
  #zeros = new Uint32Array(0);
  #y = new Uint32Array(0);
  #yBytes = new Int8Array(0);
  /** Clocks of the last run. */
  cycles = 0;

  private constructor(transport: Transport, shape: Shape) {
    this.#transport = transport;
    this.shape = shape;
  }

  /** Resets what is behind the transport and makes sure that it is a core of ours. */
  static open(transport: Transport): Core {
    const { name } = transport;
    transport.write(REGISTER.control, Uint32Array.of(CONTROL.reset));
    const found = new Uint32Array(4);
    transport.read(REGISTER.id, found);
    const [id = 0, version = 0, a = 0, b = 0] = found;
    const hex = (word: number): string => `0x${word.toString(16).padStart(8, "0")}`;
    if (id !== ID) {
      const instead = `it has ${hex(ID)}; is the bitstream loaded and the wiring right?`;
      throw refuse("fpga-foreign", name, `no core of Sterna answers: ${hex(id)}, ${instead}`);
    }
    if (version >>> 16 !== MAJOR) {
      const what = `the core has version ${version >>> 16}, this driver needs ${MAJOR}`;
      throw refuse("fpga-version", name, `${what}; load the bitstream of this release`);
    }
    const shape = readShape(a, b);
    if (shape === null)
      throw refuse("fpga-foreign", name, `the core states no size we know: ${hex(a)}`);
    const core = new Core(transport, shape);
    core.#verify();
    return core;
  }

  get name(): string {
    return this.#transport.name;
  }

  /** Forgets every program: the memories are free again. */
  reset(): void {
    this.#write(REGISTER.control, Uint32Array.of(CONTROL.reset), false);
    this.#sum.reset();
    this.#usage = nothingTaken();
    this.#last = null;
  }

  /** Why nothing of a plan would be on the core as it is, or null. */
  lack(plan: Plan): string | null {
    const { parts, why } = compile(plan, this.shape, this.#usage);
    if (parts.some(({ runs }) => runs !== null)) return null;
    const more = why.length > 1 ? ` and ${why.length - 1} more` : "";
    return `${why[0]}${more}`;
  }

  /** Plans what fits and uploads it. */
  load(plan: Plan): Program {
    const before = this.#usage;
    const program = compile(plan, this.shape, before);
    for (const { addr, words } of program.uploads) {
      for (let at = 0; at < words.length; at += CHUNK_WORDS) {
        this.#write(addr + at, words.subarray(at, at + CHUNK_WORDS), true);
      }
    }
    this.#verify();
    for (const run of program.parts.flatMap(({ runs }) => runs ?? [])) this.#reserve(run);
    this.#usage = program.usage;
    this.#last = { program, before };
    return program;
  }

  /** The memory of a program is free again where none came after it: one that was only timed. */
  release(program: Program): void {
    if (this.#last?.program !== program) return;
    this.#usage = this.#last.before;
    this.#last = null;
  }

  /** x: the words that `run` sends; y: its int8 steps, or its sums when it is raw. */
  run(run: Run, x: Uint32Array, y: Int8Array | Int32Array): void {
    for (const { at, count } of run.zeros) {
      this.#write(AT.data + at, this.#zeros.subarray(0, count), true);
    }
    this.#write(AT.data, x, true);
    const start = CONTROL.start | (run.stage << 8) | (run.count << 16);
    this.#word[0] = start;
    this.#transport.write(REGISTER.control, this.#word);
    const most_ms = GRACE_ms + run.cycles_max / SLOWEST_kHz;
    if (!this.#transport.waitIrq(most_ms)) {
      throw refuse("fpga-hang", this.name, `not done after ${Math.round(most_ms)} ms`);
    }
    const first = run.yAt >> 2;
    const bytes = y.length * (run.raw ? 4 : 1);
    const words = this.#y.subarray(0, ((run.yAt + bytes + 3) >> 2) - first);
    this.#transport.read(AT.data + first, words);
    const skip = run.yAt & 3;
    for (let i = 0; i < y.length; i++) {
      const value = run.raw ? (words[i] as number) | 0 : (this.#yBytes[skip + i] as number);
      y[i] = value;
      this.#sum.add(value >>> 0);
    }
    this.#verify();
  }

  close(): void {
    this.#transport.close();
  }

  #write(addr: number, words: Uint32Array, counts: boolean): void {
    this.#transport.write(addr, words);
    if (counts) this.#sum.addAll(words);
  }

  /** The core took every word that was sent, and what was read is what it wrote. */
  #verify(): void {
    this.#transport.read(REGISTER.status, this.#end);
    const [status = 0, cycles = 0, a = 0, b = 0] = this.#end;
    if ((status & ~STATUS.done) !== 0) {
      throw refuse("fpga-check", this.name, `its status reads 0x${status.toString(16)}`);
    }
    if (a !== this.#sum.a || b !== this.#sum.b) {
      const reset = a === 0 && b === 0 ? "it was reset" : "words were lost or bent on the way";
      throw refuse("fpga-check", this.name, `its check sums differ from ours: ${reset}`);
    }
    this.cycles = cycles;
  }

  #reserve(run: Run): void {
    const zeros = Math.max(this.#zeros.length, ...run.zeros.map(({ count }) => count));
    if (zeros > this.#zeros.length) this.#zeros = new Uint32Array(zeros);
    const words = Math.ceil((run.y.bytes * (run.raw ? 4 : 1) + 3) / 4) + 1;
    if (words <= this.#y.length) return;
    this.#y = new Uint32Array(words);
    this.#yBytes = new Int8Array(this.#y.buffer);
  }
}
