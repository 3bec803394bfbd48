//! `npm run train:blocks -- FOLDER OUT.onnx [--features orders|bands] [--block 16384] [--seed 1]`:
//! a network for a machine of your own from recordings whose condition you know (docs/training.md).
//! Prints how it does on each group when the others alone teach, then learns from all of them.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { prng } from "../../base/prng.js";
import { hashOf } from "../network.js";
import { type BlockNet, fileSays, macroF1, teacherSays, trainBlocks } from "./block-net.js";
import { classesOf, cut, type Features, type Sample } from "./block-set.js";
import { readLabelled } from "./labelled.js";

const USAGE = "write: FOLDER OUT.onnx [--features orders|bands] [--block 16384] [--seed 1]";
/** Blocks that teach overlap: few recordings are long. */
const OVERLAP = 8;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function run(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      features: { type: "string", default: "orders" },
      block: { type: "string", default: "16384" },
      seed: { type: "string", default: "1" },
    },
  });
  const [folder, file] = positionals;
  const [count, seed] = [Number(values.block), Number(values.seed)];
  const { features } = values;
  const whole = Number.isInteger(seed) && Number.isInteger(Math.log2(count)) && count >= 256;
  if (folder === undefined || file === undefined || !isFeatures(features) || !whole) {
    throw new Error(`${USAGE}; a block is a power of two, 256 samples or more`);
  }
  const records = readLabelled(folder);
  const classes = classesOf(records, features);
  const labels = new Set(records.map(({ label }) => label));
  if (labels.size < 2) throw new Error(`all records are "${[...labels][0]}": there must be two`);
  const plan = { features, classes, seed };
  const random = prng(seed, "blocks/speed");
  const taught = cut(records, { features, count, hop: count / OVERLAP, random });
  const tested = cut(records, { features, count, hop: count });
  for (const group of new Set(records.map((record) => record.group))) {
    const rest = taught.filter(({ record }) => record.group !== group);
    const own = tested.filter(({ record }) => record.group === group);
    const known = new Set(rest.map(({ record }) => record.label));
    const strange = own.filter(({ record }) => !known.has(record.label));
    if (known.size < 2 || strange.length > 0) {
      print(`group "${group}": cannot be left out, the others do not have all of its labels`);
      continue;
    }
    print(`group "${group}" left out: ${scores(trainBlocks(rest, plan), own, classes)}`);
  }
  const net = trainBlocks(taught, plan);
  writeFileSync(file, net.bytes);
  print(`${file}: ${net.bytes.length} bytes, ${hashOf(net.bytes)}; classes ${classes.join(", ")}`);
  print(`on what it learnt from: ${scores(net, tested, classes)}`);
}

const isFeatures = (text: string): text is Features => text === "orders" || text === "bands";

function scores(net: BlockNet, samples: readonly Sample[], classes: readonly string[]): string {
  const truth = samples.map(({ record }) => classes.indexOf(record.label));
  const percent = (said: readonly number[]): string => (100 * macroF1(truth, said)).toFixed(1);
  const [float, file] = [teacherSays(net, samples), fileSays(net, samples)];
  return `macro-F1 ${percent(file)} (float32 ${percent(float)}) of ${samples.length} blocks`;
}

try {
  run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
