//! `npm run train:vibnet [FILE]`: trains VibNet on the simulator, writes the file (by default the
//! shipped one) and prints how it does on blocks of seeds that training never saw.
import { writeFileSync } from "node:fs";
import { reference } from "../../accel/reference.js";
import { assert } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import { ORDER_BINS } from "../features/orders.js";
import { hashOf, loadNetwork } from "../network.js";
import { makeVibnet, score, scoreProbabilities, VIBNET_PLAN } from "./vibnet.js";
import { CLASSES, makeSet, type VibrationSet } from "./vibration-set.js";

const TEST_SEEDS = [1001, 1002, 1003, 1004, 1005];
const TEST_EXAMPLES = 600;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function run(file: string): void {
  const { bytes, teacher, pupil } = makeVibnet(VIBNET_PLAN);
  writeFileSync(file, bytes);
  print(`${file}: ${bytes.length} bytes, ${hashOf(bytes)}`);
  const network = loadNetwork(bytes, reference);
  assert(typeof network !== "string", String(network));
  const sets = TEST_SEEDS.map((seed) => makeSet(TEST_EXAMPLES, seed, "test"));
  const logits = sets.map((set) => {
    const y = new Float32Array(set.count * CLASSES.length);
    for (let i = 0; i < set.count; i++) {
      const x = Float32Array.from(set.x.subarray(i * ORDER_BINS, (i + 1) * ORDER_BINS));
      network.infer(x, y.subarray(i * CLASSES.length, (i + 1) * CLASSES.length));
    }
    return y;
  });
  print("held out | fp32 teacher | ternary, float | ternary, integers | healthy called damaged");
  sets.forEach((set, k) => {
    const integers = scoreProbabilities(logits[k] as Float32Array, set, () => true);
    const floats = [score(teacher, set, false), score(pupil, set, true)];
    const shown = [...floats, integers].map((s) => percent(s.right)).join(" | ");
    print(`seed ${TEST_SEEDS[k]} | ${shown} | ${percent(integers.false)}`);
  });
  const over = (name: string, keep: (set: VibrationSet, i: number) => boolean): void => {
    const found = sets.map((set, k) =>
      scoreProbabilities(logits[k] as Float32Array, set, (i) => keep(set, i)),
    );
    const count = found.reduce((sum, f) => sum + f.count, 0);
    const right = found.reduce((sum, f) => sum + (f.count === 0 ? 0 : f.right * f.count), 0);
    print(`${name} | ${percent(right / count)} of ${count}`);
  };
  over("healthy", (set, i) => set.label[i] === 0);
  for (const [low, high] of [
    [1.5, 2],
    [2, 4],
    [4, 8],
    [8, 16],
  ] as const) {
    over(`impulse ${low}-${high} x noise`, (set, i) => {
      const height = set.strength[i] as number;
      return height >= low && height < high;
    });
  }
  for (const [low, high] of [
    [60, 85],
    [85, 110],
    [110, 130],
  ] as const) {
    over(`shaft ${low}-${high} rad/s`, (set, i) => {
      const speed = set.speed_radps[i] as number;
      return speed >= low && speed < high;
    });
  }
}

run(process.argv[2] ?? packageFile("agent/models/vibnet.onnx"));
