//! Runs a whole ONNX file in ONNX Runtime: for every operator that the integer path and the trees
//! do not know. onnxruntime-node is loaded only when a model needs it. Its public run() is a
//! promise around a synchronous native call; the native call is used, or a replay would depend on
//! the event loop. It is not public: test/models/user-model.test.ts fails where a version moves it.
import {
  chooseProvider,
  DENSE_CPU,
  type DenseUse,
  outageOf,
  type Provider,
  WORLD,
  type World,
} from "./dense-provider.js";
import type { Model, ModelPort } from "./model.js";
import { growthFault } from "./onnx/growth.js";
import { describePort, readMeta, type SternaMeta } from "./onnx/meta.js";
import { type OnnxModel, quote, word } from "./onnx/model.js";
import { countOf, ELEMENT } from "./onnx/tensor.js";

/** Values of one tensor: a model of an edge has far fewer, a hostile shape more. */
const VALUES_MAX = 2 ** 24;
const ONE_THREAD = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" };
const QUIET = { logSeverityLevel: 4 };
/** Fused quantised operators have no INT2; without that fusion every level loads and is exact. */
const KEEP_INT2 = { extra: { session: { disable_quant_qdq: "1" } } };

type Data = Float32Array | Float64Array | Int32Array | BigInt64Array;
type Tensor = { readonly data: Data; readonly dims: readonly number[] };
type TensorMaker = new (type: string, data: Data, dims: readonly number[]) => Tensor;
type Info = { readonly name: string; readonly isTensor: boolean; readonly type: number };
type Session = {
  readonly inputMetadata: readonly (Info & { readonly shape: readonly number[] })[];
  readonly outputMetadata: readonly Info[];
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: object, fetches: object, options: object): Record<string, Tensor>;
};
type Runtime = {
  readonly binding: { readonly InferenceSession: new () => Session };
  readonly initOrt: () => void;
};

/** Relative to the largest value of an output: what float sums in another order differ by. */
const TOLERANCE = 1e-4;

export function openDense(
  model: OnnxModel,
  bytes: Uint8Array,
  hash: string,
  use: DenseUse = DENSE_CPU,
  world: World = WORLD,
): Model | string {
  const meta = readMeta(model.metadata);
  if (typeof meta === "string") return meta;
  const grown = growthFault(model);
  if (grown !== null) return grown;
  let runtime: Runtime;
  let TensorOf: TensorMaker;
  let version: string;
  try {
    // The package types neither file; what is used of them is the types above.
    const { load } = world;
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
    const sessionOn = (provider: Provider): Session => {
      const session = new runtime.binding.InferenceSession();
      const own = { executionProviders: [provider], ...(int2 ? KEEP_INT2 : {}) };
      const options = { ...ONE_THREAD, ...QUIET, ...own };
      session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, options);
      return session;
    };
    return openSession(openEngine(sessionOn, use, world), TensorOf, meta, hash, version);
  } catch (error) {
    return `onnxruntime ${version} cannot load it: ${firstLine(error)}`;
  }
}

/** The CPU, and before it a provider for as long as it is sound. */
type Engine = {
  readonly cpu: Session;
  readonly provider: () => Provider;
  /** Compares an answer of the provider with the CPU's, and gives the one to use. */
  trial(feeds: object, fetches: object): Record<string, Tensor>;
  run(feeds: object, fetches: object): Record<string, Tensor>;
};

function openEngine(
  sessionOn: (provider: Provider) => Session,
  use: DenseUse,
  world: World,
): Engine {
  const cpu = sessionOn("cpu");
  const chosen = chooseProvider(use, world);
  let device: Session | null = null;
  const takeOut = (when: "self-test" | "operation", why: string): void => {
    device = null;
    use.report(outageOf(chosen, when, why));
  };
  try {
    if (chosen !== "cpu") device = sessionOn(chosen);
  } catch (error) {
    takeOut("self-test", firstLine(error));
  }
  const attempt = (when: "self-test" | "operation", feeds: object, fetches: object) => {
    try {
      return device?.run(feeds, fetches, {}) ?? null;
    } catch (error) {
      takeOut(when, firstLine(error));
      return null;
    }
  };
  return {
    cpu,
    provider: () => (device === null ? "cpu" : chosen),
    trial(feeds, fetches): Record<string, Tensor> {
      const found = attempt("self-test", feeds, fetches);
      const right = cpu.run(feeds, fetches, {});
      const name = found === null ? undefined : differing(found, right);
      if (name !== undefined) takeOut("self-test", `output ${quote(name)} differs from the CPU's`);
      return right;
    },
    run: (feeds, fetches) => attempt("operation", feeds, fetches) ?? cpu.run(feeds, fetches, {}),
  };
}

/** The first output that is not the same within the tier. */
function differing(found: Record<string, Tensor>, right: Record<string, Tensor>) {
  return Object.keys(right).find((name) => {
    const [a, b] = [found[name]?.data, right[name]?.data];
    if (a === undefined || b === undefined || a.length !== b.length) return true;
    if (!isNumeric(b)) return false;
    const values = Array.from(b, Number);
    const most = TOLERANCE * values.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);
    return values.some((value, i) => {
      const other = Number(a[i]);
      return !Object.is(other, value) && !(Math.abs(other - value) <= most);
    });
  });
}

function openSession(
  engine: Engine,
  TensorOf: TensorMaker,
  meta: SternaMeta,
  hash: string,
  version: string,
): Model | string {
  const inputs: ModelPort[] = [];
  const feeds: Record<string, Tensor> = {};
  const given: (Float32Array | Float64Array)[] = [];
  for (const { name, isTensor, type, shape } of engine.cpu.inputMetadata) {
    if (!isTensor || (type !== ELEMENT.FLOAT && type !== ELEMENT.DOUBLE)) {
      return `input ${quote(name)} is not a float tensor; export it with float32 inputs`;
    }
    // A free dimension first is the batch; any other has no size that a window could have.
    const dims = shape.map((dim, i) => (i === 0 && dim < 0 ? 1 : dim));
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
    tier: "within 1e-4 relative",
    engine: `onnxruntime ${version} on ${engine.provider()}`,
    run(from, to): string | null {
      for (const [i, data] of given.entries()) data.set(from[i] ?? []);
      try {
        const found = engine.run(feeds, fetches);
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

/** What the file asks for, in words short enough for one line. */
function operatorsOf(model: OnnxModel): string {
  const names = [...new Set(model.graph.nodes.map((node) => word(node.op)))];
  const more = names.length > 6 ? ` and ${names.length - 6} more` : "";
  return `the operators ${names.slice(0, 6).join(", ")}${more}`;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split("\n")[0] ?? "").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
