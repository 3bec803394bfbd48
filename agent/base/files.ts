//! Where the package's own files lie, from the sources and from dist alike.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

const ROOT = findRoot();

/** Absolute path of a file of the package: `packageFile("agent/models/vibnet.onnx")`. */
export function packageFile(path: string): string {
  return join(ROOT, path);
}

/** The version of the package, as in its manifest. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageFile("package.json"), "utf8"));
  const found = (manifest as { version?: unknown }).version;
  return typeof found === "string" ? found : "unknown";
}
