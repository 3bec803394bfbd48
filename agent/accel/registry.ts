//! Every compute device, best first. Adding one is one row here and one file beside it.
import type { Tier } from "../base/telemetry.js";
import type { Backend } from "./backend.js";
import { measure } from "./measure.js";
import { openNative, probeNative } from "./native.js";
import { reference } from "./reference.js";
import { probeWasm, wasmBackend } from "./wasm.js";

export type Driver = {
  readonly name: string;
  readonly tier: Tier;
  /** Another that this one is all of and more: they never compete. */
  readonly covers?: string;
  /** Why the device cannot be used here, or null when it can. */
  readonly probe: () => string | null;
  readonly open: () => Backend;
};

const native = (name: string): Driver => ({
  name,
  tier: "exact",
  probe: () => probeNative(name),
  open: () => openNative(name),
});

export const DRIVERS: readonly Driver[] = [
  { ...native("avx512-vbmi"), covers: "avx512-vnni" },
  native("avx512-vnni"),
  native("avx2"),
  native("neon-dot"),
  native("neon"),
  { name: "wasm", tier: "exact", probe: probeWasm, open: () => wasmBackend },
  // Must stay last: it never refuses.
  { name: reference.name, tier: reference.tier, probe: () => null, open: () => reference },
];

export type Opened = {
  readonly backend: Backend;
  readonly skipped: readonly string[];
  /** Why this one, for the log: `wanted` or the times measured. */
  readonly why: string;
};

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

/** Exactly the device named, or for `auto` the fastest of those present; a text says why none. */
export function openBackend(wanted: string, drivers = DRIVERS): Opened | string {
  const skipped: string[] = [];
  const present: Driver[] = [];
  for (const driver of drivers) {
    if (wanted !== "auto" && wanted !== driver.name) continue;
    const absent = driver.probe();
    if (absent === null) present.push(driver);
    else skipped.push(`${driver.name}: ${absent}`);
  }
  const [first] = present;
  if (first !== undefined) return pick(wanted, first, present, skipped);
  const known = drivers.map((driver) => driver.name).join(", ");
  const reasons = skipped.join("; ") || `write one of auto, plan, ${known}`;
  return `accel.backend "${wanted}" cannot be used: ${reasons}`;
}

/** Every device that is here, opened, best first. */
export function openPresent(drivers = DRIVERS): {
  readonly present: readonly Backend[];
  readonly skipped: readonly string[];
} {
  const probed = drivers.map((driver) => ({ driver, absent: driver.probe() }));
  return {
    present: probed.flatMap(({ driver, absent }) => (absent === null ? [driver.open()] : [])),
    skipped: probed.flatMap(({ driver: { name }, absent }) =>
      absent === null ? [] : [`${name}: ${absent}`],
    ),
  };
}

function pick(
  wanted: string,
  first: Driver,
  present: readonly Driver[],
  skipped: readonly string[],
): Opened {
  if (wanted !== "auto") return { backend: first.open(), skipped, why: "named in the config" };
  if (present.length === 1) return { backend: first.open(), skipped, why: "the only one present" };
  // The reference is the truth, never the fast one: measuring it would be most of the start.
  const covered = new Set([reference.name, ...present.map(({ covers }) => covers)]);
  const rivals = present.filter(({ name }) => !covered.has(name));
  const timed = rivals.map((driver) => {
    const backend = driver.open();
    return { backend, us: measure(backend) };
  });
  const best = timed.reduce((a, b) => (b.us < a.us ? b : a));
  const times = timed.map(({ backend, us }) => `${backend.name} ${us.toFixed(2)} us`);
  return { backend: best.backend, skipped, why: `measured: ${times.join(", ")}` };
}
