//! The public entry as a program that has installed the package uses it: `sterna/units`, by name.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const FOLDER = mkdtempSync(join(tmpdir(), "sterna-entry-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** docs/units.md, "In TypeScript", and a base of one's own. */
const PROGRAM = `import { add, div, type Qty, registerBases, unit } from "sterna/units";
declare module "sterna/units" { interface Register { bases: ["pallet"] } }
registerBases("pallet");
const m = unit("m"), s = unit("s");
const speed: Qty<"m/s"> = div(m(10), s(2));
// @ts-expect-error: Quantity<"s"> is not Quantity<"m">
export const wrong = () => add(m(1), s(1));
export const perHour: Qty<"pallet/h"> = div(unit("pallet")(7), unit("h")(1));
export const kmh: number = unit("km/h").of(speed);
console.log(Math.round(kmh));
`;

function run(...args: string[]) {
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: FOLDER, encoding: "utf8" });
  return stdout + stderr;
}

test("another program compiles and runs against sterna/units", () => {
  mkdirSync(join(FOLDER, "node_modules"));
  symlinkSync(ROOT, join(FOLDER, "node_modules/sterna"));
  writeFileSync(join(FOLDER, "package.json"), '{ "type": "module" }');
  writeFileSync(join(FOLDER, "program.ts"), PROGRAM);
  const compilerOptions = { target: "ES2024", module: "NodeNext", strict: true, types: [] };
  const config = { compilerOptions: { ...compilerOptions, lib: ["ES2024", "DOM"] } };
  writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify({ ...config, include: ["*.ts"] }));
  expect(run(join(ROOT, "node_modules/typescript/bin/tsc"), "-p", FOLDER)).toBe("");
  expect(run("program.js")).toBe("18\n");
}, 60_000);
