import fc from "fast-check";
import { expect, test } from "vitest";
import type { Layer, Stage } from "../../agent/accel/backend.js";
import { reference } from "../../agent/accel/reference.js";
import { requantise } from "../../agent/accel/reference-stages.js";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

test("requantise rounds half up and clips to +-127, exact to the last bit", () => {
  expect(requantise(1, 1, 1)).toBe(1); // 0.5
  expect(requantise(-1, 1, 1)).toBe(0); // -0.5
  expect(requantise(-3, 1, 1)).toBe(-1); // -1.5
  expect(requantise(2 ** 31 - 1, 32_767, 1)).toBe(127);
  expect(requantise(-(2 ** 31), 32_767, 1)).toBe(-127);
  const multiplier = fc.integer({ min: 1, max: 32_767 });
  fc.assert(
    fc.property(int32, multiplier, fc.integer({ min: 1, max: 31 }), (sum, m, s) => {
      const exact = (BigInt(sum) * BigInt(m) + (1n << BigInt(s - 1))) >> BigInt(s);
      const clipped = exact < -127n ? -127 : exact > 127n ? 127 : Number(exact);
      expect(requantise(sum, m, s)).toBe(clipped);
    }),
  );
});

test("a layer is its sums, requantised, at every place", () => {
  const layer: Layer = {
    rows: 2,
    cols: 3,
    weights: Int8Array.of(1, -1, 0, 127, 127, 127),
    ternary: false,
    bias: Int32Array.of(5, -7),
    multiplier: Uint16Array.of(16_384, 16_384),
    shift: Uint8Array.of(15, 20),
    relu: true,
  };
  const stage: Stage = {
    ...{ kind: "matmul", layer, lines: 1, places: 2, runs: null },
    x: { at: 0, step: 3, line: 0 },
    y: { at: 8, step: 2, line: 0 },
  };
  const input = { channels: 6, lines: 1, length: 1, at: 0, line: 0, inverse: 1 };
  const output = { channels: 2, places: 2, at: 8, relu: false };
  const x = Float32Array.of(10, 20, 30, -127, 127, 1);
  const y = new Float32Array(4);
  const scale = Float64Array.of(1, 2);
  const plan = { input, stages: [stage], state: [], arena_bytes: 12 };
  reference.load({ ...plan, output: { ...output, scale, sums: true } }, 1).infer(x, y, 1);
  // Channel-first: both places of row 0, then both of row 1 at twice the scale.
  expect([...y]).toEqual([-5, -249, 2 * (127 * 60 - 7), 2 * 120]);
  reference.load({ ...plan, output: { ...output, scale, sums: false } }, 1).infer(x, y, 1);
  // -2.5 and -124.5 fall to the relu; 7613 / 64 is 118.95.
  expect([...y]).toEqual([0, 0, 238, 4]);
});
