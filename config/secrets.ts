//! Files that a config names: passwords, certificates and keys. Their content is never printed.
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Env, Path } from "./config.js";
import type { Reading } from "./yaml.js";

const SECRET_BYTES_MAX = 1 << 16;

type Secret = {
  readonly passwordFile: string | null;
  readonly passwordCredential: string | null;
};

/** A path of the config is meant from the folder of the config file. */
export const fromConfig = (file: string, path: string): string => resolve(dirname(file), path);

export function readPassword(
  secret: Secret,
  path: Path,
  reading: Reading,
  env: Env,
): string | null {
  const { passwordFile, passwordCredential } = secret;
  const at = [...path, "passwordCredential"];
  if (passwordFile !== null && passwordCredential !== null) {
    return reading.faultAtKey(at, "two sources of the password", "delete one of the two");
  }
  if (passwordCredential === null) {
    return readText(passwordFile, [...path, "passwordFile"], reading);
  }
  const directory = env["CREDENTIALS_DIRECTORY"];
  if (directory === undefined || directory === "") {
    const instead = "start it by systemd with LoadCredential=, or write passwordFile: FILE";
    return reading.fault(at, "there is no $CREDENTIALS_DIRECTORY", instead);
  }
  return readText(join(directory, passwordCredential), at, reading);
}

/** The text of a file that the config names; null where there is none, or after a fault. */
export function readText(name: string | null, path: Path, reading: Reading): string | null {
  if (name === null) return null;
  try {
    const file = fromConfig(reading.file, name);
    if (statSync(file).size > SECRET_BYTES_MAX) {
      return reading.fault(path, "the file is over 64 KiB", "name the right one");
    }
    const text = readFileSync(file, "utf8").trim();
    return text === "" ? reading.fault(path, "the file is empty", "put the secret in it") : text;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    const instead = code === "EACCES" ? "let this user read it" : "write the path of a file";
    // Without its name: a password written in place of the file's must not be printed.
    return reading.fault(path, `the file cannot be read (${code})`, instead);
  }
}
