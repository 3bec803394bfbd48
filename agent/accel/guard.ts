//! A device under watch. Before it is used, and then on a share of what it computes, its answers are
//! held against the reference, within the tier it claims. One that is wrong, or fails, is taken out:
//! the reference goes on, the evidence is kept, and no wrong answer that was checked leaves.

import { assert } from "../base/errors.js";
import { prng } from "../base/prng.js";
import type { Tier } from "../base/telemetry.js";
import { type Backend, type Loaded, type Plan, stateBytes, withTier } from "./backend.js";
import { type EncoderPlan, placeIn, placesWithin } from "./encoder.js";
import { differs, type Evidence, encoderDiffers } from "./evidence.js";
import { tolerancesOf } from "./tolerance.js";

/** Inputs of the self-test; the first is the greatest step, the second the least. */
const SELF_TESTS = 6;
/** Of an encoder: more values each, and a reference that takes its time. */
const ENCODER_SELF_TESTS = 2;
/** Multiplications of an encoder's check on the reference: some 0.1 s; one place, if it has more. */
const CHECK_MACS = 2 ** 24;
const SEED = 20_261;

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
  /** Share of inferences that are checked, 0 to 1. */
  readonly share: number;
  /** Once for each network on the device; the second may come while the first is in use. */
  readonly report: (outage: Outage) => void;
  /** A network that the device cannot take. That is no fault of its own: others go on using it. */
  readonly pass?: (why: string) => void;
};

export type Guarded = Backend & {
  /** The device itself: what is timed, for checks would count as its speed. */
  readonly bare: Backend;
  /** Takes the device out for what was seen of it elsewhere. */
  fail(why: string): void;
};

/** `truth` is what goes on when `backend` is taken out. */
export function guard(backend: Backend, truth: Backend, options: GuardOptions): Guarded {
  const { report, pass = () => {} } = options;
  const every = everyOf(options.share);
  let out: string | null = null;
  const takeOut: TakeOut = (when, why, evidence) => {
    out = why;
    const { input = [], found = [], expected = [] } = evidence ?? {};
    report({ backend: backend.name, when, why, input, found, expected });
  };
  /** The device where it passed its test, with the reference behind it; else the reference. */
  const hold = (subject: Subject, batch: number, short: Subject | null): Loaded => {
    const right = subject.open(truth, batch);
    const found = out === null ? tried(backend, truth, subject, short, batch, takeOut) : null;
    if (found === null) return withTier(right, truth);
    const { loaded, trial } = found;
    // Without checks the second copy of a large encoder need not be kept.
    const whole = short === null || !Number.isFinite(every);
    const check = whole ? checkWhole(subject, loaded, right, batch) : checkShort(trial);
    let calls = 0;
    let alone = subject.state_bytes === 0;
    /** What a device that is out remembers of the past is not trusted: it begins again. */
    const goOn = (x: Float32Array, y: Float32Array, count: number): void => {
      for (let asset = 0; !alone && asset < batch; asset++) right.reset(asset);
      alone = true;
      right.infer(x, y, count);
    };
    return {
      get tier() {
        return out === null ? (loaded.tier ?? backend.tier) : (right.tier ?? truth.tier);
      },
      infer(x, y, count): void {
        if (out !== null) return goOn(x, y, count);
        calls += 1;
        const due = calls % every === 0;
        try {
          if (due) check.before(count);
          loaded.infer(x, y, count);
        } catch (error) {
          takeOut("operation", textOf(error), null);
          return goOn(x, y, count);
        }
        const checked = due ? check.after(x, y, count) : null;
        if (checked === null) return;
        takeOut("operation", checked.evidence.why, checked.evidence);
        if (checked.expected === null) goOn(x, y, count);
        else y.set(checked.expected);
      },
      reset(asset): void {
        loaded.reset(asset);
        right.reset(asset);
      },
      close: () => loaded.close?.(),
    };
  };
  const lack = (plan: Plan): string | null =>
    out === null ? (backend.lack?.(plan) ?? null) : `it was taken out: ${out}`;
  return {
    ...backend,
    bare: backend,
    fail(why): void {
      if (out === null) takeOut("self-test", why, null);
    },
    lack,
    load(plan, batch): Loaded {
      const lacking = out === null ? lack(plan) : null;
      if (lacking === null) return hold(networkOf(plan, backend.tier), batch, null);
      pass(`${backend.name}: ${lacking}`);
      return withTier(truth.load(plan, batch), truth);
    },
    loadEncoder(plan, batch): Loaded {
      if (backend.encoders === false) return withTier(truth.loadEncoder(plan, batch), truth);
      const sequence = placesWithin(plan, CHECK_MACS);
      // All its weights, over a sequence short enough for the reference.
      const short = sequence < plan.sequence ? encoderOf({ ...plan, sequence }) : null;
      return hold(encoderOf(plan), batch, short);
    },
  };
}

/** Every how many inferences one is checked. */
export function everyOf(share: number): number {
  assert(share >= 0 && share <= 1, "guard: a share");
  return share > 0 ? Math.round(1 / share) : Number.POSITIVE_INFINITY;
}

export const textOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

type TakeOut = (when: Outage["when"], why: string, evidence: Evidence | null) => void;

/** What is held against the reference: a network or an encoder. */
type Subject = {
  readonly open: (on: Backend, batch: number) => Loaded;
  /** Values of one asset that go in and come out. */
  readonly sizeIn: number;
  readonly sizeOut: number;
  readonly state_bytes: number;
  /** Inputs of the self-test. */
  readonly trials: () => readonly Float32Array[];
  readonly differs: (x: Float32Array, y: Float32Array, expected: Float32Array) => Evidence | null;
};

function networkOf(plan: Plan, tier: Tier): Subject {
  const tolerances = tolerancesOf(plan, tier);
  const { channels, lines, length, inverse } = plan.input;
  const random = prng(SEED, "self-test");
  const sizeIn = channels * lines * length;
  const trial = (i: number): Float32Array =>
    Float32Array.from({ length: sizeIn }, () => {
      const step = i < 2 ? 127 - 254 * i : 254 * random.next() - 127;
      return Math.round(step) / inverse;
    });
  return {
    open: (on, batch) => on.load(plan, batch),
    sizeIn,
    sizeOut: plan.output.channels * plan.output.places,
    state_bytes: stateBytes(plan),
    trials: () => Array.from({ length: SELF_TESTS }, (_, i) => trial(i)),
    differs: (x, y, expected) => differs(plan, tolerances, x, y, expected),
  };
}

function encoderOf(plan: EncoderPlan): Subject {
  const [sizeIn, sizeOut] = [plan.sequence * placeIn(plan), plan.sequence * plan.width];
  const most = plan.limit / (plan.layers[0]?.in.inverse ?? 1);
  const random = prng(SEED, "self-test");
  const trial = (): Float32Array =>
    Float32Array.from({ length: sizeIn }, () => most * (2 * random.next() - 1));
  return {
    open: (on, batch) => on.loadEncoder(plan, batch),
    ...{ sizeIn, sizeOut, state_bytes: 0 },
    trials: () => Array.from({ length: ENCODER_SELF_TESTS }, trial),
    differs: (x, y, expected) => encoderDiffers(plan, x, y, expected),
  };
}

/** What is wrong with an answer, and the right one where the check has it. */
type Checked = { readonly evidence: Evidence; readonly expected: Float32Array | null };
type Check = {
  before(count: number): void;
  after(x: Float32Array, y: Float32Array, count: number): Checked | null;
};

/** The whole answer, from the state that the device had before it. */
function checkWhole(subject: Subject, device: Loaded, right: Loaded, batch: number): Check {
  const whole = new Float32Array(subject.sizeOut * batch);
  return {
    before(count): void {
      if (subject.state_bytes === 0) return;
      for (let asset = 0; asset < count; asset++) {
        const state = device.stateOf?.(asset);
        assert(state !== undefined && right.setState !== undefined, "guard: a state to begin with");
        right.setState(asset, state);
      }
    },
    after(x, y, count): Checked | null {
      const expected = whole.subarray(0, y.length);
      right.infer(x, expected, count);
      const evidence = subject.differs(x, y, expected);
      return evidence === null ? null : { evidence, expected };
    },
  };
}

/** A subject on its device and on the reference, each alone. */
type Pair = { readonly subject: Subject; readonly device: Loaded; readonly right: Loaded };

/** The first places of the live input, through all weights: the reference cannot take them all. */
function checkShort({ subject, device, right }: Pair): Check {
  const [y, expected] = [new Float32Array(subject.sizeOut), new Float32Array(subject.sizeOut)];
  return {
    before(): void {},
    after(x): Checked | null {
      const first = x.subarray(0, subject.sizeIn);
      device.infer(first, y, 1);
      right.infer(first, expected, 1);
      const evidence = subject.differs(first, y, expected);
      return evidence === null ? null : { evidence, expected: null };
    },
  };
}

/** `subject` on its device after the self-test, on `short` where given; null: it did not pass. */
function tried(
  backend: Backend,
  truth: Backend,
  subject: Subject,
  short: Subject | null,
  batch: number,
  takeOut: TakeOut,
): { readonly loaded: Loaded; readonly trial: Pair } | null {
  const tested = short ?? subject;
  const [y, expected] = [new Float32Array(tested.sizeOut), new Float32Array(tested.sizeOut)];
  try {
    const device = tested.open(backend, short === null ? batch : 1);
    const right = tested.open(truth, 1);
    for (const x of tested.trials()) {
      device.infer(x, y, 1);
      right.infer(x, expected, 1);
      const evidence = tested.differs(x, y, expected);
      if (evidence === null) continue;
      takeOut("self-test", evidence.why, evidence);
      return null;
    }
    device.reset(0);
    const loaded = short === null ? device : subject.open(backend, batch);
    return { loaded, trial: { subject: tested, device, right } };
  } catch (error) {
    takeOut("self-test", textOf(error), null);
    return null;
  }
}
