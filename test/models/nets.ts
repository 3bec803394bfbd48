//! Random networks for the model tests, seeded; and ONNX Runtime as the independent reference.
import { createRequire } from "node:module";
import { type Prng, prng } from "../../agent/base/prng.js";
import type {
  ConvLayer,
  DenseLayer,
  TernaryNet,
  WeightedLayer,
} from "../../agent/models/onnx/ternary-net.js";
import { convLength } from "../../agent/models/onnx/ternary-net.js";

/** Layers with weights, one behind another. */
export type Chain = Omit<TernaryNet, "layers"> & { readonly layers: readonly WeightedLayer[] };

export const IN_SCALE = Math.fround(0.031);

function whole(random: Prng, from: number, to: number): number {
  return from + Math.floor(random.next() * (to - from + 1));
}

function weighted(random: Prng, rows: number, cols: number, ternary: boolean, last: boolean) {
  const weights = Int8Array.from({ length: rows * cols }, () =>
    ternary ? whole(random, -1, 1) : whole(random, -127, 127),
  );
  const size = ternary ? 1 : 1 / 64;
  const wScale = Float32Array.from({ length: rows }, () => size * (0.02 + random.next() * 0.2));
  const bias = Float32Array.from({ length: rows }, () => random.normal());
  const outScale = last ? null : Math.fround(0.01 + random.next() * 0.05);
  return { weights, ternary, wScale, bias, relu: !last && random.next() < 0.7, outScale };
}

export function dense(random: Prng, rows: number, cols: number, ternary = true, last = false) {
  const layer: DenseLayer = {
    kind: "dense",
    rows,
    cols,
    ...weighted(random, rows, cols, ternary, last),
  };
  return layer;
}

export function conv(random: Prng, filters: number, channels: number, ternary = true) {
  const kernel = whole(random, 1, 5);
  const layer: ConvLayer = {
    kind: "conv1d",
    filters,
    channels,
    kernel,
    stride: whole(random, 1, 3),
    pad: whole(random, 0, kernel - 1),
    ...weighted(random, filters, channels * kernel, ternary, false),
  };
  return layer;
}

function around(layers: readonly WeightedLayer[], shape: readonly number[]): Chain {
  return {
    input: { name: "x", unit: "m/s2", min: -4, max: 4, shape, scale: IN_SCALE },
    layers,
    output: { name: "y", unit: "1", min: -50, max: 50, classes: [] },
    meta: { version: "1", training: "sha256:none", facts: { note: "random" } },
  };
}

/** int8 first and last layers around ternary ones. */
export function randomMlp(seed: number): Chain {
  const random = prng(seed, "mlp");
  const [a, b, c, d] = [whole(random, 1, 70), whole(random, 1, 50), whole(random, 1, 40), 3];
  return around(
    [dense(random, b, a, false), dense(random, c, b), dense(random, d, c, false, true)],
    [a],
  );
}

export function randomCnn(seed: number): Chain {
  const random = prng(seed, "cnn");
  const [channels, length] = [whole(random, 1, 3), whole(random, 20, 60)];
  const first = conv(random, whole(random, 1, 6), channels, false);
  const second = conv(random, whole(random, 1, 6), first.filters);
  const places = convLength(second, convLength(first, length));
  const head = dense(random, 4, second.filters * places, true, true);
  return around([first, second, head], [channels, length]);
}

/** Layer `at` alone, fed with the steps that the layer before it gives: no error adds up. */
export function alone(net: Chain, at: number, shape: readonly number[]): Chain {
  const layer = net.layers[at];
  const scale = at === 0 ? net.input.scale : (net.layers[at - 1]?.outScale ?? Number.NaN);
  if (layer === undefined) throw new Error(`no layer ${at}`);
  return { ...around([layer], shape), input: { ...net.input, shape, scale } };
}

export function randomInput(random: Prng, size: number): Float32Array {
  // Beyond the clip on both sides, so that saturation is compared too.
  return Float32Array.from({ length: size }, () => random.normal() * 2.5);
}

export type Feed = {
  readonly data: Float32Array | Uint8Array | BigInt64Array;
  /** Without the batch. */
  readonly shape: readonly number[];
  /** "float32" without it. */
  readonly type?: "float32" | "bool" | "int64";
};
type Session = {
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>;
};
type Ort = {
  Tensor: new (type: string, data: Feed["data"], dims: readonly number[]) => unknown;
  InferenceSession: { create(bytes: Uint8Array, options: object): Promise<Session> };
};

/** The typings of onnxruntime-node do not matter here; its behaviour does. */
const ort = createRequire(import.meta.url)("onnxruntime-node") as Ort;

export const LEVELS = {
  basic: { graphOptimizationLevel: "basic" },
  "all, without qdq": {
    graphOptimizationLevel: "all",
    extra: { session: { disable_quant_qdq: "1" } },
  },
  default: {},
} as const;

export async function runOrt(
  bytes: Uint8Array,
  shape: readonly number[],
  x: Float32Array,
  level: keyof typeof LEVELS,
  input = "x",
): Promise<Float32Array> {
  const options = { ...LEVELS[level], logSeverityLevel: 4, intraOpNumThreads: 1 };
  const session = await ort.InferenceSession.create(bytes, options);
  const size = shape.reduce((a, b) => a * b, 1);
  const tensor = new ort.Tensor("float32", x, [x.length / size, ...shape]);
  const found = await session.run({ [input]: tensor });
  const [y] = Object.values(found);
  if (y === undefined) throw new Error("no output");
  return y.data;
}

/** Every output of the graph, by its name. */
export async function runOrtAll(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Feed>>,
  level: keyof typeof LEVELS | "disabled",
): Promise<Record<string, Float32Array>> {
  const chosen = level === "disabled" ? { graphOptimizationLevel: level } : LEVELS[level];
  const options = { ...chosen, logSeverityLevel: 4, intraOpNumThreads: 1 };
  const session = await ort.InferenceSession.create(bytes, options);
  const given = Object.entries(feeds).map(([name, { data, shape, type = "float32" }]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, new ort.Tensor(type, data, [data.length / size, ...shape])];
  });
  const found = await session.run(Object.fromEntries(given));
  return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data]));
}
