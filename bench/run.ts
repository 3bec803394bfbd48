//! Every benchmark in turn, each `bench:*` script of package.json; one that fails does not stop
//! the others. Ends with one line for each, and 1 if a bound was missed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./result.js";

const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const { scripts } = manifest as { scripts: Readonly<Record<string, string>> };
const outcomes = Object.keys(scripts)
  .filter((name) => name.startsWith("bench:"))
  .map((name) => {
    console.log(`\n== ${name}`);
    const options = { cwd: ROOT, stdio: "inherit" } as const;
    const { status } = spawnSync("npm", ["run", "--silent", name], options);
    return { name, good: status === 0 };
  });
console.log("");
for (const { name, good } of outcomes) console.log(`${good ? "pass" : "FAIL"}  ${name}`);
if (outcomes.length === 0) console.log("package.json has no script bench:*");
process.exitCode = outcomes.length > 0 && outcomes.every(({ good }) => good) ? 0 : 1;
