//! Every way to write a config wrong, with the faults it prints beside it. After a change of a
//! message: UPDATE_EXPECTED=1 vitest run test/config/invalid.test.ts, and read the difference.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { ConfigError } from "../../agent/base/errors.js";
import { packageFile } from "../../agent/base/files.js";
import { parseConfig } from "../../config/load.js";
import { KINDS } from "./kinds.js";

const FOLDER = packageFile("test/fixtures/invalid");
const UPDATE = process.env["UPDATE_EXPECTED"] !== undefined;
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));

function faultsOf(file: string): string {
  try {
    parseConfig(readFileSync(file), file, KINDS, {});
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `${error.message.replaceAll(file, basename(file)).replaceAll(packageFile(""), "")}\n`;
  }
  return "no fault\n";
}

test("there is a fixture for each kind of fault", () => {
  expect(names.length).toBeGreaterThanOrEqual(30);
});

test.each(names)("%s", (name) => {
  const file = join(FOLDER, name);
  const expected = file.replace(/\.yaml$/, ".expected");
  const found = faultsOf(file);
  expect(found).not.toBe("no fault\n");
  expect(found).not.toContain("hunter2");
  if (UPDATE) writeFileSync(expected, found);
  expect(existsSync(expected) ? readFileSync(expected, "utf8") : "no file").toBe(found);
});
