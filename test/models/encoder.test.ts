//! Encoders from the file to the numbers: what is written is recognised, runs on the kernels within
//! the bound, and means to ONNX Runtime what it means to us.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type EncoderPlan, placeIn, workFault, X_MAX } from "../../agent/accel/encoder.js";
import { reference } from "../../agent/accel/reference.js";
import { loadReferenceEncoder } from "../../agent/accel/reference-encoder.js";
import { bestCpu, openBackend } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { openDense } from "../../agent/models/dense.js";
import { WORLD } from "../../agent/models/dense-provider.js";
import { openEncoder } from "../../agent/models/encoder-model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recogniseEncoder } from "../../agent/models/onnx/recognise-encoder.js";
import { node, writeEncoder } from "../../agent/models/onnx/write-encoder.js";
import { openModel } from "../../agent/models/user-model.js";
import { randomEncoder } from "../accel/encoders.js";
import { runOrt } from "./nets.js";

const SHAPE = { sequence: 9, width: 64, heads: 2, hidden: 128, limit: 127, depth: 2, kept: 1 };

function recognised(plan: EncoderPlan): EncoderPlan {
  const onnx = readOnnx(writeEncoder(plan));
  if (typeof onnx === "string") throw new Error(onnx);
  const found = recogniseEncoder(onnx);
  if (typeof found === "string") throw new Error(found);
  return found.plan;
}

function farthest(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] as number))), 0) / largest;
}

test("what is written is recognised, weight by weight", () => {
  for (const limit of [127, 7]) {
    const plan = randomEncoder(1, { ...SHAPE, limit });
    const found = recognised(plan);
    const { layers, ...sizes } = found;
    expect(sizes).toEqual({ ...plan, epsilon: Math.fround(plan.epsilon), layers: undefined });
    for (const [i, layer] of layers.entries()) {
      const wanted = plan.layers[i] as (typeof layers)[number];
      for (const name of ["in", "out", "up", "down"] as const) {
        expect(layer[name].weights).toEqual(wanted[name].weights);
        expect(layer[name].bias).toEqual(wanted[name].bias);
        expect(farthest(layer[name].scale, wanted[name].scale)).toBeLessThan(1e-6);
      }
      expect(layer.norms).toEqual(wanted.norms);
    }
  }
});

test("a user's file runs on the best backend, within its tier, and on ONNX Runtime alike", async () => {
  const plan = randomEncoder(3, SHAPE);
  const bytes = writeEncoder(plan);
  const opened = openBackend("auto");
  if (typeof opened === "string") throw new Error(opened);
  const model = openModel(bytes, opened.backend);
  if (typeof model === "string") throw new Error(model);
  expect(model.engine).toBe(`ternary encoder on ${opened.backend.name}`);
  expect(model.tier).toBe("within 0.089 of the largest value of each layer");
  const random = prng(2, "x");
  const size = SHAPE.sequence * SHAPE.width;
  const x = Float32Array.from({ length: size }, () => random.normal());
  const y = new Float32Array(size);
  expect(model.run([x], [y])).toBeNull();
  const expected = new Float32Array(size);
  loadReferenceEncoder(recognised(plan), 1).infer(x, expected, 1);
  expect(farthest(expected, y)).toBeLessThan(0.02);
  // It rounds half to even, we half up.
  const theirs = await runOrt(bytes, [SHAPE.sequence, SHAPE.width], x, "basic");
  expect(farthest(expected, theirs)).toBeLessThan(0.05);
});

/** Without a digest, so that what is changed in it reaches the reader. */
function unsigned(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1").replaceAll("sterna.", "nobody.");
}

test("layers, multiplications and bytes of an encoder are bounded, and the layer is named", () => {
  const plan = randomEncoder(5, { ...SHAPE, depth: 1 });
  const [layer] = plan.layers;
  if (layer === undefined) throw new Error("no layer");
  const layers = (count: number) => new Array<typeof layer>(count).fill(layer);
  expect(workFault({ ...plan, layers: layers(1024) })).toBeNull();
  const deep = { ...plan, layers: layers(1025) };
  expect(workFault(deep)).toBe("layer 1024: an encoder has at most 1024 layers");
  // 4096 * 32768 + 2 * 4096^2 * 64 multiplications a layer.
  const long = { ...plan, sequence: 4096, layers: layers(1000) };
  expect(workFault(long)).toBe("layer 120: more than 274877906944 multiplications an inference");
  const wide = { ...plan, width: 8192, hidden: 16, sequence: 1 };
  const big = { ...layer, in: { ...layer.in, rows: 24_576, cols: 8192 } };
  expect(workFault({ ...wide, layers: [big, ...layers(1)] })).toBeNull();
  const bytes = { ...wide, layers: new Array<typeof layer>(30).fill(big) };
  expect(workFault(bytes)).toBe("layer 21: weights of more than 1 GiB");
  // The file is refused as a whole, and no backend is asked for anything.
  const backend = {
    ...reference,
    loadEncoder: (): never => {
      throw new Error("loaded");
    },
  };
  const file = { input: "x", output: "y", mask: null, plan: long };
  const onnx = readOnnx(writeEncoder(plan));
  if (typeof onnx === "string") throw new Error(onnx);
  expect(openEncoder(onnx, file, backend, "")).toContain("layer 120: more than");
});

test("another activation is said, and the file runs in ONNX Runtime; without that it is named", () => {
  const bytes = writeEncoder(randomEncoder(1, SHAPE), {
    activation: (draft, from, key) => node(draft, "Celu", [from], `active${key}`),
  });
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") throw new Error(onnx);
  expect(recogniseEncoder(onnx)).toMatch(/^Celu ".*" is neither GELU nor Relu/);
  const model = openModel(bytes, reference);
  expect(model).toMatchObject({
    engine: expect.stringMatching(/^onnxruntime/),
    outside: expect.stringMatching(/as an encoder, Celu ".*" is neither/),
  });
  const load = (): never => {
    throw new Error("Cannot find module");
  };
  expect(openDense(onnx, bytes, "", { world: { ...WORLD, load } })).toMatch(
    /^the operators (Softmax|LayerNormalization), .*need onnxruntime-node; npm install/,
  );
});

test("another operator where the pattern has its own is named", () => {
  const text = unsigned(writeEncoder(randomEncoder(1, SHAPE))).replaceAll("Softmax", "Sigmoid");
  const onnx = readOnnx(Buffer.from(text, "latin1"));
  expect(typeof onnx === "string" ? onnx : recogniseEncoder(onnx)).toMatch(
    /^Sigmoid ".*" where Softmax of an encoder was expected$/,
  );
});

test.each([
  {},
  { order: "pre", norm: "rms", activation: "relu", masked: true, causal: true, ends: true },
] as const)(
  "fuzz: no mutation of an encoder throws, or reaches a kernel with a wrong shape",
  (form) => {
    const seed = Buffer.from(
      unsigned(writeEncoder(randomEncoder(1, { ...SHAPE, width: 32, form }))),
      "latin1",
    );
    const fast = bestCpu();
    let [loaded, refused] = [0, 0];
    const edit = fc.record({ at: fc.noBias(fc.nat(2 ** 20)), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(3), (edits, cut) => {
        const bytes = Buffer.from(
          cut === 0 ? seed.subarray(0, (edits[0]?.at ?? 0) % seed.length) : seed,
        );
        for (const { at, value } of edits) bytes[at % bytes.length] = value;
        const onnx = readOnnx(bytes);
        const found = typeof onnx === "string" ? onnx : recogniseEncoder(onnx);
        if (typeof found === "string") {
          refused += 1;
          expect(found).toMatch(/^[^\n\r]{10,400}$/);
          return;
        }
        loaded += 1;
        const { plan } = found;
        const [from, to] = [plan.sequence * placeIn(plan), plan.sequence * plan.width];
        fast.loadEncoder(plan, 1).infer(new Float32Array(from).fill(0.5), new Float32Array(to), 1);
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(50);
    expect(loaded).toBeGreaterThan(10);
  },
);

test("what is not the pattern is said in words", () => {
  const read = (change: Partial<EncoderPlan>, shape = SHAPE): unknown => {
    const onnx = readOnnx(writeEncoder({ ...randomEncoder(1, shape), ...change }));
    return typeof onnx === "string" ? onnx : recogniseEncoder(onnx);
  };
  expect(read({ limit: 100 })).toMatch(/^Clip "Clip_clip_\w+" clips to neither 127 nor 7 scales/);
  expect(read({}, { ...SHAPE, width: 40 })).toBe("a head has not a multiple of 16 channels");
  expect(read({}, { ...SHAPE, hidden: 40 })).toBe("the hidden width is no multiple of 16");
  const exact = randomEncoder(1, SHAPE);
  const coarse = exact.layers.map((layer, i) => {
    const { out } = layer;
    return i === 0 ? layer : { ...layer, out: { ...out, scale: out.scale.map(() => Number.NaN) } };
  });
  expect(read({ layers: coarse })).toContain("has a scale or a bias that is no finite number");
});

test("values beyond the largest that a norm can square count as it, and never overflow", () => {
  const plan = randomEncoder(3, { ...SHAPE, form: { order: "post" } });
  const model = openModel(writeEncoder(plan), bestCpu());
  const slow = openModel(writeEncoder(plan), reference);
  if (typeof model === "string" || typeof slow === "string") throw new Error("not opened");
  const run = (far: number, on = model): Float32Array => {
    const random = prng(2, "x");
    const x = Float32Array.from({ length: SHAPE.sequence * SHAPE.width }, () => random.normal());
    x[70] = far;
    const y = new Float32Array(x.length);
    expect(on.run([x], [y])).toBeNull();
    return y;
  };
  for (const far of [1e25, 3e38, -1e25]) {
    expect(run(far).every(Number.isFinite)).toBe(true);
    expect(run(far)).toEqual(run(Math.sign(far) * X_MAX));
    expect(farthest(run(far, slow), run(far))).toBeLessThan(0.05);
  }
  expect(run(Number.POSITIVE_INFINITY).every(Number.isNaN)).toBe(true);
});

test("weights whose layer may leave what a norm can square are for ONNX Runtime", () => {
  const plan = randomEncoder(1, SHAPE);
  const layers = plan.layers.map((layer, i) => {
    const { out } = layer;
    return i === 0 ? layer : { ...layer, out: { ...out, bias: out.bias.map(() => 1e25) } };
  });
  const onnx = readOnnx(writeEncoder({ ...plan, layers }));
  if (typeof onnx === "string") throw new Error(onnx);
  expect(recogniseEncoder(onnx)).toBe("layer 1: its values may be beyond 1099511627776");
});
