//! What models run on, as the config wants it: one backend, the fastest, or a plan over several, each
//! held to the reference; and what has come of it, for the log, the page and the agent's own alarm.
import type { AccelConfig } from "../config/config.js";
import { guard, type Outage } from "./accel/guard.js";
import { reference } from "./accel/reference.js";
import { bestCpu, driversOf, type Opened, openBackend, openPresent } from "./accel/registry.js";
import type { DenseUse } from "./models/dense-provider.js";
import type { Limits, Placement } from "./models/plan.js";
import { type Candidate, plannedBackend } from "./models/planned.js";

/** What is kept of outages: the first ones tell. */
const OUTAGES_MAX = 16;

export type Compute = Opened & {
  /** Devices that were taken out, in order. */
  readonly outages: readonly Outage[];
  /** How each network was placed, or why not; empty without a plan. */
  readonly placements: readonly (Placement | string)[];
  /** What models run on that are no integer networks. */
  readonly dense: DenseUse;
};

/**
 * A text says why the backend named cannot be used. `live`: devices that the config names are
 * opened; the agent alone may have them.
 */
export function openCompute(accel: AccelConfig, live = true): Compute | string {
  const drivers = driversOf(accel, live);
  const outages: Outage[] = [];
  const report = (outage: Outage): void => {
    if (outages.length < OUTAGES_MAX) outages.push(outage);
  };
  // A replay gives the same bytes wherever it runs.
  const dense: DenseUse = { wanted: live ? accel.dense : "cpu", report };
  const held = { share: accel.checkShare, report };
  if (accel.backend !== "plan") {
    const opened = openBackend(accel.backend, drivers);
    if (typeof opened === "string") return opened;
    const own = opened.backend === reference;
    // What goes on without a device is the CPU's best; kernels of the CPU are held to the reference.
    const device = drivers.some(({ name, taken }) => name === accel.backend && taken !== undefined);
    const truth = device ? bestCpu() : reference;
    const backend = own ? reference : guard(opened.backend, truth, held);
    return { ...opened, backend, outages, placements: [], dense };
  }
  const placements: (Placement | string)[] = [];
  const { present, skipped } = openPresent(drivers);
  const candidates = present.map((backend): Candidate => {
    const power_W = accel.power_W[backend.name] ?? null;
    const memory_bytes = backend.memory_bytes ?? Number.POSITIVE_INFINITY;
    const safe = backend === reference ? backend : guard(backend, reference, held);
    return { backend: safe, power_W, memory_bytes };
  });
  const plan = plannedBackend(candidates, limitsOf(accel), reference, (placed) => {
    placements.push(placed);
  });
  const why = `a plan over ${present.map(({ name }) => name).join(", ")}`;
  return { backend: plan, skipped, why, outages, placements, dense };
}

function limitsOf(accel: AccelConfig): Limits {
  const { allow, prefer, exact, power_max_W, latency_max_ms } = accel;
  return { allow, prefer, exact, power_max_W, latency_max_ms };
}
