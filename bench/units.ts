//! The figures of the units: what they cost the compiler, the program and the rules. Each row is a
//! difference or a ratio against the same work without units, in the same run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileCondition } from "../agent/rules/compile.js";
import type { Signal } from "../agent/rules/rule.js";
import { add, mul, type Qty, scale, unit } from "../agent/units/index.js";
import { median, type Row, report } from "./result.js";
import { distinct, mixed, nothing } from "./units-source.js";

const ROOT = process.cwd();
const COUNT = 2_000;
const RUNS = 3;
const LIBRARY = "../../agent/units/index.js";
function compiler(name: string, folder: string, source: string) {
  writeFileSync(join(folder, "source.ts"), source);
  const compilerOptions = { rootDir: ROOT, noUnusedLocals: false, types: [] };
  const config = { extends: "../../tsconfig.json", compilerOptions, include: ["source.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const bin = join(ROOT, "node_modules", name, "bin/tsc");
  const runs = Array.from({ length: RUNS }, () => {
    const args = [bin, "-p", folder, "--extendedDiagnostics", "--pretty", "false"];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stdout.slice(0, 2_000));
    const read = (label: string): number =>
      Number(new RegExp(`${label}:\\s+([\\d.]+)`).exec(stdout)?.[1]);
    return { seconds: read("Total time"), count: read("Instantiations") };
  });
  return {
    seconds: median(runs.map((run) => run.seconds)),
    count: median(runs.map((run) => run.count)),
  };
}

function compilerRows(): Row[] {
  const folder = mkdtempSync(join(ROOT, "bench/generated-"));
  try {
    return ["typescript", "typescript-6.0", "typescript-5.9"].flatMap((name) => {
      const bare = compiler(name, folder, nothing(LIBRARY));
      const some = compiler(name, folder, mixed(LIBRARY, COUNT));
      const all = compiler(name, folder, distinct(LIBRARY, COUNT));
      const judged = name === "typescript"; // the bounds are stated for the compiler we build with
      const tag = judged ? "" : ` ${name}`;
      return [
        {
          name: `tsc-2000${tag}`,
          value: some.seconds - bare.seconds,
          unit: "s",
          ...(judged ? { max: 0.3 } : {}),
        },
        {
          name: `tsc-instantiations${tag}`,
          value: some.count - bare.count,
          unit: "1",
          max: 40_000,
        },
        { name: `tsc-distinct${tag}`, value: all.count - bare.count, unit: "1", max: 300_000 },
      ];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const LENGTH = 4_096;
const SWEEPS = 400;

/** y = a x + b over 4,096 elements, once in quantities and once in numbers. */
function runtimeRow(): Row {
  const [newton, metre, joule] = [unit("N"), unit("m"), unit("J")];
  const x = metre.column(new Float64Array(LENGTH).map((_, i) => i / LENGTH));
  const y = joule.column(new Float64Array(LENGTH));
  const typed = (): void => {
    const [force, b]: [Qty<"N">, Qty<"J">] = [newton(3), joule(0.5)];
    for (let i = 0; i < LENGTH; i++) y[i] = add(mul(force, scale(x[i] ?? metre(0), 2)), b);
  };
  const p = new Float64Array(LENGTH).map((_, i) => i / LENGTH);
  const q = new Float64Array(LENGTH);
  const raw = (): void => {
    for (let i = 0; i < LENGTH; i++) q[i] = 3 * ((p[i] ?? 0) * 2) + 0.5;
  };
  const ratio = ratioOf(typed, raw);
  return { name: "runtime-ratio", value: ratio, unit: "1", max: 1.05, note: "against raw numbers" };
}

function seconds(work: () => void, times: number): number {
  const from = process.hrtime.bigint();
  for (let i = 0; i < times; i++) work();
  return Number(process.hrtime.bigint() - from) / 1e9;
}

/** In turns, so that both see the same machine; the first rounds warm up. */
function ratioOf(ours: () => void, theirs: () => void): number {
  const ratios = Array.from({ length: 31 }, () => seconds(ours, SWEEPS) / seconds(theirs, SWEEPS));
  return median(ratios.slice(10));
}

const SIGNALS = new Map<string, Signal>(
  (
    [
      ["vibration", "m/s2", false],
      ["stress", "Pa", false],
    ] as const
  ).map(([name, dim, point], index) => [name, { name, index, dim, kind: "", point }]),
);
const RULE = "vibration > 9.8 m/s^2 && stress > 1 bar";

function ruleRows(): Row[] {
  const condition = compileCondition(RULE, SIGNALS);
  if ("fault" in condition) throw new Error(condition.fault);
  const frames = Array.from({ length: LENGTH }, (_, i) => Float64Array.of(i % 20, 2e5 - i * 40));
  let found = 0;
  const ours = (): void => {
    for (const frame of frames) found += condition.judge(frame);
  };
  // By hand, with the same answer for what is not known: NaN is no healthy value.
  const theirs = (): void => {
    for (const frame of frames) {
      const v = frame[0] as number;
      const s = frame[1] as number;
      found += v <= 9.8 || s <= 1e5 ? 0 : v > 9.8 && s > 1e5 ? 1 : -1;
    }
  };
  const ratio = ratioOf(ours, theirs);
  if (!Number.isFinite(found)) throw new Error("the rules gave no verdict");
  const compile = (): void => {
    compileCondition(RULE, SIGNALS);
  };
  seconds(compile, 2_000);
  const rounds = Array.from({ length: 11 }, () => (seconds(compile, 200) / 200) * 1e6);
  return [
    { name: "rule-ratio", value: ratio, unit: "1", max: 1.25, note: "against code by hand" },
    { name: "rule-compile", value: median(rounds), unit: "us", max: 50 },
  ];
}

process.exitCode = report("units", [runtimeRow(), ...ruleRows(), ...compilerRows()]);
