//! What the monitors are worth: false alarms, faults found and delay against plain limits, on
//! simulated machines and on real sets, and how long an alarm takes to be durable.
//! `--only a,b` runs those rows and keeps the others of the file; `--turbines 9` takes a smaller fleet
//! than 54; `--quick` takes 2 turbines of the tuning seeds, one seed of what is trained, and a file of
//! its own; `--docs` writes the tables of docs/ anew afterwards.
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { pages } from "./document.js";
import { TEST_SEED, TUNING_SEED } from "./fleet-plan.js";
import { type Measured, measure } from "./monitor-run.js";
import { ROOT, type Row, report } from "./result.js";

const TURBINES = { usual: 54, quick: 2 } as const;
const MINUTES = { usual: 60, quick: 5 } as const; // at most, on two cores with nothing else to do

const flag = { type: "boolean", default: false } as const;
const text = { type: "string" } as const;
const { values } = parseArgs({ options: { only: text, turbines: text, quick: flag, docs: flag } });
const { quick } = values;
const size = quick ? "quick" : "usual";
const count = Number(values.turbines ?? TURBINES[size]);
if (!(Number.isInteger(count) && count > 0)) throw new Error("write --turbines 54");
const only = values.only?.split(",") ?? null;

const from_ms = performance.now();
const measured = await measure(only, {
  fleet: { from: quick ? TUNING_SEED : TEST_SEED, count },
  seeds: quick ? [1] : [1, 2, 3, 4, 5],
  quick,
});
const rows = [...measured.rows, ...(only === null ? [timeRow(measured)] : [])];
process.exitCode = report(quick ? "monitors-quick" : "monitors", rows, {}, true);
if (values.docs) for (const { file, text } of pages(ROOT)) writeFileSync(file, text);
console.log(`\neval: ${timed(measured)}`);
if (quick) {
  console.log(`quick: ${count} turbines of the tuning seeds, one seed; not the report's figures`);
}

function timed({ turbines: { run, read } }: Measured): string {
  const minutes = ((performance.now() - from_ms) / 60_000).toFixed(1);
  return `${minutes} min on ${availableParallelism()} cores, ${run} turbines run, ${read} read of .cache`;
}

/** The whole run; its bound is for a run of all turbines, none of which was read. */
function timeRow(of: Measured): Row {
  const value = (performance.now() - from_ms) / 60_000;
  const bound = of.turbines.read === 0 && count === TURBINES[size] ? { max: MINUTES[size] } : {};
  return { name: "eval-minutes", value, unit: "min", ...bound, note: timed(of) };
}
