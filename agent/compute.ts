//! What models run on, as the config wants it: one backend, the fastest, or a plan over several, each
//! held to the reference; and what has come of it, for the log, the page and the agent's own alarm.
import type { AccelConfig } from "../config/config.js";
import type { Backend } from "./accel/backend.js";
import { type Guarded, guard, type Outage } from "./accel/guard.js";
import { sampleRun } from "./accel/measure.js";
import { reference } from "./accel/reference.js";
import { bestCpu, driversOf, type Opened, openBackend, openPresent } from "./accel/registry.js";
import { type EnergyMeter, openEnergy, power_W } from "./base/energy.js";
import type { DenseUse } from "./models/dense-provider.js";
import type { Limits, Placement } from "./models/plan.js";
import { type Candidate, plannedBackend } from "./models/planned.js";

/** What is kept of outages: the first ones tell. */
const OUTAGES_MAX = 16;

export type Compute = Opened & {
  /** Devices that were taken out, in order. */
  readonly outages: readonly Outage[];
  /** Networks that the device wanted cannot take, and why; the CPU computes them. */
  readonly passed: readonly string[];
  /** How each network was placed, or why not; empty without a plan. */
  readonly placements: readonly (Placement | string)[];
  /** What models run on that are no integer networks. */
  readonly dense: DenseUse;
};

/**
 * A text says why the backend named cannot be used. `live`: devices that the config names are
 * opened; the agent alone may have them. `root` stands for `/`.
 */
export function openCompute(accel: AccelConfig, live = true, root = "/"): Compute | string {
  const drivers = driversOf(accel, live);
  const [outages, passed]: [Outage[], string[]] = [[], []];
  const report = (outage: Outage): void => {
    if (outages.length < OUTAGES_MAX) outages.push(outage);
  };
  const pass = (why: string): void => {
    if (passed.length < OUTAGES_MAX && !passed.includes(why)) passed.push(why);
  };
  const held = { share: accel.checkShare, report, pass };
  // A replay gives the same bytes wherever it runs.
  const dense: DenseUse = { ...held, wanted: live ? accel.dense : "cpu" };
  const guarded = (backend: Backend, device: boolean): Guarded => {
    // What goes on without a device is the CPU's best, held to the reference itself.
    const cpu = bestCpu();
    const truth = device && cpu !== reference ? guard(cpu, reference, held) : reference;
    return guard(backend, truth, backend === reference ? { ...held, share: 0 } : held);
  };
  if (accel.backend !== "plan") {
    const opened = openBackend(accel.backend, drivers);
    if (typeof opened === "string") return opened;
    const own = opened.backend === reference;
    const device = drivers.some(({ name, taken }) => name === accel.backend && taken !== undefined);
    const backend = own ? reference : guarded(opened.backend, device);
    return { ...opened, backend, outages, passed, placements: [], dense };
  }
  const placements: (Placement | string)[] = [];
  const { present, skipped } = openPresent(drivers, accel.allow);
  const meter = openEnergy(root);
  const candidates = present.map(({ driver, backend }): Candidate => {
    const device = driver.device !== undefined;
    const power_W = accel.power_W[backend.name] ?? (device ? null : drawOf(backend, meter));
    const memory_bytes = backend.memory_bytes ?? Number.POSITIVE_INFINITY;
    return { backend: guarded(backend, device), power_W, memory_bytes };
  });
  const place = (placed: Placement | string): void => void placements.push(placed);
  const plan = plannedBackend(candidates, limitsOf(accel), reference, place, pass);
  const names = candidates.map(({ backend: { name }, power_W }) => {
    if (power_W === null) return name;
    const from = accel.power_W[name] === undefined ? "measured" : "as the config says";
    return `${name} (${power_W.toFixed(1)} W ${from})`;
  });
  const unmeasured = typeof meter === "string" ? `; no watts are measured: ${meter}` : "";
  const why = `a plan over ${names.join(", ")}${unmeasured}`;
  return { backend: plan, skipped, why, outages, passed, placements, dense };
}

/** What the processor draws while this backend computes, whatever else runs on it. */
function drawOf(backend: Backend, meter: EnergyMeter | string): number | null {
  return typeof meter === "string" ? null : power_W(meter, sampleRun(backend));
}

function limitsOf(accel: AccelConfig): Limits {
  const { allow, prefer, exact, power_max_W, latency_max_ms } = accel;
  return { allow, prefer, exact, power_max_W, latency_max_ms };
}
