//! A turbine takes half a minute to simulate: what it said is kept under .cache, by its seed and by
//! the code that made it, so that a run that was cut short goes on, and scoring anew costs nothing.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { FleetPlan } from "./fleet-plan.js";
import { runTurbine, type TurbineRun } from "./fleet-turbine.js";
import { ROOT } from "./result.js";

const FOLDER = join(ROOT, ".cache/fleet");

/** Of everything compiled that a run depends on. */
function codeHash(): string {
  const hash = createHash("sha256");
  const agent = readdirSync(join(ROOT, "dist/agent"), { recursive: true, encoding: "utf8" });
  const own = ["bench/fleet-plan.js", "bench/fleet-turbine.js", "test/models/rig.js"];
  const files = [...agent.map((name) => join("agent", name)), ...own];
  for (const name of files.filter((file) => file.endsWith(".js")).sort()) {
    hash.update(name).update(readFileSync(join(ROOT, "dist", name)));
  }
  hash.update(readFileSync(join(ROOT, "agent/models/vibnet.onnx")));
  return hash.digest("hex").slice(0, 16);
}

export function cachedTurbine(plan: FleetPlan): TurbineRun {
  const file = join(FOLDER, `${codeHash()}-${plan.seed}.json`);
  if (existsSync(file)) return revived(JSON.parse(readFileSync(file, "utf8")) as TurbineRun, plan);
  const run = runTurbine(plan);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${file}.part`, JSON.stringify(run));
  renameSync(`${file}.part`, file);
  return revived(JSON.parse(JSON.stringify(run)) as TurbineRun, plan);
}

/** JSON has neither NaN nor infinity. */
function revived(run: TurbineRun, plan: FleetPlan): TurbineRun {
  const means = Object.entries(run.means).map(([name, values]) => [
    name,
    values.map((value: number | null) => value ?? Number.NaN),
  ]);
  const raised = run.raised.map((alarm) => ({
    ...alarm,
    cleared_s: alarm.cleared_s ?? Number.POSITIVE_INFINITY,
  }));
  return { ...run, plan, raised, means: Object.fromEntries(means) };
}
