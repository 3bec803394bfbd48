//! A plan in parts, so that each may run on a device of its own. Between two parts crosses one plane
//! of int8 steps, as floats with a step of 1: the same integers, whatever the devices.
import { assert } from "../base/errors.js";
import {
  type Backend,
  type Grid,
  type Loaded,
  type Plan,
  type Stage,
  withTier,
} from "./backend.js";
import { channelsOf, extent, meet, readsOf, writesOf } from "./spans.js";

/** Stages `from` to `to` (not included). */
export type Part = { readonly from: number; readonly to: number };

/**
 * The stages before which a plan may be cut: all that they and their followers read was written by
 * the stage before as one plain plane. None in a plan with state, which must stay with its owner.
 */
export function cutsOf(plan: Plan): number[] {
  if (plan.state.length > 0) return [];
  const cuts: number[] = [];
  for (let i = 1; i < plan.stages.length; i++) if (mayCut(plan, i)) cuts.push(i);
  return cuts;
}

/** Part of a plan as a plan of its own. */
export function partOf(plan: Plan, { from, to }: Part): Plan {
  const { stages } = plan;
  const before = from === 0 ? null : planeOf(stages[from - 1]);
  const after = to === stages.length ? null : planeOf(stages[to - 1]);
  assert(before !== undefined && after !== undefined, "cut: where cutsOf allows it");
  return {
    ...plan,
    input:
      before === null
        ? plan.input
        : { ...before, length: before.places, line: before.places * before.channels, inverse: 1 },
    stages: stages.slice(from, to),
    output:
      after === null
        ? plan.output
        : {
            channels: after.channels,
            places: after.lines * after.places,
            at: after.at,
            scale: new Float64Array(after.channels).fill(1),
            sums: false,
            relu: false,
          },
  };
}

/** The parts between the cuts, every stage in exactly one. */
export function partsOf(plan: Plan, cuts: readonly number[]): Part[] {
  const ends = [...cuts, plan.stages.length];
  return ends.map((to, i) => ({ from: ends[i - 1] ?? 0, to }));
}

/** Loads each part on its backend; an inference runs them in order. */
export function loadParts(
  plan: Plan,
  parts: readonly (Part & { readonly backend: Backend })[],
  batch: number,
): Loaded {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    return withTier(only.backend.load(plan, batch), only.backend);
  }
  const steps = parts.map((part) => {
    const own = partOf(plan, part);
    const size = own.output.channels * own.output.places;
    const y = new Float32Array(size * batch);
    return { loaded: withTier(part.backend.load(own, batch), part.backend), size, y };
  });
  return {
    /** The one that is not exact, if there is one. */
    get tier() {
      return steps.find(({ loaded }) => loaded.tier !== "exact")?.loaded.tier ?? "exact";
    },
    infer(x, y, count): void {
      let from = x;
      steps.forEach(({ loaded, size, y: own }, i) => {
        const to = i === steps.length - 1 ? y : own.subarray(0, size * count);
        loaded.infer(from, to, count);
        from = to;
      });
    },
    reset(asset): void {
      for (const { loaded } of steps) loaded.reset(asset);
    },
    close(): void {
      for (const { loaded } of steps.toReversed()) loaded.close?.();
    },
  };
}

type Plane = Grid & { readonly channels: number; readonly at: number };

/** What a stage writes, where that is one plain plane of bytes. */
function planeOf(stage: Stage | undefined): Plane | undefined {
  if (stage === undefined || (stage.kind === "add" && stage.y.wide)) return undefined;
  const { lines, places, y } = stage;
  const channels = channelsOf(stage);
  const rows = places === 1 || y.step === channels;
  const whole = lines === 1 || y.line === places * channels;
  return rows && whole ? { lines, places, channels, at: y.at } : undefined;
}

function mayCut({ stages, input, output }: Plan, at: number): boolean {
  const plane = planeOf(stages[at - 1]);
  if (plane === undefined) return false;
  const { lines, length, channels } = input;
  const given = extent({ lines, places: length }, { ...input, step: channels }, channels);
  const earlier = [given, ...stages.slice(0, at - 1).map(writesOf)];
  const reads = stages.slice(at).flatMap(readsOf);
  const result = { from: output.at, to: output.at + output.channels * output.places };
  if (!output.sums) reads.push(result);
  return !reads.some((read) => earlier.some((one) => meet(read, one)));
}
