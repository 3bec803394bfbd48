//! What a network of the ternary pattern is: the shape that the training scripts write and the
//! planner runs. It states real scales; the integers that a backend gets are derived in ../net-plan.ts.
//! Shapes leave the batch out: [length], [channels, length] or [channels, height, width].

/** A tensor of the model as the outside sees it. Units are UCUM texts, "1" for plain numbers. */
export type NetPort = {
  readonly name: string;
  readonly unit: string;
  /** The range seen in training, in that unit; infinite where none is stated. */
  readonly min: number;
  readonly max: number;
};

export type NetInput = NetPort & {
  /** `[length]`, or with places `[channels, length]`, `[channels, height, width]`. */
  readonly shape: readonly number[];
  /** One int8 step, so that the input is clipped to +-127 * scale. */
  readonly scale: number;
};

export type NetOutput = NetPort & {
  /** What each value stands for, in order; empty when the output is one quantity. */
  readonly classes: readonly string[];
};

/** A vector that the next call reads: 0 at first, then what the layer `next` gave. */
export type NetState = {
  readonly name: string;
  readonly channels: number;
  /** One step; that of `next` too. */
  readonly scale: number;
  readonly bits: 8 | 16;
  readonly next: string;
};

type Placed = {
  /** Needed only where another layer or a state names it; faults name it too. */
  readonly name?: string;
  /** Names of layers, of a state, or of the input; by default the layer before. */
  readonly from?: readonly string[];
};

type Weighted = Placed & {
  /** int8 in [-127, 127], row-major; the first index is the output channel. */
  readonly weights: Int8Array;
  /** True when every weight is -1, 0 or +1: stored as INT2, else as INT8. */
  readonly ternary: boolean;
  /** Real weight = weight * wScale[output channel]. */
  readonly wScale: Float32Array;
  readonly bias: Float32Array;
  readonly relu: boolean;
  /** One int8 step of the output; null gives real numbers, allowed in the last layer only. */
  readonly outScale: number | null;
};

/** weights: rows x cols. It reads its input flat: after a conv channel-first. */
export type DenseLayer = Weighted & {
  readonly kind: "dense";
  readonly rows: number;
  readonly cols: number;
};

/** weights: filters x channels x kernel, as in ONNX Conv; channels are those of one group. */
export type ConvLayer = Weighted & {
  readonly kind: "conv1d";
  readonly filters: number;
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  /** Zeros before, and after where `padEnd` does not say otherwise. */
  readonly pad: number;
  readonly padEnd?: number;
  readonly dilation?: number;
  readonly groups?: number;
};

type Pair = readonly [number, number];
/** Before the first line, before the first place, after the last line, after the last place. */
export type Pads = readonly [number, number, number, number];

/** weights: filters x channels x kernel[0] x kernel[1]; channels are those of one group. */
export type Conv2dLayer = Weighted & {
  readonly kind: "conv2d";
  readonly filters: number;
  readonly channels: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly pads: Pads;
  readonly dilation: Pair;
  readonly groups: number;
};

/** y = gains[0] * a + gains[1] * b + bias, b only where there are two sources; by channel. */
export type AddLayer = Placed & {
  readonly kind: "add";
  readonly gains: readonly Float32Array[] | null;
  readonly bias: Float32Array | null;
  readonly relu: boolean;
  readonly outScale: number;
  readonly bits: 8 | 16;
};

/** y = a * b; b may have one value a channel where a has places. */
export type MulLayer = Placed & { readonly kind: "mul"; readonly outScale: number };

export const TABLES = [
  "identity",
  "relu",
  "clip",
  "sigmoid",
  "tanh",
  "gelu",
  "gelu-tanh",
  "leaky-relu",
] as const;

/** An activation as a table of 256 steps. `clip` has both ends, `leaky-relu` its slope. */
export type TableLayer = Placed & {
  readonly kind: "table";
  readonly of: (typeof TABLES)[number];
  readonly ends?: Pair;
  readonly slope?: number;
  readonly outScale: number;
};

/** `window` null: over all places. Pads are never the largest; `countPads` averages them in as 0. */
export type PoolLayer = Placed & {
  readonly kind: "pool";
  readonly mode: "max" | "average";
  readonly window: { readonly kernel: Pair; readonly stride: Pair; readonly pads: Pads } | null;
  readonly countPads: boolean;
  readonly outScale: number;
};

/** Channels behind one another. */
export type ConcatLayer = Placed & { readonly kind: "concat"; readonly outScale: number };

/** Costs nothing: the layers after it read their values where they lie. */
export type ReshapeLayer = Placed & { readonly kind: "reshape"; readonly shape: readonly number[] };
export type TransposeLayer = Placed & {
  readonly kind: "transpose";
  /** Place i of the result is place perm[i] of the source; the batch is not counted. */
  readonly perm: readonly number[];
};

export type WeightedLayer = DenseLayer | ConvLayer | Conv2dLayer;
export type NetLayer =
  | WeightedLayer
  | AddLayer
  | MulLayer
  | TableLayer
  | PoolLayer
  | ConcatLayer
  | ReshapeLayer
  | TransposeLayer;

export type NetMeta = {
  /** Version of this model, e.g. "1". */
  readonly version: string;
  /** `sha256:...` over the training script, its seed and its data. */
  readonly training: string;
  /** Free facts for people, kept as `sterna.<key>`: sampling, accuracy. */
  readonly facts: Readonly<Record<string, string>>;
};

/** What a model promises of itself, proven again at every load (../certificate.ts). */
export type NetClaims = {
  /** Indices of input values (channel-first) in which no output ever falls. */
  readonly monotone?: readonly number[];
  /** No output ever leaves these, in the unit of the output. */
  readonly bounds?: Pair;
};

/** The last layer is the output. Each layer reads only what stands before it. */
export type TernaryNet = {
  readonly input: NetInput;
  readonly states?: readonly NetState[];
  readonly layers: readonly NetLayer[];
  readonly output: NetOutput;
  readonly meta: NetMeta;
  readonly claims?: NetClaims;
};

export function isWeighted(layer: NetLayer): layer is WeightedLayer {
  return layer.kind === "dense" || layer.kind === "conv1d" || layer.kind === "conv2d";
}

/** How others name the layer. */
export function nameOf(layer: NetLayer, index: number): string {
  return layer.name ?? `layer${index}`;
}

/** How a fault names it. */
export function describeLayer(layer: NetLayer, index: number): string {
  const name = layer.name === undefined || layer.name === `layer${index}` ? "" : ` ${layer.name}`;
  return `layer ${index} (${layer.kind}${name})`;
}

export function sourcesOf(net: TernaryNet, index: number): readonly string[] {
  const before = net.layers[index - 1];
  const last = before === undefined ? net.input.name : nameOf(before, index - 1);
  return net.layers[index]?.from ?? [last];
}

/** Places of a conv1d's output for an input of `length`; below 1 it does not fit. */
export function convLength(layer: ConvLayer, length: number): number {
  const { kernel, stride, pad, padEnd = pad, dilation = 1 } = layer;
  return Math.floor((length + pad + padEnd - (kernel - 1) * dilation - 1) / stride) + 1;
}

/** How many output channels a layer has. */
export function channelsOut(layer: WeightedLayer): number {
  return layer.kind === "dense" ? layer.rows : layer.filters;
}

/** A conv1d is a conv2d of one line. */
export function asConv2d(layer: ConvLayer | Conv2dLayer): Conv2dLayer {
  if (layer.kind === "conv2d") return layer;
  const { kernel, stride, pad, padEnd = pad, dilation = 1, groups = 1, ...rest } = layer;
  return {
    ...rest,
    kind: "conv2d",
    kernel: [1, kernel],
    stride: [1, stride],
    pads: [0, pad, 0, padEnd],
    dilation: [1, dilation],
    groups,
  };
}
