//! The kernels outside Node: those of ARM under qemu, those of this CPU with AddressSanitizer and
//! UBSan, their threads with ThreadSanitizer. Each gives the integers of the reference. Needs Debian's g++-aarch64-linux-gnu and
//! qemu-user-static, or g++; a line says what was skipped.
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Loaded, STEP_MAX, STEP_MAX_SMALL } from "../../agent/accel/backend.js";
import { placeIn } from "../../agent/accel/encoder.js";
import { encoderImage } from "../../agent/accel/encoder-image.js";
import { type Image, imageOf } from "../../agent/accel/image.js";
import { reference } from "../../agent/accel/reference.js";
import { loadReferenceEncoder } from "../../agent/accel/reference-encoder.js";
import { prng } from "../../agent/base/prng.js";
import { randomEncoder } from "./encoders.js";
import { mixedPlan } from "./mixed-plans.js";
import { inputFor, planFrom, randomPlan } from "./plans.js";

const FOLDER = mkdtempSync(join(tmpdir(), "sterna-kernels-"));
const CASES = 60;
const FLAGS = [
  "-std=c++17",
  "-ffp-contract=off",
  "-fno-exceptions",
  "-fno-rtti",
  "-Wno-psabi",
  "-pthread",
];
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

type Cases = {
  readonly file: string;
  readonly expected: Float32Array;
  /** How far y may be off, as a share of its largest: 0 for networks, which are exact. */
  readonly bound: number;
};

/** One file of plans with inputs, and what the reference gives for all of them in a row. */
function write(
  name: string,
  bound: number,
  made: Iterable<readonly [Image, Loaded, Float32Array]>,
) {
  const file = join(FOLDER, name);
  const parts: Uint8Array[] = [];
  const expected: number[] = [];
  for (const [{ bytes, sizeOut, batch }, loaded, x] of made) {
    const y = new Float32Array(sizeOut * batch);
    // Twice: the second reads the state that the first left.
    for (let i = 0; i < 2; i++) loaded.infer(x, y, batch);
    const sizes = Uint32Array.of(batch, bytes.length, x.length);
    parts.push(new Uint8Array(sizes.buffer), bytes, new Uint8Array(x.buffer));
    expected.push(...y);
  }
  writeFileSync(file, Buffer.concat(parts));
  return { file, expected: Float32Array.from(expected), bound };
}

function* networks(lookup: boolean): Generator<readonly [Image, Loaded, Float32Array]> {
  for (let seed = 0; seed < CASES; seed++) {
    const plan = seed % 2 === 0 ? randomPlan(seed) : mixedPlan(seed);
    const batch = 1 + (seed % 9);
    const x = inputFor(seed, plan, batch, seed % 3 === 0);
    yield [imageOf(plan, batch, lookup), reference.load(plan, batch), x];
  }
}

/** Large enough that its stages are shared out among threads. */
function* large(lookup: boolean): Generator<readonly [Image, Loaded, Float32Array]> {
  for (const limit of [STEP_MAX, STEP_MAX_SMALL]) {
    const shapes = [1100, 700].map((rows) => ({ kind: "dense", rows }) as const);
    const options = { channels: 1000, length: 1, shapes, sums: false, ternary: () => true };
    const plan = planFrom(prng(limit, "plan"), { ...options, limit: () => limit });
    yield [imageOf(plan, 7, lookup), reference.load(plan, 7), inputFor(1, plan, 7, false)];
  }
}

const FORMS = [
  {},
  {},
  { order: "pre", activation: "gelu", masked: true, ends: true },
  { norm: "rms", activation: "relu", causal: true },
] as const;

function* encoders(
  lookup: boolean,
  limit: number,
): Generator<readonly [Image, Loaded, Float32Array]> {
  for (const [seed, form] of FORMS.entries()) {
    const sizes = { sequence: 19, width: 96, heads: 2, hidden: 272, depth: 2 };
    const plan = randomEncoder(seed, { ...sizes, limit, kept: seed === 1 ? 0.3 : 1, form });
    const random = prng(seed, "x");
    const x = Float32Array.from({ length: 2 * 19 * placeIn(plan) }, () => random.normal());
    yield [encoderImage(plan, 2, lookup), loadReferenceEncoder(plan, 2), x];
  }
}

const encoderCases = (lookup: boolean): readonly Cases[] =>
  [STEP_MAX, STEP_MAX_SMALL].map((limit) => {
    // Of two layers: a step that tips over moves few values by more.
    const bound = 2.5 / limit;
    return write(`encoders-${limit}-${lookup}`, bound, encoders(lookup, limit));
  });

const all = (lookup: boolean): readonly Cases[] => [
  write(`networks-${lookup}`, 0, networks(lookup)),
  ...encoderCases(lookup),
];

function run(
  command: string,
  args: readonly string[],
  { file, expected, bound }: Cases,
  lanes = 1,
) {
  const bytes = execFileSync(command, [...args, file, `${lanes}`], { maxBuffer: 2 ** 26 });
  const found = new Float32Array(Uint8Array.from(bytes).buffer);
  expect(found.length).toBe(expected.length);
  if (bound === 0) {
    expect(Buffer.from(found.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
    return;
  }
  const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const off = found.reduce((a, b, i) => Math.max(a, Math.abs(b - (expected[i] as number))), 0);
  expect(off / largest).toBeLessThan(bound);
}

/** The status of a run that this CPU has no kernel for. */
const ABSENT = 3;
function runWhereKnown(
  binary: string,
  kernel: string,
  cases: readonly Cases[],
  lanes: number,
): void {
  for (const each of cases) {
    try {
      run(binary, [kernel], each, lanes);
    } catch (error) {
      if ((error as { status?: number }).status !== ABSENT) throw error;
    }
  }
}

const arm = has("aarch64-linux-gnu-g++", "qemu-aarch64-static");
test.skipIf(!arm)(
  "ARM under qemu: NEON with and without dot product, and plain C++",
  () => {
    const cases = all(false);
    const binary = join(FOLDER, "arm");
    execFileSync("aarch64-linux-gnu-g++", [...FLAGS, "-O2", "-static", "-o", binary, SOURCE]);
    for (const kernel of ["neon-dot", "neon", "scalar"]) {
      for (const each of cases) run("qemu-aarch64-static", ["-cpu", "max", binary, kernel], each);
    }
    // A core of a Raspberry Pi 4: the dot product must not be offered there.
    const old = ["-cpu", "cortex-a72", binary];
    for (const each of cases) run("qemu-aarch64-static", [...old, "neon"], each);
    const args = [...old, "neon-dot", cases[0]?.file ?? "", "1"];
    expect(() => execFileSync("qemu-aarch64-static", args, { stdio: "ignore" })).toThrow();
  },
  180_000,
);

const KERNELS = ["avx512-vbmi", "avx512-vnni", "avx2", "scalar"];
const x86 = process.arch === "x64" && has("g++");
test.skipIf(!x86)(
  "this CPU with AddressSanitizer and UBSan",
  () => {
    const binary = join(FOLDER, "sanitised");
    const checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    execFileSync("g++", [...FLAGS, ...checks, "-O1", "-o", binary, SOURCE], { stdio: "ignore" });
    const [plain, lookup] = [all(false), all(true)];
    for (const kernel of KERNELS) {
      runWhereKnown(binary, kernel, kernel === "avx512-vbmi" ? lookup : plain, 1);
    }
  },
  180_000,
);

test.skipIf(!x86)(
  "threads with ThreadSanitizer: no race, and the same integers",
  () => {
    const binary = join(FOLDER, "threads");
    const checks = ["-fsanitize=thread", "-fno-sanitize-recover=all"];
    execFileSync("g++", [...FLAGS, ...checks, "-O1", "-o", binary, SOURCE], { stdio: "ignore" });
    for (const lookup of [true, false]) {
      const cases = [write(`large-${lookup}`, 0, large(lookup)), ...encoderCases(lookup)];
      runWhereKnown(binary, lookup ? "avx512-vbmi" : "avx2", cases, 2);
    }
  },
  180_000,
);
