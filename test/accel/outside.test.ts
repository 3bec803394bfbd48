//! The kernels outside Node: those of ARM under qemu, those of this CPU with AddressSanitizer and
//! UBSan. Each gives the integers of the reference. Needs Debian's g++-aarch64-linux-gnu and
//! qemu-user-static, or g++; a line says what was skipped.
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imageOf } from "../../agent/accel/image.js";
import { reference } from "../../agent/accel/reference.js";
import { mixedPlan } from "./mixed-plans.js";
import { inputFor, randomPlan } from "./plans.js";

const FOLDER = mkdtempSync(join(tmpdir(), "sterna-kernels-"));
const CASES = 100;
const FLAGS = ["-std=c++17", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti"];
const SOURCE = join(import.meta.dirname, "run-image.cc");

function has(...commands: readonly string[]): boolean {
  try {
    for (const command of commands) execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.log(`${commands.join(" and ")}: not all present, their kernels are not tested here`);
    return false;
  }
}

/** One file of networks with inputs, and what the reference gives for all of them in a row. */
function cases(lookup: boolean): { readonly file: string; readonly expected: Buffer } {
  const file = join(FOLDER, `cases-${lookup}`);
  const parts: Uint8Array[] = [];
  const expected: Uint8Array[] = [];
  for (let seed = 0; seed < CASES; seed++) {
    const plan = seed % 2 === 0 ? randomPlan(seed) : mixedPlan(seed);
    const batch = 1 + (seed % 9);
    const x = inputFor(seed, plan, batch, seed % 3 === 0);
    const { bytes, sizeOut } = imageOf(plan, batch, lookup);
    const y = new Float32Array(sizeOut * batch);
    const loaded = reference.load(plan, batch);
    // Twice: the second reads the state that the first left.
    for (let i = 0; i < 2; i++) loaded.infer(x, y, batch);
    const sizes = Uint32Array.of(batch, bytes.length, x.length);
    parts.push(new Uint8Array(sizes.buffer), bytes, new Uint8Array(x.buffer));
    expected.push(new Uint8Array(y.buffer));
  }
  writeFileSync(file, Buffer.concat(parts));
  return { file, expected: Buffer.concat(expected) };
}

function run(command: string, args: readonly string[], expected: Buffer): void {
  const found = execFileSync(command, args, { maxBuffer: 2 ** 26 });
  expect(found.length).toBe(expected.length);
  expect(found.equals(expected)).toBe(true);
}

const arm = has("aarch64-linux-gnu-g++", "qemu-aarch64-static");
test.skipIf(!arm)(
  "ARM under qemu: NEON with and without dot product, and plain C++",
  () => {
    const { file, expected } = cases(false);
    const binary = join(FOLDER, "arm");
    execFileSync("aarch64-linux-gnu-g++", [...FLAGS, "-O2", "-static", "-o", binary, SOURCE]);
    for (const kernel of ["neon-dot", "neon", "scalar"]) {
      run("qemu-aarch64-static", ["-cpu", "max", binary, kernel, file], expected);
    }
    // A core of a Raspberry Pi 4: the dot product must not be offered there.
    const old = ["-cpu", "cortex-a72", binary];
    run("qemu-aarch64-static", [...old, "neon", file], expected);
    const args = [...old, "neon-dot", file];
    expect(() => execFileSync("qemu-aarch64-static", args, { stdio: "ignore" })).toThrow();
  },
  60_000,
);

const x86 = process.arch === "x64" && has("g++");
test.skipIf(!x86)(
  "this CPU with AddressSanitizer and UBSan",
  () => {
    const binary = join(FOLDER, "sanitised");
    const checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    execFileSync("g++", [...FLAGS, ...checks, "-O1", "-o", binary, SOURCE], { stdio: "ignore" });
    for (const kernel of ["avx512-vbmi", "avx512-vnni", "avx2", "scalar"]) {
      const { file, expected } = cases(kernel === "avx512-vbmi");
      try {
        run(binary, [kernel, file], expected);
      } catch (error) {
        // 3: this CPU has it not.
        if ((error as { status?: number }).status !== 3) throw error;
      }
    }
  },
  60_000,
);
