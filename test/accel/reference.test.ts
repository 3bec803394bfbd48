import fc from "fast-check";
import { expect, test } from "vitest";
import type { Layer } from "../../agent/accel/backend.js";
import { reference, requantise } from "../../agent/accel/reference.js";

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

test("a layer is its sums, requantised, for every row of a batch", () => {
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
  const prepared = reference.prepare(layer);
  const x = Int8Array.of(10, 20, 30, -127, 127, 1);
  const sums = new Int32Array(4);
  prepared.sums(x, sums, 2);
  expect([...sums]).toEqual([10 - 20 + 5, 127 * 60 - 7, -254 + 5, 127 - 7]);
  const y = new Int8Array(4);
  prepared.run(x, y, 2);
  // -2.5 and -124.5 fall to the relu; 7613 / 64 is 118.95.
  expect([...y]).toEqual([0, 119, 0, 2]);
});
