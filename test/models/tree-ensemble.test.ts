//! The operator TreeEnsemble (ai.onnx.ml 5) against ONNX Runtime, and what is refused of it.
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { type Prng, prng } from "../../agent/base/prng.js";
import { openDense } from "../../agent/models/dense.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import {
  floatTensor,
  type WriteAttribute,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { openModel } from "../../agent/models/user-model.js";

const FEATURES = 4;
const FLOAT = 1;
const UINT8 = 2;

type Table = {
  readonly features: bigint[];
  readonly modes: number[];
  readonly splits: number[];
  readonly sides: { readonly next: bigint[]; readonly leaf: bigint[] }[];
  readonly tracks: bigint[];
  readonly ids: bigint[];
  readonly weights: number[];
  readonly roots: bigint[];
};

function grow(
  random: Prng,
  targets: number,
  depth: number,
  to: Table,
): { at: bigint; leaf: bigint } {
  if (depth === 0 || random.next() < 0.2) {
    to.ids.push(BigInt(Math.floor(random.next() * targets)));
    to.weights.push(Math.fround(random.normal()));
    return { at: BigInt(to.ids.length - 1), leaf: 1n };
  }
  const at = to.features.length;
  to.features.push(BigInt(Math.floor(random.next() * FEATURES)));
  to.modes.push(Math.floor(random.next() * 6));
  to.splits.push(Math.round(random.normal() * 10) / 10);
  to.tracks.push(random.next() < 0.5 ? 1n : 0n);
  for (const side of to.sides) {
    side.next.push(0n);
    side.leaf.push(0n);
  }
  for (const side of to.sides) {
    const child = grow(random, targets, depth - 1, to);
    side.next[at] = child.at;
    side.leaf[at] = child.leaf;
  }
  return { at: BigInt(at), leaf: 0n };
}

function fileOf(
  seed: number,
  targets: number,
  more: Record<string, WriteAttribute>,
  change: (table: Table) => void = () => {},
): Uint8Array {
  const random = prng(seed, "ensemble");
  const side = (): { next: bigint[]; leaf: bigint[] } => ({ next: [], leaf: [] });
  const table: Table = {
    ...{ features: [], modes: [], splits: [], sides: [side(), side()], tracks: [] },
    ...{ ids: [], weights: [], roots: [] },
  };
  while (table.roots.length < 6) {
    const root = grow(random, targets, 4, table);
    if (root.leaf === 0n) table.roots.push(root.at);
  }
  change(table);
  const [yes, no] = table.sides;
  const single = (values: number[]): Uint8Array =>
    floatTensor("", [values.length], Float32Array.from(values));
  const attributes: Record<string, WriteAttribute> = {
    n_targets: BigInt(targets),
    nodes_featureids: table.features,
    nodes_modes: writeTensor("", [table.modes.length], UINT8, Uint8Array.from(table.modes)),
    nodes_splits: single(table.splits),
    nodes_truenodeids: yes?.next ?? [],
    nodes_trueleafs: yes?.leaf ?? [],
    nodes_falsenodeids: no?.next ?? [],
    nodes_falseleafs: no?.leaf ?? [],
    nodes_missing_value_tracks_true: table.tracks,
    leaf_targetids: table.ids,
    leaf_weights: single(table.weights),
    tree_roots: table.roots,
    ...more,
  };
  const graph = {
    name: "trees",
    nodes: [writeNode("TreeEnsemble", ["x"], ["y"], attributes, "ai.onnx.ml")],
    tensors: [],
    inputs: [writeValueInfo("x", FLOAT, [FEATURES])],
    outputs: [writeValueInfo("y", FLOAT, [targets])],
  };
  return writeModel(graph, { "": 21, "ai.onnx.ml": 5 }, []);
}

function opened(model: Model | string): Model {
  if (typeof model === "string") throw new Error(model);
  return model;
}

function runtime(bytes: Uint8Array): Model {
  const model = readOnnx(bytes);
  if (typeof model === "string") throw new Error(model);
  return opened(openDense(model, bytes, "sha256:test"));
}

const forms: [string, number, Record<string, WriteAttribute>][] = [
  ["sum", 1, {}],
  ["average of 3 targets", 3, { aggregate_function: 0n }],
];
for (const [name, targets, more] of forms) {
  test(`${name}: the same as ONNX Runtime`, () => {
    const random = prng(1, name);
    for (let seed = 0; seed < 4; seed++) {
      const bytes = fileOf(seed, targets, more);
      const [ours, theirs] = [opened(openModel(bytes, reference)), runtime(bytes)];
      expect(ours.engine).toBe("trees");
      for (let i = 0; i < 100; i++) {
        const x = Float32Array.from(
          { length: FEATURES },
          () => Math.round(random.normal() * 10) / 10,
        );
        const [a, b] = [new Float32Array(targets), new Float32Array(targets)];
        ours.run([x], [a]);
        theirs.run([x], [b]);
        for (const [k, value] of b.entries()) expect(a[k], `${x}`).toBeCloseTo(value, 4);
      }
    }
  });
}

test("a set of members and other ways to add up go to ONNX Runtime", () => {
  for (const more of [{ aggregate_function: 2n }, { post_transform: 1n }]) {
    const model = opened(openModel(fileOf(1, 2, more), reference));
    expect(model.engine).toMatch(/^onnxruntime/);
  }
});

const broken: [string, (table: Table) => void, string][] = [
  ["loop", (t) => void (t.sides[0] as Table["sides"][0]).next.fill(0n), "two parents"],
  ["child", (t) => void (t.sides[1] as Table["sides"][0]).next.fill(999n), "has no child 999"],
  ["root", (t) => void t.roots.push(999n), "has no node 999 for a root"],
  ["short", (t) => void t.splits.pop(), "lists of different lengths"],
  ["target", (t) => void t.ids.fill(7n), "votes for 7 of 1"],
  ["feature", (t) => void t.features.fill(-1n), "reads feature -1"],
  ["none", (t) => void t.roots.splice(0), "has no root"],
];
for (const [name, change, text] of broken) {
  test(`refused: ${name}`, () => {
    expect(openModel(fileOf(2, 1, {}, change), reference)).toContain(text);
  });
}
