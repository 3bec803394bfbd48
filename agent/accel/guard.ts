//! A device under watch. Before it is used, and then on a share of what it computes, its answers are
//! held against the reference, within the tier it claims. One that is wrong, or fails, is taken out:
//! the reference goes on, the evidence is kept, and no wrong answer that was checked leaves.

import { assert } from "../base/errors.js";
import { prng } from "../base/prng.js";
import type { Tier } from "../base/telemetry.js";
import type { Backend, Loaded, Plan } from "./backend.js";
import { type EncoderPlan, encoderBound } from "./encoder.js";
import { tolerancesOf } from "./tolerance.js";

/** Inputs of the self-test; the first is the greatest step, the second the least. */
const SELF_TESTS = 6;
/** Of an encoder: more values each, and a reference that takes its time. */
const ENCODER_SELF_TESTS = 2;
/** Multiplications of the reference in doubles: some 0.1 s for a trial, 0.2 s for a live check. */
const TRIAL_MACS = 2 ** 25;
const LIVE_MACS = 2 ** 26;
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
  /**
   * Share of inferences that are checked, 0 to 1. Not those of a network with state, nor those of
   * an encoder that would keep the reference busy for long.
   */
  readonly share: number;
  /** Once for each network on the device; the second may come while the first is in use. */
  readonly report: (outage: Outage) => void;
};

/** `truth` is what goes on when `backend` is taken out. */
export function guard(backend: Backend, truth: Backend, { share, report }: GuardOptions): Backend {
  assert(share >= 0 && share <= 1, "guard: a share");
  const every = share > 0 ? Math.round(1 / share) : Number.POSITIVE_INFINITY;
  let out = false;
  const takeOut: TakeOut = (when, why, evidence) => {
    out = true;
    const { input = [], found = [], expected = [] } = evidence ?? {};
    report({ backend: backend.name, when, why, input, found, expected });
  };
  /** The device where it passed its test, with the reference behind it; else the reference. */
  const hold = (subject: Subject, batch: number, trial = subject): Loaded => {
    const right = subject.open(truth, batch);
    const loaded = out ? null : tried(backend, truth, trial, takeOut, subject, batch);
    if (loaded === null) return right;
    const compare = comparing(subject, right, batch);
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
        if (calls % every !== 0 || !subject.live) return;
        const checked = compare(x, y, count);
        if (checked.evidence === null) return;
        takeOut("operation", checked.evidence.why, checked.evidence);
        y.set(checked.expected);
      },
      reset(asset): void {
        loaded.reset(asset);
        right.reset(asset);
      },
    };
  };
  return {
    ...backend,
    load: (plan, batch) => hold(networkOf(plan, backend.tier), batch),
    loadEncoder(plan, batch): Loaded {
      const [whole, sequence] = [encoderOf(plan), placesWithin(plan, TRIAL_MACS)];
      // All its weights, over a sequence short enough for the reference.
      const trial = sequence < plan.sequence ? encoderOf({ ...plan, sequence }) : whole;
      return hold(whole, batch, trial);
    },
  };
}

type Evidence = {
  readonly why: string;
  readonly input: readonly number[];
  readonly found: readonly number[];
  readonly expected: readonly number[];
};
type TakeOut = (when: Outage["when"], why: string, evidence: Evidence | null) => void;

/** What is held against the reference: a network or an encoder. */
type Subject = {
  readonly open: (on: Backend, batch: number) => Loaded;
  /** Values of one asset that come out. */
  readonly sizeOut: number;
  /** Inputs of the self-test. */
  readonly trials: () => readonly Float32Array[];
  /** True where live inferences may be checked. */
  readonly live: boolean;
  readonly differs: (x: Float32Array, y: Float32Array, expected: Float32Array) => Evidence | null;
};

function networkOf(plan: Plan, tier: Tier): Subject {
  const tolerances = tolerancesOf(plan, tier);
  const { channels, lines, length, inverse } = plan.input;
  const random = prng(SEED, "self-test");
  const trial = (i: number): Float32Array =>
    Float32Array.from({ length: channels * lines * length }, () => {
      const step = i < 2 ? 127 - 254 * i : 254 * random.next() - 127;
      return Math.round(step) / inverse;
    });
  return {
    open: (on, batch) => on.load(plan, batch),
    sizeOut: plan.output.channels * plan.output.places,
    trials: () => Array.from({ length: SELF_TESTS }, (_, i) => trial(i)),
    live: plan.state.length === 0,
    differs: (x, y, expected) => differs(plan, tolerances, x, y, expected),
  };
}

function encoderOf(plan: EncoderPlan): Subject {
  const size = plan.sequence * plan.width;
  const most = plan.limit / (plan.layers[0]?.in.inverse ?? 1);
  const random = prng(SEED, "self-test");
  const trial = (): Float32Array =>
    Float32Array.from({ length: size }, () => most * (2 * random.next() - 1));
  return {
    open: (on, batch) => on.loadEncoder(plan, batch),
    sizeOut: size,
    trials: () => Array.from({ length: ENCODER_SELF_TESTS }, trial),
    live: plan.sequence <= placesWithin(plan, LIVE_MACS),
    differs: (x, y, expected) => encoderDiffers(plan, x, y, expected),
  };
}

/** Places of a sequence that the reference computes in so many multiplications; one at least. */
function placesWithin({ sequence, width, hidden, layers }: EncoderPlan, macs: number): number {
  const each = layers.length * (4 * width * width + 2 * width * hidden);
  // Attention goes with the square: places * each + places^2 * pair = macs.
  const pair = 2 * layers.length * width;
  const most = (Math.sqrt(each * each + 4 * pair * macs) - each) / (2 * pair);
  return Math.max(1, Math.min(sequence, Math.floor(most)));
}

function comparing({ differs: against, sizeOut }: Subject, right: Loaded, batch: number) {
  const whole = new Float32Array(sizeOut * batch);
  return (x: Float32Array, y: Float32Array, count: number) => {
    const expected = whole.subarray(0, y.length);
    right.infer(x, expected, count);
    return { evidence: against(x, y, expected), expected };
  };
}

/** `subject` on its device after the self-test on `trial`; null when it did not pass. */
function tried(
  backend: Backend,
  truth: Backend,
  trial: Subject,
  takeOut: TakeOut,
  subject: Subject,
  batch: number,
): Loaded | null {
  const y = new Float32Array(trial.sizeOut);
  try {
    const same = trial === subject;
    const loaded = trial.open(backend, same ? batch : 1);
    const compare = comparing(trial, trial.open(truth, 1), 1);
    for (const x of trial.trials()) {
      loaded.infer(x, y, 1);
      const { evidence } = compare(x, y, 1);
      if (evidence === null) continue;
      takeOut("self-test", evidence.why, evidence);
      return null;
    }
    loaded.reset(0);
    return same ? loaded : subject.open(backend, batch);
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
    const why = `output ${i} is ${a}, not ${b}${steps > 0 ? ` within ${most}` : ""}`;
    return evidenceAt(i, channels * places, why, x, found, expected);
  }
  return null;
}

/** Null when every value is within the share of the largest that an encoder may be off. */
function encoderDiffers(
  plan: EncoderPlan,
  x: Float32Array,
  found: Float32Array,
  expected: Float32Array,
): Evidence | null {
  const largest = expected.reduce((top, v) => Math.max(top, Math.abs(v) || 0), 0);
  const most = encoderBound(plan) * largest;
  for (const [i, b] of expected.entries()) {
    const a = found[i] as number;
    if (Object.is(a, b) || Math.abs(a - b) <= most) continue;
    const why = `output ${i} is ${a}, not ${b} within ${most}`;
    return evidenceAt(i, plan.sequence * plan.width, why, x, found, expected);
  }
  return null;
}

/** The beginning of the input of the asset that is wrong, and what is around the wrong value. */
function evidenceAt(
  at: number,
  sizeOut: number,
  why: string,
  x: Float32Array,
  found: Float32Array,
  expected: Float32Array,
): Evidence {
  const asset = Math.floor(at / sizeOut);
  const sizeIn = x.length / (found.length / sizeOut);
  const first = Math.max(0, at - KEPT / 2);
  return {
    why,
    input: [...x.subarray(asset * sizeIn, asset * sizeIn + KEPT)],
    found: [...found.subarray(first, first + KEPT)],
    expected: [...expected.subarray(first, first + KEPT)],
  };
}
