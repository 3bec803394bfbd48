//! What every shipped network is held to: its claims and certificate at load, the same integers on
//! every exact backend, and ONNX Runtime within one step a layer.
import * as ort from "onnxruntime-node";
import { expect } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { DRIVERS } from "../../agent/accel/registry.js";
import { loadNetwork, type Network, planNetwork } from "../../agent/models/network.js";
import { CERTIFICATE_KEY } from "../../agent/models/onnx/meta.js";
import { readOnnx } from "../../agent/models/onnx/read.js";
import { recognise } from "../../agent/models/onnx/recognise.js";
import { isWeighted, type TernaryNet } from "../../agent/models/onnx/ternary-net.js";
import { writeTernaryNet } from "../../agent/models/onnx/write-net.js";

export function netOf(bytes: Uint8Array): TernaryNet {
  const model = readOnnx(bytes);
  const net = typeof model === "string" ? model : recognise(model);
  if (typeof net === "string") throw new Error(net);
  return net;
}

/** Loaded with its certificate, which is there. */
export function proven(bytes: Uint8Array): Network {
  const model = readOnnx(bytes);
  if (typeof model === "string") throw new Error(model);
  expect(model.metadata.get(CERTIFICATE_KEY)).toMatch(/^\{"layers":/);
  const network = loadNetwork(bytes, reference);
  if (typeof network === "string") throw new Error(network);
  expect(network.meta.training).toMatch(/^sha256:[0-9a-f]{64}$/);
  return network;
}

/** Every exact backend of this machine against the reference; gives their names. */
export function sameEverywhere(bytes: Uint8Array, rows: readonly Float32Array[]): string[] {
  const own = proven(bytes);
  const size = own.outputs[0]?.size ?? 0;
  const [y, theirs] = [new Float32Array(size), new Float32Array(size)];
  const names: string[] = [];
  for (const { name, probe, open } of DRIVERS) {
    if (probe() !== null) continue;
    const network = loadNetwork(bytes, open());
    if (typeof network === "string") throw new Error(`${name}: ${network}`);
    if (network.tier !== "exact") continue;
    names.push(name);
    for (const row of rows) {
      own.infer(row, y);
      network.infer(row, theirs);
      expect(theirs).toEqual(y);
    }
  }
  return names;
}

/** The first layers alone, with their int8 output as the output of the file. */
export async function agreesWithOnnxruntime(
  net: TernaryNet,
  rows: readonly Float32Array[],
): Promise<void> {
  const { claims: _, ...bare } = net;
  for (let depth = 1; depth < net.layers.length; depth++) {
    const layers = net.layers.slice(0, depth);
    const cut = { ...bare, layers, output: { ...net.output, classes: [] } };
    const step = cut.layers.filter(isWeighted)[depth - 1]?.outScale ?? 1;
    const own = planNetwork(cut, reference, "cut");
    if (typeof own === "string") throw new Error(own);
    const session = await ort.InferenceSession.create(writeTernaryNet(cut), {
      graphOptimizationLevel: "basic",
    });
    let [differ, count] = [0, 0];
    const y = new Float32Array(own.outputs[0]?.size ?? 0);
    for (const row of rows) {
      own.infer(row, y);
      const input = new ort.Tensor("float32", row, [1, ...net.input.shape]);
      const found = await session.run({ [net.input.name]: input });
      const theirs = found[net.output.name]?.data;
      for (const [k, value] of y.entries()) {
        const steps = Math.abs(value - Number(theirs?.[k])) / step;
        expect(steps).toBeLessThan(depth + 0.01);
        if (steps > 0.5) differ += 1;
        count += 1;
      }
    }
    // Rounding half up against half to even, and a multiplier of 15 bits.
    expect(differ / count).toBeLessThan(0.01);
  }
}
