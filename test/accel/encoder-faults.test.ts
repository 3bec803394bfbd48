//! What the self-test of an encoder sees: sound backends pass with a margin at every depth, and devices
//! that are dead, turned, short of a layer or mixed up in their rows are taken out.
import { expect, test } from "vitest";
import type { Backend, Loaded } from "../../agent/accel/backend.js";
import {
  type EncoderLayer,
  type EncoderPlan,
  layerBound,
  type Projection,
} from "../../agent/accel/encoder.js";
import { guard, type Outage } from "../../agent/accel/guard.js";
import { reference } from "../../agent/accel/reference.js";
import { bestCpu, DRIVERS } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { type EncoderShape, randomEncoder } from "./encoders.js";

const FORMS = [
  {},
  { order: "pre", activation: "gelu", ends: true },
  { order: "pre", norm: "rms", activation: "relu" },
] as const;

function shapeOf(width: number, depth: number, limit: number, form: EncoderShape["form"] = {}) {
  const sizes = { sequence: 3, width, heads: width / 16, hidden: 2 * width, kept: 1 };
  return { ...sizes, depth, limit, form };
}

/** What the self-test says of a device; null: it passes. */
function said(device: Backend, plan: EncoderPlan): string | null {
  const outages: Outage[] = [];
  guard(device, reference, { share: 0, report: (o) => outages.push(o) }).loadEncoder(plan, 1);
  return outages[0]?.why ?? null;
}

const sound = DRIVERS.filter(({ name, probe }) => /^(avx|neon)/.test(name) && probe() === null);

test.skipIf(sound.length === 0)("every sound backend passes, at any depth, form and width", () => {
  for (const { name, open } of sound) {
    for (const limit of [127, 7]) {
      for (const form of FORMS) {
        for (const depth of [1, 2, 5, 12, 48]) {
          const plan = randomEncoder(depth, shapeOf(32, depth, limit, form));
          expect(said(open(), plan), `${name} ${depth} ${limit}`).toBeNull();
        }
      }
      const wide = randomEncoder(1, { ...shapeOf(256, 3, limit), sequence: 40 });
      expect(said(open(), wide), name).toBeNull();
    }
  }
});

test.skipIf(sound.length === 0)("sound backends use half of the bound at most", () => {
  for (const { name, open } of sound) {
    for (const limit of [127, 7]) {
      let [most, rms] = [0, 0];
      for (let seed = 0; seed < 60; seed++) {
        const form = FORMS[seed % 3];
        const plan = randomEncoder(seed, shapeOf([16, 32, 96][seed % 3] as number, 1, limit, form));
        const one = { ...plan, end: null };
        const random = prng(seed, "x");
        const size = plan.sequence * plan.width;
        const x = Float32Array.from({ length: size }, () => 2 * random.normal());
        const [y, expected] = [new Float32Array(size), new Float32Array(size)];
        open().loadEncoder(one, 1).infer(x, y, 1);
        reference.loadEncoder(one, 1).infer(x, expected, 1);
        const pre = plan.order === "pre";
        const made = expected.map((value, i) => (pre ? value - (x[i] as number) : value));
        const off = y.map((value, i) => value - (expected[i] as number));
        most = Math.max(most, largest(off) / largest(made));
        rms = Math.max(rms, Math.hypot(...off) / Math.hypot(...made));
      }
      const bound = layerBound({ limit });
      expect(most / bound.most, `${name} ${limit}`).toBeLessThan(1 / 2);
      expect(rms / bound.rms, `${name} ${limit}`).toBeLessThan(1 / 2);
      expect(rms, "or nothing tipped over, and the test saw nothing").toBeGreaterThan(1e-3);
    }
  }
});

const largest = (values: Float32Array): number => Math.max(...values.map(Math.abs));

/** A device that loads another plan than it is given, or changes what it says. */
function faulty(
  change: (plan: EncoderPlan) => EncoderPlan,
  after: (y: Float32Array) => void = () => {},
): Backend {
  const cpu = bestCpu();
  return {
    ...cpu,
    loadEncoder(plan, batch): Loaded {
      const loaded = cpu.loadEncoder(change(plan), batch);
      const infer: Loaded["infer"] = (x, y, count) => {
        loaded.infer(x, y, count);
        after(y);
      };
      return { ...loaded, infer };
    },
  };
}

/** Every row of weights where the one before it belongs. */
function turned({ rows, cols, weights, ...rest }: Projection): Projection {
  const moved = weights.map((_, i) => weights[(i + cols) % weights.length] as number);
  return { ...rest, rows, cols, weights: moved };
}

const without = (at: number) => (plan: EncoderPlan) => {
  // Alone a layer is whole: only what has several lacks one.
  const { layers } = plan;
  return layers.length === 1 ? plan : { ...plan, layers: layers.toSpliced(at, 1) };
};
const mixed =
  (name: "in" | "out" | "up" | "down", at: number | null = null) =>
  (plan: EncoderPlan): EncoderPlan => {
    const layers = plan.layers.map((layer, i): EncoderLayer => {
      return at === null || i === at ? { ...layer, [name]: turned(layer[name]) } : layer;
    });
    return { ...plan, layers };
  };
const same = (plan: EncoderPlan): EncoderPlan => plan;

const DEVICES: readonly (readonly [string, Backend])[] = [
  ["dead", faulty(same, (y) => y.fill(0))],
  ["turned about", faulty(same, (y) => y.set(y.map((v) => -v)))],
  ["NaN", faulty(same, (y) => y.fill(Number.NaN))],
  ["without its first layer", faulty(without(0))],
  ["without its last layer", faulty(without(-1))],
  ["without one amid", faulty(without(1))],
  ["its queries, keys and values mixed up", faulty(mixed("in"))],
  ["the rows behind attention mixed up", faulty(mixed("out"))],
  ["the first half of the feed-forward mixed up", faulty(mixed("up"))],
  ["its second half mixed up", faulty(mixed("down"))],
  [
    "one layer of several mixed up, when it is whole",
    faulty((plan) => {
      return plan.layers.length === 1 ? plan : mixed("out", 1)(plan);
    }),
  ],
  ["its last norm forgotten", faulty((plan) => ({ ...plan, end: null }))],
  ["places swapped", faulty(same, (y) => void y.copyWithin(0, y.length / 3, (2 * y.length) / 3))],
];

test.each(DEVICES)("a device that is wrong is taken out before it is used: %s", (name, device) => {
  for (const limit of [127, 7]) {
    for (const form of FORMS) {
      for (const depth of [1, 2, 12, 24]) {
        const several = /layer|amid/.test(name);
        if ((several && depth === 1) || (name.includes("norm") && !("ends" in form))) continue;
        const plan = randomEncoder(depth, shapeOf(depth === 2 ? 96 : 16, depth, limit, form));
        expect(said(device, plan), `${depth} ${limit} ${JSON.stringify(form)}`).not.toBeNull();
      }
    }
  }
});
