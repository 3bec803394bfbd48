//! smoke.mjs ADDON: loads an addon and compares each of its kernels that this CPU can run with the
//! reference, on a random network and on those that Sterna ships. Ends with 1 when one differs or
//! when none runs.
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { samplePlan } from "../../../dist/agent/accel/measure.js";
import { addonAt, nativeFrom } from "../../../dist/agent/accel/native.js";
import { reference } from "../../../dist/agent/accel/reference.js";
import { packageFile } from "../../../dist/agent/base/files.js";
import { loadNetwork } from "../../../dist/agent/models/network.js";

const [file = ""] = process.argv.slice(2);
const addon = addonAt(resolve(file));

/** What a network gives for one input, twice: a state goes on. */
function outputs(infer, sizeIn, sizeOut) {
  const x = Float32Array.from({ length: sizeIn }, (_, i) => ((i * 37) % 61) - 30);
  return [0, 1].flatMap(() => {
    const y = new Float32Array(sizeOut);
    infer(x, y);
    return [...y];
  });
}

function shipped(name) {
  const bytes = readFileSync(packageFile(`agent/models/${name}`));
  return (backend) => {
    const network = loadNetwork(bytes, backend);
    if (typeof network === "string") throw new Error(`${name}: ${network}`);
    return outputs((x, y) => network.infer(x, y), network.inputs[0].size, network.outputs[0].size);
  };
}

function sample(backend) {
  const plan = samplePlan();
  const loaded = backend.load(plan, 1);
  const { channels } = plan.input;
  return outputs((x, y) => loaded.infer(x, y, 1), channels, channels);
}

const models = readdirSync(packageFile("agent/models")).filter((name) => name.endsWith(".onnx"));
const runs = [sample, ...models.map(shipped)];
const expected = runs.map((run) => run(reference));
for (const kernel of addon.kernels()) {
  const backend = nativeFrom(addon, kernel);
  const wrong = runs.filter((run, i) => {
    return run(backend).some((value, at) => !Object.is(value, expected[i][at]));
  });
  const verdict = wrong.length === 0 ? "the reference's integers" : "DIFFERS";
  process.stdout.write(`${kernel}: ${verdict}, ${runs.length} networks\n`);
  if (wrong.length > 0) process.exitCode = 1;
}
if (addon.kernels().length === 0) process.exitCode = 1;
