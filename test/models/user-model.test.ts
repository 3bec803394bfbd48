import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { readModel } from "../../agent/cli/load.js";
import { bindUserModel } from "../../agent/models/bind.js";
import type { ModelSpec } from "../../agent/models/bind-check.js";
import { openDense } from "../../agent/models/dense.js";
import { WORLD } from "../../agent/models/dense-provider.js";
import type { Model } from "../../agent/models/model.js";
import type { Monitor } from "../../agent/models/monitor.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import {
  floatTensor,
  int64Tensor,
  writeModel,
  writeNode,
  writeTensor,
  writeValueInfo,
} from "../../agent/models/onnx/write.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";
import { openUserModel } from "../../agent/models/user-model.js";
import { parseUnit, type Unit } from "../../agent/units/parse.js";
import { chainOf, sine, ternary } from "./hybrid-files.js";
import { randomMlp } from "./nets.js";

const folder = mkdtempSync(join(tmpdir(), "sterna-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FLOAT = 1;

function unit(text: string): Unit {
  const found = parseUnit(text);
  if ("fault" in found) throw new Error(found.fault);
  return found;
}

function saved(name: string, bytes: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

function open(file: string): Model {
  const model = openUserModel(file, reference);
  if (typeof model === "string") throw new Error(model);
  return model;
}

/** y = weights . x + 1, z = tanh(weights . x + 1), float32: the form of a model from elsewhere. */
function floatModel(weights: readonly number[], shape: readonly number[]): Uint8Array {
  const size = weights.length;
  const nodes = [
    writeNode("Flatten", ["x"], ["flat"]),
    writeNode("Gemm", ["flat", "w", "b"], ["y"]),
    writeNode("Tanh", ["y"], ["z"]),
  ];
  const tensors = [
    floatTensor("w", [size, 1], Float32Array.from(weights)),
    floatTensor("b", [1], Float32Array.of(1)),
  ];
  const inputs = [writeValueInfo("x", FLOAT, shape)];
  const outputs = [writeValueInfo("y", FLOAT, [1]), writeValueInfo("z", FLOAT, [1])];
  return writeModel({ name: "m", nodes, tensors, inputs, outputs }, { "": 17 }, []);
}

function bound(model: Model, spec: ModelSpec): Monitor {
  const monitor = bindUserModel(model, spec, SIGNALS);
  if ("length" in monitor) throw new Error(JSON.stringify(monitor));
  return monitor;
}

const SIGNALS = [
  { name: "current", dim: "A", kind: "" },
  { name: "current2", dim: "A", kind: "" },
  { name: "oilTemp", dim: "K", kind: "" },
  { name: "accel", dim: "m/s2", kind: "peak" },
  { name: "levels", dim: "A", kind: "", pattern: true },
];

/** A frame of numbers, and what the monitor wrote. */
function frameOf(values: number[], written: number[]) {
  return {
    get: (input: number): number => values[input] ?? Number.NaN,
    set: (output: number, value: number): void => {
      written[output] = value;
    },
  };
}

test("each kind of file finds its engine", () => {
  const ternary = open(saved("net.onnx", writeTernaryNet(randomMlp(4))));
  expect(ternary.engine).toBe("ternary on reference");
  expect(ternary.tier).toBe("exact");
  expect(ternary.hash).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(ternary.inputs[0]).toMatchObject({ name: "x", unit: "m/s2", min: -4, max: 4 });
  const float = open(saved("float.onnx", floatModel([1, 2, 3], [3])));
  expect(float.engine).toMatch(/^onnxruntime \d/);
  expect(float.inputs).toMatchObject([{ name: "x", shape: [3], size: 3, unit: "" }]);
  expect(float.outputs.map((port) => [port.name, port.size])).toEqual([
    ["y", 1],
    ["z", 1],
  ]);
});

test("exports with a free batch: a Reshape to [-1, ...] has a known size, behind a Scaler, too", () => {
  const nodes = [
    writeNode("Scaler", ["x"], ["s"], { offset: [1, 1], scale: [2, 2] }, "ai.onnx.ml"),
    writeNode("MatMul", ["s", "w"], ["m"]),
    // scikit-learn's last node, and how an encoder of PyTorch splits its heads.
    writeNode("Reshape", ["m", "heads"], ["h"]),
    writeNode("Transpose", ["h"], ["t"], { perm: [0n, 2n, 1n] }),
    writeNode("Reshape", ["t", "flat"], ["y"]),
  ];
  const tensors = [
    floatTensor(
      "w",
      [2, 4],
      Float32Array.from({ length: 8 }, (_, i) => i),
    ),
    int64Tensor("heads", [-1, 2, 2]),
    int64Tensor("flat", [-1, 4]),
  ];
  const inputs = [writeValueInfo("x", FLOAT, [2])];
  const outputs = [writeValueInfo("y", FLOAT, [4])];
  const opsets = { "": 17, "ai.onnx.ml": 1 };
  const bytes = writeModel({ name: "m", nodes, tensors, inputs, outputs }, opsets, []);
  const model = open(saved("free.onnx", bytes));
  const y = new Float32Array(4);
  expect(model.run([Float32Array.of(2, 3)], [y])).toBeNull();
  // (x - 1) * 2 is [2, 4].
  expect([...y]).toEqual([16, 28, 22, 34]);
});

/** y = x + 2 h, h' = h + x: the state counts what came. */
function counter(state: unknown): Uint8Array {
  const nodes = [
    writeNode("Add", ["h", "x"], ["h_next"]),
    writeNode("Add", ["h", "h_next"], ["y"]),
  ];
  const inputs = ["h", "x"].map((name) => writeValueInfo(name, FLOAT, [1]));
  const outputs = ["h_next", "y"].map((name) => writeValueInfo(name, FLOAT, [1]));
  const keys: [string, string][] = [["sterna.state", JSON.stringify(state)]];
  return writeModel({ name: "s", nodes, tensors: [], inputs, outputs }, { "": 17 }, keys);
}

test("a float model carries its state from call to call, forgets it, and keeps it over an unknown", () => {
  const model = open(saved("state.onnx", counter([{ input: "h", output: "h_next" }])));
  expect([model.inputs, model.outputs].map((ports) => ports.map(({ name }) => name))).toEqual([
    ["x"],
    ["y"],
  ]);
  const feed = (x: number): number => {
    const y = new Float32Array(1);
    expect(model.run([Float32Array.of(x)], [y])).toBeNull();
    return y[0] as number;
  };
  expect([feed(1), feed(2), feed(3)]).toEqual([1, 4, 9]);
  expect(feed(Number.POSITIVE_INFINITY)).toBeNaN();
  expect(feed(4)).toBe(16);
  model.reset?.();
  expect(feed(1)).toBe(1);
  const wrong = openUserModel(
    saved("wrong.onnx", counter([{ input: "h", output: "z" }])),
    reference,
  );
  expect(wrong).toContain('sterna.state joins "h", "z"');
});

test("a fixed batch of rows is not advised to be a window", () => {
  const nodes = [writeNode("Gemm", ["x", "w"], ["y"])];
  const tensors = [floatTensor("w", [2, 1], Float32Array.of(1, 2))];
  const inputs = [writeValueInfo("x", FLOAT, [2], 4)];
  const outputs = [writeValueInfo("y", FLOAT, [1], 4)];
  const graph = { name: "b", nodes, tensors, inputs, outputs };
  const model = open(saved("rows.onnx", writeModel(graph, { "": 17 }, [])));
  const A = unit("A");
  const input = { tensor: "x", channels: ["current", "current2"], window: 1, units: [A, A] };
  const output = { tensor: "y", index: 0, channel: "score", unit: unit("1") };
  const faults = bindUserModel(model, { name: "rows", in: [input], out: [output] }, SIGNALS);
  expect(faults).toMatchObject([
    { instead: "export it with a free batch, or for that many rows write window: 4" },
  ]);
});

test("what draws random numbers is refused: a replay must give the same", () => {
  const drawn = (node: Uint8Array): unknown => {
    const outputs = [writeValueInfo("y", FLOAT, [2])];
    const inputs = [writeValueInfo("x", FLOAT, [2])];
    const tensors = [
      floatTensor("ratio", [], Float32Array.of(0.5)),
      writeTensor("on", [], 9, Uint8Array.of(1)),
    ];
    const graph = { name: "r", nodes: [node], tensors, inputs, outputs };
    const file = saved("random.onnx", writeModel(graph, { "": 17 }, []));
    const model = openUserModel(file, reference);
    return typeof model === "string" ? model : model.engine;
  };
  expect(drawn(writeNode("RandomNormalLike", ["x"], ["y"]))).toContain("draws random numbers");
  expect(drawn(writeNode("Bernoulli", ["x"], ["y"]))).toContain("draws random numbers");
  expect(drawn(writeNode("Dropout", ["x", "ratio", "on"], ["y"]))).toContain("draws random");
  expect(drawn(writeNode("Dropout", ["x", "ratio"], ["y"]))).toMatch(/^onnxruntime/);
});

test("ONNX Runtime answers at once, and the same each time", () => {
  const model = open(saved("float.onnx", floatModel([1, 2, 3], [3])));
  const run = (): number[] => {
    const y = [new Float32Array(1), new Float32Array(1)];
    expect(model.run([Float32Array.of(1, 0.5, 0.1)], y)).toBeNull();
    return y.map((values) => values[0] as number);
  };
  const first = run();
  expect(first[0]).toBeCloseTo(3.3, 5);
  expect(first[1]).toBeCloseTo(Math.tanh(3.3), 5);
  for (let i = 0; i < 20; i++) expect(run()).toEqual(first);
});

test("without ONNX Runtime the fault names the operators and what to install", () => {
  const load = (): never => {
    throw new Error("Cannot find module");
  };
  const said = (bytes: Uint8Array): unknown => {
    const model = readOnnx(bytes);
    if (typeof model === "string") throw new Error(model);
    return openDense(model, bytes, "sha256:x", { world: { ...WORLD, load } });
  };
  expect(said(floatModel([1], [1]))).toContain(
    "the operators Flatten, Gemm, Tanh need onnxruntime-node; npm install",
  );
  // What the integer path knows is not to blame.
  expect(said(chainOf(8, [sine, ternary(1)]))).toMatch(
    /^the operator Sin needs onnxruntime-node; npm install/,
  );
});

test("a file that is absent, cut, or huge is one fault with its name", () => {
  const absent = join(folder, "none.onnx");
  expect(openUserModel(absent, reference)).toContain(`${absent}: cannot be read: ENOENT`);
  const cut = saved("cut.onnx", writeTernaryNet(randomMlp(4)).subarray(0, 900));
  expect(openUserModel(cut, reference)).toMatch(/cut\.onnx: /);
  const huge = saved("huge.onnx", new Uint8Array(1));
  truncateSync(huge, 2 ** 31);
  expect(openUserModel(huge, reference)).toContain("2048 MiB, at most 64 MiB are read");
  expect(openUserModel(folder, reference)).toContain("cannot be read");
  const unknown = floatModel([1], [1]);
  const text = Buffer.from(unknown).toString("latin1").replaceAll("Tanh", "Tank");
  const other = saved("op.onnx", Buffer.from(text, "latin1"));
  expect(openUserModel(other, reference)).toContain("cannot load it");
});

test("what is no regular file is refused before it is opened, by one function for all", () => {
  const pipe = join(folder, "fifo.onnx");
  execFileSync("mkfifo", [pipe]);
  for (const special of [pipe, "/dev/zero", folder]) {
    expect(openUserModel(special, reference)).toBe(
      `${special}: cannot be read: it is no regular file; write that of a model`,
    );
    expect(() => readModel(special)).toThrow(`${special}: cannot be read: it is no regular file`);
  }
});

test("weights that many layers share count in each, before any is unpacked", () => {
  /** One matrix of 1 MiB in the file: each product unpacks it to 4 MiB. */
  const shared = (count: number, turned: boolean): Uint8Array => {
    const nodes = [
      writeNode("Identity", ["w"], ["alias"]),
      writeNode("DequantizeLinear", ["alias", "scale"], ["made"]),
      writeNode("Identity", ["made"], ["real"]),
      writeNode("Transpose", ["real"], ["flipped"]),
      ...Array.from({ length: count }, (_, i) => {
        const from = i === 0 ? "x" : `m${i}`;
        return writeNode("MatMul", [from, turned ? "flipped" : "real"], [`m${i + 1}`]);
      }),
    ];
    const tensors = [
      writeTensor("w", [2048, 2048], 26, new Uint8Array(2 ** 20)),
      floatTensor("scale", [], Float32Array.of(1)),
    ];
    const inputs = [writeValueInfo("x", FLOAT, [2048])];
    const outputs = [writeValueInfo(`m${count}`, FLOAT, [2048])];
    return writeModel({ name: "shared", nodes, tensors, inputs, outputs }, { "": 25 }, []);
  };
  for (const turned of [false, true]) {
    expect(readOnnx(shared(63, turned))).toBeTypeOf("object");
    expect(readOnnx(shared(64, turned))).toBe(
      'MatMul "MatMul_m64": the weights up to it take more than 256 MiB, counted wherever they are used',
    );
  }
});

test("a small file that asks for gigabytes is refused before ONNX Runtime sees it", () => {
  const shape = (dims: bigint[]): string => {
    const sizes = new Uint8Array(BigInt64Array.from(dims).buffer);
    const graph = {
      name: "grows",
      nodes: [writeNode("ConstantOfShape", ["s"], ["c"]), writeNode("Add", ["x", "c"], ["y"])],
      tensors: [writeTensor("s", [dims.length], 7, sizes)],
      inputs: [writeValueInfo("x", FLOAT, [1])],
      outputs: [writeValueInfo("y", FLOAT, [1])],
    };
    return saved("grows.onnx", writeModel(graph, { "": 17 }, []));
  };
  expect(openUserModel(shape([65_536n, 65_536n]), reference)).toContain("makes more than");
  expect(openUserModel(shape([-5n]), reference)).toContain("cannot load it");
  expect(open(shape([1n, 1n])).engine).toContain("onnxruntime");
  const wide = saved("wide.onnx", floatModel([1], [2 ** 30]));
  expect(openUserModel(wide, reference)).toContain('input "x" has more than');
});

test("what only its shapes give away is refused too, before anything runs", () => {
  const file = (nodes: Uint8Array[], tensors: Uint8Array[], size: number): string => {
    const graph = {
      ...{ name: "hidden", nodes, tensors },
      inputs: [writeValueInfo("x", FLOAT, [size])],
      outputs: [writeValueInfo("y", FLOAT, [1])],
    };
    return saved("hidden.onnx", writeModel(graph, { "": 17 }, []));
  };
  const start = performance.now();
  // x times itself, standing and lying: 3.6e9 values of 60,000.
  const outer = file(
    [
      writeNode("Reshape", ["x", "s"], ["c"]),
      writeNode("Mul", ["x", "c"], ["m"]),
      writeNode("ReduceSum", ["m"], ["y"]),
    ],
    [int64Tensor("s", [60_000, 1])],
    60_000,
  );
  expect(openUserModel(outer, reference)).toContain('Mul "Mul_m" makes more than');
  const products = Array.from({ length: 64 }, (_, i) => {
    return writeNode("MatMul", [i === 0 ? "m" : `p${i}`, "m"], [`p${i + 1}`]);
  });
  const slow = file(
    [
      writeNode("Reshape", ["x", "s"], ["c"]),
      writeNode("MatMul", ["c", "x"], ["m"]),
      ...products,
      writeNode("ReduceSum", ["p64"], ["y"]),
    ],
    [int64Tensor("s", [1500, 1])],
    1500,
  );
  expect(openUserModel(slow, reference)).toContain("multiplications");
  expect(performance.now() - start).toBeLessThan(20_000);
});

test("a window of one channel: units in, units out, and no value before it is full", () => {
  const model = open(saved("w.onnx", floatModel([1, 10, 100], [1, 3])));
  const spec: ModelSpec = {
    name: "load",
    in: [{ tensor: "x", channels: ["oilTemp"], window: 3, units: [unit("Cel")] }],
    out: [{ tensor: "y", index: 0, channel: "score", unit: unit("kW") }],
  };
  const monitor = bound(model, spec);
  expect(monitor.inputs).toEqual(["oilTemp"]);
  expect(monitor.outputs).toMatchObject([{ name: "score", unit: "W" }]);
  const written: number[] = [];
  const feed = (celsius: number): number => {
    monitor.onSample(frameOf([celsius + 273.15], written), 0, 0);
    return written[0] as number;
  };
  expect(feed(1)).toBeNaN();
  expect(feed(2)).toBeNaN();
  expect(feed(3)).toBeCloseTo(1000 * (1 * 1 + 2 * 10 + 3 * 100 + 1), -1);
  expect(feed(4)).toBeCloseTo(1000 * (2 * 1 + 3 * 10 + 4 * 100 + 1), -1);
  expect(feed(Number.NaN), "a missing value silences it").toBeNaN();
  expect(feed(1), "and empties the window").toBeNaN();
});

test("stacked channels: each sample counts, and none may be missing", () => {
  const model = open(saved("s.onnx", floatModel([1, 10], [2])));
  const monitor = bound(model, {
    name: "pair",
    in: [
      {
        tensor: "x",
        channels: ["current", "current2"],
        window: 1,
        units: [unit("mA"), unit("mA")],
      },
    ],
    out: [{ tensor: "y", index: 0, channel: "pairScore", unit: unit("1") }],
  });
  const written: number[] = [];
  const values = [0.002, Number.NaN];
  monitor.onSample(frameOf(values, written), 0, 0);
  expect(written[0]).toBeNaN();
  values[1] = 0.003;
  monitor.onSample(frameOf(values, written), 1, 0);
  expect(written[0]).toBeCloseTo(2 + 30 + 1, 4);
  values[0] = 0.004;
  monitor.onSample(frameOf(values, written), 0, 1);
  expect(written[0]).toBeCloseTo(4 + 30 + 1, 4);
});

test("channels of several quantities in one tensor, each in the unit of training", () => {
  const model = open(saved("mixed.onnx", floatModel([1, 10, 100], [3])));
  const monitor = bound(model, {
    name: "mixed",
    in: [
      {
        tensor: "x",
        channels: ["current", "oilTemp", "current2"],
        window: 1,
        units: [unit("mA"), unit("Cel"), unit("A")],
      },
    ],
    out: [{ tensor: "y", index: 0, channel: "mixedScore", unit: unit("1") }],
  });
  const written: number[] = [];
  monitor.onSample(frameOf([0.002, 273.15 + 20, 3], written), 0, 0);
  expect(written[0]).toBeCloseTo(2 + 200 + 300 + 1, 2);
});

test("stacked windows move with the last channel, in the layout that the model wants", () => {
  const spec: ModelSpec = {
    name: "pair",
    in: [
      { tensor: "x", channels: ["current", "current2"], window: 3, units: [unit("A"), unit("A")] },
    ],
    out: [{ tensor: "y", index: 0, channel: "pairScore", unit: unit("1") }],
  };
  const digits = [1, 10, 100, 1000, 10_000, 100_000];
  for (const [shape, wanted] of [
    [[2, 3], 654_321],
    [[3, 2], 635_241],
  ] as const) {
    const monitor = bound(open(saved("t.onnx", floatModel(digits, shape))), spec);
    const written: number[] = [];
    for (let i = 0; i < 3; i++) {
      const frame = frameOf([1 + i, 4 + i], written);
      monitor.onSample(frame, 0, i);
      monitor.onSample(frame, 1, i);
    }
    expect(written[0]).toBeCloseTo(wanted + 1, 0);
  }
});

test("a block fills the window, the latest values last", () => {
  const model = open(saved("b.onnx", floatModel([1, 10, 100, 1000], [4])));
  const monitor = bound(model, {
    name: "wave",
    in: [{ tensor: "x", channels: ["accel"], window: 4, units: [unit("[g]")] }],
    out: [{ tensor: "y", index: 0, channel: "score", unit: unit("1") }],
  });
  const written: number[] = [];
  const values = Float32Array.from([9, 1, 2, 3, 4], (g) => g * 9.80665);
  const block = { kind: "block", channel: 0, t_ms: 0, r_ms: 0, values, fs_hz: 100 } as const;
  monitor.onBlock(frameOf([], written), 0, { ...block, speed_radps: null });
  expect(written[0]).toBeCloseTo(1 + 20 + 300 + 4000 + 1, 1);
});

test("every fault of a binding at once: names, sizes, units", () => {
  const model = open(saved("net4.onnx", writeTernaryNet(randomMlp(4))));
  const size = model.inputs[0]?.size ?? 0;
  const faults = (spec: Partial<ModelSpec>): string => {
    const good: ModelSpec = {
      name: "net",
      in: [{ tensor: "x", channels: ["accel"], window: size, units: [unit("m/s2")] }],
      out: [{ tensor: "y", index: 0, channel: "score", unit: unit("1") }],
    };
    const found = bindUserModel(model, { ...good, ...spec }, SIGNALS);
    if (!("length" in found)) return "";
    return found.map((f) => `${f.at.join(".")}: ${f.what}; ${f.instead}`).join("\n");
  };
  const x = { tensor: "x", channels: ["accel"], window: size, units: [unit("m/s2")] };
  const y = { tensor: "y", index: 0, channel: "score", unit: unit("1") };
  expect(faults({})).toBe("");
  expect(faults({ in: [] })).toContain('in: input "x" of the model is not bound');
  expect(faults({ in: [{ ...x, tensor: "X" }] })).toContain('no input "X"; write "x"');
  expect(faults({ in: [{ ...x, channels: ["acel"] }] })).toContain('write "accel"');
  expect(faults({ in: [{ ...x, window: size + 1 }] })).toContain(`write window: ${size}`);
  expect(faults({ in: [{ ...x, units: [unit("[g]")] }] })).toContain('"[g]", but the model states');
  expect(faults({ in: [{ ...x, units: [unit("m/s2{rms}")] }] })).toContain(
    'the channel "accel" peak',
  );
  expect(faults({ in: [{ ...x, channels: ["current"] }] })).toContain('the channel "current" is A');
  expect(faults({ in: [{ ...x, channels: ["levels"] }] })).toContain("stands for many channels");
  expect(faults({ out: [] })).toContain("no output is bound");
  expect(faults({ out: [{ ...y, tensor: "why" }] })).toContain('no output "why"; write "y"');
  expect(faults({ out: [{ ...y, index: 3 }] })).toContain("index 3, but the output has 3 value(s)");
  expect(faults({ out: [{ ...y, unit: unit("A") }] })).toContain('the model states "1" for "y"');
  expect(faults({ out: [{ ...y, channel: "current" }] })).toContain('the channel "current" is A');
  const both = faults({ in: [{ ...x, units: [unit("K")] }], out: [{ ...y, index: 9 }] });
  expect(both.split("\n").length).toBeGreaterThan(2);
});
