//! The float tier: every backend but the reference against the encoder in doubles, layer by
//! layer.
import { expect, test } from "vitest";
import type { Backend } from "../../agent/accel/backend.js";
import { type EncoderPlan, placeIn, X_MAX } from "../../agent/accel/encoder.js";
import { checkerOf } from "../../agent/accel/encoder-check.js";
import { openNative } from "../../agent/accel/native.js";
import { reference } from "../../agent/accel/reference.js";
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
  { order: "pre", masked: true, causal: true, ends: true },
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

/** What is wrong with the answers of a backend to so many sequences; null: nothing. */
function wrong(backend: Backend, plan: EncoderPlan, x: Float32Array): string | null {
  const [sizeIn, size] = [plan.sequence * placeIn(plan), plan.sequence * plan.width];
  const count = x.length / sizeIn;
  const y = new Float32Array(count * size);
  backend.loadEncoder(plan, count).infer(x, y, count);
  const check = checkerOf(plan, backend, reference);
  const found = Array.from({ length: count }, (_, i) => {
    const [given, own] = [x.subarray(i * sizeIn), y.subarray(i * size, (i + 1) * size)];
    return check(given.subarray(0, sizeIn), own)?.why ?? null;
  });
  return found.find((why) => why !== null) ?? null;
}

function inputOf(plan: EncoderPlan, seed: number, count = 1): Float32Array {
  const random = prng(seed, "x");
  const length = count * plan.sequence * placeIn(plan);
  return Float32Array.from({ length }, () => random.normal());
}

for (const { name, probe, open } of native) {
  test.skipIf(probe() !== null)(`${name} runs encoders within the bound`, () => {
    for (const [seed, shape] of SHAPES.entries()) {
      const plan = randomEncoder(seed, shape);
      expect(wrong(open(), plan, inputOf(plan, 5, 2))).toBeNull();
    }
  });
  test.skipIf(probe() !== null)(`${name} runs every form of a layer`, () => {
    for (const [seed, form] of FORMS.entries()) {
      const plan = randomEncoder(seed, { ...SHAPES[0], form });
      const x = inputOf(plan, 5, 2);
      hide(plan, x);
      expect(wrong(open(), plan, x), JSON.stringify(form)).toBeNull();
      // The bound is wide enough for a GELU of the other form. A step that tipped over is off in a
      // few rows; where sums or their size are passed on it is off everywhere by a little.
      const passed = plan.order === "pre" || plan.norm === "rms";
      const one = { ...plan, sequence: 2, layers: plan.layers.slice(0, 1), end: null };
      const [y, expected] = [0, 1].map(() => new Float32Array(2 * plan.width));
      if (y === undefined || expected === undefined) throw new Error("two");
      open()
        .loadEncoder(one, 1)
        .infer(x.subarray(0, 2 * placeIn(one)), y, 1);
      loadReferenceEncoder(one, 1).infer(x.subarray(0, 2 * placeIn(one)), expected, 1);
      const off = y.map((value, i) => Math.abs(value - (expected[i] as number)));
      expect(off.sort()[off.length >> 1], JSON.stringify(form)).toBeLessThan(passed ? 0.01 : 1e-3);
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
    expect(wrong(open(), plan, inputOf(plan, 6).fill(0, 0, 64))).toBeNull();
  },
);

for (const { name, probe, open } of native) {
  test.skipIf(probe() !== null)(
    `${name} clips what is far beyond the steps at the end it is`,
    () => {
      const plan = randomEncoder(4, SHAPES[0]);
      for (const far of [1e9, X_MAX]) {
        const x = inputOf(plan, 7);
        x[1] = far;
        x[plan.width] = -far;
        expect(wrong(open(), plan, x)).toBeNull();
      }
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
test.skipIf(best === undefined)("a causal row changes with none behind it", () => {
  const shape = { sequence: 21, width: 64, heads: 2, hidden: 128, limit: 127, depth: 3, kept: 1 };
  const plan = randomEncoder(8, { ...shape, form: { causal: true } });
  const backend = (best as (typeof native)[number]).open();
  const loaded = backend.loadEncoder(plan, 1);
  const x = inputOf(plan, 8);
  expect(wrong(backend, plan, x)).toBeNull();
  const [before, after] = [new Float32Array(x.length), new Float32Array(x.length)];
  loaded.infer(x, before, 1);
  const at = 13 * plan.width;
  loaded.infer(x.fill(2, at), after, 1);
  expect(after.subarray(0, at)).toEqual(before.subarray(0, at));
  expect(after.subarray(at)).not.toEqual(before.subarray(at));
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
    expect(wrong((best as (typeof native)[number]).open(), zero, x)).toBeNull();
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
