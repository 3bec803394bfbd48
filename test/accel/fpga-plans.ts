//! Random networks that fit the core whole: dense and conv chains, extremes often.
import type { Layer, Plan } from "../../agent/accel/backend.js";
import { type Prng, prng } from "../../agent/base/prng.js";
import { inputFor, planFrom, type Shape } from "./plans.js";

const below = (random: Prng, count: number): number => Math.floor(random.next() * count);

export function coreNetwork(seed: number): { readonly plan: Plan; readonly x: Float32Array } {
  const random = prng(seed, "core");
  const conv = random.next() < 0.5;
  const channels = conv
    ? 1 + below(random, 9)
    : 1 + below(random, random.next() < 0.2 ? 1024 : 200);
  const length = conv ? 8 + below(random, 40) : 1;
  const shapes: Shape[] = [];
  let places = length;
  for (let i = 0; conv && i < 1 + below(random, 2); i++) {
    const kernel = 1 + below(random, Math.min(7, places));
    const [stride, pad] = [1 + below(random, 3), below(random, kernel)];
    shapes.push({ kind: "conv", rows: 1 + below(random, 40), kernel, stride, pad });
    places = Math.floor((places + 2 * pad - kernel) / stride) + 1;
  }
  const dense = below(random, 3) + (conv ? 0 : 1);
  for (let i = 0; i < dense; i++) {
    shapes.push({ kind: "dense", rows: 1 + below(random, random.next() < 0.8 ? 100 : 400) });
  }
  const sums = random.next() < 0.4;
  const plan = planFrom(random, { channels, length, shapes, sums, ternary: () => true });
  const stages = plan.stages.map((stage) =>
    stage.kind === "matmul" ? { ...stage, layer: harden(random, stage.layer) } : stage,
  );
  return { plan: { ...plan, stages }, x: inputFor(seed, plan, 1, false) };
}

/** Biases, multipliers and shifts at the ends of their ranges, now and then. */
function harden(random: Prng, layer: Layer): Layer {
  const room = 2 ** 19 - 1 - 127 * layer.cols;
  const bias = layer.bias.map((value) => {
    if (random.next() < 0.05 && room > 0) return random.next() < 0.5 ? room : -room;
    return Math.max(-room, Math.min(room, value));
  });
  const multiplier = layer.multiplier.map((value) => (random.next() < 0.05 ? 32_767 : value));
  const shift = layer.shift.map((value) =>
    random.next() < 0.05 ? (random.next() < 0.5 ? 1 : 31) : value,
  );
  return { ...layer, bias, multiplier, shift };
}
