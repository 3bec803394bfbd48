//! The .tflite that is written and the emulator of the Edge TPU, against TensorFlow Lite 2.9 itself.
import { expect, test } from "vitest";
import { openEdgeTpu } from "../../agent/accel/edgetpu/edgetpu.js";
import { emulate } from "../../agent/accel/edgetpu/emulator.js";
import { openTflite } from "../../agent/accel/edgetpu/library.js";
import { nameOf, programOf } from "../../agent/accel/edgetpu/program.js";
import { writeTflite } from "../../agent/accel/edgetpu/tflite.js";
import { guard, type Outage } from "../../agent/accel/guard.js";
import { reference } from "../../agent/accel/reference.js";
import { tolerancesOf } from "../../agent/accel/tolerance.js";
import { prng } from "../../agent/base/prng.js";
import { tfliteLibrary } from "./edgetpu-library.js";
import { programFor, tpuNetwork } from "./edgetpu-nets.js";
import { inputFor } from "./plans.js";

const OUTPUTS = 48_000;
const found = tfliteLibrary();
if ("absent" in found) console.warn(`skipped: ${found.absent}`);
const library = "path" in found ? found.path : "";

test.skipIf(library === "")("the emulator gives TensorFlow Lite's integers, all of them", () => {
  const tflite = openTflite(library);
  expect(tflite.version).toMatch(/^2\.9\./);
  let [compared, differing, seed] = [0, 0, 0];
  const kinds = new Set<string>();
  for (; compared < OUTPUTS; seed++) {
    const program = programFor(tpuNetwork(seed));
    const interpreter = tflite.open(writeTflite(program), null);
    expect(interpreter.nameIn).toBe(nameOf(program));
    const run = emulate(program);
    const random = prng(seed, "x");
    for (let round = 0; round < 12; round++) {
      const x = Int8Array.from({ length: program.bytesIn }, () =>
        round === 0 ? 127 : round === 1 ? -128 : Math.floor(random.next() * 256) - 128,
      );
      interpreter.input.set(x);
      interpreter.invoke();
      const y = run(x);
      expect(y.length).toBe(interpreter.output.length);
      for (let i = 0; i < y.length; i++) if (y[i] !== interpreter.output[i]) differing += 1;
      compared += y.length;
    }
    for (const { places, scale } of program.layers) {
      kinds.add(places > 1 ? "conv" : scale.every((s) => s === scale[0]) ? "one" : "many");
    }
    interpreter.close();
  }
  expect([...kinds].sort()).toEqual(["conv", "many", "one"]);
  expect({ differing, of: compared >= OUTPUTS }).toEqual({ differing: 0, of: true });
});

test("each layer is within one step of the reference, and some are one off", () => {
  let off = 0;
  for (let seed = 0; seed < 60; seed++) {
    const plan = tpuNetwork(seed);
    const [stage] = plan.stages;
    if (plan.stages.length !== 1 || stage === undefined) continue;
    const x = inputFor(seed, plan, 4, false);
    const [found, expected] = [openEdgeTpu(null, reference), reference].map((backend) => {
      const y = new Float32Array(4 * plan.output.channels * plan.output.places);
      backend.load(plan, 4).infer(x, y, 4);
      return y;
    }) as [Float32Array, Float32Array];
    found.forEach((value, i) => {
      const channel = Math.floor((i % (found.length / 4)) / plan.output.places);
      const unit = plan.output.scale[channel] as number;
      const steps = Math.abs(value - (expected[i] as number)) / unit;
      expect(steps, `seed ${seed}, output ${i}`).toBeLessThan(1.001);
      if (steps > 0.5) off += 1;
    });
    const single = tolerancesOf(plan, "within 1");
    single.forEach((value, c) => {
      expect(value).toBeCloseTo(plan.output.scale[c] as number, 9);
    });
  }
  expect(off).toBeGreaterThan(0);
});

test("guarded, the emulator is never taken out, whatever the layers make of one step", () => {
  const outages: Outage[] = [];
  const report = (outage: Outage): void => void outages.push(outage);
  for (let seed = 0; seed < 200; seed++) {
    const plan = tpuNetwork(seed, seed % 2 === 1);
    const loaded = guard(openEdgeTpu(null, reference), reference, { share: 1, report }).load(
      plan,
      2,
    );
    const y = new Float32Array(2 * plan.output.channels * plan.output.places);
    for (let i = 0; i < 3; i++) loaded.infer(inputFor(seed + i, plan, 2, i === 2), y, 2);
  }
  expect(outages).toEqual([]);
});

test("real numbers at the end are left to the CPU, and what cannot be a layer is named", () => {
  const plan = tpuNetwork(3, true);
  const last = plan.stages.length;
  expect(programOf(plan)).toMatchObject({
    stages: last - 1,
    why: `stage ${last} (matmul): it gives real numbers, not steps`,
  });
  const [first, ...more] = plan.stages;
  if (first?.kind !== "matmul") throw new Error("a network of layers");
  const small = { ...first, layer: { ...first.layer, limit: 7 } };
  expect(programOf({ ...plan, stages: [small, ...more] })).toEqual({
    program: null,
    stages: 0,
    why: "stage 1 (matmul): its steps are clipped to +-7",
  });
});
