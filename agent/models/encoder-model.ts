//! A transformer encoder of a user's file as a model: exact projections, a float tier for the rest. Its
//! padding mask, where the file has one, is an input that may be left unbound: all places count then.
import type { Backend } from "../accel/backend.js";
import { layerBound, MASK_LEAST, placeIn, workFault, X_MAX } from "../accel/encoder.js";
import type { Model } from "./model.js";
import { describePort, readMeta } from "./onnx/meta.js";
import type { OnnxModel } from "./onnx/model.js";
import type { EncoderNet } from "./onnx/recognise-encoder.js";
import type { Mask } from "./onnx/recognise-mask.js";

export function openEncoder(
  onnx: OnnxModel,
  { input, output, mask, plan }: EncoderNet,
  backend: Backend,
  hash: string,
): Model | string {
  const meta = readMeta(onnx.metadata);
  if (typeof meta === "string") return meta;
  const fault = workFault(plan);
  if (fault !== null) return fault;
  const { sequence, width } = plan;
  const size = sequence * width;
  const loaded = backend.loadEncoder(plan, 1);
  const port = (name: string, ports: typeof meta.inputs) => {
    return { ...describePort(ports, name), shape: [sequence, width], size };
  };
  const keys = mask === null ? null : describePort(meta.inputs, mask.input);
  const masks =
    keys === null ? [] : [{ ...keys, shape: [sequence], size: sequence, optional: true as const }];
  const place = placeIn(plan);
  const whole = new Float32Array(sequence * place);
  return {
    inputs: [port(input, meta.inputs), ...masks],
    outputs: [port(output, meta.outputs)],
    hash,
    tier: `within ${layerBound(plan).most.toPrecision(2)} of the largest value of each layer`,
    engine: `ternary encoder on ${backend.encoders ?? backend.name}`,
    run([x, given], [y]): string | null {
      if (x === undefined || y === undefined) return "no input or no output";
      for (let at = 0; at < sequence; at++) {
        for (let c = 0; c < width; c++) {
          whole[at * place + c] = clipped(x[at * width + c] as number);
        }
        if (mask === null) continue;
        whole[at * place + width] = given === undefined ? 0 : addedBy(mask, given[at] as number);
      }
      loaded.infer(whole, y, 1);
      return null;
    },
  };
}

/** What the file adds to the scores of a key; NaN stays what it is. */
function addedBy({ gain, offset, flag }: Mask, value: number): number {
  const given = flag && !Number.isNaN(value) ? Number(value !== 0) : value;
  return Math.max(MASK_LEAST, gain * given + offset);
}

/** NaN and infinite values stay what they are: the answer is NaN. */
function clipped(value: number): number {
  return Number.isFinite(value) ? Math.max(-X_MAX, Math.min(X_MAX, value)) : value;
}
