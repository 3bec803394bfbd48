//! Runs a model of the ternary pattern: planned once at load, then each inference is one call of the
//! backend for the whole network, in buffers that exist already.
import { createHash } from "node:crypto";
import type { Backend } from "../accel/backend.js";
import { IMAGE_BYTES_MAX } from "../accel/image-check.js";
import type { Tier } from "../base/telemetry.js";
import { claimFault } from "./certificate.js";
import type { Model, ModelPort } from "./model.js";
import { planNet } from "./net-plan.js";
import { CERTIFICATE_KEY } from "./onnx/meta.js";
import { readOnnx } from "./onnx/read.js";
import { recognise } from "./onnx/recognise.js";
import type { NetMeta, TernaryNet } from "./onnx/ternary-net.js";

export type Network = {
  readonly inputs: readonly ModelPort[];
  readonly outputs: readonly ModelPort[];
  readonly meta: NetMeta;
  /** `sha256:...` over the whole file. */
  readonly hash: string;
  /** Of what it gives now: a device that is taken out changes it. */
  readonly tier: Tier;
  readonly backend: string;
  /** Most assets of one call. */
  readonly batch: number;
  /**
   * x and y are flat and channel-first, one asset behind another; a NaN or infinity in an asset's x
   * makes its y NaN. An asset with a state keeps its place in the batch.
   */
  infer(x: Float32Array, y: Float32Array, batch?: number): void;
  /** Forgets the state of one asset. */
  reset(asset?: number): void;
};

export type LoadOptions = {
  /** Most assets of one call. */
  readonly batch?: number;
  /** As it stands in the file: what does not hold is refused. */
  readonly certificate?: string | null;
};

export function loadNetwork(bytes: Uint8Array, backend: Backend, batch = 1): Network | string {
  const model = readOnnx(bytes);
  if (typeof model === "string") return model;
  const net = recognise(model);
  if (typeof net === "string") return `not a network of the ternary pattern: ${net}`;
  const certificate = model.metadata.get(CERTIFICATE_KEY) ?? null;
  return planNetwork(net, backend, hashOf(bytes), { batch, certificate });
}

export function hashOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function planNetwork(
  net: TernaryNet,
  backend: Backend,
  hash: string,
  { batch = 1, certificate = null }: LoadOptions = {},
): Network | string {
  const planned = planNet(net, backend);
  if (typeof planned === "string") return planned;
  const fault = claimFault(planned, net, certificate);
  if (fault !== null) return fault;
  const { plan, shape } = planned;
  if (plan.arena_bytes * batch > IMAGE_BYTES_MAX) {
    return `values of ${plan.arena_bytes} bytes, ${batch} times at once: more than 1 GiB`;
  }
  const size = plan.output.channels * plan.output.places;
  // It asserts the sizes of x and y.
  const loaded = backend.load(plan, batch);
  const sizeIn = net.input.shape.reduce((a, b) => a * b, 1);
  return {
    inputs: [{ ...net.input, size: sizeIn, classes: [] }],
    outputs: [{ ...net.output, shape, size }],
    meta: net.meta,
    hash,
    get tier() {
      return loaded.tier ?? backend.tier;
    },
    backend: backend.name,
    batch,
    infer(x, y, count = 1): void {
      loaded.infer(x, y, count);
    },
    reset(asset = 0): void {
      loaded.reset(asset);
    },
  };
}

/** As any other model: one input, one output. */
export function openNetwork(
  net: TernaryNet,
  backend: Backend,
  hash: string,
  certificate: string | null,
): Model | string {
  const network = planNetwork(net, backend, hash, { certificate });
  if (typeof network === "string") return network;
  const { inputs, outputs } = network;
  return {
    inputs,
    outputs,
    hash,
    get tier() {
      return network.tier;
    },
    engine: `ternary on ${network.backend}`,
    run([x], [y]): string | null {
      if (x === undefined || y === undefined) return "no input or no output";
      network.infer(x, y);
      return null;
    },
    ...(net.states === undefined ? {} : { reset: () => network.reset() }),
  };
}
