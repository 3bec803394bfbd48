//! The networks that the kernels are measured on.
import {
  denseStage,
  type Layer,
  type Plan,
  STEP_MAX,
  STEP_MAX_SMALL,
} from "../agent/accel/backend.js";
import { type Prng, prng } from "../agent/base/prng.js";
import type { NetLayer, TernaryNet } from "../agent/models/onnx/ternary-net.js";
import type { PeerLayer } from "./peers/onnxruntime.js";

const conv = (rows: number, channels: number, kernel: number): PeerLayer => ({
  ...{ kind: "conv", rows, cols: channels * kernel, kernel, stride: 2, pad: kernel >> 1 },
});
function conv2d(rows: number, channels: number, kernel: readonly [number, number]) {
  const cols = channels * kernel[0] * kernel[1];
  const plain = { stride: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const;
  return { kind: "conv2d", rows, cols, kernel, ...plain } as const;
}
export const dense = (rows: number, cols: number): PeerLayer => ({ kind: "dense", rows, cols });
export const MLP = [dense(192, 64), dense(192, 192), dense(40, 192), dense(8, 40)];
export const CNN = [conv(32, 1, 7), conv(64, 32, 5), conv(64, 64, 5), dense(15, 64 * 32)];
/** The keyword spotter of MLPerf Tiny: 49 frames of 10 coefficients, a DS-CNN of 64 channels. */
export const KWS: readonly PeerLayer[] = [
  ...[{ ...conv2d(64, 1, [10, 4]), stride: [2, 2], pads: [4, 1, 5, 1] } as const],
  ...[1, 2, 3, 4].flatMap(() => [
    { ...conv2d(64, 1, [3, 3]), pads: [1, 1, 1, 1], groups: 64 } as const,
    conv2d(64, 64, [1, 1]),
  ]),
  { kind: "pool" },
  dense(12, 64),
];
/** BERT-base, and the smallest of Google's small ones, which a gateway without the addon can run. */
export const BERT = { sequence: 128, width: 768, heads: 12, hidden: 3072, depth: 12 };
export const BERT_TINY = { sequence: 128, width: 128, heads: 2, hidden: 512, depth: 2 };

/** One layer as a network: floats in, its sums as floats out. `small`: steps of 4 bits. */
export function densePlan(rows: number, cols: number, small = false): Plan {
  const random = prng(rows + cols, "bench");
  const layer: Layer = {
    rows,
    cols,
    weights: Int8Array.from({ length: rows * cols }, () => Math.floor(random.next() * 3) - 1),
    ternary: true,
    bias: new Int32Array(rows).fill(3),
    multiplier: new Uint16Array(rows).fill(20_000),
    shift: new Uint8Array(rows).fill(19),
    relu: false,
  };
  const to = Math.ceil((cols + 4) / 64) * 64;
  const scale = new Float64Array(rows).fill(0.1);
  return {
    input: {
      ...{ channels: cols, lines: 1, length: 1, at: 0, line: 0 },
      ...{ inverse: small ? 2 : 31, limit: small ? STEP_MAX_SMALL : STEP_MAX },
    },
    stages: [denseStage(layer, 0, to)],
    state: [],
    output: { channels: rows, places: 1, at: to, scale, sums: true, relu: false },
    arena_bytes: to + rows,
  };
}

export function ternaryNet(layers: readonly PeerLayer[], shape: readonly number[]): TernaryNet {
  const random = prng(3, "net");
  return {
    input: { name: "x", unit: "1", min: -4, max: 4, shape, scale: 0.03 },
    layers: layers.map((layer, i) => ternaryLayer(random, layer, i === layers.length - 1)),
    output: { name: "y", unit: "1", min: -50, max: 50, classes: [] },
    meta: { version: "1", training: "sha256:none", facts: {} },
  };
}

function ternaryLayer(random: Prng, layer: PeerLayer, last: boolean): NetLayer {
  if (layer.kind === "pool") {
    return { kind: "pool", mode: "average", window: null, countPads: false, outScale: 0.03 };
  }
  const { rows, cols } = layer;
  // Few weights, which training leaves at 8 bits: one filter a channel.
  const ternary = layer.kind !== "conv2d" || layer.groups === 1;
  const most = ternary ? 1 : 127;
  const shared = {
    weights: Int8Array.from(
      { length: rows * cols },
      () => Math.floor(random.next() * (2 * most + 1)) - most,
    ),
    ternary,
    wScale: new Float32Array(rows).fill(0.05 / most),
    bias: new Float32Array(rows).fill(0.01),
    relu: !last,
    outScale: last ? null : 0.03,
  };
  if (layer.kind === "dense") return { ...shared, kind: "dense", rows, cols };
  if (layer.kind === "conv2d") {
    const { kernel, stride, pads, groups } = layer;
    const channels = cols / (kernel[0] * kernel[1]);
    const rest = { filters: rows, channels, kernel, stride, pads, groups };
    return { ...shared, kind: "conv2d", ...rest, dilation: [1, 1] };
  }
  const { kernel, stride, pad } = layer;
  const channels = cols / kernel;
  return { ...shared, kind: "conv1d", filters: rows, channels, kernel, stride, pad };
}
