//! What a network of the ternary pattern is: the shape that the training scripts write and the
//! planner runs. It states real scales; the integers that a backend gets are derived in network.ts.

/** A tensor of the model as the outside sees it. Units are UCUM texts, "1" for plain numbers. */
export type NetPort = {
  readonly name: string;
  readonly unit: string;
  /** The range seen in training, in that unit; infinite where none is stated. */
  readonly min: number;
  readonly max: number;
};

export type NetInput = NetPort & {
  /** `[length]`, or `[channels, length]` before a conv1d. The batch is not part of it. */
  readonly shape: readonly number[];
  /** One int8 step, so that the input is clipped to +-127 * scale. */
  readonly scale: number;
};

export type NetOutput = NetPort & {
  /** What each value stands for, in order; empty when the output is one quantity. */
  readonly classes: readonly string[];
};

type Weighted = {
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

/** weights: rows x cols. After a conv1d the columns are channel-first: channel * length + place. */
export type DenseLayer = Weighted & {
  readonly kind: "dense";
  readonly rows: number;
  readonly cols: number;
};

/** weights: filters x channels x kernel, as in ONNX Conv; `pad` zeros on both sides. */
export type ConvLayer = Weighted & {
  readonly kind: "conv1d";
  readonly filters: number;
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
};

export type NetLayer = DenseLayer | ConvLayer;

export type NetMeta = {
  /** Version of this model, e.g. "1". */
  readonly version: string;
  /** `sha256:...` over the training script, its seed and its data. */
  readonly training: string;
  /** Free facts for people, kept as `sterna.<key>`: bounds, sampling, accuracy. */
  readonly facts: Readonly<Record<string, string>>;
};

export type TernaryNet = {
  readonly input: NetInput;
  readonly layers: readonly NetLayer[];
  readonly output: NetOutput;
  readonly meta: NetMeta;
};

/** Places of a conv1d's output for an input of `length`; below 1 it does not fit. */
export function convLength(layer: ConvLayer, length: number): number {
  return Math.floor((length + 2 * layer.pad - layer.kernel) / layer.stride) + 1;
}

/** How many output channels a layer has. */
export function channelsOut(layer: NetLayer): number {
  return layer.kind === "dense" ? layer.rows : layer.filters;
}
