//! The scalar truth. Slow on purpose: readable first; every other backend is tested against it.
import { assert } from "../base/errors.js";
import type { Backend, Loaded, Plan, Stage } from "./backend.js";

export const reference: Backend = {
  name: "reference",
  tier: "exact",
  cols_max: 65_536,
  load(plan: Plan, batch: number): Loaded {
    const { input, stages, output } = plan;
    const arena = new Int8Array(plan.arena_bytes);
    const inner = output.sums ? stages.slice(0, -1) : stages;
    const sizeIn = input.channels * input.length;
    const sizeOut = output.channels * output.places;
    return {
      infer(x, y, count): void {
        assert(count >= 1 && count <= batch, "infer: more assets than it was loaded for");
        assert(x.length === count * sizeIn && y.length === count * sizeOut, "infer: sizes");
        for (let asset = 0; asset < count; asset++) {
          const to = asset * sizeOut;
          if (!quantise(plan, x, asset * sizeIn, arena)) {
            y.fill(Number.NaN, to, to + sizeOut);
            continue;
          }
          for (const stage of inner) runStage(stage, arena);
          realOut(plan, arena, y, to);
        }
      },
    };
  },
};

/** False when a value is no number: then nothing may be computed. */
export function quantise(
  { input }: Plan,
  x: Float32Array,
  from: number,
  arena: Int8Array,
): boolean {
  const { channels, length, at, inverse } = input;
  for (let channel = 0; channel < channels; channel++) {
    for (let place = 0; place < length; place++) {
      const value = x[from + channel * length + place] as number;
      if (!Number.isFinite(value)) return false;
      const step = Math.floor(value * inverse + 0.5);
      arena[at + place * channels + channel] = Math.max(-127, Math.min(127, step));
    }
  }
  return true;
}

function runStage(stage: Stage, arena: Int8Array): void {
  const { layer, places, to } = stage;
  const { rows, multiplier, shift, relu } = layer;
  for (let place = 0; place < places; place++) {
    for (let row = 0; row < rows; row++) {
      const sum = sumOf(stage, arena, place, row);
      const value = requantise(sum, multiplier[row] as number, shift[row] as number);
      arena[to + place * rows + row] = relu && value < 0 ? 0 : value;
    }
  }
}

/** The int8 steps, or the sums of the last stage, as the reals outside. */
export function realOut(
  { stages, output }: Plan,
  arena: Int8Array,
  y: Float32Array,
  to: number,
): void {
  const { channels, places, at, scale, sums, relu } = output;
  const last = stages.at(-1);
  for (let channel = 0; channel < channels; channel++) {
    for (let place = 0; place < places; place++) {
      const units =
        sums && last !== undefined
          ? sumOf(last, arena, place, channel)
          : (arena[at + place * channels + channel] as number);
      const value = units * (scale[channel] as number);
      y[to + channel * places + place] = sums && relu && value < 0 ? 0 : value;
    }
  }
}

function sumOf(stage: Stage, arena: Int8Array, place: number, row: number): number {
  const { weights, cols, bias } = stage.layer;
  const at = row * cols;
  const from = stage.from + place * stage.step;
  let sum = bias[row] as number;
  for (let i = 0; i < cols; i++) sum += (weights[at + i] as number) * (arena[from + i] as number);
  return sum;
}

/** Normative: exact in a double because |sum| * multiplier < 2^52. Rounds half up. */
export function requantise(sum: number, multiplier: number, shift: number): number {
  const value = Math.floor((sum * multiplier + 2 ** (shift - 1)) / 2 ** shift);
  return Math.max(-127, Math.min(127, value));
}
