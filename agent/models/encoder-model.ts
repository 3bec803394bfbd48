//! A transformer encoder of a user's file as a model: exact projections, a float tier for the rest.
import type { Backend } from "../accel/backend.js";
import { encoderBound } from "../accel/encoder.js";
import type { Model } from "./model.js";
import { describePort, readMeta } from "./onnx/meta.js";
import type { OnnxModel } from "./onnx/model.js";
import type { EncoderNet } from "./onnx/recognise-encoder.js";

export function openEncoder(
  onnx: OnnxModel,
  { input, output, plan }: EncoderNet,
  backend: Backend,
  hash: string,
): Model | string {
  const meta = readMeta(onnx.metadata);
  if (typeof meta === "string") return meta;
  const shape = [plan.sequence, plan.width];
  const size = plan.sequence * plan.width;
  const loaded = backend.loadEncoder(plan, 1);
  const port = (name: string, ports: typeof meta.inputs) => {
    return { ...describePort(ports, name), shape, size };
  };
  return {
    inputs: [port(input, meta.inputs)],
    outputs: [port(output, meta.outputs)],
    hash,
    tier: `within ${encoderBound(plan).toPrecision(2)} of the largest output`,
    engine: `ternary encoder on ${backend.name}`,
    run([x], [y]): string | null {
      if (x === undefined || y === undefined) return "no input or no output";
      loaded.infer(x, y, 1);
      return null;
    },
  };
}
