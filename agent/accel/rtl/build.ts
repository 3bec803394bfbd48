//! Builds what the package carries of the core, and notes the hash of its sources beside it; a test
//! compares both. `npm run bitstream` needs yosys, nextpnr-ice40 and icepack (Debian:
//! fpga-icestorm nextpnr-ice40 yosys); `npm run rtl:wasm` needs yosys with its headers, clang 14 and
//! the C++ library for wasm32 (docs/fpga.md names the packages).
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FOLDER = import.meta.dirname;
export const SHELLS = ["spi_slave.v", "axi_lite.v", "ternary_core.v"];
const UP5K = ["top_up5k.v", "spi_top.v", "spi_slave.v", "ternary_core.v"];
const DEVICE = "--up5k --package sg48 --freq 30 --seed 1";
const FLAGS = [
  "--target=wasm32-wasi --sysroot=/usr -mexec-model=reactor -O3 -DNDEBUG -std=c++17 -fno-exceptions",
  "-isystem /usr/share/yosys/include -isystem /usr/include/wasm32-wasi/c++/v1 -Wl,--strip-all",
].join(" ");

type Product = {
  readonly file: string;
  readonly sources: readonly string[];
  /** What else decides the result. */
  readonly options: string;
};

export const PRODUCTS = {
  bitstream: { file: "sterna_up5k.bin", sources: [...UP5K, "up5k.pcf"], options: DEVICE },
  wasm: {
    file: "core.wasm",
    sources: ["sim.v", ...SHELLS, "harness.hpp", "wasm.cc"],
    options: FLAGS,
  },
} as const satisfies Readonly<Record<string, Product>>;

function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What `FILE.sha256` must say: of the sources with the options, and of the file itself. */
export function hashes({ file, sources, options }: Product): string {
  const texts = sources.map((source) => readFileSync(join(FOLDER, source), "utf8"));
  const built = readFileSync(join(FOLDER, file));
  return `sources ${sha256([options, ...texts].join("\n"))}\nbuilt ${sha256(built)}\n`;
}

const inFolder = (files: readonly string[]): string =>
  files.map((file) => join(FOLDER, file)).join(" ");

export type Placed = {
  readonly bitstream: string;
  readonly clock_MHz: number;
  /** Used and there, by the names of nextpnr: ICESTORM_LC ... */
  readonly cells: Readonly<Record<string, readonly [number, number]>>;
};

/** Synthesis, place and route, in `folder`. */
export function buildBitstream(folder: string): Placed {
  const at = (file: string): string => join(folder, file);
  const verilog = `read_verilog -DSTERNA_SPRAM ${inFolder(UP5K)}`;
  const synth = `${verilog}; synth_ice40 -top top_up5k -spram -dsp -json ${at("core.json")}`;
  execFileSync("yosys", ["-q", "-p", synth], { stdio: ["ignore", "ignore", "pipe"] });
  const place = ["--json", at("core.json"), "--pcf", join(FOLDER, "up5k.pcf")];
  const out = ["--asc", at("core.asc"), "-q", "-l", at("place.log")];
  execFileSync("nextpnr-ice40", [...DEVICE.split(" "), ...place, ...out], { stdio: "pipe" });
  execFileSync("icepack", [at("core.asc"), at("core.bin")]);
  const log = readFileSync(at("place.log"), "utf8");
  const clocks = [...log.matchAll(/Max frequency for clock '\S+': ([\d.]+) MHz/g)];
  const used = log.matchAll(/Info:\s+(\w+):\s+(\d+)\/\s*(\d+)\s+\d+%/g);
  return {
    bitstream: at("core.bin"),
    clock_MHz: Number(clocks.at(-1)?.[1]),
    cells: Object.fromEntries([...used].map(([, name, a, b]) => [name, [Number(a), Number(b)]])),
  };
}

export function buildWasm(folder: string): string {
  const verilog = inFolder(["sim.v", ...SHELLS]);
  const to = join(folder, "core_cxxrtl.cc");
  const script = `read_verilog ${verilog}; hierarchy -top sim; write_cxxrtl -O6 -g0 ${to}`;
  execFileSync("yosys", ["-q", "-p", script], { stdio: ["ignore", "ignore", "pipe"] });
  const file = join(folder, "core.wasm");
  const include = [`-I${folder}`, `-I${FOLDER}`];
  execFileSync("clang++-14", [
    ...FLAGS.split(" "),
    ...include,
    "-o",
    file,
    join(FOLDER, "wasm.cc"),
  ]);
  return file;
}

/** Puts a product in its place. */
function keep(product: Product, built: string): void {
  const file = join(FOLDER, product.file);
  copyFileSync(built, file);
  writeFileSync(`${file}.sha256`, hashes(product));
}

/** `build.ts bitstream|wasm` keeps what it builds; `build.ts try FOLDER` only says how it went. */
function main(what: string, folder: string): void {
  if (what === "wasm") {
    keep(PRODUCTS.wasm, buildWasm(folder));
    return;
  }
  const { bitstream, clock_MHz, cells } = buildBitstream(folder);
  if (what === "bitstream") keep(PRODUCTS.bitstream, bitstream);
  const used = Object.entries(cells).filter(([, [count]]) => count > 0);
  const list = used.map(([name, [count, of]]) => `${name} ${count}/${of}`).join(", ");
  process.stdout.write(`${PRODUCTS.bitstream.file}: ${clock_MHz} MHz, ${list}\n`);
}

if (import.meta.main) {
  const [, , what = "", folder = mkdtempSync(join(tmpdir(), "sterna-rtl-"))] = process.argv;
  main(what, folder);
}
