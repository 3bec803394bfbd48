//! The figures of the units: what they cost the compiler, the program and the rules, beside
//! safe-units, js-quantities and mathjs; what the tables know; and a million strings of fuzz.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { boundCodes, refusedCodes } from "../agent/units/unece.js";
import { failedRow, ROOT, type Row, report } from "./result.js";
import { ucumSubset } from "./ucum-subset.js";
import { compilerRows } from "./units-compiler.js";
import { fuzzRows } from "./units-fuzz.js";
import { kernelRows, parseRows, parserRows, ruleRows } from "./units-runtime.js";

/** Not ours to ship; beside the repository where it is developed. */
const UCUM = join(ROOT, "../shared/data/units_wire/UcumFunctionalTests.xml");

function tableRows(): Row[] {
  const [bound, refused] = [boundCodes().length, refusedCodes().length];
  const note = `UNECE codes: ${bound} bound, ${refused} refused with a reason`;
  return [{ name: "unece-bound", unit: "1", value: bound + refused, min: 1_374, note }, ucumRow()];
}

function ucumRow(): Row {
  const bounds = { min: 100 };
  if (!existsSync(UCUM))
    return failedRow("ucum-subset", "%", bounds, "the UCUM tests are not here");
  const { inside, failed, outside } = ucumSubset(readFileSync(UCUM, "utf8"));
  const total = inside + [...outside.values()].flat().length;
  const value = (100 * (inside - failed.length)) / inside;
  const note = `${inside} of ${total} cases are the declared subset`;
  return { name: "ucum-subset", unit: "%", value, ...bounds, note };
}

function versionOf(name: string): string {
  const manifest = readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8");
  return String((JSON.parse(manifest) as { version?: unknown }).version);
}

// Closures first: the fuzz would teach the optimiser rules that no plant has.
const rows = [
  ...kernelRows(),
  ...ruleRows(),
  ...parseRows(),
  ...parserRows(),
  ...compilerRows(),
  ...tableRows(),
  ...fuzzRows(),
];
const named = ["typescript", "typescript-6.0", "typescript-5.9", "safe-units", "js-quantities"];
const versions = [...named, "mathjs"].map((name) => [name, versionOf(name)]);
process.exitCode = report("units", rows, Object.fromEntries(versions));
