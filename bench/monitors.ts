//! What the monitors are worth: false alarms, faults found and delay against plain limits, on
//! simulated machines and on real sets, and how long an alarm takes to be durable.
//! `--only a,b` runs those rows and keeps the others of the file; `--turbines 9` takes a
//! smaller fleet than 54, `--quick` a small one, one seed of
//! what is trained, and a file of its own; `--docs` writes the tables of docs/ anew afterwards.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { pages } from "./document.js";
import { measure } from "./monitor-rows.js";
import { ROOT, report } from "./result.js";

const TURBINES = { usual: "54", quick: "3" };

const flag = { type: "boolean", default: false } as const;
const text = { type: "string" } as const;
const { values } = parseArgs({ options: { only: text, turbines: text, quick: flag, docs: flag } });
const turbines = Number(values.turbines ?? (values.quick ? TURBINES.quick : TURBINES.usual));
if (!(Number.isInteger(turbines) && turbines > 0)) throw new Error("write --turbines 54");
const seeds = values.quick ? [1] : [1, 2, 3, 4, 5];
const rows = measure(values.only?.split(",") ?? null, { turbines, seeds, quick: values.quick });
process.exitCode = report(values.quick ? "monitors-quick" : "monitors", rows, {}, true);
if (values.docs) for (const { file, text } of pages(ROOT)) writeFileSync(file, text);
