//! How many seconds of a plant one core simulates in a second: `node bench/plants.js`. Scalars every
//! ten seconds, vibration blocks off or every ten minutes; the best of three runs.
import { createPlant } from "../agent/sensors/plants/kinds.js";
import type { PlantKind } from "../agent/sensors/plants/plant.js";
import { type Row, report } from "./result.js";

const NEVER_ms = 1e15;

function speed(kind: PlantKind, hours: number, blockEvery_ms: number): number {
  let best = 0;
  for (let i = 0; i < 3; i++) {
    const plant = createPlant(kind, { asset: "bench", seed: 1, period_ms: 10_000, blockEvery_ms });
    const before_ms = performance.now();
    plant.advance(hours * 3_600_000, { scalar() {}, block() {} });
    best = Math.max(best, (hours * 3_600_000) / (performance.now() - before_ms));
  }
  return Math.round(best);
}

const least = { min: 100_000 };
const rows: Row[] = [
  {
    name: "sim-speed-gas-turbine",
    value: speed("gas-turbine", 5000, NEVER_ms),
    unit: "x",
    ...least,
  },
  { name: "sim-speed-bearing", value: speed("bearing", 5000, NEVER_ms), unit: "x", ...least },
  { name: "sim-speed-bearing-blocks", value: speed("bearing", 100, 600_000), unit: "x", ...least },
  {
    name: "sim-speed-wind-turbine",
    value: speed("wind-turbine", 100, NEVER_ms),
    unit: "x",
    ...least,
  },
];
process.exitCode = report("plants", rows);
