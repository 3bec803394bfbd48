//! Runs a whole ONNX file in ONNX Runtime: for every operator that the integer path and the trees
//! do not know. onnxruntime-node is loaded only when a model needs it. Its public run() is a
//! promise around a synchronous native call; the native call is used, or a replay would depend on
//! the event loop. It is not public: test/models/user-model.test.ts fails where a version moves it.
import { createRequire } from "node:module";
import type { Model, ModelPort } from "./model.js";
import { growthFault, hiddenFault, withAllOutputs } from "./onnx/growth.js";
import { describePort, readMeta, type SternaMeta } from "./onnx/meta.js";
import { type OnnxModel, quote, word } from "./onnx/model.js";
import { OPERATORS } from "./onnx/recognise.js";
import { countOf, ELEMENT } from "./onnx/tensor.js";

/** Values of one tensor: a model of an edge has far fewer, a hostile shape more. */
const VALUES_MAX = 2 ** 24;
const SEQUENTIAL = { interOpNumThreads: 1, executionMode: "sequential" };
const QUIET = { logSeverityLevel: 4 };
/** Fused quantised operators have no INT2; without that fusion every level loads and is exact. */
const KEEP_INT2 = { extra: { session: { disable_quant_qdq: "1" } } };

type Data = Float32Array | Float64Array | Int32Array | BigInt64Array;
type Tensor = { readonly data: Data; readonly dims: readonly number[] };
type TensorMaker = new (type: string, data: Data, dims: readonly number[]) => Tensor;
type Info = {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
  readonly shape: readonly number[];
  readonly symbolicDimensions: readonly string[];
};
type Session = {
  readonly inputMetadata: readonly Info[];
  readonly outputMetadata: readonly Info[];
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: object, fetches: object, options: object): Record<string, Tensor>;
};
type Runtime = {
  readonly binding: { readonly InferenceSession: new () => Session };
  readonly initOrt: () => void;
};
type Require = (name: string) => unknown;

export type DenseOptions = {
  /** Finds packages; a test gives one that finds none. */
  readonly load?: Require;
  readonly threads?: number;
  /** What a free first dimension becomes; sizes of ports count it. */
  readonly batch?: number;
};

export function openDense(
  model: OnnxModel,
  bytes: Uint8Array,
  hash: string,
  { load = createRequire(import.meta.url), threads = 1, batch = 1 }: DenseOptions = {},
): Model | string {
  const meta = readMeta(model.metadata);
  if (typeof meta === "string") return meta;
  const hidden = hiddenFault(model);
  if (hidden !== null) return hidden;
  let runtime: Runtime;
  let TensorOf: TensorMaker;
  let version: string;
  try {
    // The package types neither file; what is used of them is the types above.
    runtime = load("onnxruntime-node/dist/binding.js") as Runtime;
    TensorOf = (load("onnxruntime-node") as { readonly Tensor: TensorMaker }).Tensor;
    version = (load("onnxruntime-node/package.json") as { readonly version: string }).version;
  } catch (error) {
    const why = firstLine(error);
    return `${operatorsOf(model)} need onnxruntime-node; npm install onnxruntime-node (${why})`;
  }
  const int2 = [...model.graph.initializers.values()].some((t) => t.type === ELEMENT.INT2);
  try {
    runtime.initOrt();
    const grown = growthFault(model, inferredShapes(runtime, model, bytes, batch));
    if (grown !== null) return grown;
    const session = new runtime.binding.InferenceSession();
    const options = {
      ...{ ...SEQUENTIAL, ...QUIET, intraOpNumThreads: threads },
      ...(int2 ? KEEP_INT2 : {}),
    };
    session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, options);
    return openSession(session, TensorOf, meta, hash, version, batch);
  } catch (error) {
    return `onnxruntime ${version} cannot load it: ${firstLine(error)}`;
  }
}

/** Every tensor of the graph with its shape, as ONNX Runtime infers it; nothing is computed. */
function inferredShapes(
  runtime: Runtime,
  model: OnnxModel,
  bytes: Uint8Array,
  batch: number,
): Map<string, readonly number[]> {
  const whole = withAllOutputs(bytes, model);
  const session = new runtime.binding.InferenceSession();
  const options = {
    ...SEQUENTIAL,
    ...QUIET,
    intraOpNumThreads: 1,
    graphOptimizationLevel: "disabled",
  };
  session.loadModel(whole.buffer, whole.byteOffset, whole.byteLength, options);
  // A side that an input leaves open by name is the batch, wherever else it stands.
  const free = new Set(session.inputMetadata.flatMap((input) => input.symbolicDimensions));
  const sized = ({ shape, symbolicDimensions }: Info): number[] =>
    shape.map((dim, i) => {
      const name = symbolicDimensions[i] ?? "";
      return dim < 0 && name !== "" && free.has(name) ? batch : dim;
    });
  const tensors = session.outputMetadata.filter((output) => output.isTensor);
  return new Map(tensors.map((output) => [output.name, sized(output)]));
}

function openSession(
  session: Session,
  TensorOf: TensorMaker,
  meta: SternaMeta,
  hash: string,
  version: string,
  batch: number,
): Model | string {
  const inputs: ModelPort[] = [];
  const feeds: Record<string, Tensor> = {};
  const given: (Float32Array | Float64Array)[] = [];
  for (const { name, isTensor, type, shape } of session.inputMetadata) {
    if (!isTensor || (type !== ELEMENT.FLOAT && type !== ELEMENT.DOUBLE)) {
      return `input ${quote(name)} is not a float tensor; export it with float32 inputs`;
    }
    // A free dimension first is the batch; any other has no size that a window could have.
    const dims = shape.map((dim, i) => (i === 0 && dim < 0 ? batch : dim));
    const size = countOf(dims, VALUES_MAX);
    const open = shape.join(", ");
    if (size === null) return `input ${quote(name)} has the open shape [${open}]; fix it`;
    const inner = dims.length > 1 && dims[0] === 1 ? dims.slice(1) : dims;
    inputs.push({ ...describePort(meta.inputs, name), shape: inner, size });
    const single = type === ELEMENT.FLOAT;
    const data = single ? new Float32Array(size) : new Float64Array(size);
    feeds[name] = new TensorOf(single ? "float32" : "float64", data, dims);
    given.push(data);
  }
  const names = session.outputMetadata.filter((o) => o.isTensor).map((o) => o.name);
  const fetches = Object.fromEntries(names.map((name) => [name, null]));
  // A trial run: what would fail at the first sample fails here, and gives the sizes of outputs.
  const trial = session.run(feeds, fetches, {});
  const outputs: ModelPort[] = [];
  for (const name of names) {
    const { data, dims } = trial[name] as Tensor;
    if (!isNumeric(data)) continue;
    const inner = dims.length > 1 && dims[0] === 1 ? dims.slice(1) : dims;
    outputs.push({ ...describePort(meta.outputs, name), shape: [...inner], size: data.length });
  }
  if (outputs.length === 0) return "it has no output of numbers";
  return {
    inputs,
    outputs,
    hash,
    tier: "within 1e-4 relative",
    engine: `onnxruntime ${version}`,
    run(from, to): string | null {
      for (const [i, data] of given.entries()) data.set(from[i] ?? []);
      try {
        const found = session.run(feeds, fetches, {});
        return outputs.map((port, i) => copy(found[port.name], to[i], port)).find(Boolean) ?? null;
      } catch (error) {
        return `onnxruntime ${version}: ${firstLine(error)}`;
      }
    },
  };
}

function isNumeric(data: Data): boolean {
  return ArrayBuffer.isView(data);
}

function copy(from: Tensor | undefined, to: Float32Array | undefined, port: ModelPort) {
  if (from === undefined || to === undefined) return `no output ${quote(port.name)}`;
  if (from.data.length !== port.size) return `output ${quote(port.name)} changed its size`;
  for (let i = 0; i < to.length; i++) to[i] = Number(from.data[i]);
  return null;
}

/** What the file asks for, in words short enough for one line; what only ONNX Runtime knows first. */
function operatorsOf(model: OnnxModel): string {
  const names = [...new Set(model.graph.nodes.map((node) => word(node.op)))].sort(
    (a, b) => Number(OPERATORS.includes(a)) - Number(OPERATORS.includes(b)),
  );
  const more = names.length > 6 ? ` and ${names.length - 6} more` : "";
  return `the operators ${names.slice(0, 6).join(", ")}${more}`;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n")[0] ?? "").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
