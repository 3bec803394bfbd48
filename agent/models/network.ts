//! Runs a model of the ternary pattern: planned once at load, then each inference is one call of the
//! backend for the whole network, in buffers that exist already.
import { createHash } from "node:crypto";
import {
  type Backend,
  denseStage,
  type Plan,
  ROW_GAP_BYTES,
  type Stage,
} from "../accel/backend.js";
import type { Tier } from "../base/telemetry.js";
import { type IntegerLayer, integerLayer } from "./integers.js";
import type { ModelPort } from "./model.js";
import { readOnnx } from "./onnx/read.js";
import { recognise } from "./onnx/recognise.js";
import type { TernaryNet } from "./onnx/ternary-net.js";
import { convLength, type NetLayer, type NetMeta } from "./onnx/ternary-net.js";

/** Values between two layers, and multiplications an inference: far above any model of an edge. */
const VALUES_MAX = 2 ** 22;
const MACS_MAX = 2 ** 31;
const ARENA_BYTES_MAX = 2 ** 27;

export type Network = {
  readonly inputs: readonly ModelPort[];
  readonly outputs: readonly ModelPort[];
  readonly meta: NetMeta;
  /** `sha256:...` over the whole file. */
  readonly hash: string;
  readonly tier: Tier;
  readonly backend: string;
  /** x and y are flat and channel-first; a NaN or infinity in x makes every y NaN. */
  infer(x: Float32Array, y: Float32Array): void;
};

/** Where values lie in the arena: `length` places of `channels`, `pad` places of 0 at both ends. */
type Plane = {
  readonly at: number;
  readonly channels: number;
  readonly length: number;
  readonly pad: number;
};

export function loadNetwork(bytes: Uint8Array, backend: Backend): Network | string {
  const model = readOnnx(bytes);
  if (typeof model === "string") return model;
  const net = recognise(model);
  if (typeof net === "string") return `not a network of the ternary pattern: ${net}`;
  return planNetwork(net, backend, hashOf(bytes));
}

export function hashOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function planNetwork(net: TernaryNet, backend: Backend, hash: string): Network | string {
  const stages: Stage[] = [];
  let plane = inputPlane(net);
  let scale = net.input.scale;
  let macs = 0;
  let last: IntegerLayer | null = null;
  const first = plane;
  for (const [i, layer] of net.layers.entries()) {
    const name = `layer ${i} (${layer.kind})`;
    const size = plane.channels * plane.length;
    if (!(size <= VALUES_MAX)) return `${name}: ${size} values come in, at most ${VALUES_MAX}`;
    const before = i === 0 ? net.input.shape.length === 2 : net.layers[i - 1]?.kind === "conv1d";
    if (layer.kind === "conv1d" && !before) return `${name}: its input has no places`;
    const order = columnOrder(layer, plane);
    if (typeof order === "string") return `${name}: ${order}`;
    if (order.length > backend.cols_max) {
      const most = `the backend ${backend.name} takes ${backend.cols_max}`;
      return `${name}: ${order.length} columns, ${most}`;
    }
    const made = integerLayer(layer, name, scale, order);
    if (typeof made === "string") return made;
    const next = outputPlane(layer, plane, net.layers[i + 1]);
    macs += next.length * layer.weights.length;
    if (!(next.length * next.channels <= VALUES_MAX)) return `${name}: too many values come out`;
    if (!(endOf(next) <= ARENA_BYTES_MAX)) return `${name}: its padding is too wide`;
    if (!(macs <= MACS_MAX)) return `${name}: more than ${MACS_MAX} multiplications an inference`;
    if (layer.outScale === null && i < net.layers.length - 1) return `${name}: it has no out scale`;
    stages.push(stageOf(layer, made, plane, next));
    scale = layer.outScale ?? scale;
    last = made;
    plane = next;
  }
  if (last === null) return "the network has no layer";
  return assemble(net, backend, hash, planOf(net, stages, first, plane, last));
}

function inputPlane(net: TernaryNet): Plane {
  const { shape } = net.input;
  const [a = 1, b] = shape;
  const [first] = net.layers;
  const pad = first?.kind === "conv1d" ? first.pad : 0;
  // A flat input is one place with all its values, unless a conv reads it.
  return { at: 0, channels: a, length: b ?? 1, pad };
}

function endOf({ at, channels, length, pad }: Plane): number {
  return at + channels * (length + 2 * pad);
}

function outputPlane(layer: NetLayer, from: Plane, next: NetLayer | undefined): Plane {
  const pad = next?.kind === "conv1d" ? next.pad : 0;
  // The next cache line, with the gap after x that the contract asks for.
  const at = Math.ceil((endOf(from) + ROW_GAP_BYTES) / 64) * 64;
  if (layer.kind === "dense") return { at, channels: layer.rows, length: 1, pad };
  return { at, channels: layer.filters, length: convLength(layer, from.length), pad };
}

/** Planes hold a place's channels side by side, the file a channel's places: the same numbers. */
function columnOrder(layer: NetLayer, plane: Plane): Int32Array | string {
  const { channels, length } = plane;
  if (layer.kind === "dense") {
    if (layer.cols !== channels * length) {
      return `its weights have ${layer.cols} columns, but ${channels * length} values come in`;
    }
    return Int32Array.from({ length: layer.cols }, (_, i) => {
      return (i % channels) * length + Math.floor(i / channels);
    });
  }
  if (layer.channels !== channels) return `${layer.channels} channels, but ${channels} come in`;
  if (convLength(layer, length) < 1) return `kernel ${layer.kernel} is longer than its input`;
  return Int32Array.from({ length: layer.kernel * channels }, (_, i) => {
    return (i % channels) * layer.kernel + Math.floor(i / channels);
  });
}

function stageOf(layer: NetLayer, made: IntegerLayer, x: Plane, y: Plane): Stage {
  const to = y.at + y.pad * y.channels;
  if (layer.kind === "dense") return denseStage(made.layer, x.at, to);
  // Rows overlap in the plane, so no copy of the windows is ever made.
  return {
    kind: "matmul",
    layer: made.layer,
    lines: 1,
    places: y.length,
    x: { at: x.at, step: layer.stride * x.channels, line: 0 },
    runs: null,
    y: { at: to, step: y.channels, line: 0 },
  };
}

function planOf(
  net: TernaryNet,
  stages: readonly Stage[],
  from: Plane,
  to: Plane,
  last: IntegerLayer,
): Plan {
  const { outScale = null, relu = false } = net.layers.at(-1) ?? {};
  const steps = outScale ?? 1;
  return {
    input: {
      channels: from.channels,
      lines: 1,
      line: 0,
      length: from.length,
      at: from.at + from.pad * from.channels,
      inverse: 1 / net.input.scale,
    },
    stages,
    state: [],
    output: {
      channels: to.channels,
      places: to.length,
      at: to.at + to.pad * to.channels,
      scale: outScale === null ? last.sumScale : new Float64Array(to.channels).fill(steps),
      sums: outScale === null,
      relu,
    },
    arena_bytes: endOf(to),
  };
}

function assemble(net: TernaryNet, backend: Backend, hash: string, plan: Plan): Network {
  const { input, output } = plan;
  const sizeIn = input.channels * input.length;
  const size = output.channels * output.places;
  const shape = output.places === 1 ? [output.channels] : [output.channels, output.places];
  // It asserts the sizes of x and y.
  const loaded = backend.load(plan, 1);
  return {
    inputs: [{ ...net.input, size: sizeIn, classes: [] }],
    outputs: [{ ...net.output, shape, size }],
    meta: net.meta,
    hash,
    tier: backend.tier,
    backend: backend.name,
    infer(x, y): void {
      loaded.infer(x, y, 1);
    },
  };
}
