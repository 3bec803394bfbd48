//! Runs of turbines are kept under .cache, by seed and by the code that made them, so that a run
//! that was cut short goes on, and scoring anew costs nothing.
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
import { type Means, meansOf } from "./fleet-means.js";
import type { FleetPlan } from "./fleet-plan.js";
import { CACHE, hasReadings, type Readings, readingsOf } from "./fleet-readings.js";
import { type Raw, rawOf } from "./fleet-raw.js";
import { runTurbine, type TurbineRun } from "./fleet-turbine.js";
import { ROOT } from "./result.js";

/** A turbine as everything is judged by: what the monitors said, and what the plain methods see. */
export type FleetTurbine = TurbineRun & { readonly means: Means; readonly raw: Raw | null };

/** Of the compiled code of monitors, rules and the run. */
function codeHash(): string {
  const hash = createHash("sha256");
  const parts = ["agent/models", "agent/rules", "agent/base", "agent/units"];
  const names = parts.flatMap((part) =>
    readdirSync(join(ROOT, "dist", part), { recursive: true, encoding: "utf8" }).map((name) =>
      join(part, name),
    ),
  );
  const own = ["agent/watch.js", "agent/kind.js", "agent/assets.js", "test/models/rig.js"];
  const bench = ["bench/fleet-turbine.js", "bench/fleet-readings.js"];
  for (const name of [...names, ...own, ...bench].filter((file) => file.endsWith(".js")).sort()) {
    if (name.includes("models/convert/")) continue;
    hash.update(name).update(readFileSync(join(ROOT, "dist", name)));
  }
  for (const file of ["vibnet.onnx", "thermalnbm.onnx"]) {
    hash.update(readFileSync(join(ROOT, "agent/models", file)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Of this process, whatever is compiled meanwhile. */
const CODE = codeHash();

export function cachedTurbine(plan: FleetPlan, code = CODE): FleetTurbine {
  let made: Readings | null = null;
  const readings = (): Readings => {
    made ??= readingsOf(plan);
    return made;
  };
  const means = meansOf(plan, readings);
  const file = join(CACHE, `${code}-${plan.seed}.json`);
  if (!existsSync(file)) {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(`${file}.part`, JSON.stringify(runTurbine(plan, readings())));
    renameSync(`${file}.part`, file);
  }
  const run = JSON.parse(readFileSync(file, "utf8")) as TurbineRun;
  const raw = rawOf(plan, readings, made !== null || hasReadings(plan));
  return { ...run, plan, means, raw, raised: run.raised.map(unended), said: wholeRows(run.said) };
}

/** JSON has neither infinity nor NaN. */
const unended = (alarm: TurbineRun["raised"][number]) => ({
  ...alarm,
  cleared_s: alarm.cleared_s ?? Number.POSITIVE_INFINITY,
});

const wholeRows = (rows: TurbineRun["said"]): TurbineRun["said"] =>
  Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [
      name,
      row.map((value: number | null) => value ?? Number.NaN),
    ]),
  );
