//! A package of the npm registry that this machine's `npm ci` does not install: that of another
//! architecture, or a peer of the benchmarks. It goes into .cache/packages and must be, byte for
//! byte, what its integrity says. Nothing at run time and no test fetches anything.
//! fetch.mjs NAME: the version and the integrity of package-lock.json.
//! fetch.mjs NAME VERSION INTEGRITY
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Where the package lies once it is fetched. */
export function cachedFolder(name) {
  return join(root, ".cache/packages", name, "package");
}

/** Null, or why it is not there. */
export function fetchPackage(name, version, integrity) {
  const to = dirname(cachedFolder(name));
  const part = `${to}.part`;
  for (const folder of [to, part]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const failed = fetchInto(part, `${name}@${version}`, integrity);
  if (failed === null) renameSync(part, to);
  else rmSync(part, { recursive: true });
  return failed;
}

function fetchInto(to, spec, integrity) {
  const pack = ["pack", "--loglevel=error", "--ignore-scripts", "--pack-destination", to, spec];
  const packed = run("npm", pack);
  if (packed !== null) return packed;
  const [file] = readdirSync(to);
  if (file === undefined) return `npm pack ${spec} gave no file`;
  const found = createHash("sha512")
    .update(readFileSync(join(to, file)))
    .digest("base64");
  if (`sha512-${found}` !== integrity) return `${spec} is not ${integrity}`;
  const unpacked = run("tar", ["-xzf", join(to, file), "-C", to]);
  rmSync(join(to, file));
  return unpacked;
}

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", timeout: 120_000 });
  if (done.error !== undefined) return done.error.message;
  return done.status === 0 ? null : done.stderr.trim().split("\n")[0];
}

/** As package-lock.json has it. */
export function fetchLocked(name) {
  const file = join(root, "package-lock.json");
  if (!existsSync(file)) return "no package-lock.json, which names its version: use a checkout";
  const locked = JSON.parse(readFileSync(file, "utf8")).packages[`node_modules/${name}`];
  if (locked === undefined) return `package-lock.json has no ${name}: write its version, too`;
  return fetchPackage(name, locked.version, locked.integrity);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, version, integrity] = process.argv.slice(2);
  const failed = version === undefined ? fetchLocked(name) : fetchPackage(name, version, integrity);
  process.stdout.write(`${name}: ${failed ?? `in ${cachedFolder(name)}`}\n`);
  if (failed !== null) process.exitCode = 1;
}
