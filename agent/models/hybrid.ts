//! A model of which the kernels know a part: ternary networks and encoders run on the backend, what is
//! before, between and behind them in the float tier or in ONNX Runtime. A run hands each part the
//! values of those before.
import type { Backend } from "../accel/backend.js";
import { DENSE_TIER, openDense, shapesIn } from "./dense.js";
import { DENSE_CPU, type DenseUse } from "./dense-provider.js";
import { openEncoder } from "./encoder-model.js";
import { FLOAT_TIER, openFloats } from "./float-part.js";
import { type GraphPart, partsIn } from "./hybrid-cuts.js";
import type { Model, ModelPart, ModelPort } from "./model.js";
import { planNet } from "./net-plan.js";
import { openNetwork } from "./network.js";
import { knownShapes } from "./onnx/known-shapes.js";
import { describePort, readMeta } from "./onnx/meta.js";
import { fixedBatch, type OnnxModel, word } from "./onnx/model.js";
import { withNorms } from "./onnx/recognise-norms.js";
import { bytesOf } from "./onnx/slice.js";
import type { TernaryNet } from "./onnx/ternary-net.js";

/** Beyond every clip to int8 or int16 steps. */
const STEPS = 2 ** 15;

/** `most`: what an infinite value before it counts as; null where it takes those as they are. */
type Piece = ModelPart & { readonly most: number | null };

/** Null where nothing of it is for the kernels; the whole file is then for ONNX Runtime. */
export function openHybrid(
  onnx: OnnxModel,
  bytes: Uint8Array,
  backend: Backend,
  hash: string,
  use: DenseUse = DENSE_CPU,
): Model | null {
  // Without steps there is nothing to look for.
  if (!onnx.graph.nodes.some(({ op }) => op === "QuantizeLinear")) return null;
  const meta = readMeta(onnx.metadata);
  // ONNX Runtime is asked where a graph is more than plain operators.
  const shapes = knownShapes(withNorms(onnx)) ?? shapesIn(onnx, bytes);
  if (typeof meta === "string" || shapes === null) return null;
  const several = new Set(
    onnx.graph.inputs.filter((input) => fixedBatch(input) !== null).map(({ name }) => name),
  );
  const parts: Piece[] = [];
  const takes = (net: TernaryNet): boolean => typeof planNet(net, backend) !== "string";
  for (const part of partsIn(onnx, shapes, takes)) {
    // A part that begins at an input takes one of a batch.
    const begins = part.slice.graph.inputs.some(({ name }) => several.has(name));
    if (part.own !== null && begins) return null;
    const model = openPart(part, shapes, backend, hash, use);
    // What the planner or ONNX Runtime refuses as a part may still run as a whole.
    if (typeof model === "string") return null;
    const { own } = part;
    const most = own?.kind === "network" ? STEPS * own.net.input.scale : null;
    parts.push({ model, about: aboutOf(part), most });
  }
  const [last] = parts.slice(-1);
  if (last === undefined) return null;
  const inputs = onnx.graph.inputs.flatMap(({ name }): readonly ModelPort[] => {
    const ports = parts.flatMap(({ model }) => model.inputs.filter((one) => one.name === name));
    // It may be left unbound where all that read it can do without.
    const port = ports.find(({ optional }) => optional !== true) ?? ports[0];
    return port === undefined ? [] : [{ ...port, ...describePort(meta.inputs, name) }];
  });
  const outputs = last.model.outputs.map((port) => {
    return { ...port, ...describePort(meta.outputs, port.name) };
  });
  return { inputs, outputs, hash, ...chained(parts, inputs) };
}

function openPart(
  { slice, own }: GraphPart,
  shapes: ReadonlyMap<string, readonly number[]>,
  backend: Backend,
  hash: string,
  use: DenseUse,
): Model | string {
  if (own?.kind === "network") return openNetwork(own.net, backend, hash, null);
  if (own?.kind === "encoder") return openEncoder(slice, own.net, backend, hash);
  const floats = openFloats(slice, shapes, hash);
  return floats ?? openDense({ ...slice, metadata: new Map() }, bytesOf(slice), hash, { use });
}

function aboutOf({ slice, own }: GraphPart): string {
  if (own?.kind === "network") return `a ternary network of ${own.net.layers.length} layers`;
  if (own?.kind === "encoder") return `a ternary encoder of ${own.net.plan.layers.length} layers`;
  const { nodes } = slice.graph;
  const ops = [...new Set(nodes.map(({ op }) => word(op)))];
  const more = ops.length > 6 ? ", ..." : "";
  return `${nodes.length} node${nodes.length === 1 ? "" : "s"} (${ops.slice(0, 6).join(", ")}${more})`;
}

/** The parts one after another; values between them have buffers of their own. */
function chained(
  parts: readonly Piece[],
  inputs: readonly ModelPort[],
): Pick<Model, "tier" | "engine" | "parts" | "run" | "reset"> {
  const resets = parts.flatMap(({ model }) => model.reset ?? []);
  const between = new Map<string, Float32Array>();
  const steps = parts.map(({ model, most }, i) => {
    const last = i === parts.length - 1;
    const reads = model.inputs.map(({ name, size }) => {
      const at = inputs.findIndex((port) => port.name === name);
      const value = between.get(name);
      // Another part may read the value, too, as it is.
      const cut = value !== undefined && most !== null ? new Float32Array(size) : null;
      return { at, value, cut, most: most ?? 0 };
    });
    const made = last ? null : model.outputs.map(({ size }) => new Float32Array(size));
    model.outputs.forEach(({ name }, k) => {
      if (made !== null) between.set(name, made[k] as Float32Array);
    });
    return { model, reads, made };
  });
  return {
    /** The widest: that of an encoder, of a device, of ONNX Runtime. */
    get tier() {
      const tiers = parts.map(({ model }) => model.tier).filter((tier) => tier !== "exact");
      const device = tiers.find((tier) => tier !== DENSE_TIER && tier !== FLOAT_TIER);
      const found = tiers.find((tier) => tier.includes("largest")) ?? device;
      return found ?? tiers.find((tier) => tier === DENSE_TIER) ?? tiers[0] ?? "exact";
    },
    engine: parts.map(({ model }) => model.engine).join(", then "),
    parts,
    ...(resets.length === 0 ? {} : { reset: (): void => resets.forEach((reset) => void reset()) }),
    run(given, outputs): string | null {
      for (const { model, reads, made } of steps) {
        const from = reads.map(({ at, value = given[at], cut, most }) => {
          return cut === null || value === undefined ? value : saturated(value, cut, most);
        });
        const fault = model.run(from, made ?? outputs);
        if (fault !== null) return fault;
      }
      return null;
    },
  };
}

/** Infinite values as QuantizeLinear takes them: as the last step. NaN stays what it is. */
function saturated(from: Float32Array, to: Float32Array, most: number): Float32Array {
  for (let i = 0; i < to.length; i++) {
    const value = from[i] as number;
    to[i] = Math.abs(value) === Number.POSITIVE_INFINITY ? Math.sign(value) * most : value;
  }
  return to;
}
