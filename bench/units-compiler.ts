//! What units cost the compiler: a program with the expressions less one that only imports the
//! library, beside safe-units on the same work, on each TypeScript that we support.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median, ROOT, type Row } from "./result.js";
import {
  common,
  commonSafe,
  distinct,
  distinctSafe,
  mixed,
  nothing,
  nothingSafe,
  oneScope,
  plainScope,
} from "./units-source.js";

const COUNT = 2_000;
const RUNS = 5;
const LIBRARY = "../../agent/units/index.js";
/** The bounds are stated for the compiler that we build with. */
const JUDGED = "typescript";

type Cost = { readonly seconds: readonly number[]; readonly count: number };

export function compilerRows(): Row[] {
  const folder = mkdtempSync(join(ROOT, "bench/generated-"));
  try {
    return [
      ...judged(folder),
      ...["typescript-6.0", "typescript-5.9"].flatMap((name) => others(name, folder)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judged(folder: string): Row[] {
  const [bare, some, all, scope, plain, ours, bareSafe, safe, safeAll] = costs(JUDGED, folder, [
    nothing(LIBRARY),
    mixed(LIBRARY, COUNT),
    distinct(LIBRARY, COUNT),
    oneScope(LIBRARY, COUNT),
    plainScope(COUNT),
    common(LIBRARY, COUNT),
    nothingSafe,
    commonSafe(COUNT),
    distinctSafe(COUNT),
  ]);
  const plain_s = median(plain.seconds).toFixed(2);
  return [
    { ...added("tsc-2000", some, bare), max: 0.3 },
    { ...grown("tsc-instantiations", some, bare), max: 40_000 },
    { ...grown("tsc-distinct", all, bare), max: 300_000 },
    {
      ...added("tsc-2000 in one scope", scope, bare),
      note: `plain numbers written so: ${plain_s} s`,
    },
    beside(added("tsc-2000 safe-units", ours, bare), added("", safe, bareSafe)),
    beside(grown("tsc-instantiations safe-units", ours, bare), grown("", safe, bareSafe)),
    beside(grown("tsc-distinct safe-units", all, bare), grown("", safeAll, bareSafe)),
  ];
}

function others(name: string, folder: string): Row[] {
  const sources = [nothing(LIBRARY), mixed(LIBRARY, COUNT), distinct(LIBRARY, COUNT)] as const;
  const [bare, some, all] = costs(name, folder, sources);
  return [
    added(`tsc-2000 ${name}`, some, bare),
    { ...grown(`tsc-instantiations ${name}`, some, bare), max: 40_000 },
    { ...grown(`tsc-distinct ${name}`, all, bare), max: 300_000 },
  ];
}

type Plain = { readonly name: string; readonly value: number; readonly unit: string };

const added = (name: string, some: Cost, bare: Cost): Plain => {
  const value = median(some.seconds.map((s, i) => s - (bare.seconds[i] ?? Number.NaN)));
  return { name, value, unit: "s" };
};

const grown = (name: string, some: Cost, bare: Cost): Plain => {
  return { name, value: some.count - bare.count, unit: "1" };
};

const beside = (ours: Plain, { value: peer }: Plain): Row => {
  return { ...ours, peer, ratio: ours.value / peer };
};

/** Of each source, all of them in turns, so that all see the same machine. */
function costs<const S extends readonly string[]>(compiler: string, folder: string, sources: S) {
  const projects = sources.map((source, i) => {
    const file = `source${i}.ts`;
    writeFileSync(join(folder, file), source);
    const compilerOptions = { rootDir: ROOT, noUnusedLocals: false, types: [] };
    const config = { extends: "../../tsconfig.json", compilerOptions, include: [file] };
    const project = join(folder, `tsconfig${i}.json`);
    writeFileSync(project, JSON.stringify(config));
    return project;
  });
  const runs = Array.from({ length: RUNS }, () => projects.map((file) => check(compiler, file)));
  const found = projects.map((_, i): Cost => {
    const ofSource = runs.map((run) => run[i] ?? { seconds: Number.NaN, count: Number.NaN });
    return { seconds: ofSource.map((one) => one.seconds), count: ofSource[0]?.count ?? Number.NaN };
  });
  return found as { [K in keyof S]: Cost }; // one for each source
}

function check(compiler: string, project: string) {
  const bin = join(ROOT, "node_modules", compiler, "bin/tsc");
  const args = [bin, "-p", project, "--extendedDiagnostics", "--pretty", "false"];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stdout.slice(0, 2_000));
  const read = (label: string): number =>
    Number(new RegExp(`${label}:\\s+([\\d.]+)`).exec(stdout)?.[1]);
  return { seconds: read("Total time"), count: read("Instantiations") };
}
