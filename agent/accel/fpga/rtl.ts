//! The cycle-accurate emulator: the Verilog of the core itself as WebAssembly (agent/accel/rtl,
//! built ahead by build.ts), at its register bus, its SPI pins or its AXI4-Lite port.
import { readFileSync } from "node:fs";
import { assert, OperatingError } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import type { Transport } from "./transport.js";

const FILE = "agent/accel/rtl/core.wasm";
const BUFFER_WORDS = 65_536;
/** Clocks that stand for a millisecond in a wait: the 24 MHz of the UP5K. */
const CLOCKS_PER_ms = 24_000;

// The subset of the WebAssembly API in use: its types belong to the library "dom".
type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  words(): number;
  open(): void;
  reset(): void;
  write(addr: number, count: number): void;
  read(addr: number, count: number): void;
  wait(most: number): number;
  ticks(count: number): void;
  irq(): number;
  cycles(): number;
  spi(bytes: number, half: number): void;
  axiWrite(addr: number, word: number): void;
  axiRead(addr: number): number;
};
type Imports = Readonly<Record<string, Readonly<Record<string, () => number>>>>;
type Wasm = {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Imports) => { readonly exports: Exports };
};
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: Wasm };

/** One simulated chip. */
export type Rtl = {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly chip: Exports;
};

let compiled: object | null = null;

export function probeRtl(): string | null {
  try {
    compiled ??= new wasm.Module(readFileSync(packageFile(FILE)));
    return null;
  } catch (error) {
    return `${FILE}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function openRtl(): Rtl {
  const absent = probeRtl();
  if (absent !== null || compiled === null) throw new OperatingError("fpga-gone", absent ?? FILE);
  // What libc links for a console that the module never writes to.
  const none = (): number => 8; // EBADF
  const wasi = { fd_close: none, fd_seek: none, fd_write: none };
  const { exports: chip } = new wasm.Instance(compiled, { wasi_snapshot_preview1: wasi });
  chip._initialize();
  chip.open();
  // The module allocates nothing after `open`, so these views stay valid.
  const words = new Uint32Array(chip.memory.buffer, chip.words(), BUFFER_WORDS);
  const bytes = new Uint8Array(chip.memory.buffer, chip.words(), 4 * BUFFER_WORDS);
  return { words, bytes, chip };
}

/** The register bus of the core, a word a clock. */
export function rtlTransport({ words, chip }: Rtl = openRtl()): Transport {
  return {
    name: "rtl",
    write(addr, from): void {
      assert(from.length <= BUFFER_WORDS, "rtl: a write beyond its buffer");
      words.set(from);
      chip.write(addr, from.length);
    },
    read(addr, to): void {
      chip.read(addr, to.length);
      for (let i = 0; i < to.length; i++) to[i] = words[i] as number;
    },
    waitIrq(timeout_ms): boolean {
      chip.wait(timeout_ms * CLOCKS_PER_ms);
      return chip.irq() !== 0;
    },
    close(): void {},
  };
}
