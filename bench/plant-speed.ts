//! How many seconds of a plant one core simulates in a second: scalars every ten seconds.
import { createPlant } from "../agent/sensors/plants/kinds.js";
import type { PlantKind } from "../agent/sensors/plants/plant.js";

export const NEVER_ms = 1e15;

/** The best of three runs. */
export function plantSpeed(kind: PlantKind, hours: number, blockEvery_ms: number): number {
  let best = 0;
  for (let i = 0; i < 3; i++) {
    const plant = createPlant(kind, { asset: "bench", seed: 1, period_ms: 10_000, blockEvery_ms });
    const before_ms = performance.now();
    plant.advance(hours * 3_600_000, { scalar() {}, block() {} });
    best = Math.max(best, (hours * 3_600_000) / (performance.now() - before_ms));
  }
  return Math.round(best);
}
