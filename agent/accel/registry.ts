//! Every compute device, best first. Adding one is one row here and one file beside it.
import type { Tier } from "../base/telemetry.js";
import type { Backend } from "./backend.js";
import { deviceOf, type EdgeTpuOptions, openEdgeTpu, probeEdgeTpu } from "./edgetpu/edgetpu.js";
import {
  FPGA_DEFAULT,
  type FpgaOptions,
  isEmulated,
  openDevice,
  openFpga,
  probeFpga,
} from "./fpga/fpga.js";
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
  /**
   * What it is on, for a device of its own: `/dev/spidev0.0`. It opens even where that is absent;
   * then it fails as it loads a network, and who guards it goes on without it.
   */
  readonly device?: string;
  /** Who may take a device: nothing but its name in the config, or a plan too. Never `auto`. */
  readonly taken?: "by name" | "by plan";
};

export type AccelOptions = {
  readonly fpga: FpgaOptions;
  /** Null: the emulator. */
  readonly edgetpu: EdgeTpuOptions | null;
};

const native = (name: string): Driver => ({
  name,
  tier: "exact",
  probe: () => probeNative(name),
  open: () => openNative(name),
});

const CPU: readonly Driver[] = [
  { ...native("avx512-vbmi"), covers: "avx512-vnni" },
  native("avx512-vnni"),
  native("avx2"),
  native("neon-dot"),
  native("neon"),
  { name: "wasm", tier: "exact", probe: probeWasm, open: () => wasmBackend },
  // Must stay last: it never refuses.
  { name: reference.name, tier: reference.tier, probe: () => null, open: () => reference },
];

/** The best of the CPU without measuring: what computes beside a device, and in its place. */
export function bestCpu(): Backend {
  return CPU.find(({ probe }) => probe() === null)?.open() ?? reference;
}

/** `live` false: no device is touched, for the agent may be using it; the CPU stands in. */
export function driversOf(options: AccelOptions, live = true): readonly Driver[] {
  const { fpga, edgetpu } = options;
  const core: Driver = {
    name: "fpga",
    tier: "exact",
    probe: () => probeFpga(fpga),
    open: () => (live ? openFpga(bestCpu(), () => openDevice(fpga)) : bestCpu()),
    device: fpga.device,
    taken: isEmulated(fpga) || !live ? "by name" : "by plan",
  };
  const tpu: Driver = {
    name: "edgetpu",
    tier: "within 1",
    probe: () => probeEdgeTpu(edgetpu),
    // Its emulator stands in: nearer to it than the CPU's integers are.
    open: () => openEdgeTpu(live ? edgetpu : null, bestCpu()),
    device: deviceOf(edgetpu),
    // Not one that the CPU stands in for.
    taken: edgetpu === null || !live ? "by name" : "by plan",
  };
  return [core, tpu, ...CPU];
}

export const DEVICES_DEFAULT: AccelOptions = { fpga: FPGA_DEFAULT, edgetpu: null };
export const DRIVERS: readonly Driver[] = driversOf(DEVICES_DEFAULT);

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
  readonly device?: string;
};

/** Every device in the order in which `auto` tries them. */
export function probeAll(drivers: readonly Driver[] = DRIVERS): Probed[] {
  return drivers.map(({ name, tier, probe, device }) => {
    const absent = probe();
    const of = device === undefined ? {} : { device };
    return { name, tier, available: absent === null, why: absent ?? "", ...of };
  });
}

/** Exactly the device named, or for `auto` the fastest of those present; a text says why none. */
export function openBackend(wanted: string, drivers = DRIVERS): Opened | string {
  const skipped: string[] = [];
  const present: Driver[] = [];
  for (const driver of drivers) {
    const { device } = driver;
    if (wanted === "auto" ? device !== undefined : wanted !== driver.name) continue;
    const absent = device === undefined ? driver.probe() : null;
    if (absent === null) present.push(driver);
    else skipped.push(`${driver.name}: ${absent}`);
  }
  const [first] = present;
  if (first !== undefined) return pick(wanted, first, present, skipped);
  const known = drivers.map((driver) => driver.name).join(", ");
  const reasons = skipped.join("; ") || `write one of auto, plan, ${known}`;
  return `accel.backend "${wanted}" cannot be used: ${reasons}`;
}

/**
 * Every device that is here and may be used, opened, best first. `allow` null: all but the slow
 * reference, and but those that another is all of.
 */
export function openPresent(
  drivers = DRIVERS,
  allow: readonly string[] | null = null,
): {
  readonly present: readonly { readonly driver: Driver; readonly backend: Backend }[];
  readonly skipped: readonly string[];
} {
  const skipped: string[] = [];
  const able = drivers.filter(({ name, taken, probe }) => {
    if (taken === "by name") return false;
    const absent = allow?.includes(name) === false ? "accel.allow leaves it out" : probe();
    if (absent !== null) skipped.push(`${name}: ${absent}`);
    return absent === null;
  });
  const chosen = allow === null ? rivalsOf(able) : able;
  return { present: chosen.map((driver) => ({ driver, backend: driver.open() })), skipped };
}

/** Those worth measuring; the reference is the truth, never the fast one. */
function rivalsOf(present: readonly Driver[]): readonly Driver[] {
  const covered = new Set([reference.name, ...present.map(({ covers }) => covers)]);
  const rivals = present.filter(({ name }) => !covered.has(name));
  return rivals.length === 0 ? present : rivals;
}

function pick(
  wanted: string,
  first: Driver,
  present: readonly Driver[],
  skipped: readonly string[],
): Opened {
  if (wanted !== "auto") return { backend: first.open(), skipped, why: "named in the config" };
  if (present.length === 1) return { backend: first.open(), skipped, why: "the only one present" };
  const timed = rivalsOf(present).map((driver) => {
    const backend = driver.open();
    return { backend, us: measure(backend) };
  });
  const best = timed.reduce((a, b) => (b.us < a.us ? b : a));
  const times = timed.map(({ backend, us }) => `${backend.name} ${us.toFixed(2)} us`);
  return { backend: best.backend, skipped, why: `measured: ${times.join(", ")}` };
}
