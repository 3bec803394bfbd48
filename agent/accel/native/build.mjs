//! `npm install` runs this: node-gyp builds the addon where a compiler is. Headers come from the
//! package node-linux-*, so nothing is downloaded. A failure is one line and never fails the install:
//! without the addon the WASM kernels run, and `sterna devices` says so.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const headers = `node-linux-${process.arch}`;

function build() {
  if (process.env.STERNA_ACCEL_BUILD === "skip") return "STERNA_ACCEL_BUILD=skip";
  let nodedir;
  try {
    const found = createRequire(join(root, "package.json")).resolve(`${headers}/package.json`);
    nodedir = dirname(found);
  } catch {
    return `no package ${headers}, which carries the headers`;
  }
  if (!existsSync(join(nodedir, "include/node/node_api.h"))) return `${headers} has no headers`;
  // npm puts its own node-gyp on the PATH of a script and names it here.
  const gyp = process.env.npm_config_node_gyp;
  const [command, ...first] = gyp === undefined ? ["node-gyp"] : [process.execPath, gyp];
  const args = [...first, "rebuild", `--nodedir=${nodedir}`, "--release"];
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (done.error !== undefined) return `${command}: ${done.error.message}`;
  if (done.status === 0) return null;
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(join(root, "build/accel.log"), done.stdout + done.stderr);
  return "node-gyp failed, see build/accel.log";
}

const why = build();
process.stderr.write(`native kernels: ${why === null ? "built" : `not built (${why})`}\n`);
