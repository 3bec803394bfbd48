//! A device under watch. Before it is used, and then on a share of what it computes, its answers are
//! held against the reference, within the tier it claims. One that is wrong, or fails, is taken out:
//! the reference goes on, the evidence is kept, and no wrong answer that was checked leaves.

import { assert } from "../base/errors.js";
import { prng } from "../base/prng.js";
import type { Backend, Loaded, Plan } from "./backend.js";
import { tolerancesOf } from "./tolerance.js";

/** Inputs of the self-test; the first is the greatest step, the second the least. */
const SELF_TESTS = 6;
const SEED = 20_261;
/** Values of the evidence that are kept. */
const KEPT = 16;

/** What float32 may add to the difference of two values. */
const ROUNDING = 2 ** -22;

/** Why a device was taken out; what it said where it was wrong, beside what is true. */
export type Outage = {
  readonly backend: string;
  readonly when: "self-test" | "operation";
  readonly why: string;
  readonly input: readonly number[];
  readonly found: readonly number[];
  readonly expected: readonly number[];
};

export type GuardOptions = {
  /** Share of inferences that are checked, 0 to 1. Not those of a network with state. */
  readonly share: number;
  /** Once for each network on the device; the second may come while the first is in use. */
  readonly report: (outage: Outage) => void;
};

/** `truth` is what goes on when `backend` is taken out. */
export function guard(backend: Backend, truth: Backend, { share, report }: GuardOptions): Backend {
  assert(share >= 0 && share <= 1, "guard: a share");
  const every = share > 0 ? Math.round(1 / share) : Number.POSITIVE_INFINITY;
  let out = false;
  return {
    ...backend,
    load(plan, batch): Loaded {
      const right = truth.load(plan, batch);
      const sizeOut = plan.output.channels * plan.output.places;
      const expected = new Float32Array(sizeOut * batch);
      const tolerances = tolerancesOf(plan, backend.tier);
      const takeOut = (when: Outage["when"], why: string, evidence: Evidence | null): void => {
        out = true;
        const { input = [], found = [], expected: wanted = [] } = evidence ?? {};
        report({ backend: backend.name, when, why, input, found, expected: wanted });
      };
      const compare = (x: Float32Array, y: Float32Array, count: number): Evidence | null => {
        const own = expected.subarray(0, y.length);
        right.infer(x, own, count);
        return differs(plan, tolerances, x, y, own);
      };
      const loaded = out ? null : tried(backend, plan, batch, compare, takeOut);
      if (loaded === null) return right;
      let calls = 0;
      return {
        infer(x, y, count): void {
          if (out) return right.infer(x, y, count);
          try {
            loaded.infer(x, y, count);
          } catch (error) {
            takeOut("operation", error instanceof Error ? error.message : String(error), null);
            return right.infer(x, y, count);
          }
          calls += 1;
          if (calls % every !== 0 || plan.state.length > 0) return;
          const evidence = compare(x, y, count);
          if (evidence === null) return;
          takeOut("operation", evidence.why, evidence);
          y.set(expected.subarray(0, y.length));
        },
        reset(asset): void {
          loaded.reset(asset);
          right.reset(asset);
        },
      };
    },
  };
}

type Evidence = {
  readonly why: string;
  readonly input: readonly number[];
  readonly found: readonly number[];
  readonly expected: readonly number[];
};
type Compare = (x: Float32Array, y: Float32Array, count: number) => Evidence | null;

/** The network on its device after the self-test; null when it did not pass. */
function tried(
  backend: Backend,
  plan: Plan,
  batch: number,
  compare: Compare,
  takeOut: (when: "self-test", why: string, evidence: Evidence | null) => void,
): Loaded | null {
  const { channels, lines, length, inverse } = plan.input;
  const size = channels * lines * length;
  const random = prng(SEED, "self-test");
  const y = new Float32Array(plan.output.channels * plan.output.places);
  try {
    const loaded = backend.load(plan, batch);
    for (let i = 0; i < SELF_TESTS; i++) {
      const x = Float32Array.from({ length: size }, () => {
        const step = i < 2 ? 127 - 254 * i : 254 * random.next() - 127;
        return Math.round(step) / inverse;
      });
      loaded.infer(x, y, 1);
      const evidence = compare(x, y, 1);
      if (evidence === null) continue;
      takeOut("self-test", evidence.why, evidence);
      return null;
    }
    loaded.reset(0);
    return loaded;
  } catch (error) {
    takeOut("self-test", error instanceof Error ? error.message : String(error), null);
    return null;
  }
}

/** Null when `found` is within the tier: `exact` is every bit. */
function differs(
  plan: Plan,
  tolerances: Float64Array,
  x: Float32Array,
  found: Float32Array,
  expected: Float32Array,
): Evidence | null {
  const { channels, places } = plan.output;
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i] as number, expected[i] as number];
    if (Object.is(a, b) || a === b) continue;
    const channel = Math.floor((i % (channels * places)) / places);
    const steps = tolerances[channel] as number;
    const most = steps > 0 ? steps + ROUNDING * Math.abs(b) : 0;
    if (Math.abs(a - b) <= most) continue;
    const asset = Math.floor(i / (channels * places));
    const sizeIn = x.length / (found.length / (channels * places));
    const first = Math.max(0, i - KEPT / 2);
    return {
      why: `output ${i} is ${a}, not ${b}${most > 0 ? ` within ${most}` : ""}`,
      input: [...x.subarray(asset * sizeIn, asset * sizeIn + KEPT)],
      found: [...found.subarray(first, first + KEPT)],
      expected: [...expected.subarray(first, first + KEPT)],
    };
  }
  return null;
}
