//! smoke.mjs ADDON: loads an addon and compares each of its kernels that this CPU can run with the
//! reference. Ends with 1 when one differs or when none runs.

import { samplePlan } from "../../../dist/agent/accel/measure.js";
import { addonAt, nativeFrom } from "../../../dist/agent/accel/native.js";
import { reference } from "../../../dist/agent/accel/reference.js";

const [file = ""] = process.argv.slice(2);
const addon = addonAt(file);
const plan = samplePlan();
const { channels } = plan.input;
const x = Float32Array.from({ length: channels }, (_, i) => ((i * 37) % 61) - 30);
const expected = new Float32Array(channels);
reference.load(plan, 1).infer(x, expected, 1);
for (const kernel of addon.kernels()) {
  const y = new Float32Array(channels);
  nativeFrom(addon, kernel).load(plan, 1).infer(x, y, 1);
  const same = y.every((value, i) => value === expected[i]);
  process.stdout.write(`${kernel}: ${same ? "the reference's integers" : "DIFFERS"}\n`);
  if (!same) process.exitCode = 1;
}
if (addon.kernels().length === 0) process.exitCode = 1;
