//! The scalar truth. Slow on purpose: readable first; every other backend is tested against it.
import { assert } from "../base/errors.js";
import {
  BATCH_MAX,
  type Backend,
  type Loaded,
  type Plan,
  STEP_MAX,
  stateBytes,
} from "./backend.js";
import { loadReferenceEncoder } from "./reference-encoder.js";
import { runStage, sumOf } from "./reference-stages.js";

export const reference: Backend = {
  name: "reference",
  tier: "exact",
  cols_max: 65_536,
  loadEncoder: loadReferenceEncoder,
  load(plan: Plan, batch: number): Loaded {
    assert(batch >= 1 && batch <= BATCH_MAX, "reference: batch");
    const { input, stages, output, state } = plan;
    // What has no state may share one arena.
    const count = state.length > 0 ? batch : 1;
    const arenas = Array.from({ length: count }, () => new Int8Array(plan.arena_bytes));
    const inner = output.sums ? stages.slice(0, -1) : stages;
    const sizeIn = input.channels * input.lines * input.length;
    const sizeOut = output.channels * output.places;
    return {
      infer(x, y, count): void {
        assert(count >= 1 && count <= batch, "infer: more assets than it was loaded for");
        assert(x.length === count * sizeIn && y.length === count * sizeOut, "infer: sizes");
        for (let asset = 0; asset < count; asset++) {
          const arena = arenas[asset % arenas.length] as Int8Array;
          const to = asset * sizeOut;
          if (!quantise(plan, x, asset * sizeIn, arena)) {
            y.fill(Number.NaN, to, to + sizeOut);
            continue;
          }
          for (const stage of inner) runStage(stage, arena);
          realOut(plan, arena, y, to);
          for (const { from, to, bytes } of state) arena.copyWithin(to, from, from + bytes);
        }
      },
      reset(asset): void {
        assert(asset >= 0 && asset < batch, "reset: no such asset");
        for (const { to, bytes } of state) arenas[asset]?.fill(0, to, to + bytes);
      },
      setState(asset, from): void {
        assert(asset >= 0 && asset < batch && from.length === stateBytes(plan), "setState: sizes");
        let at = 0;
        for (const { to, bytes } of state) {
          arenas[asset]?.set(from.subarray(at, at + bytes), to);
          at += bytes;
        }
      },
      stateOf: (asset) =>
        Int8Array.from(
          state.flatMap(({ to, bytes }) => [
            ...(arenas[asset] as Int8Array).subarray(to, to + bytes),
          ]),
        ),
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
  const { channels, lines, length, at, line, inverse, limit = STEP_MAX } = input;
  const places = lines * length;
  for (let channel = 0; channel < channels; channel++) {
    for (let place = 0; place < places; place++) {
      const value = x[from + channel * places + place] as number;
      if (!Number.isFinite(value)) return false;
      const step = Math.floor(value * inverse + 0.5);
      const to = at + Math.floor(place / length) * line + (place % length) * channels + channel;
      arena[to] = Math.max(-limit, Math.min(limit, step));
    }
  }
  return true;
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
        sums && last?.kind === "matmul"
          ? sumOf(last, arena, place, channel)
          : (arena[at + place * channels + channel] as number);
      const value = units * (scale[channel] as number);
      y[to + channel * places + place] = sums && relu && value < 0 ? 0 : value;
    }
  }
}
