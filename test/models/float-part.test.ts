//! Norms and softmax between ternary layers: the float tier runs them without ONNX Runtime, and the
//! answers are those of the whole file there.
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { bestCpu } from "../../agent/accel/registry.js";
import { prng } from "../../agent/base/prng.js";
import { floatTensor, int64Tensor, writeNode } from "../../agent/models/onnx/write.js";
import { openModel } from "../../agent/models/user-model.js";
import { chainOf, fileOf, opened, type Piece, sine, ternary, wholeOf } from "./hybrid-files.js";

/** One node that reads `from` and these constants of one row. */
const row =
  (op: string, constants: number, attributes: Parameters<typeof writeNode>[3] = {}): Piece =>
  (draft, from, size, key) => {
    const random = prng(constants, `row ${key}`);
    const names = Array.from({ length: constants }, (_, i) => `row${i}_${key}`);
    for (const name of names) {
      const values = Float32Array.from({ length: size }, () => 0.5 + random.next());
      draft.tensors.push(floatTensor(name, [size], values));
    }
    draft.nodes.push(writeNode(op, [from, ...names], [`${op}_${key}`], attributes));
    return { to: `${op}_${key}`, size };
  };

/** LayerNorm as older exporters write it. */
const spelled: Piece = (draft, from, size, key) => {
  const put = (op: string, inputs: readonly string[], to: string): string => {
    draft.nodes.push(writeNode(op, inputs, [`${to}_${key}`]));
    return `${to}_${key}`;
  };
  draft.tensors.push(int64Tensor(`axes_${key}`, [-1]));
  for (const [name, value] of [
    ["two", 2],
    ["eps", 1e-5],
  ] as const) {
    draft.tensors.push(floatTensor(`${name}_${key}`, [], Float32Array.of(value)));
  }
  for (const name of ["gain", "offset"]) {
    const values = Float32Array.from({ length: size }, (_, i) => 0.5 + Math.sin(i + size));
    draft.tensors.push(floatTensor(`${name}_${key}`, [size], values));
  }
  const mean = put("ReduceMean", [from, `axes_${key}`], "mean");
  const rest = put("Sub", [from, mean], "rest");
  const square = put("Pow", [rest, `two_${key}`], "square");
  const variance = put("ReduceMean", [square, `axes_${key}`], "variance");
  const root = put("Sqrt", [put("Add", [variance, `eps_${key}`], "sum")], "root");
  const scaled = put("Mul", [put("Div", [rest, root], "normed"), `gain_${key}`], "scaled");
  return { to: put("Add", [scaled, `offset_${key}`], "out"), size };
};

const norm = row("LayerNormalization", 2, { axis: -1n, epsilon: 1e-5 });
const CASES: readonly (readonly [string, readonly Piece[]])[] = [
  ["LayerNormalization", [ternary(1), norm, ternary(2)]],
  [
    "without an offset, by its number",
    [ternary(1), row("LayerNormalization", 1, { axis: 1n }), ternary(2)],
  ],
  [
    "RMSNormalization and Relu",
    [ternary(3), row("RMSNormalization", 1), row("Relu", 0), ternary(4)],
  ],
  [
    "Softmax in the middle, a factor behind it",
    [ternary(5), row("Softmax", 0), row("Mul", 1), ternary(6)],
  ],
  ["two norms", [ternary(7), norm, ternary(8), norm, ternary(9)]],
  ["a norm first", [norm, ternary(10)]],
  ["a norm in its nodes", [ternary(11), spelled, ternary(12)]],
  [
    "functions and a Softmax at the end",
    [ternary(13), row("Gelu", 0), row("Add", 1), row("Softmax", 0)],
  ],
];

test.each(CASES)("%s: no ONNX Runtime, and the answers of the whole there", (_, pieces) => {
  const bytes = chainOf(8, pieces);
  const model = opened(openModel(bytes, bestCpu()));
  expect(model.engine).toContain("floats in TypeScript");
  expect(model.engine).not.toContain("onnxruntime");
  expect(model.outside).toBeUndefined();
  expect(model.tier).toBe("within 1e-6 relative");
  const [whole, slow] = [wholeOf(bytes), opened(openModel(bytes, reference))];
  const random = prng(pieces.length, "x");
  const size = model.outputs[0]?.size ?? 0;
  let far = 0;
  for (let i = 0; i < 200; i++) {
    const x = Float32Array.from({ length: 8 }, () => 2 * random.normal());
    const [ours, theirs, same] = [0, 1, 2].map(() => new Float32Array(size)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    expect(model.run([x], [ours])).toBeNull();
    expect(whole.run([x], [theirs])).toBeNull();
    expect(slow.run([x], [same])).toBeNull();
    // Whatever the backend: the float tier is the same everywhere.
    expect(ours).toEqual(same);
    const most = Math.max(1, ...theirs.map(Math.abs));
    if (ours.some((v, k) => Math.abs(v - (theirs[k] as number)) > 0.01 * most)) far += 1;
  }
  // A value halfway between two steps is rounded up here and to even there, and moves what follows.
  expect(far).toBeLessThan(20);
});

test("one operator of another kind, and the part is for ONNX Runtime", () => {
  const bytes = chainOf(8, [ternary(1), norm, sine, ternary(2)]);
  const model = opened(openModel(bytes, reference));
  expect(model.engine).toMatch(/^ternary on reference, then onnxruntime .*, then ternary on/);
  expect(model.outside).toContain("LayerNormalization");
});

test("a norm over more than the last side, or of a row that does not fit, is for ONNX Runtime", () => {
  const soft = fileOf(1, [writeNode("Softmax", ["h"], ["y"], { axis: 0n })]);
  expect(opened(openModel(soft, reference)).engine).toContain("onnxruntime");
});

/** x + f(x), or x + x where a block has nothing: what passes a part by. */
const residual =
  (...pieces: readonly Piece[]): Piece =>
  (draft, from, size, key) => {
    let at: { readonly to: string; readonly size: number } = { to: from, size };
    for (const [i, piece] of pieces.entries()) at = piece(draft, at.to, at.size, `${key}_${i}`);
    draft.nodes.push(writeNode("Add", [from, at.to], [`passed_${key}`]));
    return { to: `passed_${key}`, size };
  };

const SKIPS: readonly (readonly [string, readonly Piece[], RegExp])[] = [
  [
    "two blocks with a norm before",
    [residual(norm, ternary(21, 8)), residual(norm, ternary(22, 8))],
    /^floats in TypeScript, then ternary on .*, then floats .*, then ternary on .*, then floats/,
  ],
  [
    "a residual within a residual",
    [ternary(23, 8), residual(norm, residual(norm, ternary(24, 8)), norm), norm, ternary(25)],
    /^ternary on .*, then floats .*, then ternary on .*, then floats .*, then ternary on \S+$/,
  ],
  [
    "past a part and a sine, which is for ONNX Runtime",
    [sine, residual(norm, ternary(26, 8)), sine, residual(norm, ternary(27, 8))],
    /^onnxruntime .*, then ternary on .*, then onnxruntime .*, then ternary on .*, then floats/,
  ],
];

test.each(SKIPS)("%s: passes by, and the answer is that of the whole", (_, pieces, engine) => {
  const bytes = chainOf(8, pieces);
  const model = opened(openModel(bytes, bestCpu()));
  expect(model.engine).toMatch(engine);
  const whole = wholeOf(bytes);
  const random = prng(31, "x");
  let far = 0;
  for (let i = 0; i < 100; i++) {
    const x = Float32Array.from({ length: 8 }, () => 2 * random.normal());
    const size = model.outputs[0]?.size ?? 0;
    const [ours, theirs] = [new Float32Array(size), new Float32Array(size)];
    expect([model.run([x], [ours]), whole.run([x], [theirs])]).toEqual([null, null]);
    const most = Math.max(1, ...theirs.map(Math.abs));
    if (ours.some((v, k) => Math.abs(v - (theirs[k] as number)) > 0.01 * most)) far += 1;
  }
  expect(far).toBeLessThan(10);
});
