//! How many seconds of a plant one core simulates in a second: `node bench/plants.js`. Scalars every
//! ten seconds, vibration blocks off or every ten minutes; the best of three runs.
import { NEVER_ms, plantSpeed as speed } from "./plant-speed.js";
import { type Row, report } from "./result.js";

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
