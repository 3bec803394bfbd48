//! `npm run train:drone [FILE]`: trains DroneNBM on simulated quadrotors, writes the file (by default
//! the shipped one) and prints what it leaves of the residuals on drones that training never saw,
//! and how far ternary is from float over five seeds.
import { writeFileSync } from "node:fs";
import { packageFile } from "../../base/files.js";
import { DRONE_FILE } from "../drone-learned.js";
import { hashOf } from "../network.js";
import { DRONE_PLAN, fitDrones, scoreDrones, simulateDrones } from "./drone-net.js";
import { weightBytes } from "./ternary.js";

const TEST_FROM = 9_000_000;
const TEST_DRONES = 16;
const SEEDS = [1, 2, 3, 4, 5];

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function run(file: string): void {
  const { drones, minutes, seed } = DRONE_PLAN;
  const flown = simulateDrones(1000 * seed, drones, minutes);
  const unseen = simulateDrones(TEST_FROM, TEST_DRONES, minutes);
  const prior = scoreDrones(unseen, null, false);
  for (const { output, rms, within } of prior)
    print(`${output} | equations alone | rms ${rms.toFixed(4)} | within ${within.toFixed(4)}`);
  for (const own of SEEDS) {
    const { bytes, teacher, pupil } = fitDrones(flown, { ...DRONE_PLAN, seed: own });
    const [float, ternary] = [
      scoreDrones(unseen, teacher, false),
      scoreDrones(unseen, pupil, true),
    ];
    prior.forEach(({ output, within }, k) => {
      const [f, t] = [float[k], ternary[k]];
      if (f === undefined || t === undefined) return;
      const less = (100 * (1 - t.within / within)).toFixed(1);
      const gap = (100 * (t.within / f.within - 1)).toFixed(2);
      print(
        `seed ${own} | ${output} | rms ${t.rms.toFixed(4)} | within ${t.within.toFixed(4)}, ` +
          `float ${f.within.toFixed(4)}, gap ${gap} % | ${less} % less`,
      );
    });
    if (own !== seed) continue;
    writeFileSync(file, bytes);
    const { float: all, packed } = weightBytes(pupil);
    print(`${file}: ${bytes.length} bytes, weights ${packed} of ${all}, ${hashOf(bytes)}`);
  }
}

run(process.argv[2] ?? packageFile(DRONE_FILE));
