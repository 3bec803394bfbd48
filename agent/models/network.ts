//! Runs a model of the ternary pattern: planned once at load, then each inference is integer layers
//! on a backend between two loops over the input and the output, in buffers that exist already.
import { createHash } from "node:crypto";
import type { Backend, Prepared } from "../accel/backend.js";
import { assert } from "../base/errors.js";
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

/** One layer at work: `x[i]` and `y[i]` are views of the buffers, one pair a place of a conv. */
type Stage = {
  readonly name: string;
  readonly prepared: Prepared;
  readonly x: readonly Int8Array[];
  readonly y: readonly Int8Array[];
};

/** Values in memory: `length` places of `channels`, the places `pad` wide at both ends are 0. */
type Plane = {
  readonly values: Int8Array;
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
    if (!(macs <= MACS_MAX)) return `${name}: more than ${MACS_MAX} multiplications an inference`;
    if (layer.outScale === null && i < net.layers.length - 1) return `${name}: it has no out scale`;
    stages.push(stageOf(layer, name, backend.prepare(made.layer), plane, next));
    scale = layer.outScale ?? scale;
    last = made;
    plane = next;
  }
  if (last === null) return "the network has no layer";
  return assemble(net, backend, hash, stages, first, plane, last);
}

function inputPlane(net: TernaryNet): Plane {
  const { shape } = net.input;
  const [a = 1, b] = shape;
  const [first] = net.layers;
  const pad = first?.kind === "conv1d" ? first.pad : 0;
  // A flat input is one place with all its values, unless a conv reads it.
  return b === undefined ? planeOf(a, 1, pad) : planeOf(a, b, pad);
}

function planeOf(channels: number, length: number, pad: number): Plane {
  const size = channels * (length + 2 * pad);
  return { values: new Int8Array(size <= 2 * VALUES_MAX ? size : 0), channels, length, pad };
}

function outputPlane(layer: NetLayer, from: Plane, next: NetLayer | undefined): Plane {
  const pad = next?.kind === "conv1d" ? next.pad : 0;
  if (layer.kind === "dense") return planeOf(layer.rows, 1, pad);
  return planeOf(layer.filters, convLength(layer, from.length), pad);
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

function stageOf(layer: NetLayer, name: string, prepared: Prepared, from: Plane, to: Plane): Stage {
  if (layer.kind === "dense") return { name, prepared, x: [from.values], y: [to.values] };
  const x: Int8Array[] = [];
  const y: Int8Array[] = [];
  for (let place = 0; place < to.length; place++) {
    const at = place * layer.stride * from.channels;
    // Rows overlap in the plane, so no copy of the windows is ever made.
    x.push(from.values.subarray(at, at + layer.kernel * from.channels));
    const out = (to.pad + place) * to.channels;
    y.push(to.values.subarray(out, out + to.channels));
  }
  return { name, prepared, x, y };
}

function assemble(
  net: TernaryNet,
  backend: Backend,
  hash: string,
  stages: readonly Stage[],
  first: Plane,
  to: Plane,
  last: IntegerLayer,
): Network {
  const inverse = 1 / net.input.scale;
  const { outScale = null, relu = false } = net.layers.at(-1) ?? {};
  const final = stages.at(-1);
  assert(final !== undefined, "a network has a layer");
  const inner = outScale === null ? stages.slice(0, -1) : stages;
  const sums = new Int32Array(to.channels);
  const size = to.channels * to.length;
  const shape = to.length === 1 ? [to.channels] : [to.channels, to.length];
  const sized = first.channels * first.length;
  return {
    inputs: [{ ...net.input, size: sized, classes: [] }],
    outputs: [{ ...net.output, shape, size }],
    meta: net.meta,
    hash,
    tier: backend.tier,
    backend: backend.name,
    infer(x, y): void {
      assert(x.length === sized && y.length === size, `infer: ${sized} in, ${size} out`);
      if (!quantise(x, inverse, first)) {
        y.fill(Number.NaN);
        return;
      }
      for (const stage of inner) runStage(stage);
      if (outScale === null) sumsOut(final, sums, last.sumScale, relu, to.length, y);
      else stepsOut(to, outScale, y);
    },
  };
}

/** floor(x * inverse + 0.5) in +-127, channels side by side; false when a value is no number. */
function quantise(x: Float32Array, inverse: number, to: Plane): boolean {
  const { values, channels, length, pad } = to;
  for (let channel = 0; channel < channels; channel++) {
    for (let place = 0; place < length; place++) {
      const value = x[channel * length + place] as number;
      if (!Number.isFinite(value)) return false;
      const step = Math.floor(value * inverse + 0.5);
      values[(pad + place) * channels + channel] = Math.max(-127, Math.min(127, step));
    }
  }
  return true;
}

function runStage(stage: Stage): void {
  for (let i = 0; i < stage.x.length; i++) {
    stage.prepared.run(stage.x[i] as Int8Array, stage.y[i] as Int8Array, 1);
  }
}

function sumsOut(
  stage: Stage,
  sums: Int32Array,
  scale: Float64Array,
  relu: boolean,
  length: number,
  y: Float32Array,
): void {
  for (let place = 0; place < length; place++) {
    stage.prepared.sums(stage.x[place] as Int8Array, sums, 1);
    for (let channel = 0; channel < sums.length; channel++) {
      const value = (sums[channel] as number) * (scale[channel] as number);
      y[channel * length + place] = relu && value < 0 ? 0 : value;
    }
  }
}

function stepsOut(from: Plane, scale: number, y: Float32Array): void {
  const { values, channels, length } = from;
  for (let channel = 0; channel < channels; channel++) {
    for (let place = 0; place < length; place++) {
      y[channel * length + place] = (values[place * channels + channel] as number) * scale;
    }
  }
}
