//! Random networks that use every kind of layer: for the tests against ONNX Runtime, of claims, and
//! of the file.
import { type Prng, prng } from "../../agent/base/prng.js";
import type {
  AddLayer,
  Conv2dLayer,
  ConvLayer,
  DenseLayer,
  NetLayer,
  NetState,
  PoolLayer,
  TableLayer,
  TernaryNet,
} from "../../agent/models/onnx/ternary-net.js";

const STEP = Math.fround(0.03);

export function whole(random: Prng, from: number, to: number): number {
  return from + Math.floor(random.next() * (to - from + 1));
}

/** Weights with results of about 1 where x is about 1. */
function weighted(random: Prng, rows: number, cols: number, ternary = random.next() < 0.7) {
  return {
    weights: Int8Array.from({ length: rows * cols }, () =>
      ternary ? whole(random, -1, 1) : whole(random, -127, 127),
    ),
    ternary,
    wScale: Float32Array.from({ length: rows }, () => {
      return ((0.6 + random.next()) / Math.sqrt(cols)) * (ternary ? 1 : 1 / 74);
    }),
    bias: Float32Array.from({ length: rows }, () => random.normal() * 0.3),
    relu: random.next() < 0.3,
    outScale: STEP,
  };
}

export function dense(random: Prng, rows: number, cols: number): DenseLayer {
  return { kind: "dense", rows, cols, ...weighted(random, rows, cols) };
}

export function conv1d(
  random: Prng,
  filters: number,
  channels: number,
  more: Partial<ConvLayer> = {},
): ConvLayer {
  const { kernel = 3 } = more;
  const shape = { filters, channels, kernel, stride: 1, pad: 1 };
  return { kind: "conv1d", ...weighted(random, filters, channels * kernel), ...shape, ...more };
}

export function conv2d(
  random: Prng,
  filters: number,
  channels: number,
  more: Partial<Conv2dLayer> = {},
): Conv2dLayer {
  const { kernel = [3, 3] } = more;
  return {
    kind: "conv2d",
    ...weighted(random, filters, channels * kernel[0] * kernel[1]),
    ...{ filters, channels, kernel, stride: [1, 1], pads: [1, 1, 1, 1] },
    ...{ dilation: [1, 1], groups: 1 },
    ...more,
  };
}

export const add = (more: Partial<AddLayer> = {}): AddLayer => ({
  ...{ kind: "add", gains: null, bias: null, relu: false, outScale: STEP, bits: 8 },
  ...more,
});
export const table = (of: TableLayer["of"], more: Partial<TableLayer> = {}): TableLayer => ({
  ...{ kind: "table", of, outScale: STEP },
  ...more,
});
export const pool = (mode: PoolLayer["mode"], more: Partial<PoolLayer> = {}): PoolLayer => ({
  ...{ kind: "pool", mode, window: null, countPads: false, outScale: STEP },
  ...more,
});

function netOf(
  shape: readonly number[],
  layers: readonly NetLayer[],
  states?: readonly NetState[],
): TernaryNet {
  return {
    input: { name: "x", unit: "m/s2", min: -4, max: 4, shape, scale: STEP },
    ...(states === undefined ? {} : { states }),
    layers,
    output: { name: "y", unit: "1", min: -50, max: 50, classes: [] },
    meta: { version: "1", training: "sha256:none", facts: {} },
  };
}

/** 2-D: residual, depthwise, groups, dilation, every pool, concat. */
function image(random: Prng): TernaryNet {
  const [c, h, w] = [whole(random, 1, 4), whole(random, 9, 14), whole(random, 9, 13)];
  const f = 2 * whole(random, 1, 6);
  const window = (kernel: number, stride: number, pad: number) => ({
    kernel: [kernel, kernel] as const,
    stride: [stride, stride] as const,
    pads: [pad, pad, pad, pad] as const,
  });
  const relu = { relu: true };
  return netOf(
    [c, h, w],
    [
      conv2d(random, f, c, { name: "stem", ...relu }),
      conv2d(random, f, 1, { groups: f, kernel: [3, 3], name: "deep" }),
      conv2d(random, f, f, { kernel: [1, 1], pads: [0, 0, 0, 0], name: "mixed" }),
      add({ from: ["mixed", "stem"], relu: random.next() < 0.5, name: "sum" }),
      pool("max", { window: window(3, 2, 1), name: "small" }),
      conv2d(random, f, f / 2, { groups: 2, dilation: [2, 1], pads: [2, 1, 2, 0], name: "split" }),
      pool("average", { window: window(2, 1, 1), countPads: random.next() < 0.5, name: "smooth" }),
      table("gelu", { name: "bent" }),
      pool("average", { name: "mean" }),
      pool("max", { from: ["bent"], name: "peak" }),
      { kind: "concat", from: ["mean", "peak"], outScale: STEP },
      { ...dense(random, whole(random, 3, 6), 2 * f), relu: false },
    ],
  );
}

/** 1-D: causal and dilated, gates of all places by one value a channel, a turned input. */
function series(random: Prng): TernaryNet {
  const [c, length, f] = [whole(random, 1, 4), whole(random, 12, 40), whole(random, 2, 9)];
  const causal = (dilation: number) => ({ kernel: 3, dilation, pad: 2 * dilation, padEnd: 0 });
  return netOf(
    [length, c],
    [
      { kind: "transpose", perm: [1, 0], name: "turned" },
      conv1d(random, f, c, { ...causal(1), name: "first" }),
      conv1d(random, f, f, { ...causal(2), name: "second" }),
      add({ from: ["second", "first"], name: "sum" }),
      pool("average", { name: "mean" }),
      conv1d(random, f, f, { kernel: 1, pad: 0, name: "gate" }),
      table("sigmoid", { outScale: Math.fround(1 / 127), name: "share" }),
      { kind: "mul", from: ["sum", "share"], outScale: STEP },
      table("leaky-relu", { slope: Math.fround(0.17) }),
      pool("average", { window: { kernel: [1, 3], stride: [1, 2], pads: [0, 1, 0, 1] } }),
      table("clip", { ends: [-1.5, 2], name: "cut" }),
      { ...dense(random, 3, f * Math.floor((length - 1) / 2 + 1)), relu: false },
    ],
  );
}

/** A GRU with one hidden vector: h' = n + z * (h - n). */
export function gruNet(random: Prng): TernaryNet {
  const [c, n] = [whole(random, 1, 6), whole(random, 2, 12)];
  const share = { outScale: Math.fround(1 / 127) };
  const minus = Float32Array.of(-1);
  return netOf(
    [c],
    [
      { kind: "concat", from: ["x", "h"], outScale: STEP, name: "xh" },
      { ...dense(random, n, c + n), relu: false, name: "z_in" },
      table("sigmoid", { ...share, name: "z" }),
      { ...dense(random, n, c + n), relu: false, from: ["xh"], name: "r_in" },
      table("sigmoid", { ...share, name: "r" }),
      { kind: "mul", from: ["h", "r"], ...share, name: "rh" },
      { kind: "concat", from: ["x", "rh"], outScale: STEP },
      { ...dense(random, n, c + n), relu: false },
      table("tanh", { ...share, name: "n" }),
      add({ from: ["h", "n"], gains: [Float32Array.of(1), minus], outScale: Math.fround(2 / 127) }),
      { kind: "mul", from: ["layer9", "z"], outScale: Math.fround(2 / 127), name: "step" },
      add({ from: ["n", "step"], ...share, name: "h_next" }),
      { ...dense(random, 2, n), relu: false, outScale: null },
    ],
    [{ name: "h", channels: n, bits: 8, next: "h_next", scale: share.outScale }],
  );
}

/** A diagonal state space: s' = a * s + b * u by channel, in int16, read back as int8. */
export function ssmNet(random: Prng): TernaryNet {
  const [c, n] = [whole(random, 1, 5), whole(random, 2, 16)];
  const fine = { outScale: Math.fround(8 / 32_767), bits: 16 } as const;
  const decay = Float32Array.from({ length: n }, () => Math.exp(-(10 ** (-3 * random.next()))));
  const drive = decay.map((a) => 1 - a);
  return netOf(
    [c],
    [
      { ...dense(random, n, c), relu: false, name: "u" },
      add({ from: ["s", "u"], gains: [decay, drive], ...fine, name: "s_next" }),
      add({ name: "seen" }),
      table("gelu"),
      { ...dense(random, 2, n), relu: false },
    ],
    [{ name: "s", channels: n, scale: fine.outScale, bits: 16, next: "s_next" }],
  );
}

export const KINDS = { image, series, gru: gruNet, ssm: ssmNet } as const;

export function mixedNet(kind: keyof typeof KINDS, seed: number): TernaryNet {
  return KINDS[kind](prng(seed, kind));
}
