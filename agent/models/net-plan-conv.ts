//! Convolutions: rows that overlap where the window lies in one piece, else rows that are gathered;
//! one filter a channel has a stage of its own.
import type { Rows, Stage } from "../accel/backend.js";
import { groupOf, integerLayer } from "./integers.js";
import { type Draft, keepSums, NOT_FREE, padded, put, resultOf } from "./net-plan-draft.js";
import type { Conv2dLayer } from "./onnx/ternary-net.js";
import { rowsOf, type Spatial, spatialOf, type View, viewOf } from "./plane.js";

/** The window over rows with their pads: where its taps lie, and how it steps. */
type Window = {
  readonly taps: Uint32Array;
  readonly rows: Rows;
  readonly lines: number;
  readonly places: number;
};

export function planConv(
  draft: Draft,
  layer: Conv2dLayer,
  name: string,
  source: View,
): View | string {
  const { filters, channels, groups, outScale } = layer;
  const fault = shapeFault(layer, source.dims.length);
  if (fault !== null) return fault;
  const around = padded(draft, source, layer.pads);
  if (typeof around === "string") return around;
  const x = spatialOf(around);
  if (x === null) return NOT_FREE;
  if (channels * groups !== x.channels) {
    return `${channels * groups} channels, but ${x.channels} come in`;
  }
  const window = windowOf(layer, x);
  const { taps, rows, lines, places } = window;
  if (lines < 1 || places < 1) return `kernel ${layer.kernel} is longer than its input`;
  const y = resultOf(draft, name, { channels: filters, height: lines, width: places });
  const single = channels === 1 && groups > 1 && filters === groups;
  if (outScale === null && groups > 1) return "a last layer in groups needs an out scale";
  const to = rowsOf(y);
  for (let group = 0; group < (single ? 1 : groups); group++) {
    const order = columnOrder(channels, taps.length);
    const share = groupOf(layer, group, single ? 1 : groups);
    const made = integerLayer(share, source.scale, order);
    if (typeof made === "string") return made;
    keepSums(draft, made, outScale);
    const grid = { layer: made.layer, lines, places };
    const at = { ...to, at: to.at + group * made.layer.rows };
    const stage: Stage = single
      ? { kind: "depthwise", ...grid, x: rows, y: to, taps }
      : {
          ...{ kind: "matmul", ...grid, y: at, runs: runsOf(layer, x, window) },
          x: { ...rows, at: rows.at + group * channels },
        };
    const refused = put(draft, stage.kind === "matmul" ? straightened(stage) : stage);
    if (refused !== null) return refused;
  }
  return viewOf(y, source.dims.length, outScale ?? 1);
}

function shapeFault(layer: Conv2dLayer, rank: number): string | null {
  const { kernel, stride, dilation, pads, filters, channels, groups } = layer;
  const sizes = [...kernel, ...stride, ...dilation, filters, channels, groups];
  if (!sizes.every((n) => Number.isInteger(n) && n >= 1 && n <= 2 ** 20)) return "its sizes";
  if (!pads.every((n) => Number.isInteger(n) && n >= 0 && n <= 2 ** 16)) return "its pads";
  if (filters % groups !== 0) return `${filters} filters do not make ${groups} groups`;
  const count = filters * channels * kernel[0] * kernel[1];
  if (count !== layer.weights.length)
    return `${layer.weights.length} weights, its shape has ${count}`;
  if (rank === 1) return "its input has no places";
  return rank === 2 && kernel[0] > 1 ? "its input has one line only" : null;
}

function windowOf({ kernel, stride, dilation, pads }: Conv2dLayer, x: Spatial): Window {
  const count = (side: 0 | 1, size: number): number => {
    const whole = size + pads[side] + (pads[side + 2] ?? 0) - (kernel[side] - 1) * dilation[side];
    return Math.floor((whole - 1) / stride[side]) + 1;
  };
  const taps = Uint32Array.from({ length: kernel[0] * kernel[1] }, (_, i) => {
    const [l, p] = [Math.floor(i / kernel[1]), i % kernel[1]];
    return l * dilation[0] * x.line + p * dilation[1] * x.step;
  });
  const at = x.at - pads[0] * x.line - pads[1] * x.step;
  const rows = { at, step: stride[1] * x.step, line: stride[0] * x.line };
  return { taps, rows, lines: count(0, x.height), places: count(1, x.width) };
}

/** Rows hold the channels of a tap side by side, the file the taps of a channel. */
function columnOrder(channels: number, taps: number): Int32Array {
  return Int32Array.from({ length: taps * channels }, (_, i) => {
    return (i % channels) * taps + Math.floor(i / channels);
  });
}

/** Null where a window lies in one piece; lines of it where those do. */
function runsOf(layer: Conv2dLayer, x: Spatial, { taps }: Window): Uint32Array | null {
  const { kernel, dilation, channels, groups } = layer;
  const dense = groups === 1 && x.step === channels && (dilation[1] === 1 || kernel[1] === 1);
  if (!dense) return taps.length === 1 ? null : taps;
  return kernel[0] === 1 ? null : taps.filter((_, i) => i % kernel[1] === 0);
}

/** Lines without a gap between them are one line. */
function straightened(stage: Stage & { readonly kind: "matmul" }): Stage {
  const { x, y, lines, places } = stage;
  const whole = x.line === places * x.step && y.line === places * y.step;
  return whole ? { ...stage, lines: 1, places: lines * places } : stage;
}
