import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { build, hashes } from "../../agent/accel/wasm/build.js";
import { packageFile } from "../../agent/base/files.js";

const WASM = packageFile("agent/accel/wasm/net.wasm");

test("net.wasm is the one built from the sources beside it", () => {
  // A mismatch: run `node agent/accel/wasm/build.ts` and commit what it writes.
  expect(hashes()).toBe(readFileSync(`${WASM}.sha256`, "utf8"));
});

function clang14(): boolean {
  try {
    execFileSync("wasm-ld", ["--version"]);
    return String(execFileSync("clang++", ["--version"])).includes("version 14.");
  } catch {
    return false;
  }
}

test.skipIf(!clang14())("clang 14 gives the same module, byte for byte", () => {
  const to = join(mkdtempSync(join(tmpdir(), "sterna-wasm-")), "net.wasm");
  build(to);
  expect(readFileSync(to).equals(readFileSync(WASM))).toBe(true);
});
