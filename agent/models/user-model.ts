//! Opens a model file of the user: the integer path where it is of the ternary pattern, plain
//! trees, else ONNX Runtime. Every fault is one text that says what to do.
import type { Backend } from "../accel/backend.js";
import { openDense } from "./dense.js";
import { DENSE_CPU, type DenseUse } from "./dense-provider.js";
import { openEncoder } from "./encoder-model.js";
import { openHybrid } from "./hybrid.js";
import type { Model } from "./model.js";
import { readModelFile } from "./model-file.js";
import { hashOf, openNetwork } from "./network.js";
import { CERTIFICATE_KEY, readMeta } from "./onnx/meta.js";
import { readOnnx } from "./onnx/read.js";
import { recognise } from "./onnx/recognise.js";
import { recogniseEncoder } from "./onnx/recognise-encoder.js";
import { withState } from "./stateful.js";
import { openTrees } from "./tree-model.js";

/** A file written by us claims the ternary pattern, and is refused where it breaks it. */
const CLAIM = "sterna.version";
/** Nothing proves these of what is no ternary network: such a file is refused. */
const PROVEN = ["sterna.monotone", "sterna.bounds", CERTIFICATE_KEY];

export function openUserModel(
  file: string,
  backend: Backend,
  dense: DenseUse = DENSE_CPU,
): Model | string {
  const bytes = readModelFile(file);
  const model = typeof bytes === "string" ? bytes : openModel(bytes, backend, dense);
  return typeof model === "string" ? `${file}: ${model}` : model;
}

export function openModel(
  bytes: Uint8Array,
  backend: Backend,
  dense: DenseUse = DENSE_CPU,
): Model | string {
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") return onnx;
  const hash = hashOf(bytes);
  const found = recognise(onnx);
  const ours = [CLAIM, ...PROVEN].some((key) => onnx.metadata.has(key));
  const certificate = onnx.metadata.get(CERTIFICATE_KEY) ?? null;
  const own = typeof found === "string" ? found : openNetwork(found, backend, hash, certificate);
  // Of others ONNX Runtime may run what the planner refuses.
  if (typeof own !== "string" || (ours && typeof found !== "string")) return own;
  const net = own;
  const claimed = PROVEN.find((key) => onnx.metadata.has(key));
  if (claimed !== undefined) return `${claimed} is proven of ternary networks alone: ${net}`;
  const encoder = recogniseEncoder(onnx);
  if (typeof encoder !== "string") return openEncoder(onnx, encoder, backend, hash);
  if (onnx.metadata.has(CLAIM)) return `not a network of the ternary pattern: ${net}`;
  const trees = openTrees(onnx, hash);
  if (trees !== null) return trees;
  const meta = readMeta(onnx.metadata);
  const states = typeof meta === "string" ? [] : meta.states;
  // What carries a state is one step: it is not cut.
  const mixed = states.length > 0 ? null : openHybrid(onnx, bytes, backend, hash, dense);
  const whole = mixed ?? openDense(onnx, bytes, hash, { use: dense });
  const other = typeof whole === "string" || states.length === 0 ? whole : withState(whole, states);
  if (typeof other === "string") return other;
  // A network without attention was not meant to be an encoder.
  const attends = onnx.graph.nodes.some(({ op }) => op === "Softmax");
  const why = attends ? `as a network, ${net}; as an encoder, ${encoder}` : net;
  return { ...other, outside: why };
}
