//! Devices that are wrong, that fail, and that are right: what leaves is always the reference's.
import { expect, test } from "vitest";
import type { Backend } from "../../agent/accel/backend.js";
import { guard, type Outage } from "../../agent/accel/guard.js";
import { reference } from "../../agent/accel/reference.js";
import { tolerancesOf } from "../../agent/accel/tolerance.js";
import type { Tier } from "../../agent/base/telemetry.js";
import { inputFor, randomPlan } from "./plans.js";

type Fault = (call: number, y: Float32Array) => void;

/** The reference with something done to its answers; calls count over all networks. */
function device(fault: Fault, tier: Tier = "exact"): Backend {
  let calls = 0;
  return {
    ...reference,
    name: "device",
    tier,
    load(plan, batch) {
      const loaded = reference.load(plan, batch);
      return {
        ...loaded,
        infer(x, y, count): void {
          loaded.infer(x, y, count);
          calls += 1;
          fault(calls, y);
        },
      };
    },
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
