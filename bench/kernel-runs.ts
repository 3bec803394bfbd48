//! What is timed for the kernels: our networks on a backend, and ONNX Runtime on the same shapes.
import type { Backend, Loaded, Plan } from "../agent/accel/backend.js";
import { openNative, probeNative } from "../agent/accel/native.js";
import { openBackend } from "../agent/accel/registry.js";
import { prng } from "../agent/base/prng.js";
import { loadNetwork } from "../agent/models/network.js";
import { both, type Entry, type Run } from "./kernel-times.js";
import { ggmlEntry, probeGgml } from "./peers/ggml.js";
import { type Form, type PeerLayer, peerModel, peerRun } from "./peers/onnxruntime.js";

export type Shape = readonly [rows: number, cols: number, batch: number];

const opened = openBackend("auto");
if (typeof opened === "string") throw new Error(opened);
export const { backend, why } = opened;

/** Ours on a backend, with one and two threads where it has threads. */
export function ours(load: (on: Backend) => Run, on = backend, name = "ours"): Entry[] {
  if (probeNative(on.name) !== null) return [{ name, threads: 1, run: load(on) }];
  return both(name, (threads) => load(openNative(on.name, threads)));
}

export function inferRun(loaded: Loaded, sizeIn: number, sizeOut: number, batch: number): Run {
  const random = prng(7, "x");
  const x = Float32Array.from({ length: sizeIn * batch }, () => random.normal());
  const y = new Float32Array(sizeOut * batch);
  return () => loaded.infer(x, y, batch);
}

export function denseRun(plan: Plan, [rows, cols, batch]: Shape): (on: Backend) => Run {
  return (on) => inferRun(on.load(plan, batch), cols, rows, batch);
}

export function netRun(file: Uint8Array): (on: Backend) => Run {
  return (on) => {
    const network = loadNetwork(file, on);
    if (typeof network === "string") throw new Error(network);
    const [sizeIn = 0, sizeOut = 0] = [network.inputs[0]?.size, network.outputs[0]?.size];
    const random = prng(5, "x");
    const x = Float32Array.from({ length: sizeIn }, () => random.normal());
    const y = new Float32Array(sizeOut);
    return () => network.infer(x, y);
  };
}

/** ONNX Runtime in every form and with one and two threads. */
export function peers(
  layers: readonly PeerLayer[],
  shape: readonly number[],
  forms: readonly Form[],
  batch = 1,
): Entry[] {
  return forms.flatMap((form) => {
    const file = peerModel(layers, shape, form);
    return both(`onnxruntime ${form}`, (threads) => peerRun(file, [batch, ...shape], threads));
  });
}

/** None where ggml is not. */
export function ggmlPeers(shape: Shape): Entry[] {
  return probeGgml() === null ? ([1, 2] as const).map((threads) => ggmlEntry(shape, threads)) : [];
}
