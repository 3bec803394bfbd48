//! `npm run train:thermal [FILE]`: trains ThermalNBM on simulated turbines, writes the file (by
//! default the shipped one) and prints what it leaves of the residuals of turbines it never saw.
import { writeFileSync } from "node:fs";
import { packageFile } from "../../base/files.js";
import { hashOf } from "../network.js";
import { THERMAL_FILE, THERMAL_MOST_K } from "../turbine-learned.js";
import { COMPONENTS } from "../turbine-outputs.js";
import { type Net, predict } from "./ternary.js";
import { makeThermal, THERMAL_PLAN, thermalExamples } from "./thermal.js";
import { runThermal, type ThermalRun } from "./thermal-set.js";

const TEST_SEEDS = [5001, 5002, 5003, 5004, 5005, 5006];
const TEST_days = 3;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Root mean square of each residual about its turbine's middle, K; without a net as it is. */
function left_K(runs: readonly ThermalRun[], net: Net | null, quantised: boolean): number[] {
  const { x, y, count } = thermalExamples(runs);
  const said = net === null ? new Float64Array(y.length) : predict(net, x, quantised);
  return COMPONENTS.map((_, c) => {
    const width = COMPONENTS.length;
    const square = y.reduce((sum, v, i) => {
      return i % width === c ? sum + (v - (said[i] as number)) ** 2 : sum;
    }, 0);
    return THERMAL_MOST_K * Math.sqrt(square / count);
  });
}

function run(file: string): void {
  const { bytes, teacher, pupil, from } = makeThermal(THERMAL_PLAN);
  writeFileSync(file, bytes);
  print(`${file}: ${bytes.length} bytes, ${hashOf(bytes)}, from ${from}`);
  const runs = TEST_SEEDS.map((seed) => runThermal(seed, "thermal/test", TEST_days));
  print("residual, rms in K | textbook alone | fp32 teacher | ternary");
  const all = [left_K(runs, null, false), left_K(runs, teacher, false), left_K(runs, pupil, true)];
  COMPONENTS.forEach(({ name }, c) => {
    print(`${name} | ${all.map((list) => (list[c] as number).toFixed(3)).join(" | ")}`);
  });
}

run(process.argv[2] ?? packageFile(THERMAL_FILE));
