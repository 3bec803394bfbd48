//! Builds net.wasm with clang and lld (Debian: `apt-get install clang lld`) and notes the hash of
//! its sources; a test compares both: `node agent/accel/wasm/build.ts`.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = import.meta.dirname;
const SOURCES = [
  ...["net.cc", "kernels.hpp"],
  ...["layout", "multiply", "rows", "gather", "net", "scalar", "planes", "floats", "encoder"].map(
    (name) => `../native/${name}.hpp`,
  ),
  ...["planes", "lanes", "floats", "attention"].map((name) => `../native/${name}.inc`),
];
const FLAGS = [
  "--target=wasm32 -O3 -msimd128 -mbulk-memory -std=c++17 -ffp-contract=off -fno-exceptions",
  "-fno-rtti -nostdlib -Wall -Wextra -Werror -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536",
].join(" ");

function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What net.wasm.sha256 must say: of the sources with the flags, and of the module itself. */
export function hashes(): string {
  const sources = SOURCES.map((file) => readFileSync(join(FOLDER, file), "utf8"));
  const module = readFileSync(join(FOLDER, "net.wasm"));
  return `sources ${sha256([FLAGS, ...sources].join("\n"))}\nmodule ${sha256(module)}\n`;
}

export function build(to: string): void {
  execFileSync("clang++", [...FLAGS.split(" "), "-o", to, join(FOLDER, "net.cc")]);
}

if (import.meta.main) {
  build(join(FOLDER, "net.wasm"));
  writeFileSync(join(FOLDER, "net.wasm.sha256"), hashes());
}
