//! The same integers on every backend this machine has: random networks, shapes at and around the
//! edges of tiles, extremes, batches, values that are no numbers.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Backend, type Plan, stateBytes } from "../../agent/accel/backend.js";
import { reference } from "../../agent/accel/reference.js";
import { DRIVERS } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { mixedPlan } from "./mixed-plans.js";
import { inputFor, layerOf, planFrom, randomPlan } from "./plans.js";

const others = DRIVERS.filter(({ name, tier }) => tier === "exact" && name !== reference.name);

function outputs(backend: Backend, plan: Plan, x: Float32Array, batch: number): Float32Array {
  const loaded = backend.load(plan, batch);
  const y = new Float32Array(batch * plan.output.channels * plan.output.places).fill(7);
  loaded.infer(x, y, batch);
  const again = new Float32Array(y.length);
  loaded.infer(x, again, batch);
  // Nothing but the state of a plan that has one may stay behind, and that can be forgotten.
  if (plan.state.length === 0) expect(again).toEqual(y);
  if (plan.state.length === 0) return y;
  const states = Array.from({ length: batch }, (_, asset) => [...(loaded.stateOf?.(asset) ?? [])]);
  expect(states.flat()).toHaveLength(batch * stateBytes(plan));
  for (let asset = 0; asset < batch; asset++) loaded.reset(asset);
  const anew = new Float32Array(y.length);
  loaded.infer(x, anew, batch);
  expect(anew).toEqual(y);
  return Float32Array.from([...y, ...again, ...states.flat()]);
}

for (const { name, probe, open } of others) {
  const absent = probe();
  test.skipIf(absent !== null)(`${name} gives the integers of the reference`, () => {
    const backend = open();
    const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    const batch = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(seed, batch, fc.boolean(), (s, count, bad) => {
        const plan = s % 2 === 0 ? randomPlan(s) : mixedPlan(s);
        const x = inputFor(s, plan, count, bad);
        expect(outputs(backend, plan, x, count)).toEqual(outputs(reference, plan, x, count));
      }),
      { numRuns: 120 },
    );
  });

  test.skipIf(absent !== null)(`${name} rounds on and beside ties, and clips the largest`, () => {
    const shapes = [{ kind: "dense", rows: 70 }] as const;
    for (const ternary of [true, false]) {
      const options = { channels: 40, length: 1, shapes, sums: false, ternary: () => ternary };
      const plan = planFrom(prng(5, "ties"), options);
      const [stage] = plan.stages;
      if (stage === undefined) throw new Error("a plan without a stage");
      const layer = layerOf(prng(6, "ties"), 70, 40, ternary);
      for (let row = 0; row < 70; row++) {
        const large = row >= 64; // by themselves: beside them no kernel takes the short way
        layer.multiplier[row] = large ? 32_767 : 16_384 + (row % 3) - 1;
        layer.shift[row] = large ? 1 : (ternary ? 15 : 20) + (row % 4);
        layer.bias[row] = large ? (row % 2 === 0 ? 1 : -1) * 2 ** 30 : row - 35;
      }
      const tied = { ...plan, stages: [{ ...stage, layer }] };
      for (let seed = 0; seed < 20; seed++) {
        const x = inputFor(seed, tied, 7, false);
        expect(outputs(open(), tied, x, 7)).toEqual(outputs(reference, tied, x, 7));
      }
    }
  });

  test.skipIf(absent !== null)(`${name} takes one row through many tiles, forth and back`, () => {
    for (const [rows, channels, sums, all] of [
      [449, 13, true, true],
      [700, 1026, true, true],
      [577, 259, false, true],
      [449, 67, false, false],
    ] as const) {
      const shapes = [{ kind: "dense", rows }] as const;
      const options = { channels, length: 1, shapes, sums, ternary: () => all };
      const plan = planFrom(prng(rows, "tiles"), options);
      const x = inputFor(rows, plan, 1, false);
      expect(outputs(open(), plan, x, 1)).toEqual(outputs(reference, plan, x, 1));
    }
  });

  test.skipIf(absent !== null)(
    `${name} keeps outputs apart, all steps at 127 and weights of other signs`,
    () => {
      const shapes = [{ kind: "dense", rows: 70 }] as const;
      const options = { channels: 200, length: 1, shapes, sums: true, ternary: () => true };
      const plan = planFrom(prng(5, "plan"), options);
      const [stage] = plan.stages;
      if (stage === undefined) throw new Error("a plan without a stage");
      const signs = [() => 1, () => -1, (c: number) => (c % 2 === 0 ? 1 : -1)] as const;
      const sign = (which: number, c: number) => (signs[which % 3] as (c: number) => number)(c);
      const layer = { ...layerOf(prng(6, "layer"), 70, 200, true) };
      // Of outputs 16 apart one has a weight of each sign.
      for (const i of layer.weights.keys()) {
        const row = Math.floor(i / 200);
        layer.weights[i] = sign(row + (row >> 4), i % 200);
      }
      const full = { ...plan, stages: [{ ...stage, layer }] };
      for (const batch of [1, 2, 3, 4, 6]) {
        const x = Float32Array.from({ length: 200 * batch }, (_, i) => {
          return 1000 * sign(Math.floor(i / 200), i % 200);
        });
        const expected = outputs(reference, full, x, batch);
        expect(outputs(open(), full, x, batch)).toEqual(expected);
      }
    },
  );

  test.skipIf(absent !== null)(
    `${name} holds at the widest layer, all weights and x at 127`,
    () => {
      for (const ternary of [true, false]) {
        const shapes = [{ kind: "dense", rows: 66 }] as const;
        const options = { channels: 65_536, length: 1, shapes, sums: true, ternary: () => ternary };
        const plan = planFrom(prng(3, "plan"), options);
        const [stage] = plan.stages;
        if (stage === undefined) throw new Error("a plan without a stage");
        const layer = { ...layerOf(prng(4, "layer"), 66, 65_536, ternary) };
        layer.weights.fill(ternary ? 1 : 127);
        const full = { ...plan, stages: [{ ...stage, layer }] };
        for (const sign of [-1, 1]) {
          const x = new Float32Array(65_536).fill(sign * 1000);
          const found = outputs(open(), full, x, 1);
          expect(found).toEqual(outputs(reference, full, x, 1));
        }
      }
    },
  );
}
