//! What the monitors are worth: false alarms, faults found and delay against plain limits, on
//! simulated machines and on real sets, and how long an alarm takes to be durable.
//! `--only a,b` runs those rows and keeps the others of the file; `--quick` takes a smaller fleet
//! and a file of its own; `--docs` writes the tables of docs/ anew afterwards.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { pages } from "./document.js";
import { measure } from "./monitor-rows.js";
import { ROOT, report } from "./result.js";

const flag = { type: "boolean", default: false } as const;
const { values } = parseArgs({ options: { only: { type: "string" }, quick: flag, docs: flag } });
const rows = measure(values.only?.split(",") ?? null, values.quick);
process.exitCode = report(values.quick ? "monitors-quick" : "monitors", rows, {}, true);
if (values.docs) for (const { file, text } of pages(ROOT)) writeFileSync(file, text);
