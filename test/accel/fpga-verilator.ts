//! Builds test/accel/fpga-kernel.cc with Verilator, once a run, and opens it.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Transport } from "../../agent/accel/fpga/transport.js";
import { SHELLS } from "../../agent/accel/rtl/build.js";
import { packageFile } from "../../agent/base/files.js";

export type Chip = {
  /** The library itself: it also has the functions of libc that the driver calls. */
  readonly library: string;
  open(): void;
  /** A board without a configuration, and the bitstream that makes it ours. */
  board(bitstream: Uint8Array): void;
  /** Numbers and sizes of the kernel's headers. */
  numbers(): Uint32Array;
  axiRead(addr: number): number;
  axiWrite(addr: number, word: number): void;
  readonly transport: Transport;
};

export function whyNoVerilator(): string | null {
  for (const program of ["verilator", "g++"]) {
    if (spawnSync(program, ["--version"]).status !== 0) return `no ${program}`;
  }
  return null;
}

export function buildChip(): Chip {
  const folder = mkdtempSync(join(tmpdir(), "sterna-verilator-"));
  const rtl = packageFile("agent/accel/rtl");
  const sources = ["sim.v", ...SHELLS].map((file) => join(rtl, file));
  const quiet = ["--noassert", "-Wno-fatal", "-Wno-WIDTH", "-Wno-PINCONNECTEMPTY"];
  const options = ["--cc", "--top-module", "sim", "--Mdir", folder, "-O3", "--x-assign", "fast"];
  execFileSync("verilator", [...options, ...quiet, ...sources], { stdio: "pipe" });
  const made = execFileSync("verilator", ["--getenv", "VERILATOR_ROOT"], { encoding: "utf8" });
  const include = join(made.trim(), "include");
  const generated = readdirSync(folder).filter((file) => /^Vsim.*\.cpp$/.test(file));
  const library = join(folder, "libkernel.so");
  const units = [
    ...generated.map((file) => join(folder, file)),
    join(include, "verilated.cpp"),
    join(include, "verilated_threads.cpp"),
    packageFile("test/accel/fpga-kernel.cc"),
  ];
  const flags = [
    "-O1",
    "-fPIC",
    "-shared",
    "-std=c++17",
    `-I${folder}`,
    `-I${include}`,
    `-I${rtl}`,
  ];
  execFileSync("g++", [...flags, "-Wl,-Bsymbolic", "-o", library, ...units], { stdio: "pipe" });
  return openChip(library);
}

function openChip(library: string): Chip {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const lib = koffi.load(library);
  const open = lib.func("void chip_open()");
  const write = lib.func("void chip_write(uint32_t, const uint32_t *, uint32_t)");
  const read = lib.func("void chip_read(uint32_t, void *, uint32_t)");
  const wait = lib.func("uint32_t chip_wait(uint32_t)");
  const board = lib.func("void board(const uint8_t *, uint32_t)");
  const numbers = lib.func("void numbers(void *)");
  const axiRead = lib.func("uint32_t chip_axi_read(uint32_t)");
  const axiWrite = lib.func("void chip_axi_write(uint32_t, uint32_t)");
  open();
  return {
    library,
    open: () => void open(),
    board: (bitstream) => void board(bitstream, bitstream.length),
    numbers(): Uint32Array {
      const found = new Uint32Array(19);
      numbers(found);
      return found;
    },
    axiRead: (addr) => axiRead(addr) as number,
    axiWrite: (addr, word) => void axiWrite(addr, word),
    transport: {
      name: "verilator",
      write: (addr, words) => void write(addr, words, words.length),
      read: (addr, words) => void read(addr, words, words.length),
      waitIrq: (timeout_ms) => wait(timeout_ms * 24_000) === 1,
      close: () => {},
    },
  };
}

/** The bitstream of the package. */
export const shippedBitstream = (): Uint8Array =>
  readFileSync(packageFile("agent/accel/rtl/sterna_up5k.bin"));
