//! Devices that are wrong, that fail, and that are right: what leaves is always the reference's.
import { expect, test } from "vitest";
import type { Backend, Loaded, Plan } from "../../agent/accel/backend.js";
import { layerBound } from "../../agent/accel/encoder.js";
import { guard, type Outage } from "../../agent/accel/guard.js";
import { reference } from "../../agent/accel/reference.js";
import { DRIVERS } from "../../agent/accel/registry.js";
import { tolerancesOf } from "../../agent/accel/tolerance.js";
import { prng } from "../../agent/base/prng.js";
import type { Tier } from "../../agent/base/telemetry.js";
import { randomEncoder } from "./encoders.js";
import { mixedPlan } from "./mixed-plans.js";
import { inputFor, randomPlan } from "./plans.js";

type Fault = (call: number, y: Float32Array) => void;

/** The reference with something done to its answers; calls count over all networks. */
function device(fault: Fault, tier: Tier = "exact"): Backend {
  let calls = 0;
  const faulty = (loaded: Loaded): Loaded => ({
    ...loaded,
    infer(x, y, count): void {
      loaded.infer(x, y, count);
      calls += 1;
      fault(calls, y);
    },
  });
  return {
    ...{ ...reference, name: "device", tier },
    load: (plan, batch) => faulty(reference.load(plan, batch)),
    loadEncoder: (plan, batch) => faulty(reference.loadEncoder(plan, batch)),
  };
}

const SELF_TESTS = 6;
const plan = randomPlan(12);
const size = plan.output.channels * plan.output.places;
const step = plan.output.scale[0] as number;
const inputs = Array.from({ length: 40 }, (_, i) => inputFor(i, plan, 1, i === 7));
const right = inputs.map((x) => {
  const y = new Float32Array(size);
  reference.load(plan, 1).infer(x, y, 1);
  return y;
});

function run(backend: Backend, share: number): { answers: Float32Array[]; outages: Outage[] } {
  const outages: Outage[] = [];
  const loaded = guard(backend, reference, { share, report: (o) => outages.push(o) }).load(plan, 1);
  const answers = inputs.map((x) => {
    const y = new Float32Array(size);
    loaded.infer(x, y, 1);
    return y;
  });
  return { answers, outages };
}

test("a device that is right is used and never reported, NaN included", () => {
  const { answers, outages } = run(
    device(() => {}),
    1,
  );
  expect(outages).toEqual([]);
  expect(answers).toEqual(right);
});

test("one that is wrong from the start never answers", () => {
  const wrong = device((_, y) => {
    y[0] = (y[0] as number) + step;
  });
  const { answers, outages } = run(wrong, 0);
  expect(outages).toMatchObject([{ backend: "device", when: "self-test" }]);
  expect(outages[0]?.why).toMatch(/^output 0 is .*, not /);
  expect(outages[0]?.found).not.toEqual(outages[0]?.expected);
  expect(answers).toEqual(right);
});

test("one that goes wrong is taken out at the first answer that is checked", () => {
  const later = device((call, y) => {
    if (call > SELF_TESTS + 10) y[size - 1] = 1e6;
  });
  const { answers, outages } = run(later, 0.25);
  expect(outages).toHaveLength(1);
  expect(outages[0]).toMatchObject({ when: "operation" });
  // The 12th is the first checked one that is wrong; the 11th left unchecked.
  expect(answers.filter((y, i) => !Object.is(y[size - 1], right[i]?.[size - 1]))).toHaveLength(1);
});

test("one that throws, at once or later, is taken out", () => {
  for (const [at, when] of [
    [1, "self-test"],
    [SELF_TESTS + 5, "operation"],
  ] as const) {
    const failing = device((call) => {
      if (call >= at) throw new Error("the device is gone");
    });
    const { answers, outages } = run(failing, 0);
    expect(outages).toMatchObject([{ when, why: "the device is gone" }]);
    expect(answers).toEqual(right);
  }
});

test("within its tier a device may differ, beyond it may not", () => {
  const off = (by: number) => device((_, y) => y.set(y.map((v) => v + by)), "within 1");
  const tolerances = tolerancesOf(plan, "within 1");
  expect(run(off(0.9 * Math.min(...tolerances)), 1).outages).toEqual([]);
  expect(run(off(1.1 * Math.max(...tolerances)), 1).outages).toHaveLength(1);
});

test("once out, it is out for the networks that come after", () => {
  const outages: Outage[] = [];
  const wrong = device((_, y) => y.fill(3));
  const guarded = guard(wrong, reference, { share: 0, report: (o) => outages.push(o) });
  for (let i = 0; i < 3; i++) guarded.load(plan, 1);
  expect(outages).toHaveLength(1);
});

const SHAPE = { sequence: 6, width: 32, heads: 2, hidden: 48, limit: 127, depth: 2, kept: 1 };

/** Twenty answers of a guarded encoder, and what the reference says. */
function runEncoder(backend: Backend, share: number, shape = SHAPE, count = 20) {
  const encoder = randomEncoder(3, shape);
  const outages: Outage[] = [];
  const options = { share, report: (o: Outage) => outages.push(o) };
  const loaded = guard(backend, reference, options).loadEncoder(encoder, 1);
  const truth = reference.loadEncoder(encoder, 1);
  const random = prng(4, "x");
  const answers = Array.from({ length: count }, () => {
    const x = Float32Array.from({ length: shape.sequence * shape.width }, () => random.normal());
    const [y, expected] = [new Float32Array(x.length), new Float32Array(x.length)];
    loaded.infer(x, y, 1);
    truth.infer(x, expected, 1);
    return { y, expected };
  });
  return { answers, outages };
}

test("an encoder is held to its bound layer by layer, before use and in operation", () => {
  const off = (share: number, from: number) =>
    device((call, y) => {
      if (call < from) return;
      const largest = y.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      y[5] = (y[5] as number) + share * largest;
    });
  const bound = layerBound(SHAPE).most;
  // Each layer alone is off, and the whole is not what they give one after another.
  const early = runEncoder(off(2 * bound, 1), 0);
  expect(early.outages).toMatchObject([
    { when: "self-test", why: expect.stringMatching(/^layer 0: output 5 is .* within/) },
  ]);
  for (const { y, expected } of early.answers) expect(y).toEqual(expected);
  const slightly = runEncoder(off(0.1 * bound, 1), 0);
  expect(slightly.outages).toMatchObject([
    { when: "self-test", why: expect.stringMatching(/ as its layers give one after another$/) },
  ]);
  const late = runEncoder(off(2 * bound, 10), 0.25);
  expect(late.outages).toMatchObject([{ backend: "device", when: "operation" }]);
  expect(late.answers[19]?.y).toEqual(late.answers[19]?.expected);
  const nothing = runEncoder(
    device((_, y) => y.fill(Number.NaN)),
    0,
  );
  expect(nothing.outages).toMatchObject([{ when: "self-test" }]);
  const sound = runEncoder(
    device(() => {}),
    1,
  );
  expect(sound.outages).toEqual([]);
});

test("an encoder too large for the reference is held to it over its first places", () => {
  const shape = { ...SHAPE, sequence: 64, width: 256, heads: 4, hidden: 512 };
  const sizes: number[] = [];
  const { outages } = runEncoder(
    device((_, y) => sizes.push(y.length)),
    1,
    shape,
    1,
  );
  expect(outages).toEqual([]);
  const [trial = 0] = sizes;
  const whole = shape.sequence * shape.width;
  expect(trial % shape.width).toBe(0);
  expect(trial).toBeLessThan(whole);
  // The live call alone is whole: what checks it before and after is short.
  expect(sizes.filter((size) => size !== trial)).toEqual([whole]);
  expect(sizes.lastIndexOf(whole)).toBeLessThan(sizes.length - 1);
  // A device whose weights went wrong after its test: that very answer is the reference's.
  const tested = sizes.indexOf(whole);
  const late = device((call, y) => {
    if (call > tested) y[0] = 1e3;
  });
  const found = runEncoder(late, 1, shape, 1);
  expect(found.outages).toMatchObject([
    { when: "operation", why: expect.stringMatching(/output 0 is 1000, not .* within/) },
  ]);
  expect(found.answers[0]?.y).toEqual(found.answers[0]?.expected);
});

/** A network that keeps a state for each of two assets, on every backend of this machine. */
const kept = mixedPlan(9);
const sizeOf = (one: Plan): number => one.output.channels * one.output.places;

function runState(backend: Backend, share: number, strike = (_: number): void => {}) {
  const outages: Outage[] = [];
  const options = { share, report: (o: Outage) => outages.push(o) };
  const loaded = guard(backend, reference, options).load(kept, 2);
  const truth = reference.load(kept, 2);
  const answers = Array.from({ length: 12 }, (_, call) => {
    strike(call);
    const x = inputFor(call, kept, 2, call === 4);
    const [y, expected] = [new Float32Array(2 * sizeOf(kept)), new Float32Array(2 * sizeOf(kept))];
    loaded.infer(x, y, 2);
    truth.infer(x, expected, 2);
    return { y, expected };
  });
  return { outages, answers, tier: loaded.tier };
}

test("a network with state is checked from the state that it had before", () => {
  expect(kept.state.length).toBeGreaterThan(0);
  for (const { name, probe, open, tier } of DRIVERS) {
    if (probe() !== null || tier !== "exact") continue;
    const { outages, answers } = runState(open(), 0.25);
    expect(outages, name).toEqual([]);
    for (const { y, expected } of answers) expect(y, name).toEqual(expected);
  }
});

test("one with state that goes wrong is corrected, and begins again without it", () => {
  let wrong = false;
  const late = device((_, y) => {
    if (wrong) y[0] = 1e6;
  }, "within 1");
  const { outages, answers, tier } = runState(late, 1, (call) => {
    wrong = call === 5;
  });
  expect(outages).toMatchObject([{ when: "operation" }]);
  expect(tier).toBe("exact");
  for (const [call, { y, expected }] of answers.entries()) {
    if (call <= 5) expect(y).toEqual(expected);
  }
  // From then on the reference, with a state that begins at zero.
  const again = reference.load(kept, 2);
  for (const [call, { y }] of answers.entries()) {
    if (call <= 5) continue;
    const expected = new Float32Array(y.length);
    again.infer(inputFor(call, kept, 2, false), expected, 2);
    expect(y).toEqual(expected);
  }
});

test("a network that a device cannot take is passed by, and others go on using it", () => {
  const narrow: Backend = {
    ...device(() => {}, "within 1"),
    lack: ({ stages }) => (stages.length === plan.stages.length ? "no model of it" : null),
  };
  const [passed, outages] = [[] as string[], [] as Outage[]];
  const pass = (why: string): void => void passed.push(why);
  const guarded = guard(narrow, reference, { share: 0, report: (o) => outages.push(o), pass });
  expect(guarded.load(plan, 1).tier).toBe("exact");
  const other = { ...plan, stages: plan.stages.slice(0, -1) };
  expect(guarded.load({ ...other, output: { ...plan.output, sums: false } }, 1).tier).toBe(
    "within 1",
  );
  expect(passed).toEqual(["device: no model of it"]);
  expect(outages).toEqual([]);
  guarded.fail("it hung");
  expect(guarded.lack?.(plan)).toBe("it was taken out: it hung");
});
