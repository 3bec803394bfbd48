//! The integers of the layers without weights: gains of sums, tables of activations, averages.
//! A text says why a layer cannot be had in integers.
import { FUNCTIONS } from "../accel/encoder.js";
import type { AddLayer, TableLayer } from "./onnx/ternary-net.js";

const GAIN_MAX = 2 ** 30;
const INT32_MAX = 2 ** 31 - 1;
const SHIFT_MAX = 31;

export type Gains = {
  readonly gainA: Int32Array;
  readonly gainB: Int32Array;
  readonly bias: Int32Array;
  readonly shift: Uint8Array;
};

/** Of sources with these scales; a list of gains has one value, or one for each channel. */
export function gainsOf(
  layer: Pick<AddLayer, "gains" | "bias" | "outScale">,
  channels: number,
  scales: readonly number[],
): Gains | string {
  const { gains, bias, outScale } = layer;
  const lists = [...(gains ?? []), ...(bias === null ? [] : [bias])];
  if (lists.some(({ length }) => length !== 1 && length !== channels)) {
    return `its gains have not one value, nor one for each of ${channels} channels`;
  }
  const made: Gains = {
    gainA: new Int32Array(channels),
    gainB: new Int32Array(channels),
    bias: new Int32Array(channels),
    shift: new Uint8Array(channels),
  };
  const at = (list: Float32Array | null | undefined, c: number, none: number): number =>
    list === null || list === undefined ? none : (list[list.length === 1 ? 0 : c] as number);
  for (let c = 0; c < channels; c++) {
    const [a, b] = [0, 1].map((i) => {
      return scales[i] === undefined ? 0 : (at(gains?.[i], c, 1) * scales[i]) / outScale;
    }) as [number, number];
    const constant = at(bias, c, 0) / outScale;
    const most = Math.max(Math.abs(a), Math.abs(b), Math.abs(constant) / 2, 2 ** -30);
    // The finest grid on which the largest of them fits.
    const shift = Math.min(SHIFT_MAX, Math.floor(Math.log2(GAIN_MAX / most)));
    if (!(shift >= 1 && Number.isFinite(most))) {
      return `its gain, channel ${c}, is ${most.toPrecision(3)} output steps`;
    }
    made.gainA[c] = Math.round(a * 2 ** shift);
    made.gainB[c] = Math.round(b * 2 ** shift);
    made.bias[c] = Math.max(-INT32_MAX, Math.min(INT32_MAX, Math.round(constant * 2 ** shift)));
    made.shift[c] = shift;
  }
  return made;
}

/** By step + 128; the first stands for a step that never occurs. */
export function tableOf(layer: TableLayer, inScale: number): Int8Array | string {
  const real = realOf(layer);
  const table = new Int8Array(256);
  for (let step = -127; step <= 127; step++) {
    const value = Math.floor(real(step * inScale) / layer.outScale + 0.5);
    if (Number.isNaN(value)) return `it has no value at ${step * inScale}`;
    table[step + 128] = Math.max(-127, Math.min(127, value));
  }
  table[0] = table[1] as number;
  return table;
}

function realOf(layer: TableLayer): (x: number) => number {
  const [low, high] = layer.ends ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const slope = layer.slope ?? 0.01;
  switch (layer.of) {
    case "identity":
      return (x) => x;
    case "relu":
      return (x) => Math.max(0, x);
    case "clip":
      return (x) => Math.max(low, Math.min(high, x));
    case "leaky-relu":
      return (x) => (x < 0 ? slope * x : x);
    case "sigmoid":
      return (x) => 1 / (1 + Math.exp(-x));
    case "tanh":
      return Math.tanh;
    case "gelu":
    case "gelu-tanh":
      return FUNCTIONS[layer.of];
  }
}

/** The scales of the sums of 1 .. taps values; `divisor` is the count, where it is always the same. */
export function averagesOf(
  taps: number,
  inScale: number,
  outScale: number,
  divisor: number | null,
): { multiplier: Uint16Array; shift: Uint8Array } | string {
  const multiplier = new Uint16Array(taps);
  const shift = new Uint8Array(taps);
  for (let i = 0; i < taps; i++) {
    const ratio = inScale / outScale / (divisor ?? i + 1);
    const s = Math.min(SHIFT_MAX, Math.floor(Math.log2(32_767 / ratio)));
    if (!(s >= 1))
      return `one step of its input is ${(inScale / outScale).toPrecision(3)} output steps`;
    // At most 32,767 by the choice of s.
    multiplier[i] = Math.round(ratio * 2 ** s);
    shift[i] = s;
  }
  return { multiplier, shift };
}
