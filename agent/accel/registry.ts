//! Every compute device, best first. Adding one is one row here and one file beside it.
import type { Tier } from "../base/telemetry.js";
import type { Backend } from "./backend.js";
import { reference } from "./reference.js";
import { probeWasm, wasmBackend } from "./wasm.js";

export type Driver = {
  readonly name: string;
  readonly tier: Tier;
  /** Why the device cannot be used here, or null when it can. */
  readonly probe: () => string | null;
  readonly open: () => Backend;
};

export const DRIVERS: readonly Driver[] = [
  { name: "wasm", tier: "exact", probe: probeWasm, open: () => wasmBackend },
  // Must stay last: it never refuses.
  { name: reference.name, tier: reference.tier, probe: () => null, open: () => reference },
];

export type Opened = { readonly backend: Backend; readonly skipped: readonly string[] };

export type Probed = {
  readonly name: string;
  readonly tier: Tier;
  readonly available: boolean;
  /** Why not; "" when it is available. */
  readonly why: string;
};

/** Every device in the order in which `auto` tries them. */
export function probeAll(drivers: readonly Driver[] = DRIVERS): Probed[] {
  return drivers.map(({ name, tier, probe }) => {
    const absent = probe();
    return { name, tier, available: absent === null, why: absent ?? "" };
  });
}

/** The first device that is present, or exactly the one named; a text says why none can be used. */
export function openBackend(wanted: string, drivers = DRIVERS): Opened | string {
  const skipped: string[] = [];
  for (const driver of drivers) {
    if (wanted !== "auto" && wanted !== driver.name) continue;
    const absent = driver.probe();
    if (absent === null) return { backend: driver.open(), skipped };
    skipped.push(`${driver.name}: ${absent}`);
  }
  const known = drivers.map((driver) => driver.name).join(", ");
  const reasons = skipped.join("; ") || `write one of auto, ${known}`;
  return `accel.backend "${wanted}" cannot be used: ${reasons}`;
}
