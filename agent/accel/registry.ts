//! Every compute device, best first. Adding one is one row here and one file beside it.
import type { Backend } from "./backend.js";
import { reference } from "./reference.js";

export type Driver = {
  readonly name: string;
  /** Why the device cannot be used here, or null when it can. */
  readonly probe: () => string | null;
  readonly open: () => Backend;
};

export const DRIVERS: readonly Driver[] = [
  // Must stay last: it never refuses.
  { name: "reference", probe: () => null, open: () => reference },
];

export type Opened = { readonly backend: Backend; readonly skipped: readonly string[] };

/** The first device that is present, or exactly the one named; a text says why none can be used. */
export function openBackend(wanted: string): Opened | string {
  const skipped: string[] = [];
  for (const driver of DRIVERS) {
    if (wanted !== "auto" && wanted !== driver.name) continue;
    const absent = driver.probe();
    if (absent === null) return { backend: driver.open(), skipped };
    skipped.push(`${driver.name}: ${absent}`);
  }
  const reasons =
    skipped.join("; ") || `write one of auto, ${DRIVERS.map((d) => d.name).join(", ")}`;
  return `accel.backend "${wanted}" cannot be used: ${reasons}`;
}
