//! What the readers of config items share: where faults go, and the check for unknown keys.
import { nearest } from "../agent/units/nearest.js";
import type { Path } from "./config.js";

export type Reading = {
  /** Notes a fault at a place of the file, with what to write instead. */
  fault(path: Path, what: string, instead?: string): void;
};

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Unknown keys are errors: a typo must never be a silent default. */
export function checkKeys(
  found: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: Path,
  reading: Reading,
): void {
  for (const key of Object.keys(found)) {
    if (known.includes(key)) continue;
    const close = nearest(key, known);
    const instead = close === null ? `known here: ${known.join(", ")}` : `write "${close}"`;
    reading.fault([...path, key], `unknown key "${key}"`, instead);
  }
}
