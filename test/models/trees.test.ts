import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { type Prng, prng } from "../../agent/base/prng.js";
import { openDense } from "../../agent/models/dense.js";
import type { Model } from "../../agent/models/model.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import type { WriteAttribute } from "../../agent/models/onnx/write.js";
import { writeModel, writeNode, writeValueInfo } from "../../agent/models/onnx/write.js";
import { openModel } from "../../agent/models/user-model.js";

const FEATURES = 5;
const FLOAT = 1;
const INT64 = 7;
const STRING = 8;

type Lists = Record<string, (number | bigint | string)[]>;

/** A random tree of ai.onnx.ml: nodes are numbered as they are made. */
function grow(random: Prng, lists: Lists, tree: bigint, kind: string, targets: number): void {
  let next = 0n;
  const put = (name: string, value: number | bigint | string): void => {
    lists[name] ??= [];
    lists[name].push(value);
  };
  const make = (depth: number): bigint => {
    const id = next++;
    const leaf = depth === 0 || random.next() < 0.2;
    const modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"];
    const place = lists["nodes_treeids"]?.length ?? 0;
    put("nodes_treeids", tree);
    put("nodes_nodeids", id);
    put("nodes_modes", leaf ? "LEAF" : (modes[Math.floor(random.next() * 4)] as string));
    put("nodes_featureids", leaf ? 0n : BigInt(Math.floor(random.next() * FEATURES)));
    // Tenths, as are the inputs: equality must happen.
    put("nodes_values", leaf ? 0 : Math.round(random.normal() * 10) / 10);
    put("nodes_missing_value_tracks_true", random.next() < 0.5 ? 1n : 0n);
    put("nodes_truenodeids", 0n);
    put("nodes_falsenodeids", 0n);
    if (leaf) {
      for (let target = 0; target < targets; target++) {
        put(`${kind}_treeids`, tree);
        put(`${kind}_nodeids`, id);
        put(`${kind}_ids`, BigInt(target));
        put(`${kind}_weights`, random.normal());
      }
    } else {
      (lists["nodes_truenodeids"] as bigint[])[place] = make(depth - 1);
      (lists["nodes_falsenodeids"] as bigint[])[place] = make(depth - 1);
    }
    return id;
  };
  make(4);
}

function forest(
  seed: number,
  kind: "target" | "class",
  targets: number,
  extra: Record<string, WriteAttribute>,
  change: (lists: Lists) => void = () => {},
): Uint8Array {
  const random = prng(seed, "forest");
  const lists: Lists = {};
  for (let tree = 0n; tree < 8n; tree++) grow(random, lists, tree, kind, targets);
  change(lists);
  const regressor = kind === "target";
  const words = "classlabels_strings" in extra;
  const outputs = regressor
    ? [writeValueInfo("y", FLOAT, [targets])]
    : [
        writeValueInfo("label", words ? STRING : INT64, []),
        writeValueInfo("scores", FLOAT, [targets]),
      ];
  const node = writeNode(
    regressor ? "TreeEnsembleRegressor" : "TreeEnsembleClassifier",
    ["x"],
    regressor ? ["y"] : ["label", "scores"],
    { ...lists, ...extra } as Record<string, WriteAttribute>,
    "ai.onnx.ml",
  );
  const inputs = [writeValueInfo("x", FLOAT, [FEATURES])];
  const graph = { name: "trees", nodes: [node], tensors: [], inputs, outputs };
  return writeModel(graph, { "": 17, "ai.onnx.ml": 3 }, []);
}

function opened(found: Model | string): Model {
  if (typeof found === "string") throw new Error(found);
  return found;
}

function runtime(bytes: Uint8Array): Model {
  const model = readOnnx(bytes);
  if (typeof model === "string") throw new Error(model);
  return opened(openDense(model, bytes, "sha256:test"));
}

function outputsOf(model: Model, x: Float32Array): Map<string, Float32Array> {
  const y = model.outputs.map((port) => new Float32Array(port.size));
  expect(model.run([x], y)).toBeNull();
  return new Map(model.outputs.map((port, i) => [port.name, y[i] as Float32Array]));
}

const forms: [string, "target" | "class", number, Record<string, WriteAttribute>][] = [
  ["regressor", "target", 1, { n_targets: 1n, post_transform: "NONE" }],
  ["regressor, base, 2 targets", "target", 2, { n_targets: 2n, base_values: [3.5, -1] }],
  ["regressor, average", "target", 1, { n_targets: 1n, aggregate_function: "AVERAGE" }],
  ["classifier", "class", 3, { classlabels_int64s: [10n, 20n, 30n] }],
  ["softmax", "class", 3, { classlabels_int64s: [0n, 1n, 2n], post_transform: "SOFTMAX" }],
  ["logistic", "class", 3, { classlabels_int64s: [0n, 1n, 2n], post_transform: "LOGISTIC" }],
  ["words", "class", 3, { classlabels_strings: ["good", "worn", "broken"] }],
];

for (const [name, kind, targets, extra] of forms) {
  test(`${name}: the same as ONNX Runtime, missing values too`, () => {
    const random = prng(1, name);
    for (let seed = 0; seed < 4; seed++) {
      const bytes = forest(seed, kind, targets, extra);
      const ours = opened(openModel(bytes, reference));
      expect(ours.engine).toBe("trees");
      const theirs = runtime(bytes);
      for (let i = 0; i < 100; i++) {
        const x = Float32Array.from({ length: FEATURES }, () => {
          return random.next() < 0.1 ? Number.NaN : Math.round(random.normal() * 10) / 10;
        });
        const mine = outputsOf(ours, x);
        for (const [port, values] of outputsOf(theirs, x)) {
          for (const [k, value] of values.entries()) {
            expect(mine.get(port)?.[k], `${port}[${k}] of ${x.join()}`).toBeCloseTo(value, 4);
          }
        }
      }
    }
  });
}

test("scores behind scikit-learn's ZipMap are found, by the name before it", () => {
  const random = prng(3, "zip");
  for (const classes of [2, 3]) {
    const labels = Array.from({ length: classes }, (_, i) => BigInt(i));
    const plain = readOnnx(forest(2, "class", classes, { classlabels_int64s: labels }));
    if (typeof plain === "string") throw new Error(plain);
    const zip = { classlabels_int64s: labels };
    const graph = {
      name: "sklearn",
      nodes: [
        ...plain.graph.nodes.map(({ raw }) => raw),
        writeNode("Cast", ["label"], ["output_label"], { to: 7n }),
        writeNode("ZipMap", ["scores"], ["output_probability"], zip, "ai.onnx.ml"),
      ],
      ...{ tensors: [], inputs: plain.graph.inputs.map(({ raw }) => raw) },
      outputs: [writeValueInfo("output_label", INT64, []), nameAlone("output_probability")],
    };
    const bytes = writeModel(graph, { "": 17, "ai.onnx.ml": 3 }, []);
    const ours = opened(openModel(bytes, reference));
    expect(ours.engine).toMatch(classes === 2 ? /^onnxruntime/ : /^trees$/);
    expect(ours.outputs.map(({ name }) => name)).toEqual(["output_label", "scores"]);
    const theirs = runtime(bytes);
    const x = Float32Array.from({ length: FEATURES }, () => random.normal());
    const mine = outputsOf(ours, x);
    for (const [name, values] of outputsOf(theirs, x)) {
      for (const [k, value] of values.entries()) {
        expect(mine.get(name)?.[k]).toBeCloseTo(value, 4);
      }
    }
  }
});

/** An output of the graph of which only the name is stated. */
function nameAlone(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  return Uint8Array.of(0x0a, text.length, ...text);
}

test("two classes go to ONNX Runtime, whose own rules choose between them", () => {
  const bytes = forest(2, "class", 2, { classlabels_int64s: [0n, 1n] });
  expect(opened(openModel(bytes, reference)).engine).toContain("onnxruntime");
});

/** Overwrites one entry of one list. */
const put = (list: string, at: number, value: number | bigint | string) => (lists: Lists) => {
  (lists[list] ?? [])[at] = value;
};
const shorten = (lists: Lists): void => {
  lists["nodes_values"]?.pop();
};
const broken: [string, (lists: Lists) => void, string][] = [
  ["loop", put("nodes_truenodeids", 0, 0n), "has a loop"],
  ["child", put("nodes_truenodeids", 0, 999n), "has no child 999"],
  ["twice", put("nodes_nodeids", 1, 0n), "has a node twice"],
  ["short", shorten, "lists of different lengths"],
  ["mode", put("nodes_modes", 0, "NEAR"), "branches by NEAR"],
  ["feature", put("nodes_featureids", 0, 77n), "78 features of 5"],
  ["negative", put("nodes_featureids", 0, -1n), "reads feature -1"],
  ["target", put("target_ids", 0, 9n), "votes for 9 of 1"],
  ["voter", put("target_nodeids", 0, 999n), "votes at node 999"],
];
for (const [name, change, text] of broken) {
  test(`refused: ${name}`, () => {
    const found = openModel(forest(5, "target", 1, { n_targets: 1n }, change), reference);
    expect(found).toContain(text);
  });
}
