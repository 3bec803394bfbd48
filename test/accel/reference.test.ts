import fc from "fast-check";
import { expect, test } from "vitest";
import type { Layer, Stage } from "../../agent/accel/backend.js";
import { reference } from "../../agent/accel/reference.js";
import { requantise, runStage } from "../../agent/accel/reference-stages.js";

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

test("stages without a matrix, number by number", () => {
  const rows = (at: number, step: number) => ({ at, step, line: 0 });
  const one = { lines: 1, places: 2, channels: 2 };
  const wide = (at: number) => ({ ...rows(at, 4), wide: true });
  const narrow = (at: number) => ({ ...rows(at, 2), wide: false });
  const arena = Int8Array.of(10, -20, 30, 127, ...new Array<number>(60).fill(0));
  const table = Int8Array.from({ length: 256 }, (_, i) => (i === 138 ? 77 : -1));
  runStage({ kind: "table", ...one, x: rows(0, 2), y: rows(4, 2), table }, arena);
  expect([...arena.subarray(4, 8)]).toEqual([77, -1, -1, -1]);
  // 10 * 1.5 + 0.5 is 15.5: up; -20 * -1 + 0.5; 30 * 1.5 + 0.5; 127 * -1 + 0.5 is -126.5: up.
  const gains = { gainA: Int32Array.of(3, -2), gainB: new Int32Array(2) };
  const add = {
    ...({ kind: "add", ...one, ...gains } as const),
    bias: Int32Array.of(1, 1),
    shift: Uint8Array.of(1, 1),
  };
  runStage({ ...add, a: narrow(0), b: narrow(0), y: narrow(8), relu: false }, arena);
  expect([...arena.subarray(8, 12)]).toEqual([16, 21, 46, -126]);
  runStage({ ...add, a: narrow(0), b: narrow(0), y: narrow(8), relu: true }, arena);
  expect(arena[11]).toBe(0);
  // int16: 127 * 200 = 25,400, little-endian, and back by 1/256: 99.7.
  const up = { gainA: Int32Array.of(400, 400), bias: new Int32Array(2) };
  runStage({ ...add, ...up, a: narrow(0), b: narrow(0), y: wide(16), relu: false }, arena);
  expect([arena[22], arena[23]]).toEqual([25_400 & 127, 25_400 >> 8]);
  const down = { gainA: Int32Array.of(1, 1), shift: Uint8Array.of(8, 8), bias: new Int32Array(2) };
  runStage({ ...add, ...down, a: wide(16), b: wide(16), y: narrow(24), relu: false }, arena);
  // 2,000 / 256 is 7.8, -4,000 / 256 -15.6, 6,000 / 256 23.4.
  expect([...arena.subarray(24, 28)]).toEqual([8, -16, 23, 99]);
  const gate = { kind: "mul", ...one, a: rows(0, 2), b: rows(0, 0), multiplier: 1 } as const;
  runStage({ ...gate, y: rows(28, 2), shift: 2 }, arena);
  // 100 / 4, 400 / 4, 300 / 4, -2,540 / 4 is clipped.
  expect([...arena.subarray(28, 32)]).toEqual([25, 100, 75, -127]);
  const window = { height: 1, width: 2, kernel: [1, 2], stride: [1, 1], pad: [0, 1] } as const;
  const pool = { kind: "pool", ...one, ...window, x: rows(0, 2), y: rows(32, 2) } as const;
  // The window at the edge holds one value, whose divisor is 1; two are halved, half up.
  const scale = { multiplier: Uint16Array.of(2, 1), shift: Uint8Array.of(1, 1) };
  runStage({ ...pool, mode: "average", ...scale }, arena);
  expect([...arena.subarray(32, 36)]).toEqual([10, -20, 20, 54]);
  runStage({ ...pool, mode: "max", ...scale }, arena);
  expect([...arena.subarray(32, 36)]).toEqual([10, -20, 30, 127]);
});
