//! TensorFlow Lite 2.9's C library, for the tests alone. npm would build an addon of the package that
//! carries it, and bring the package's dependencies: so its archive is fetched, and checked.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageFile } from "../../agent/base/files.js";

const PACKAGE = "tfjs-tflite-node@0.0.2";
const SHA256 = "3be1632328a76a2475e5b6833253763c802c859433becb4d879ee1860e3b5284";
const FOLDERS: Readonly<Record<string, string>> = { x64: "linux_amd64", arm64: "linux_arm64" };
const CACHE = packageFile("node_modules/.cache/sterna-tflite-2.9");

/** The path of the library, or why there is none. */
export function tfliteLibrary(): { readonly path: string } | { readonly absent: string } {
  const folder = FOLDERS[process.arch];
  if (folder === undefined) return { absent: `no TensorFlow Lite for ${process.arch}` };
  const path = join(CACHE, folder, "libtensorflowlite_c.so");
  if (existsSync(path)) return { path };
  const work = mkdtempSync(join(tmpdir(), "sterna-tflite-"));
  try {
    const options = { cwd: work, stdio: "pipe", encoding: "utf8", timeout: 60_000 } as const;
    execFileSync("npm", ["pack", PACKAGE, "--silent"], options);
    const archive = join(work, "tfjs-tflite-node-0.0.2.tgz");
    const found = createHash("sha256").update(readFileSync(archive)).digest("hex");
    if (found !== SHA256) return { absent: `${PACKAGE}: the archive is not the known one` };
    execFileSync("tar", ["xzf", archive, `package/cc_deps/${folder}`], options);
    mkdirSync(CACHE, { recursive: true });
    // Another test file may have been faster.
    if (!existsSync(path)) renameSync(join(work, "package/cc_deps", folder), join(CACHE, folder));
    return { path };
  } catch (error) {
    if (existsSync(path)) return { path };
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { absent: `TensorFlow Lite 2.9 could not be fetched: ${why}` };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
