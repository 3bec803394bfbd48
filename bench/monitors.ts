//! What the monitors are worth: false alarms, faults found and delay against plain limits, on
//! simulated machines and on real sets, and how long an alarm takes to be durable.
//! `--only a,b` runs those rows and keeps the others of the file; `--quick` a smaller fleet.
import { parseArgs } from "node:util";
import { measure } from "./monitor-rows.js";
import { report } from "./result.js";

const { values } = parseArgs({
  options: { only: { type: "string" }, quick: { type: "boolean", default: false } },
});
const rows = measure(values.only?.split(",") ?? null, values.quick);
process.exitCode = report("monitors", rows, {}, true);
