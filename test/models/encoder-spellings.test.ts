//! What exporters write otherwise than one projection and one node at a time: one matrix for queries,
//! keys and values, Gemm, norms in their nodes, the operator Attention, masks of the order. Each is
//! recognised, runs on the kernels, and means the same to ONNX Runtime.
import { expect, test } from "vitest";
import type { EncoderPlan, Norm } from "../../agent/accel/encoder.js";
import { bestCpu } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recogniseEncoder } from "../../agent/models/onnx/recognise-encoder.js";
import { ELEMENT } from "../../agent/models/onnx/tensor.js";
import {
  floatTensor,
  int64Tensor,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import {
  type EncoderDraft,
  node,
  type Spelling,
  writeEncoder,
  writeProduct,
} from "../../agent/models/onnx/write-encoder.js";
import { openModel } from "../../agent/models/user-model.js";
import { type EncoderShape, randomEncoder } from "../accel/encoders.js";
import { opened, wholeOf } from "./hybrid-files.js";
import { runOrtAll } from "./nets.js";

const [S, W, HEADS] = [9, 64, 2];
const HEAD = W / HEADS;
const SHAPE = { sequence: S, width: W, heads: HEADS, hidden: 128, limit: 127, depth: 2, kept: 1 };
const ROOT = Math.sqrt(HEAD);

function number(draft: EncoderDraft, value: number, key: string): string {
  draft.tensors.push(floatTensor(`c_${key}`, [], Float32Array.of(value)));
  return `c_${key}`;
}
function sides(draft: EncoderDraft, values: readonly number[], key: string): string {
  draft.tensors.push(int64Tensor(`s_${key}`, values));
  return `s_${key}`;
}
function whole(draft: EncoderDraft, value: number, key: string): string {
  const bytes = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
  draft.tensors.push(writeTensor(`w_${key}`, [], ELEMENT.INT64, bytes));
  return `w_${key}`;
}

/** One matrix, then Split. */
const split: Spelling["inner"] = (draft, x, all, key) => {
  const one = writeProduct(draft, x, all, `qkv${key}`);
  const to = ["q", "k", "v"].map((name) => `${name}${key}`);
  const sizes = sides(draft, [W, W, W], `thirds${key}`);
  draft.nodes.push(writeNode("Split", [one, sizes], to, { axis: 2n }));
  return to;
};
const even: Spelling["inner"] = (draft, x, all, key) => {
  const one = writeProduct(draft, x, all, `qkv${key}`);
  const to = ["q", "k", "v"].map((name) => `${name}${key}`);
  draft.nodes.push(writeNode("Split", [one], to, { axis: -1n, num_outputs: 3n }));
  return to;
};
const slices: Spelling["inner"] = (draft, x, all, key) => {
  const one = writeProduct(draft, x, all, `qkv${key}`);
  return [0, 1, 2].map((part) => {
    const places = [part * W, part === 2 ? 2 ** 40 : (part + 1) * W, 2];
    const given = places.map((at, i) => sides(draft, [at], `slice${i}${part}_${key}`));
    return node(draft, "Slice", [one, ...given], `part${part}_${key}`);
  });
};

/** Five sides, as vision transformers part them: a Gather each, or a Split and Squeeze. */
const five = (gathers: boolean): Spelling => ({
  inner: (draft, x, all, key) => [writeProduct(draft, x, all, `qkv${key}`)],
  attention(draft, [one = ""], key) {
    const shape = sides(draft, [1, S, 3, HEADS, HEAD], `five${key}`);
    const apart = node(draft, "Reshape", [one, shape], `apart${key}`);
    const perm = [2n, 0n, 3n, 1n, 4n];
    const turned = node(draft, "Transpose", [apart], `turned${key}`, { perm });
    const parts = ["q", "k", "v"].map((name) => `split_${name}${key}`);
    if (!gathers) draft.nodes.push(writeNode("Split", [turned], parts, { num_outputs: 3n }));
    const first = gathers ? "" : sides(draft, [0], `first${key}`);
    const [q = "", k = "", v = ""] = parts.map((part, i) =>
      gathers
        ? node(draft, "Gather", [turned, whole(draft, i, `${i}${key}`)], `one${i}_${key}`)
        : node(draft, "Squeeze", [part, first], `one${i}_${key}`),
    );
    const scaled = node(draft, "Mul", [q, number(draft, 1 / ROOT, `by${key}`)], `small${key}`);
    const back = node(draft, "Transpose", [k], `keys${key}`, { perm: [0n, 1n, 3n, 2n] });
    const scores = node(draft, "MatMul", [scaled, back], `scores${key}`);
    const soft = node(draft, "Softmax", [scores], `soft${key}`, { axis: -1n });
    const blend = node(draft, "MatMul", [soft, v], `blend${key}`);
    const rows = node(draft, "Transpose", [blend], `rows${key}`, { perm: [0n, 2n, 1n, 3n] });
    return node(draft, "Reshape", [rows, "joined"], `context${key}`);
  },
});

/** Gemm over rows: places behind one another, steps before that or behind, and apart again. */
const gemm: NonNullable<Spelling["product"]> = (draft, x, projection, key) => {
  // The weights as they are written for a MatMul.
  const inner: EncoderDraft = { ...draft, nodes: [] };
  writeProduct(inner, x, projection, key);
  const weights = inner.nodes.slice(0, -2);
  draft.nodes.push(...weights);
  const flat = sides(draft, [-1, projection.cols], `flat${key}`);
  const rows = node(draft, "Reshape", [x, flat], `rows_${key}`);
  const made = node(
    draft,
    "Gemm",
    [rows, weights.length > 1 ? `flip_${key}` : `real_${key}`, `bias_${key}`],
    `gemm_${key}`,
  );
  const apart = sides(draft, [-1, S, projection.rows], `apart${key}`);
  return node(draft, "Reshape", [made, apart], `value_${key}`);
};

const gemmSplit: Spelling["inner"] = (draft, x, all, key) => {
  const to = ["q", "k", "v"].map((name) => `${name}${key}`);
  const one = gemm(draft, x, all, `qkv${key}`);
  draft.nodes.push(writeNode("Split", [one], to, { axis: 2n, num_outputs: 3n }));
  return to;
};

/** Norms as older exporters write them. */
function decomposed(
  squared: "pow" | "mul",
  root: "div" | "reciprocal",
): NonNullable<Spelling["norm"]> {
  return (draft, { epsilon, norm }, { gain, offset }: Norm, from, to) => {
    const axes = sides(draft, [-1], `axes_${to}`);
    const mean = node(draft, "ReduceMean", [from, axes], `mean_${to}`);
    const rest = norm === "rms" ? from : node(draft, "Sub", [from, mean], `rest_${to}`);
    if (norm === "rms") draft.nodes.pop();
    const square =
      squared === "pow"
        ? node(draft, "Pow", [rest, number(draft, 2, `two_${to}`)], `square_${to}`)
        : node(draft, "Mul", [rest, rest], `square_${to}`);
    const variance = node(draft, "ReduceMean", [square, axes], `variance_${to}`);
    const more = node(draft, "Add", [variance, number(draft, epsilon, `eps_${to}`)], `more_${to}`);
    const by = node(draft, "Sqrt", [more], `root_${to}`);
    const normed =
      root === "div"
        ? node(draft, "Div", [rest, by], `normed_${to}`)
        : node(
            draft,
            "Mul",
            [rest, node(draft, "Reciprocal", [by], `inverse_${to}`)],
            `normed_${to}`,
          );
    draft.tensors.push(floatTensor(`gain_${to}`, [gain.length], gain));
    if (norm === "rms") return node(draft, "Mul", [`gain_${to}`, normed], to);
    draft.tensors.push(floatTensor(`offset_${to}`, [offset.length], offset));
    const times = node(draft, "Mul", [normed, `gain_${to}`], `times_${to}`);
    return node(draft, "Add", [times, `offset_${to}`], to);
  };
}

/** The operator Attention, of three sides or of four. */
const operator = (apart: boolean, attributes: object = {}, masked = false) => {
  const attention: Spelling["attention"] = (draft, inner, key) => {
    // ONNX Runtime wants a line for each query.
    const wide = masked ? sides(draft, [1, 1, S, S], `wide${key}`) : "";
    const mask = masked ? [node(draft, "Expand", ["keys", wide], `lines${key}`)] : [];
    if (!apart) {
      const heads = { q_num_heads: BigInt(HEADS), kv_num_heads: BigInt(HEADS) };
      const inputs = [...inner, ...mask];
      return node(draft, "Attention", inputs, `context${key}`, { ...heads, ...attributes });
    }
    const four = inner.map((from, i) => {
      const out = node(draft, "Reshape", [from, "apart"], `apart${i}_${key}`);
      return node(draft, "Transpose", [out], `turned${i}_${key}`, { perm: [0n, 2n, 1n, 3n] });
    });
    const made = node(draft, "Attention", [...four, ...mask], `made${key}`, { ...attributes });
    const back = node(draft, "Transpose", [made], `back${key}`, { perm: [0n, 2n, 1n, 3n] });
    return node(draft, "Reshape", [back, "joined"], `context${key}`);
  };
  return attention;
};

const scored = (draft: EncoderDraft, q: string, k: string, key: string): string => {
  const scores = node(draft, "MatMul", [q, k], `scores${key}`);
  return node(draft, "Div", [scores, "root"], `scaled${key}`);
};

/** Trilu of ones, chosen by Where: torch.tril and masked_fill. */
const trilu: Spelling = {
  scores(draft, q, k, key) {
    const shape = sides(draft, [S, S], `square${key}`);
    const one = writeTensor("", [1], ELEMENT.BOOL, Uint8Array.of(1));
    const ones = node(draft, "ConstantOfShape", [shape], `ones${key}`, { value: one });
    const low = node(draft, "Trilu", [ones], `low${key}`, { upper: 0n });
    const least = number(draft, Number.NEGATIVE_INFINITY, `least${key}`);
    return node(draft, "Where", [low, scored(draft, q, k, key), least], `masked${key}`);
  },
};

/** A buffer of more places, cut to those there are: GPT-2. */
const buffer: Spelling = {
  scores(draft, q, k, key) {
    const places = 16;
    const values = Uint8Array.from({ length: places ** 2 }, (_, i) => {
      return Number(i % places <= Math.floor(i / places));
    });
    draft.tensors.push(writeTensor(`bias${key}`, [1, 1, places, places], ELEMENT.BOOL, values));
    const cut = [
      [0, 0],
      [S, S],
      [2, 3],
    ].map((at, i) => sides(draft, at, `cut${i}${key}`));
    const low = node(draft, "Slice", [`bias${key}`, ...cut], `low${key}`);
    const least = number(draft, -1e4, `least${key}`);
    return node(draft, "Where", [low, scored(draft, q, k, key), least], `masked${key}`);
  },
};

/** Places compared with places, and with what is padding: one mask for both. */
const compared: Spelling = {
  mask: writeValueInfo("mask", ELEMENT.BOOL, [S]),
  scores(draft, q, k, key) {
    const ends = [0, S, 1].map((at, i) => whole(draft, at, `end${i}${key}`));
    const range = node(draft, "Range", ends, `range${key}`);
    const [line, place] = [0, 1].map((i) => {
      const axes = sides(draft, [i === 0 ? 1 : 0], `axes${i}${key}`);
      return node(draft, "Unsqueeze", [range, axes], `side${i}${key}`);
    }) as [string, string];
    const low = node(draft, "LessOrEqual", [place, line], `low${key}`);
    const wide = node(draft, "Unsqueeze", ["mask", "sides"], `wide${key}`);
    const both = node(draft, "And", [low, wide], `and${key}`);
    const ends2 = [number(draft, 0, `nil${key}`), number(draft, -3.4e38, `least${key}`)];
    const added = node(draft, "Where", [both, ...ends2], `added${key}`);
    return node(draft, "Add", [scored(draft, q, k, key), added], `masked${key}`);
  },
};

type Form = NonNullable<EncoderShape["form"]>;
const CAUSAL: Form = { causal: true };
const PRE: Form = { order: "pre", activation: "gelu", ends: true };
const BOOLS = writeValueInfo("mask", ELEMENT.BOOL, [S]);

const CASES: readonly (readonly [string, Form, Spelling, boolean?])[] = [
  ["one matrix and a Split", {}, { inner: split }],
  ["one matrix and an even Split, weights turned", PRE, { inner: even, turned: true }],
  ["one matrix and slices", PRE, { inner: slices }],
  ["five sides and Gather", PRE, five(true)],
  ["five sides, Split and Squeeze", PRE, five(false)],
  ["Gemm over rows", { activation: "gelu" }, { product: gemm }],
  ["one Gemm and a Split, weights turned", PRE, { product: gemm, inner: gemmSplit, turned: true }],
  ["LayerNorm by Pow and Div", {}, { norm: decomposed("pow", "div") }],
  ["LayerNorm by Mul and Reciprocal", PRE, { norm: decomposed("mul", "reciprocal") }],
  ["RMSNorm in its nodes", { ...PRE, norm: "rms" }, { norm: decomposed("pow", "reciprocal") }],
  ["Attention of three sides", PRE, { attention: operator(false) }],
  [
    "Attention of four sides, with its scale",
    {},
    { attention: operator(true, { scale: 1 / ROOT }) },
  ],
  ["Attention, causal", CAUSAL, { inner: even, attention: operator(false, { is_causal: 1n }) }],
  [
    "Attention with a mask of true for tokens, causal",
    { masked: true, causal: true },
    { mask: BOOLS, inner: even, attention: operator(true, { is_causal: 1n }, true) },
    true,
  ],
  ["a triangle that is added", { ...PRE, causal: true }, {}],
  ["Trilu and Where", CAUSAL, trilu],
  ["a buffer that is cut", { ...CAUSAL, order: "pre" }, buffer],
  ["places compared, and padding", { ...CAUSAL, masked: true }, compared, true],
];

for (const [seed, [name, form, spelling, masked = false]] of CASES.entries()) {
  test(`${name}: recognised, and as ONNX Runtime has it`, async () => {
    const plan = randomEncoder(seed, { ...SHAPE, form });
    const bytes = writeEncoder(plan, spelling);
    const onnx = readOnnx(bytes);
    if (typeof onnx === "string") throw new Error(onnx);
    const found = recogniseEncoder(onnx);
    if (typeof found === "string") throw new Error(found);
    // What is known of constants from before is no other answer.
    expect(recogniseEncoder(onnx)).toEqual(found);
    expect(sameWeights(found.plan, plan)).toBe(true);
    const { order, norm, causal } = found.plan;
    expect({ order, norm, causal }).toEqual({
      order: plan.order,
      norm: plan.norm,
      causal: plan.causal,
    });
    const model = openModel(bytes, bestCpu());
    if (typeof model === "string") throw new Error(model);
    expect(model.engine).toMatch(/^ternary encoder on /);
    const random = prng(seed, "x");
    const x = Float32Array.from({ length: S * W }, () => random.normal());
    const keys = Float32Array.from({ length: S }, (_, i) => Number(i < S - 2));
    const feeds = { x: { data: x, shape: [S, W] } };
    const mask = { data: Uint8Array.from(keys), shape: [S], type: "bool" } as const;
    const given = masked ? { ...feeds, mask } : feeds;
    const theirs = (await runOrtAll(bytes, given, "basic"))["y"] as Float32Array;
    const y = new Float32Array(S * W);
    expect(model.run(masked ? [x, keys] : [x], [y])).toBeNull();
    const largest = theirs.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const off = y.map((v, i) => Math.abs(v - (theirs[i] as number)) / largest);
    // They round halves to even, which moves few values; a wrong form moves all.
    expect(Math.max(...off)).toBeLessThan(5 / SHAPE.limit);
    expect(off.sort()[off.length >> 1]).toBeLessThan(0.004);
  });
}

function sameWeights(a: EncoderPlan, b: EncoderPlan): boolean {
  return a.layers.every((layer, i) => {
    return (["in", "out", "up", "down"] as const).every((name) => {
      return layer[name].weights.every((w, k) => w === b.layers[i]?.[name].weights[k]);
    });
  });
}

function said(form: Form, spelling: Spelling): unknown {
  const onnx = readOnnx(writeEncoder(randomEncoder(1, { ...SHAPE, form }), spelling));
  return typeof onnx === "string" ? onnx : recogniseEncoder(onnx);
}

test("what is almost of these forms is refused by name", () => {
  const window: Spelling = {
    scores(draft, q, k, key) {
      const near = Float32Array.from({ length: S * S }, (_, i) => {
        return Math.abs((i % S) - Math.floor(i / S)) > 2 ? Number.NEGATIVE_INFINITY : 0;
      });
      draft.tensors.push(floatTensor(`near${key}`, [S, S], near));
      return node(draft, "Add", [scored(draft, q, k, key), `near${key}`], `masked${key}`);
    },
  };
  expect(said({}, window)).toBe('the constant mask "near1" is not causal');
  const uneven: Spelling["inner"] = (draft, x, all, key) => {
    const one = writeProduct(draft, x, all, `qkv${key}`);
    const to = ["q", "k", "v"].map((name) => `${name}${key}`);
    const sizes = sides(draft, [W, 2 * W, 0], `thirds${key}`);
    draft.nodes.push(writeNode("Split", [one, sizes], to, { axis: 2n }));
    return to;
  };
  expect(said({}, { inner: uneven })).toMatch(
    /^Split ".*" does not part queries, keys and values$/,
  );
  const capped = { attention: operator(false, { softcap: 30 }) };
  expect(said({}, capped)).toMatch(/^Attention ".*" has past keys, .* or a cap of its scores$/);
  const grouped = { attention: operator(false, { kv_num_heads: 1n }) };
  expect(said({}, grouped)).toBe("heads differ in number");
  const sharp = { attention: operator(true, { scale: 1 }) };
  expect(said({}, sharp)).toMatch(/^Attention ".*" is not divided by the root/);
});

test("norms in their nodes are where a part of a file begins, too", () => {
  const plan = randomEncoder(4, { ...SHAPE, form: PRE });
  const spelling = { norm: decomposed("pow", "div"), inner: split, attention: operator(false) };
  const inner = readOnnx(writeEncoder(plan, spelling));
  if (typeof inner === "string") throw new Error(inner);
  const { nodes, initializers, outputs } = inner.graph;
  const graph = {
    name: "whole",
    nodes: [
      writeNode("MatMul", ["given", "embed"], ["wide"]),
      writeNode("Softplus", ["wide"], ["x"]),
      ...nodes.map(({ raw }) => raw),
    ],
    tensors: [
      ...[...initializers.values()].map(({ raw }) => raw),
      floatTensor(
        "embed",
        [3, W],
        new Float32Array(3 * W).map((_, i) => Math.sin(i)),
      ),
    ],
    inputs: [writeValueInfo("given", ELEMENT.FLOAT, [S, 3])],
    outputs: outputs.map(({ raw }) => raw),
  };
  const bytes = writeModel(graph, { "": 25 }, []);
  const model = opened(openModel(bytes, bestCpu()));
  expect(model.engine).toMatch(/^onnxruntime .*, then ternary encoder on \S+$/);
  const whole = wholeOf(bytes);
  const random = prng(4, "x");
  const x = Float32Array.from({ length: 3 * S }, () => random.normal());
  const [ours, theirs] = [new Float32Array(S * W), new Float32Array(S * W)];
  expect([model.run([x], [ours]), whole.run([x], [theirs])]).toEqual([null, null]);
  const largest = theirs.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const off = ours.map((v, i) => Math.abs(v - (theirs[i] as number)) / largest);
  expect(Math.max(...off)).toBeLessThan(5 / SHAPE.limit);
});

test("triangles that hide something else are refused", () => {
  const triangle = (upper: bigint, k: number, seenFirst: boolean): Spelling => ({
    scores(draft, q, key_, key) {
      const shape = sides(draft, [S, S], `square${key}`);
      const one = writeTensor("", [1], ELEMENT.BOOL, Uint8Array.of(1));
      const ones = node(draft, "ConstantOfShape", [shape], `ones${key}`, { value: one });
      const low = node(draft, "Trilu", [ones, whole(draft, k, `k${key}`)], `low${key}`, { upper });
      const least = number(draft, -1e9, `least${key}`);
      const scores = scored(draft, q, key_, key);
      const two = seenFirst ? [scores, least] : [least, scores];
      return node(draft, "Where", [low, ...two], `masked${key}`);
    },
  });
  const causal = { causal: true };
  expect(said({}, triangle(0n, 0, true))).toMatchObject({ plan: causal });
  expect(said({}, triangle(1n, 1, false))).toMatchObject({ plan: causal });
  for (const other of [
    triangle(0n, 1, true),
    triangle(0n, -1, true),
    triangle(1n, 0, true),
    triangle(0n, 0, false),
    triangle(1n, 0, false),
  ]) {
    expect(said({}, other)).toBe('the constant mask "low1" is not causal');
  }
});

test("a norm that is almost one in its nodes is left as it is", () => {
  const plan = randomEncoder(1, { ...SHAPE, form: PRE });
  const text = Buffer.from(writeEncoder(plan, { norm: decomposed("mul", "div") }));
  for (const [from, to] of [
    ["Sqrt", "Sign"],
    ["ReduceMean", "ReduceSumM"],
  ] as const) {
    const changed = text.toString("latin1").replaceAll(from, to);
    const onnx = readOnnx(Buffer.from(changed, "latin1"));
    if (typeof onnx === "string") throw new Error(onnx);
    const why = / where \w+ of an encoder was expected$/;
    expect(recogniseEncoder(onnx)).toMatch(why);
  }
});
