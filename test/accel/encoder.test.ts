//! The float tier: every backend but the reference against the encoder in doubles, within the stated bound.
import { expect, test } from "vitest";
import type { Backend } from "../../agent/accel/backend.js";
import { type EncoderPlan, encoderBound, placeIn } from "../../agent/accel/encoder.js";
import { openNative } from "../../agent/accel/native.js";
import { loadReferenceEncoder } from "../../agent/accel/reference-encoder.js";
import { DRIVERS } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { randomEncoder } from "./encoders.js";

const SHAPES = [
  { sequence: 7, width: 32, heads: 2, hidden: 64, limit: 127, depth: 3, kept: 1 },
  { sequence: 33, width: 128, heads: 2, hidden: 320, limit: 127, depth: 2, kept: 0.3 },
  { sequence: 20, width: 256, heads: 4, hidden: 512, limit: 7, depth: 2, kept: 1 },
] as const;
const FORMS = [
  { order: "pre", activation: "gelu", ends: true },
  { masked: true, activation: "gelu" },
  { order: "pre", norm: "rms", activation: "relu", masked: true },
  { norm: "rms", ends: true },
] as const;

/** Every other place of the first sequence masked, all places of the second. */
function hide(plan: EncoderPlan, x: Float32Array): void {
  const { sequence, width } = plan;
  for (let place = 0; plan.masked && place < 2 * sequence; place++) {
    x[place * (width + 1) + width] = place % 2 === 0 || place >= sequence ? -1e30 : 0.1;
  }
}

function infer(loaded: ReturnType<Backend["loadEncoder"]>, plan: EncoderPlan, bad: boolean) {
  const size = plan.sequence * plan.width;
  const random = prng(5, "x");
  const x = Float32Array.from({ length: 2 * plan.sequence * placeIn(plan) }, () => random.normal());
  hide(plan, x);
  if (bad) x[3] = Number.NaN;
  const y = new Float32Array(2 * size);
  loaded.infer(x, y, 2);
  const again = new Float32Array(2 * size);
  loaded.infer(x, again, 2);
  expect(again).toEqual(y);
  return y;
}

const native = DRIVERS.filter(({ name }) => /^(avx|neon|wasm)/.test(name));
for (const { name, probe, open } of native) {
  test.skipIf(probe() !== null)(`${name} runs encoders within the bound`, () => {
    for (const [seed, shape] of SHAPES.entries()) {
      const plan = randomEncoder(seed, shape);
      const expected = infer(loadReferenceEncoder(plan, 2), plan, false);
      const found = infer(open().loadEncoder(plan, 2), plan, false);
      const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const off = found.reduce((a, b, i) => Math.max(a, Math.abs(b - (expected[i] as number))), 0);
      expect(largest).toBeGreaterThan(1);
      expect(off / largest).toBeLessThan(encoderBound(plan));
    }
  });
  test.skipIf(probe() !== null)(`${name} runs every form of a layer`, () => {
    for (const [seed, form] of FORMS.entries()) {
      const plan = randomEncoder(seed, { ...SHAPES[0], form });
      const expected = infer(loadReferenceEncoder(plan, 2), plan, false);
      const found = infer(open().loadEncoder(plan, 2), plan, false);
      const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const off = found.map((value, i) => Math.abs(value - (expected[i] as number)));
      expect(Math.max(...off) / largest).toBeLessThan(encoderBound(plan));
      // A step that tipped over is off in a few rows, and the median shows a GELU of the other form;
      // where sums or their size are passed on it is off everywhere by a little.
      const passed = plan.order === "pre" || plan.norm === "rms";
      const median = off.sort()[off.length >> 1] as number;
      const most = passed ? encoderBound(plan) / 6 : 1e-4;
      expect(median / largest, JSON.stringify(form)).toBeLessThan(most);
    }
  });
}

test.skipIf(native.every(({ probe }) => probe() !== null))(
  "a token of zeros attends to all alike, and to nothing beyond the sequence",
  () => {
    const { open } = native.find(({ probe }) => probe() === null) as (typeof native)[number];
    const shape = { sequence: 5, width: 64, heads: 2, hidden: 128, limit: 127, depth: 1, kept: 1 };
    const plan = randomEncoder(3, shape);
    plan.layers[0]?.in.bias.fill(0);
    const random = prng(6, "x");
    const x = Float32Array.from({ length: 5 * 64 }, (_, i) => (i < 64 ? 0 : random.normal()));
    const [expected, found] = [new Float32Array(5 * 64), new Float32Array(5 * 64)];
    loadReferenceEncoder(plan, 1).infer(x, expected, 1);
    open().loadEncoder(plan, 1).infer(x, found, 1);
    const off = found.map((value, i) => Math.abs(value - (expected[i] as number)));
    expect(Math.max(...off)).toBeLessThan(encoderBound(plan) * Math.max(...expected.map(Math.abs)));
  },
);

for (const { name, probe, open } of native) {
  test.skipIf(probe() !== null)(
    `${name} clips what is far beyond the steps at the end it is`,
    () => {
      const plan = randomEncoder(4, SHAPES[0]);
      const size = plan.sequence * plan.width;
      const random = prng(7, "x");
      const x = Float32Array.from({ length: size }, () => random.normal());
      x[1] = 1e9;
      x[plan.width] = -1e9;
      const [expected, found] = [new Float32Array(size), new Float32Array(size)];
      loadReferenceEncoder(plan, 1).infer(x, expected, 1);
      open().loadEncoder(plan, 1).infer(x, found, 1);
      const off = found.map((value, i) => Math.abs(value - (expected[i] as number)));
      expect(Math.max(...off)).toBeLessThan(
        encoderBound(plan) * Math.max(...expected.map(Math.abs)),
      );
    },
  );
}

for (const { name, probe, open } of native) {
  test.skipIf(probe() !== null)(
    `${name}: a NaN makes its own sequence NaN; threads change nothing`,
    () => {
      const sizes = {
        sequence: 48,
        width: 256,
        heads: 4,
        hidden: 512,
        limit: 127,
        depth: 2,
        kept: 1,
      };
      const plan = randomEncoder(9, sizes);
      const found = infer(open().loadEncoder(plan, 2), plan, true);
      const half = found.length / 2;
      expect(found.subarray(0, half).every(Number.isNaN)).toBe(true);
      expect(found.subarray(half).every(Number.isFinite)).toBe(true);
      for (const lanes of name === "wasm" ? [] : [1, 2]) {
        expect(infer(openNative(name, lanes).loadEncoder(plan, 2), plan, true)).toEqual(found);
      }
    },
  );
}

const best = native.find(({ probe }) => probe() === null);
test.skipIf(best === undefined)("a step that tips over grows with depth, within the bound", () => {
  const shape = { sequence: 4, width: 64, heads: 2, hidden: 128, limit: 127, depth: 12, kept: 1 };
  const size = 2 * shape.sequence * shape.width;
  let most = 0;
  for (let seed = 100; seed < 120; seed++) {
    const plan = randomEncoder(seed, shape);
    const backend = (best as (typeof native)[number]).open();
    const [found, truth] = [backend.loadEncoder(plan, 2), loadReferenceEncoder(plan, 2)];
    const random = prng(seed, "x");
    for (let i = 0; i < 4; i++) {
      const x = Float32Array.from({ length: size }, () => random.normal());
      const [y, expected] = [new Float32Array(size), new Float32Array(size)];
      found.infer(x, y, 2);
      truth.infer(x, expected, 2);
      const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const off = y.reduce((a, b, k) => Math.max(a, Math.abs(b - (expected[k] as number))), 0);
      most = Math.max(most, off / largest / encoderBound(plan));
    }
  }
  expect(most).toBeLessThan(1);
  expect(most, "or nothing tipped over, and the test saw nothing").toBeGreaterThan(0.01);
});

test.skipIf(best === undefined)(
  "queries of zeros weigh all keys alike, and none beyond them",
  () => {
    const plan = randomEncoder(4, SHAPES[0]);
    // With x = 0 a query is its bias.
    const layers = plan.layers.map((layer) => {
      const bias = layer.in.bias.map((b, row) => (row < plan.width ? 0 : 4 * b));
      return { ...layer, in: { ...layer.in, bias } };
    });
    const zero = { ...plan, layers };
    const x = new Float32Array(plan.sequence * plan.width);
    const [found, truth] = [new Float32Array(x.length), new Float32Array(x.length)];
    (best as (typeof native)[number]).open().loadEncoder(zero, 1).infer(x, found, 1);
    loadReferenceEncoder(zero, 1).infer(x, truth, 1);
    const off = Math.max(...found.map((value, i) => Math.abs(value - (truth[i] as number))));
    expect(off / Math.max(...truth.map(Math.abs))).toBeLessThan(encoderBound(plan));
  },
);

test("an encoder of the wrong shape is refused before any memory is taken", () => {
  const good = randomEncoder(0, SHAPES[0]);
  const bad: readonly [Partial<EncoderPlan>, RegExp][] = [
    [{ sequence: 0 }, /a sequence has 1 to/],
    [{ sequence: 2 ** 30 }, /a sequence has 1 to/],
    [{ heads: 3 }, /a head has not/],
    [{ limit: 128 }, /limit/],
    [{ hidden: 48 }, /shape of a projection/],
    [{ epsilon: Number.NaN }, /layers/],
    [{ layers: [] }, /layers/],
  ];
  for (const [change, message] of bad) {
    expect(() => loadReferenceEncoder({ ...good, ...change }, 1)).toThrow(message);
  }
});
