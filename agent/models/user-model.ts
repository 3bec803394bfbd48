//! Opens a model file of the user: the integer path where it is of the ternary pattern, plain
//! trees, else ONNX Runtime. Every fault is one text that says what to do.
import type { Backend } from "../accel/backend.js";
import { openDense } from "./dense.js";
import { DENSE_CPU, type DenseUse } from "./dense-provider.js";
import { openEncoder } from "./encoder-model.js";
import { openHybrid } from "./hybrid.js";
import { ATTENDS } from "./hybrid-cuts.js";
import type { Model } from "./model.js";
import { readModelFile } from "./model-file.js";
import { hashOf, openNetwork } from "./network.js";
import { CERTIFICATE_KEY, readMeta } from "./onnx/meta.js";
import type { OnnxModel } from "./onnx/model.js";
import { readOnnx } from "./onnx/read.js";
import { recognise } from "./onnx/recognise.js";
import { recogniseEncoder } from "./onnx/recognise-encoder.js";
import { withState } from "./stateful.js";
import { openTrees } from "./tree-model.js";

/** A file written by us claims the ternary pattern, and is refused where it breaks it. */
const CLAIM = "sterna.version";
const NO_FILE = "name an ONNX file";
const NO_MODEL = "docs/model-format.md says what a model may have";
/** Nothing proves these of what is no ternary network: such a file is refused. */
const PROVEN = ["sterna.monotone", "sterna.bounds", CERTIFICATE_KEY];

export function openUserModel(
  file: string,
  backend: Backend,
  dense: DenseUse = DENSE_CPU,
): Model | string {
  const bytes = readModelFile(file);
  if (typeof bytes === "string") return `${file}: ${bytes}`;
  const onnx = readOnnx(bytes);
  if (typeof onnx === "string") return `${file}: ${onnx}; ${NO_FILE}`;
  const model = openRead(onnx, bytes, backend, dense);
  return typeof model === "string" ? `${file}: ${model}; ${NO_MODEL}` : model;
}

export function openModel(
  bytes: Uint8Array,
  backend: Backend,
  dense: DenseUse = DENSE_CPU,
): Model | string {
  const onnx = readOnnx(bytes);
  return typeof onnx === "string" ? onnx : openRead(onnx, bytes, backend, dense);
}

function openRead(
  onnx: OnnxModel,
  bytes: Uint8Array,
  backend: Backend,
  dense: DenseUse,
): Model | string {
  const hash = hashOf(bytes);
  const found = recognise(onnx);
  const ours = [CLAIM, ...PROVEN].some((key) => onnx.metadata.has(key));
  const certificate = onnx.metadata.get(CERTIFICATE_KEY) ?? null;
  const own = typeof found === "string" ? found : openNetwork(found, backend, hash, certificate);
  // Of others ONNX Runtime may run what the planner refuses.
  if (typeof own !== "string" || (ours && typeof found !== "string")) return own;
  const net = own;
  const encoder = recogniseEncoder(onnx);
  const unproven = unprovenClaim(onnx, net, typeof encoder !== "string");
  if (unproven !== null) return unproven;
  if (typeof encoder !== "string") return openEncoder(onnx, encoder, backend, hash);
  const trees = openTrees(onnx, hash);
  if (trees !== null) return trees;
  const meta = readMeta(onnx.metadata);
  const states = typeof meta === "string" ? [] : meta.states;
  const cut = openHybrid(onnx, bytes, backend, hash, dense);
  // The part that has the state keeps it; one that came apart is run whole.
  const apart = cut !== null && states.some(({ input }) => has(cut, input));
  const mixed = apart ? null : cut;
  const whole = mixed ?? openDense(onnx, bytes, hash, { use: dense });
  const joins = mixed === null && states.length > 0 && typeof whole !== "string";
  const other = joins ? withState(whole, states) : whole;
  if (typeof other === "string" || !other.engine.includes("onnxruntime")) return other;
  // A network without attention was not meant to be an encoder.
  const attends = onnx.graph.nodes.some(({ op }) => ATTENDS.includes(op));
  const why = attends ? `as a network, ${net}; as an encoder, ${encoder}` : net;
  return { ...other, outside: why };
}

const has = (model: Model, input: string): boolean =>
  model.inputs.some(({ name }) => name === input);

/** Why a file that is no ternary network, `net` says why, may not claim what it does; or null. */
export function unprovenClaim(
  { metadata }: OnnxModel,
  net: string,
  encoder: boolean,
): string | null {
  const claimed = PROVEN.find((key) => metadata.has(key));
  if (claimed !== undefined) return `${claimed} is proven of ternary networks alone: ${net}`;
  const broken = metadata.has(CLAIM) && !encoder;
  return broken ? `not a network of the ternary pattern: ${net}` : null;
}
