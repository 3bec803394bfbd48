//! A device under watch. Before it is used, and then on a share of what it computes, its answers are
//! held against the reference, within the tier it claims. One that is wrong, or fails, is taken out:
//! the reference goes on, the evidence is kept, and no wrong answer that was checked leaves.

import { assert } from "../base/errors.js";
import { prng } from "../base/prng.js";
import type { Tier } from "../base/telemetry.js";
import { type Backend, type Loaded, type Plan, stateBytes, withTier } from "./backend.js";
import { type EncoderPlan, placeIn, placesWithin } from "./encoder.js";
import { checkerOf } from "./encoder-check.js";
import { differs, type Evidence } from "./evidence.js";
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
  const hold = (subject: Subject, batch: number): Loaded => {
    const right = subject.open(truth, batch);
    const found = out === null ? tried(backend, truth, subject, batch, takeOut) : null;
    if (found === null) return withTier(right, truth);
    const { loaded, checkOf } = found;
    // Without checks the copies that they need are not kept.
    const check = Number.isFinite(every) ? checkOf(right) : UNCHECKED;
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
    ...(backend.encoders === undefined ? {} : { encoders: truth.name }),
    bare: backend,
    fail(why): void {
      if (out === null) takeOut("self-test", why, null);
    },
    lack,
    load(plan, batch): Loaded {
      const lacking = out === null ? lack(plan) : null;
      if (lacking === null) return hold(networkOf(plan, backend.tier), batch);
      pass(`${backend.name}: ${lacking}`);
      return withTier(truth.load(plan, batch), truth);
    },
    loadEncoder(plan, batch): Loaded {
      if (backend.encoders !== undefined) return withTier(truth.loadEncoder(plan, batch), truth);
      return hold(encoderOf(plan), batch);
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
  readonly state_bytes: number;
  /** The self-test. What is wrong, or the device as it passed. */
  readonly trial: (device: Backend, truth: Backend, batch: number) => Trial | Evidence;
};
type Trial = {
  readonly loaded: Loaded;
  /** What is checked from then on; `right` goes on where the device does not. */
  readonly checkOf: (right: Loaded) => Check;
};

/** What is wrong with an answer, and the right one where the check has it. */
type Checked = { readonly evidence: Evidence; readonly expected: Float32Array | null };
type Check = {
  before(count: number): void;
  after(x: Float32Array, y: Float32Array, count: number): Checked | null;
};
const UNCHECKED: Check = { before: () => {}, after: () => null };

function networkOf(plan: Plan, tier: Tier): Subject {
  const tolerances = tolerancesOf(plan, tier);
  const { channels, lines, length, inverse } = plan.input;
  const sizeIn = channels * lines * length;
  const sizeOut = plan.output.channels * plan.output.places;
  const state_bytes = stateBytes(plan);
  const compare = (x: Float32Array, y: Float32Array, expected: Float32Array): Evidence | null =>
    differs(plan, tolerances, x, y, expected);
  return {
    open: (on, batch) => on.load(plan, batch),
    state_bytes,
    trial(device, truth, batch): Trial | Evidence {
      const random = prng(SEED, "self-test");
      const [loaded, right] = [device.load(plan, batch), truth.load(plan, 1)];
      const [y, expected] = [new Float32Array(sizeOut), new Float32Array(sizeOut)];
      for (let i = 0; i < SELF_TESTS; i++) {
        const x = Float32Array.from({ length: sizeIn }, () => {
          const step = i < 2 ? 127 - 254 * i : 254 * random.next() - 127;
          return Math.round(step) / inverse;
        });
        loaded.infer(x, y, 1);
        right.infer(x, expected, 1);
        const evidence = compare(x, y, expected);
        if (evidence !== null) return evidence;
      }
      loaded.reset(0);
      const whole = new Float32Array(sizeOut * batch);
      return { loaded, checkOf: (truly) => checkWhole(loaded, truly, state_bytes, whole, compare) };
    },
  };
}

/** The whole answer, from the state that the device had before it. */
function checkWhole(
  device: Loaded,
  right: Loaded,
  state_bytes: number,
  whole: Float32Array,
  compare: (x: Float32Array, y: Float32Array, expected: Float32Array) => Evidence | null,
): Check {
  return {
    before(count): void {
      if (state_bytes === 0) return;
      for (let asset = 0; asset < count; asset++) {
        const state = device.stateOf?.(asset);
        assert(state !== undefined && right.setState !== undefined, "guard: a state to begin with");
        right.setState(asset, state);
      }
    },
    after(x, y, count): Checked | null {
      const expected = whole.subarray(0, y.length);
      right.infer(x, expected, count);
      const evidence = compare(x, y, expected);
      return evidence === null ? null : { evidence, expected };
    },
  };
}

/** All its weights; where the sequence is too long for the reference, over its first places. */
function encoderOf(plan: EncoderPlan): Subject {
  const sequence = placesWithin(plan, CHECK_MACS);
  const short = sequence < plan.sequence ? { ...plan, sequence } : null;
  const tested = short ?? plan;
  const [sizeIn, sizeOut] = [sequence * placeIn(plan), sequence * plan.width];
  return {
    open: (on, batch) => on.loadEncoder(plan, batch),
    state_bytes: 0,
    trial(device, truth, batch): Trial | Evidence {
      const loaded = device.loadEncoder(tested, short === null ? batch : 1);
      const differing = checkerOf(tested, device, truth);
      const y = new Float32Array(sizeOut);
      const random = prng(SEED, "self-test");
      const most = plan.limit / (plan.layers[0]?.in.inverse ?? 1);
      for (let i = 0; i < ENCODER_SELF_TESTS; i++) {
        const x = Float32Array.from({ length: sizeIn }, () => most * (2 * random.next() - 1));
        loaded.infer(x, y, 1);
        const evidence = differing(x, y);
        if (evidence !== null) return evidence;
      }
      const check: Check = {
        before(): void {},
        after(x, found, count): Checked | null {
          if (short !== null) loaded.infer(x.subarray(0, sizeIn), y, 1);
          for (let i = 0; i < (short === null ? count : 1); i++) {
            const given = x.subarray(i * sizeIn, (i + 1) * sizeIn);
            const own = short === null ? found.subarray(i * sizeOut, (i + 1) * sizeOut) : y;
            const evidence = differing(given, own);
            if (evidence !== null) return { evidence, expected: null };
          }
          return null;
        },
      };
      const whole = short === null ? loaded : device.loadEncoder(plan, batch);
      return { loaded: whole, checkOf: () => check };
    },
  };
}

/** `subject` on its device after the self-test; null: it did not pass. */
function tried(
  backend: Backend,
  truth: Backend,
  subject: Subject,
  batch: number,
  takeOut: TakeOut,
): Trial | null {
  try {
    const found = subject.trial(backend, truth, batch);
    if ("loaded" in found) return found;
    takeOut("self-test", found.why, found);
  } catch (error) {
    takeOut("self-test", textOf(error), null);
  }
  return null;
}
