//! Runs a whole ONNX file in ONNX Runtime: for every operator that the integer path and the trees
//! do not know. onnxruntime-node is loaded only when a model needs it. Its public run() is a
//! promise around a synchronous native call; the native call is used, or a replay would depend on
//! the event loop. It is not public: test/models/user-model.test.ts fails where a version moves it.
import {
  type Data,
  type Engine,
  firstLine,
  type Info,
  isNumeric,
  openEngine,
  type Session,
  type Tensor,
} from "./dense-engine.js";
import { DENSE_CPU, type DenseUse, type Provider, WORLD, type World } from "./dense-provider.js";
import type { Model, ModelPort } from "./model.js";
import { growthFault, hiddenFault, withAllOutputs, withScores } from "./onnx/growth.js";
import { describePort, readMeta, type SternaMeta } from "./onnx/meta.js";
import { type OnnxModel, quote, word } from "./onnx/model.js";
import { OPERATORS } from "./onnx/recognise.js";
import { bytesOfBatch } from "./onnx/slice.js";
import { countOf, ELEMENT } from "./onnx/tensor.js";

/** Values of one tensor: a model of an edge has far fewer, a hostile shape more. */
const VALUES_MAX = 2 ** 24;
export const DENSE_TIER = "within 1e-4 relative";
const SEQUENTIAL = { interOpNumThreads: 1, executionMode: "sequential" };
const QUIET = { logSeverityLevel: 4 };
/** Fused quantised operators have no INT2; without that fusion every level loads and is exact. */
const KEEP_INT2 = { extra: { session: { disable_quant_qdq: "1" } } };

/** Above it a sum and a norm become one operator, which forgets the axis of the norm. */
const PLAIN_LEVEL = { graphOptimizationLevel: "basic" };

type TensorMaker = new (type: string, data: Data, dims: readonly number[]) => Tensor;
type Runtime = {
  readonly binding: { readonly InferenceSession: new () => Session };
  readonly initOrt: () => void;
};

export type DenseOptions = {
  /** What it computes on, where that may be more than the CPU. */
  readonly use?: DenseUse;
  readonly world?: World;
  readonly threads?: number;
  /** What a free first dimension becomes; sizes of ports count it. */
  readonly batch?: number;
};

export function openDense(
  model: OnnxModel,
  bytes: Uint8Array,
  hash: string,
  { use = DENSE_CPU, world = WORLD, threads = 1, batch = 1 }: DenseOptions = {},
): Model | string {
  const meta = readMeta(model.metadata);
  if (typeof meta === "string") return meta;
  const hidden = hiddenFault(model);
  if (hidden !== null) return hidden;
  const loaded = runtimeOf(world);
  if (typeof loaded === "string") {
    return `${operatorsOf(model)} onnxruntime-node; npm install onnxruntime-node (${loaded})`;
  }
  const { runtime, TensorOf, version } = loaded;
  const whole = withScores(bytes, model);
  const int2 = [...model.graph.initializers.values()].some((t) => t.type === ELEMENT.INT2);
  try {
    const shapes = new Map(inferred(runtime, model, bytes, batch).map((t) => [t.name, t.shape]));
    const grown = growthFault(model, shapes);
    if (grown !== null) return grown;
    const sessionOn = (provider: Provider): Session => {
      const session = new runtime.binding.InferenceSession();
      const own = { executionProviders: [provider], intraOpNumThreads: threads };
      const level = isWideNorm(model, shapes) ? PLAIN_LEVEL : {};
      const options = { ...SEQUENTIAL, ...QUIET, ...own, ...level, ...(int2 ? KEEP_INT2 : {}) };
      session.loadModel(whole.buffer, whole.byteOffset, whole.byteLength, options);
      return session;
    };
    const engine = openEngine(sessionOn, use, world);
    return openSession(engine, TensorOf, meta, hash, version, batch);
  } catch (error) {
    return `onnxruntime ${version} cannot load it: ${firstLine(error)}`;
  }
}

/** Whether a norm is over more than the last side. */
function isWideNorm({ graph }: OnnxModel, shapes: ReadonlyMap<string, readonly number[]>): boolean {
  return graph.nodes.some(({ op, attributes, outputs }) => {
    const axis = attributes.get("axis")?.integer ?? -1;
    const rank = shapes.get(outputs[0] ?? "")?.length ?? 0;
    return op === "LayerNormalization" && axis !== -1 && axis !== rank - 1;
  });
}

/** The package, or why it cannot be loaded. */
function runtimeOf({ load }: World) {
  try {
    // The package types neither file; what is used of them is the types above.
    const runtime = load("onnxruntime-node/dist/binding.js") as Runtime;
    const TensorOf = (load("onnxruntime-node") as { readonly Tensor: TensorMaker }).Tensor;
    const { version } = load("onnxruntime-node/package.json") as { readonly version: string };
    runtime.initOrt();
    return { runtime, TensorOf, version };
  } catch (error) {
    return firstLine(error);
  }
}

/** Shapes of the float tensors that nodes write, for a batch of one; null: nobody can say. */
export function shapesIn(
  model: OnnxModel,
  bytes: Uint8Array,
  world: World = WORLD,
): ReadonlyMap<string, readonly number[]> | null {
  const loaded = hiddenFault(model) === null ? runtimeOf(world) : "";
  if (typeof loaded === "string") return null;
  try {
    const floats = inferred(loaded.runtime, model, bytes, 1).filter(
      (t) => t.type === ELEMENT.FLOAT,
    );
    return new Map(floats.map(({ name, shape }) => [name, shape]));
  } catch {
    // Who loads it says why.
    return null;
  }
}

type Inferred = Pick<Info, "name" | "type" | "shape">;

/** Every tensor of the graph with its shape, as ONNX Runtime infers it; nothing is computed. */
function inferred(
  runtime: Runtime,
  model: OnnxModel,
  bytes: Uint8Array,
  batch: number,
): readonly Inferred[] {
  const whole = withAllOutputs(bytesOfBatch(bytes, model, batch), model);
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
  return tensors.map((output) => ({ name: output.name, type: output.type, shape: sized(output) }));
}

function openSession(
  engine: Engine,
  TensorOf: TensorMaker,
  meta: SternaMeta,
  hash: string,
  version: string,
  batch: number,
): Model | string {
  const inputs: ModelPort[] = [];
  const feeds: Record<string, Tensor> = {};
  const given: (Float32Array | Float64Array)[] = [];
  for (const { name, isTensor, type, shape } of engine.cpu.inputMetadata) {
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
  const names = engine.cpu.outputMetadata.filter((o) => o.isTensor).map((o) => o.name);
  const fetches = Object.fromEntries(names.map((name) => [name, null]));
  // A trial run: what would fail at the first sample fails here, and gives the sizes of outputs.
  const trial = engine.trial(feeds, fetches);
  if (engine.provider() !== "cpu") {
    // Zeros alone would not tell a wrong device.
    for (const data of given) data.set(Array.from(data, (_, i) => Math.sin(1 + i)));
    engine.trial(feeds, fetches);
  }
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
    tier: DENSE_TIER,
    engine: `onnxruntime ${version} on ${engine.provider()}`,
    run(from, to): string | null {
      for (const [i, data] of given.entries()) {
        const values = from[i];
        if (values === undefined) return `no input ${quote(inputs[i]?.name ?? "")}`;
        data.set(values);
      }
      try {
        const found = engine.run(feeds, fetches);
        return outputs.map((port, i) => copy(found[port.name], to[i], port)).find(Boolean) ?? null;
      } catch (error) {
        return `onnxruntime ${version}: ${firstLine(error)}`;
      }
    },
  };
}

function copy(from: Tensor | undefined, to: Float32Array | undefined, port: ModelPort) {
  if (from === undefined || to === undefined) return `no output ${quote(port.name)}`;
  if (from.data.length !== port.size) return `output ${quote(port.name)} changed its size`;
  for (let i = 0; i < to.length; i++) to[i] = Number(from.data[i]);
  return null;
}

/** Operators that only ONNX Runtime knows, or all where each is known, in one short line. */
function operatorsOf(model: OnnxModel): string {
  const all = [...new Set(model.graph.nodes.map(({ op }) => op))];
  const others = all.filter((op) => !OPERATORS.includes(op));
  const names = (others.length > 0 ? others : all).map(word);
  const [noun, verb] = names.length === 1 ? ["operator", "needs"] : ["operators", "need"];
  const more = names.length > 6 ? ` and ${names.length - 6} more` : "";
  return `the ${noun} ${names.slice(0, 6).join(", ")}${more} ${verb}`;
}
