//! The install step where it can't build: it says so in one line and never fails, and the agent
//! runs on WebAssembly then. In a copy of the package, so that the addon of this checkout stays.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const FIND = "for name in npm env sh python3 make; do command -v $name; done";
const copy = mkdtempSync(join(tmpdir(), "sterna-install-"));

beforeAll(() => {
  for (const name of ["agent", "binding.gyp", "package.json", "dist"]) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
});
afterAll(() => rmSync(copy, { recursive: true }));

function npmInstallStep(change: NodeJS.ProcessEnv): string {
  const env = { ...process.env, ...change };
  const done = spawnSync("npm", ["run", "install"], { cwd: copy, env, encoding: "utf8" });
  expect(done.status).toBe(0);
  return done.stderr;
}

/** A folder of commands with node and npm as they are and no compiler. */
function pathWithout(): string {
  const bin = join(copy, "bin");
  const found = spawnSync("sh", ["-c", FIND], { encoding: "utf8" });
  spawnSync("mkdir", ["-p", bin]);
  for (const file of [process.execPath, ...found.stdout.trim().split("\n")]) {
    symlinkSync(file, join(bin, file.slice(dirname(file).length + 1)));
  }
  return bin;
}

test("told to skip, without a compiler, with a broken one: one line, and no failure", () => {
  expect(npmInstallStep({ STERNA_ACCEL_BUILD: "skip" })).toContain(
    "native kernels: not built (STERNA_ACCEL_BUILD=skip)",
  );
  const failed = "native kernels: not built (node-gyp failed, see build/accel.log)";
  expect(npmInstallStep({ PATH: pathWithout() })).toContain(failed);
  const broken = join(copy, "broken");
  writeFileSync(broken, "#!/bin/sh\necho no such flag >&2\nexit 1\n", { mode: 0o755 });
  expect(npmInstallStep({ CXX: broken, CC: broken })).toContain(failed);
  expect(readFileSync(join(copy, "build/accel.log"), "utf8")).toContain("no such flag");
}, 60_000);

test("`devices` says why no native kernel can be used, and that WebAssembly can", () => {
  rmSync(join(copy, "build"), { recursive: true, force: true });
  const args = [join(copy, "dist/agent/main.js"), "devices"];
  const done = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8" });
  expect(done.status).toBe(0);
  expect(done.stdout).toMatch(/avx2.*no build\/Release\/sterna_accel\.node.*npm rebuild/);
  expect(done.stdout).toMatch(/wasm.*(yes|available|exact)/);
});

test("the tarball has what runs and what builds it, prebuilt addons too, and no test", () => {
  const addon = "prebuilds/linux-arm64/sterna_accel.node";
  mkdirSync(dirname(join(copy, addon)), { recursive: true });
  writeFileSync(join(copy, addon), "as npm run prebuild leaves it");
  cpSync(join(ROOT, ".gitignore"), join(copy, ".gitignore"));
  mkdirSync(join(copy, "dist/test"), { recursive: true });
  writeFileSync(join(copy, "dist/test/a.test.js"), "");
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const done = spawnSync("npm", args, { cwd: copy, encoding: "utf8" });
  const packed: unknown = JSON.parse(done.stdout);
  const paths = [...JSON.stringify(packed).matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path);
  for (const path of [
    ...[addon, "binding.gyp", "agent/accel/native/addon.cc", "agent/accel/native/build.mjs"],
    ...[
      "agent/accel/wasm/net.wasm",
      "agent/accel/rtl/core.wasm",
      "agent/accel/rtl/sterna_up5k.bin",
    ],
    ...["agent/accel/rtl/ternary_core.v", "agent/models/vibnet.onnx", "dist/agent/main.js"],
  ]) {
    expect(paths).toContain(path);
  }
  expect(paths.filter((path) => /^(dist\/)?(test|bench)\/|\.test\./.test(path ?? ""))).toEqual([]);
  expect(paths.filter((path) => /^(build|bin|node_modules)\//.test(path ?? ""))).toEqual([]);
});
