//! Runs of turbines are kept under .cache, by plan and by the code that made them, so that a run
//! that was cut short goes on, and scoring anew costs nothing. Each is made in a process of its own:
//! `node dist/bench/fleet-cache.js PLAN`, the plan as JSON.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Means, meansOf } from "./fleet-means.js";
import type { FleetPlan } from "./fleet-plan.js";
import { type Raw, rawOf } from "./fleet-raw.js";
import { readingsOf } from "./fleet-readings.js";
import { runTurbine, type TurbineRun } from "./fleet-turbine.js";
import type { Piece } from "./pieces.js";
import { ROOT } from "./result.js";

const CACHE = join(ROOT, ".cache/fleet");

/** A turbine as everything is judged by: what the monitors said, and what the plain methods see. */
export type FleetTurbine = TurbineRun & { readonly means: Means; readonly raw: Raw };

/** Of this compiled file, of all that it imports, and of the networks that ship. */
function codeHash(): string {
  const hash = createHash("sha256");
  const files = new Set([import.meta.filename]);
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    hash.update(text);
    for (const [, to = ""] of text.matchAll(/(?:from|import) "(\.[^"]+)"/g)) {
      files.add(join(dirname(file), to));
    }
  }
  for (const file of ["vibnet.onnx", "thermalnbm.onnx"]) {
    hash.update(readFileSync(join(ROOT, "agent/models", file)));
  }
  return hash.digest("hex");
}

/** As it was when this process first asked, whatever is compiled meanwhile. */
let code: string | null = null;

function fileOf(plan: FleetPlan): string {
  code ??= codeHash();
  const key = createHash("sha256").update(code).update(JSON.stringify(plan)).digest("hex");
  return join(CACHE, `${plan.seed}-${key.slice(0, 16)}.json`);
}

export const isKept = (plan: FleetPlan): boolean => existsSync(fileOf(plan));

/** The piece that makes a turbine and keeps it. */
export const pieceOf = (plan: FleetPlan): Piece => {
  return { file: import.meta.filename, args: [JSON.stringify(plan)] };
};

function makeTurbine(plan: FleetPlan): void {
  const readings = readingsOf(plan);
  const run = runTurbine(plan, readings);
  const made = { ...run, means: meansOf(plan, readings), raw: rawOf(plan, readings) };
  mkdirSync(CACHE, { recursive: true });
  const file = fileOf(plan);
  writeFileSync(`${file}.part`, JSON.stringify(made));
  renameSync(`${file}.part`, file);
}

export function keptTurbine(plan: FleetPlan): FleetTurbine {
  if (!isKept(plan)) {
    throw new Error(`turbine ${plan.seed} was not run, or dist/ was built anew meanwhile`);
  }
  const kept = JSON.parse(readFileSync(fileOf(plan), "utf8")) as FleetTurbine;
  const { raised, said, means } = kept;
  return { ...kept, raised: raised.map(unended), said: wholeRows(said), means: wholeRows(means) };
}

/** JSON has neither infinity nor NaN. */
const unended = (alarm: TurbineRun["raised"][number]) => ({
  ...alarm,
  cleared_s: alarm.cleared_s ?? Number.POSITIVE_INFINITY,
});

const wholeRows = (rows: Means): Means =>
  Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [
      name,
      row.map((value: number | null) => value ?? Number.NaN),
    ]),
  );

if (import.meta.main) {
  const from_ms = performance.now();
  const plan = JSON.parse(process.argv[2] ?? "") as FleetPlan;
  makeTurbine(plan);
  const name = `turbine ${plan.seed}${plan.matched ? " without mismatch" : ""}`;
  console.log(`${name}: ${((performance.now() - from_ms) / 1000).toFixed(0)} s`);
}
