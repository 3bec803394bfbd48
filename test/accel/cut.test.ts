//! A plan in parts gives the integers of the plan, wherever it is cut and whatever runs the parts.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Backend, Stage } from "../../agent/accel/backend.js";
import { cutsOf, loadParts, partsOf } from "../../agent/accel/cut.js";
import { reference } from "../../agent/accel/reference.js";
import { DRIVERS } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { mixedPlan } from "./mixed-plans.js";
import { inputFor, planFrom, randomPlan } from "./plans.js";

const exact: readonly Backend[] = DRIVERS.filter(
  ({ tier, probe }) => tier === "exact" && probe() === null,
).map(({ open }) => open());

test("any cuts, any exact backends: identical integers", () => {
  let hybrid = 0;
  fc.assert(
    fc.property(
      fc.nat(2 ** 31 - 1),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      (seed, count, bad) => {
        const plan = seed % 2 === 0 ? randomPlan(seed) : mixedPlan(seed);
        const random = prng(seed, "cuts");
        const cuts = cutsOf(plan).filter(() => random.next() < 0.6);
        const parts = partsOf(plan, cuts).map((part) => ({
          ...part,
          backend: exact[Math.floor(random.next() * exact.length)] as Backend,
        }));
        if (parts.length > 1) hybrid += 1;
        const x = inputFor(seed, plan, count, bad);
        const size = plan.output.channels * plan.output.places;
        const [found, expected] = [new Float32Array(count * size), new Float32Array(count * size)];
        loadParts(plan, parts, count).infer(x, found, count);
        reference.load(plan, count).infer(x, expected, count);
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 150 },
  );
  expect(hybrid).toBeGreaterThan(30);
});

test("a chain may be cut before every stage but the first", () => {
  const shapes = [
    { kind: "conv", rows: 8, kernel: 3, stride: 1, pad: 1 },
    { kind: "conv", rows: 8, kernel: 3, stride: 2, pad: 1 },
    { kind: "dense", rows: 4 },
  ] as const;
  const options = { channels: 2, length: 16, shapes, sums: true, ternary: () => true };
  expect(cutsOf(planFrom(prng(1, "chain"), options))).toEqual([1, 2]);
});

test("no cut where a residual goes past it, and none in a plan with state", () => {
  const shapes = [1, 2, 3].map(() => ({ kind: "dense", rows: 8 }) as const);
  const options = { channels: 8, length: 1, shapes, sums: false, ternary: () => true };
  const plan = planFrom(prng(1, "residual"), options);
  const [first, second, third] = plan.stages;
  if (first?.kind !== "matmul" || second === undefined || third?.kind !== "matmul")
    throw new Error();
  const wide = { step: 8, line: 0, wide: false };
  const ones = new Int32Array(8).fill(1);
  // The third stage becomes a sum of what the first and the second wrote.
  const sum: Stage = {
    ...{
      kind: "add" as const,
      lines: 1,
      places: 1,
      channels: 8,
      gainA: ones,
      gainB: ones,
      relu: false,
    },
    ...{
      bias: new Int32Array(8),
      shift: new Uint8Array(8).fill(1),
      y: { ...third.y, wide: false },
    },
    a: { ...wide, at: first.y.at },
    b: { ...wide, at: second.y.at },
  };
  expect(cutsOf({ ...plan, stages: [first, second, sum] })).toEqual([1]);
  expect(cutsOf({ ...plan, state: [{ from: 0, to: 64, bytes: 4 }] })).toEqual([]);
});
