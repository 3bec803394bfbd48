//! Encoders as exporters write them: norms before or behind, GELU in its nodes, masks of three types,
//! the scale wherever it stands. Each is recognised, runs, and means the same to ONNX Runtime.
import { expect, test } from "vitest";
import { bestCpu } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recogniseEncoder } from "../../agent/models/onnx/recognise-encoder.js";
import { ELEMENT } from "../../agent/models/onnx/tensor.js";
import { floatTensor, writeNode, writeValueInfo } from "../../agent/models/onnx/write.js";
import {
  type EncoderDraft,
  node,
  type Spelling,
  writeEncoder,
} from "../../agent/models/onnx/write-encoder.js";
import { openModel } from "../../agent/models/user-model.js";
import { type EncoderShape, randomEncoder } from "../accel/encoders.js";
import { runOrtAll } from "./nets.js";

const [SEQUENCE, WIDTH] = [9, 64];
const SHAPE = { sequence: SEQUENCE, width: WIDTH, heads: 2, hidden: 128, limit: 127, depth: 2 };
const ROOT = Math.sqrt(WIDTH / SHAPE.heads);

/** What steps that tip over make of one or two layers of 8 bits, of the largest value. */
const TIPPED = 5 / SHAPE.limit;

type Form = NonNullable<EncoderShape["form"]>;
/** A constant as a node of its own, as TorchScript leaves them; once for each name. */
function number(draft: EncoderDraft, value: number, key: string): string {
  const name = `c${key}`;
  const tensor = floatTensor("", [], Float32Array.of(value));
  draft.nodes.push(writeNode("Constant", [], [name], { value: tensor }));
  return name;
}

/** x * 0.5 * (1 + erf(x / sqrt 2)), as PyTorch exports it. */
function erf(draft: EncoderDraft, x: string, key: string): string {
  const by = node(draft, "Div", [x, number(draft, Math.SQRT2, `root2_${key}`)], `by${key}`);
  const found = node(draft, "Erf", [by], `erf${key}`);
  const one = node(draft, "Add", [found, number(draft, 1, `one${key}`)], `one_more${key}`);
  const times = node(draft, "Mul", [x, one], `times${key}`);
  return node(draft, "Mul", [times, number(draft, 0.5, `half${key}`)], `active${key}`);
}

/** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), as transformers' gelu_new. */
function cube(draft: EncoderDraft, x: string, key: string): string {
  const third = node(draft, "Pow", [x, number(draft, 3, `three${key}`)], `third${key}`);
  const less = node(draft, "Mul", [third, number(draft, 0.044715, `less${key}`)], `small${key}`);
  const sum = node(draft, "Add", [x, less], `inner${key}`);
  const root = number(draft, Math.sqrt(2 / Math.PI), `pi${key}`);
  const tanh = node(draft, "Tanh", [node(draft, "Mul", [sum, root], `u${key}_`)], `tanh${key}`);
  const one = node(draft, "Add", [tanh, number(draft, 1, `unit${key}`)], `plus${key}`);
  const half = node(draft, "Mul", [x, number(draft, 0.5, `a_half${key}`)], `halved${key}`);
  return node(draft, "Mul", [half, one], `active${key}`);
}

const scored = (draft: EncoderDraft, q: string, k: string, key: string): string => {
  const scores = node(draft, "MatMul", [q, k], `scores${key}`);
  return node(draft, "Mul", [scores, number(draft, 1 / ROOT, `scale${key}`)], `scaled${key}`);
};

/** True is padding; queries and keys are scaled alike, as scaled_dot_product_attention is exported. */
const padded: Spelling = {
  mask: writeValueInfo("mask", ELEMENT.BOOL, [SEQUENCE]),
  scores(draft, q, k, key) {
    const by = number(draft, ROOT ** -0.5, `by${key}`);
    const [a, b] = [q, k].map((x, i) => node(draft, "Mul", [x, by], `even${i}${key}`));
    const scores = node(draft, "MatMul", [a as string, b as string], `scores${key}`);
    const ends = [
      number(draft, Number.NEGATIVE_INFINITY, `inf${key}`),
      number(draft, 0, `nil${key}`),
    ];
    const hidden = node(draft, "Where", ["mask", ...ends], `hidden${key}`);
    const wide = node(draft, "Unsqueeze", [hidden, "sides"], `wide${key}`);
    return node(draft, "Add", [scores, wide], `masked${key}`);
  },
};

/** 1 is a token, 0 is padding: BERT of transformers. */
const tokens: Spelling = {
  mask: writeValueInfo("mask", ELEMENT.INT64, [SEQUENCE]),
  activation: cube,
  scores(draft, q, k, key) {
    const wide = node(draft, "Unsqueeze", ["mask", "sides"], `wide${key}`);
    const real = node(draft, "Cast", [wide], `real${key}`, { to: 1n });
    const rest = node(draft, "Sub", [number(draft, 1, `full${key}`), real], `rest${key}`);
    const least = number(draft, -3.4028234663852886e38, `least${key}`);
    const added = node(draft, "Mul", [rest, least], `added${key}`);
    return node(draft, "Add", [scored(draft, q, k, key), added], `masked${key}`);
  },
};

/** True is seen: torch.where(mask, scores, -1e9). */
const seen: Spelling = {
  mask: writeValueInfo("mask", ELEMENT.BOOL, [SEQUENCE]),
  scores(draft, q, k, key) {
    const wide = node(draft, "Unsqueeze", ["mask", "sides"], `wide${key}`);
    const low = number(draft, -1e9, `low${key}`);
    const kept = node(draft, "Identity", [scored(draft, q, k, key)], `kept${key}`);
    return node(draft, "Where", [wide, kept, low], `masked${key}`);
  },
};

const CASES: readonly {
  readonly name: string;
  readonly form: Form;
  readonly spelling: Spelling;
  /** What the mask has where a place is hidden, and where not; none without one. */
  readonly mask?: readonly [hidden: number, seen: number];
  readonly type?: "float32" | "bool" | "int64";
}[] = [
  {
    ...{ name: "BERT, erf in nodes, weights turned", form: { activation: "gelu" } },
    spelling: { activation: erf, turned: true },
  },
  {
    ...{ name: "pre-norm, Gelu, a mask of true for padding", mask: [1, 0], type: "bool" },
    ...{ form: { order: "pre", activation: "gelu", masked: true, ends: true }, spelling: padded },
  },
  {
    ...{ name: "BERT, tanh and a cube, a mask of 1 for tokens", mask: [0, 1], type: "int64" },
    ...{ form: { masked: true }, spelling: tokens },
  },
  {
    ...{ name: "pre-norm, RMS, relu, a mask that chooses", mask: [0, 1], type: "bool" },
    ...{ form: { order: "pre", norm: "rms", activation: "relu", masked: true }, spelling: seen },
  },
  {
    ...{ name: "an added mask of floats", mask: [-1e4, 0], type: "float32" },
    ...{ form: { masked: true, activation: "gelu", ends: true }, spelling: {} },
  },
];

function opened(bytes: Uint8Array): Model {
  const model = openModel(bytes, bestCpu());
  if (typeof model === "string") throw new Error(model);
  return model;
}

const DATA = {
  float32: (values: Float32Array) => values,
  bool: (values: Float32Array) => Uint8Array.from(values),
  int64: (values: Float32Array) => BigInt64Array.from([...values], BigInt),
};

for (const [seed, { name, form, spelling, mask, type = "float32" }] of CASES.entries()) {
  test(`${name}: recognised, and as ONNX Runtime has it`, async () => {
    const plan = randomEncoder(seed, { ...SHAPE, kept: 1, form });
    const bytes = writeEncoder(plan, spelling);
    const model = opened(bytes);
    expect(model.outside).toBeUndefined();
    expect(model.engine).toMatch(/^ternary encoder on /);
    expect(model.inputs.map(({ name: input, size }) => [input, size])).toEqual([
      ["x", SEQUENCE * WIDTH],
      ...(mask === undefined ? [] : [["mask", SEQUENCE]]),
    ]);
    const random = prng(seed, "x");
    const x = Float32Array.from({ length: SEQUENCE * WIDTH }, () => random.normal());
    const [hidden, shown] = mask ?? [0, 0];
    // The last three places hidden, none hidden, and no mask bound at all.
    for (const places of mask === undefined ? [0] : [3, 0]) {
      const keys = Float32Array.from({ length: SEQUENCE }, (_, i) => {
        return i < SEQUENCE - places ? shown : hidden;
      });
      const feeds = { x: { data: x, shape: [SEQUENCE, WIDTH] } };
      const bound = { data: DATA[type](keys), shape: [SEQUENCE], type };
      const found = await runOrtAll(bytes, mask ? { ...feeds, mask: bound } : feeds, "basic");
      const theirs = found["y"] as Float32Array;
      const given = mask === undefined ? [[x]] : places === 0 ? [[x, keys], [x]] : [[x, keys]];
      for (const inputs of given) {
        const y = new Float32Array(SEQUENCE * WIDTH);
        expect(model.run(inputs, [y])).toBeNull();
        const largest = theirs.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        const off = y.map((v, i) => Math.abs(v - (theirs[i] as number)) / largest);
        expect(Math.max(...off)).toBeLessThan(TIPPED);
        // They round halves to even, which moves few values; a wrong form moves all.
        expect([...off].sort((a, b) => a - b)[off.length >> 1]).toBeLessThan(0.004);
      }
    }
  });
}

test("a mask hides what it says: places that are hidden change nothing elsewhere", () => {
  const plan = randomEncoder(9, { ...SHAPE, kept: 1, form: { masked: true } });
  const model = opened(writeEncoder(plan, tokens));
  const random = prng(9, "x");
  const x = Float32Array.from({ length: SEQUENCE * WIDTH }, () => random.normal());
  const keys = Float32Array.from({ length: SEQUENCE }, (_, i) => (i < 6 ? 1 : 0));
  const [a, b, c] = [0, 1, 2].map(() => new Float32Array(SEQUENCE * WIDTH)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  model.run([x, keys], [a]);
  const other = x.map((v, i) => (i < 6 * WIDTH ? v : -v));
  model.run([other, keys], [b]);
  expect(b.subarray(0, 6 * WIDTH)).toEqual(a.subarray(0, 6 * WIDTH));
  model.run([other], [c]);
  expect(c.subarray(0, 6 * WIDTH)).not.toEqual(a.subarray(0, 6 * WIDTH));
  model.run([x, keys.fill(Number.NaN)], [c]);
  expect(c.every(Number.isNaN)).toBe(true);
});

test("what stops the pattern is named", () => {
  const plan = randomEncoder(1, { ...SHAPE, kept: 1, form: { masked: true, activation: "gelu" } });
  const said = (spelling: Spelling): unknown => {
    const onnx = readOnnx(writeEncoder(plan, spelling));
    return typeof onnx === "string" ? onnx : recogniseEncoder(onnx);
  };
  const quick: Spelling["activation"] = (draft, x, key) => {
    const by = node(draft, "Mul", [x, number(draft, 1.702, `by${key}`)], `quick${key}`);
    const gate = node(draft, "Sigmoid", [by], `gate${key}`);
    return node(draft, "Mul", [x, gate], `active${key}`);
  };
  expect(said({ activation: quick })).toMatch(/^Mul "Mul_active1" is neither GELU nor Relu/);
  const causal: Spelling = {
    scores(draft, q, k, key) {
      const wide = node(draft, "Softplus", ["mask"], `wide${key}`);
      return node(draft, "Add", [scored(draft, q, k, key), wide], `masked${key}`);
    },
  };
  expect(said(causal)).toBe('Softplus "Softplus_wide1" is no part of a padding mask that is known');
  const flat: Spelling = {
    scores: (draft, q, k, key) =>
      node(draft, "Add", [scored(draft, q, k, key), "mask"], `masked${key}`),
  };
  expect(said(flat)).toBe('the mask "mask" is [-1, 9], not [batch, 1, 1, 9]');
  const unscaled: Spelling = {
    scores: (draft, q, k, key) => node(draft, "MatMul", [q, k], `scores${key}`),
  };
  expect(said(unscaled)).toMatch(/^MatMul "MatMul_scores1" is not divided by the root/);
});
