//! The .tflite that is written and the emulator of the Edge TPU, against TensorFlow Lite 2.9 itself.
import { expect, test } from "vitest";
import type { Plan } from "../../agent/accel/backend.js";
import { emulate } from "../../agent/accel/edgetpu/emulator.js";
import { openTflite } from "../../agent/accel/edgetpu/library.js";
import { type Program, programOf } from "../../agent/accel/edgetpu/program.js";
import { nameOf, writeTflite } from "../../agent/accel/edgetpu/tflite.js";
import { prng } from "../../agent/base/prng.js";
import { tfliteLibrary } from "./edgetpu-library.js";
import { planFrom, type Shape } from "./plans.js";

const OUTPUTS = 48_000;
const found = tfliteLibrary();
if ("absent" in found) console.warn(`skipped: ${found.absent}`);
const library = "path" in found ? found.path : "";

/** A network whose every layer an Edge TPU can have; every second one with one scale a layer. */
function network(seed: number): Plan {
  const random = prng(seed, "edgetpu");
  const below = (count: number): number => Math.floor(random.next() * count);
  const conv = random.next() < 0.6;
  const [channels, length] = conv ? [1 + below(9), 8 + below(40)] : [1 + below(200), 1];
  const shapes: Shape[] = [];
  let places = length;
  for (let i = 0; conv && i < 1 + below(2); i++) {
    const kernel = 1 + below(Math.min(7, places));
    const [stride, pad] = [1 + below(3), below(kernel)];
    shapes.push({ kind: "conv", rows: 1 + below(40), kernel, stride, pad });
    places = Math.floor((places + 2 * pad - kernel) / stride) + 1;
  }
  const dense = below(3) + (conv ? 0 : 1);
  for (let i = 0; i < dense; i++) shapes.push({ kind: "dense", rows: 1 + below(100) });
  const ternary = random.next() < 0.5;
  const plan = planFrom(random, { channels, length, shapes, sums: false, ternary: () => ternary });
  const single = random.next() < 0.5;
  const stages = plan.stages.map((stage) => {
    if (stage.kind !== "matmul") return stage;
    const { layer } = stage;
    const [m, s] = [layer.multiplier[0] as number, Math.max(15, layer.shift[0] as number)];
    const one = { multiplier: layer.multiplier.map(() => m), shift: layer.shift.map(() => s) };
    const many = { shift: layer.shift.map((value) => Math.max(12, value)) };
    return { ...stage, layer: { ...layer, ...(single ? one : many) } };
  });
  return { ...plan, stages };
}

function programFor(plan: Plan): Program {
  const { program, why } = programOf(plan);
  if (program === null || why !== null) throw new Error(why ?? "no program");
  return program;
}

test.skipIf(library === "")("the emulator gives TensorFlow Lite's integers, all of them", () => {
  const tflite = openTflite(library);
  expect(tflite.version).toMatch(/^2\.9\./);
  let [compared, differing, seed] = [0, 0, 0];
  const kinds = new Set<string>();
  for (; compared < OUTPUTS; seed++) {
    const program = programFor(network(seed));
    const interpreter = tflite.open(writeTflite(program), null);
    expect(interpreter.nameIn).toBe(nameOf(program.hash));
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
