//! Random networks whose every layer an Edge TPU can have; every second one with one scale a layer.
import type { Plan } from "../../agent/accel/backend.js";
import { type Program, programOf } from "../../agent/accel/edgetpu/program.js";
import { prng } from "../../agent/base/prng.js";
import { planFrom, type Shape } from "./plans.js";

export function tpuNetwork(seed: number, sums = false): Plan {
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
  if (sums) shapes.push({ kind: "dense", rows: 1 + below(20) });
  const ternary = random.next() < 0.5;
  const plan = planFrom(random, { channels, length, shapes, sums, ternary: () => ternary });
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

export function programFor(plan: Plan): Program {
  const { program, why } = programOf(plan);
  if (program === null || why !== null) throw new Error(why ?? "no program");
  return program;
}
