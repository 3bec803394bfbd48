//! Finds a ternary transformer encoder in an ONNX graph: layers with their norms behind (BERT) or
//! before, INT2 weights behind DequantizeLinear, static steps before each MatMul. It walks from the
//! output back to the input. What is anything else is said in words; ONNX Runtime may still run it.
import {
  type EncoderForm,
  type EncoderLayer,
  type EncoderPlan,
  type Norm,
  type Projection,
  rangeFault,
  sizesFault,
} from "../../accel/encoder.js";
import { FOLDED_MAX } from "./fold.js";
import { readMeta } from "./meta.js";
import { fixedBatch, type Node, nodeName, type OnnxModel, quote } from "./model.js";
import { readAttention } from "./recognise-attention.js";
import type { Mask } from "./recognise-mask.js";
import { withNorms } from "./recognise-norms.js";
import { readActivation } from "./recognise-pointwise.js";
import {
  type Found,
  isA,
  isProjection,
  NOTHING,
  readProjection,
  type Search,
  stop,
  vectorOf,
  writer,
} from "./recognise-projection.js";
import { constantsOf } from "./recognised.js";
import { ELEMENT } from "./tensor.js";

export type EncoderNet = {
  readonly input: string;
  readonly output: string;
  readonly mask: Mask | null;
  readonly plan: EncoderPlan;
};

/** A norm, and the value that it is of. */
type FoundNorm = Norm & {
  readonly x: string;
  readonly epsilon: number;
  readonly kind: EncoderForm["norm"];
};
type FoundLayer = EncoderLayer & {
  readonly x: string;
  readonly heads: number;
  readonly mask: Mask | null;
  readonly found: readonly FoundNorm[];
  readonly limits: readonly number[];
  readonly form: Pick<EncoderForm, "order" | "activation" | "causal">;
};

const NORM_OPS = ["LayerNormalization", "RMSNormalization"];

export function recogniseEncoder(given: OnnxModel): EncoderNet | string {
  const model = withNorms(given);
  const { inputs, outputs, initializers } = model.graph;
  const { nodes, names } = unaliased(model.graph.nodes);
  const input = inputs.find(({ dims }) => dims?.length === 3);
  const [output] = outputs;
  if (inputs.length > 2 || output === undefined || outputs.length !== 1) {
    return "it has not one input, or that and a mask, and one output";
  }
  const [, sequence = 0, width = 0] = input?.dims ?? [];
  if (input?.type !== ELEMENT.FLOAT || sequence < 1 || width < 1) {
    const first = input ?? inputs[0];
    return `input ${quote(first?.name ?? "")} is not float [batch, sequence, width]`;
  }
  const fixed = fixedBatch(input);
  if (fixed !== null) return fixed;
  const meta = readMeta(model.metadata);
  if (typeof meta === "string") return meta;
  const writers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const constants = constantsOf({ nodes, initializers });
  const search: Search = { writers, ...constants, inputs, folds: FOLDED_MAX, fault: null };
  const shape = { sequence, width };
  const made = names.get(output.name) ?? output.name;
  const end = isLast(search, made) ? readNorm(search, made) : null;
  const layers: FoundLayer[] = [];
  let value = end?.x ?? made;
  while (value !== input.name && search.fault === null) {
    const layer = readLayer(search, value, sequence);
    layers.unshift(layer);
    value = layer.x;
  }
  const beside = nodes.find((node) => !search.taken.has(node));
  if (search.fault === null && beside !== undefined) {
    search.fault = `${nodeName(beside)} stands beside the way to the output`;
  }
  if (search.fault !== null) return search.fault;
  const plan = planOf(layers, end, shape);
  if (typeof plan === "string") return plan;
  return { input: input.name, output: output.name, mask: layers[0]?.mask ?? null, plan };
}

/** Without Identity nodes: what they write goes by the name of what they read. */
function unaliased(all: readonly Node[]) {
  const names = new Map<string, string>();
  const nodes: Node[] = [];
  for (const node of all) {
    const inputs = node.inputs.map((name) => names.get(name) ?? name);
    const [from, to] = [inputs[0], node.outputs[0]];
    const alias = node.op === "Identity" && from !== undefined && to !== undefined;
    if (alias) names.set(to, from);
    else nodes.push({ ...node, inputs });
  }
  return { nodes, names };
}

/** Whether the norm is no part of a layer: behind another, or behind the sum of a layer without. */
function isLast(search: Search, value: string): boolean {
  const sum = normed(search, value);
  if (sum === null) return false;
  const [mid] = parted(search, search.writers.get(sum)?.inputs ?? []);
  return normed(search, sum) !== null || normed(search, mid) === null;
}

/** What the norm that writes `value` is of; null where none does. */
function normed(search: Search, value: string): string | null {
  const node = search.writers.get(value);
  return node !== undefined && NORM_OPS.includes(node.op) ? (node.inputs[0] ?? "") : null;
}

function planOf(
  layers: readonly FoundLayer[],
  end: FoundNorm | null,
  { sequence, width }: Pick<EncoderPlan, "sequence" | "width">,
): EncoderPlan | string {
  const [first] = layers;
  const [norm] = first?.found ?? [];
  if (first === undefined || norm === undefined) return "it has no layer";
  const { heads, up, form, mask } = first;
  const { epsilon, kind } = norm;
  const [limit = 0] = first.limits;
  const alike = (other: FoundNorm): boolean => other.epsilon === epsilon && other.kind === kind;
  for (const [i, layer] of layers.entries()) {
    const shape = [layer.in, layer.out, layer.up, layer.down].map(({ rows, cols }) => [rows, cols]);
    const wanted = [
      [3 * width, width],
      [width, width],
      [up.rows, width],
      [width, up.rows],
    ];
    const norms = layer.norms.every(({ gain, offset }) => {
      return gain.length === width && offset.length === width;
    });
    if (`${shape}` !== `${wanted}` || layer.heads !== heads || !norms) {
      return `layer ${i} has other sizes than the first, or than its input`;
    }
    if (!layer.found.every(alike) || layer.limits.some((most) => most !== limit)) {
      return `layer ${i} has another epsilon, norm, or steps of other bits, than the first`;
    }
    if (JSON.stringify([layer.form, layer.mask]) !== JSON.stringify([form, mask])) {
      return `layer ${i} has another mask, activation, or place of its norms, than the first`;
    }
  }
  const sides = end === null ? [] : [end.gain.length, end.offset.length];
  const fits = end === null || (alike(end) && sides.every((side) => side === width));
  if (!(epsilon > 0) || !fits) {
    return "its norms have no epsilon, or the last one is another";
  }
  const sized = sizesFault({ sequence, width, heads, hidden: up.rows });
  if (sized !== null) return sized;
  const plain = layers.map((layer): EncoderLayer => {
    const { in: inner, out, up, down, norms } = layer;
    return { in: inner, out, up, down, norms: [bare(norms[0]), bare(norms[1])] };
  });
  const plan = {
    ...{ ...form, norm: kind, masked: mask !== null, end: end === null ? null : bare(end) },
    ...{ sequence, width, heads, hidden: up.rows, epsilon, limit, layers: plain },
  };
  return rangeFault(plan) ?? plan;
}

const bare = ({ gain, offset }: Norm): Norm => ({ gain, offset });

function readLayer(search: Search, value: string, sequence: number): FoundLayer {
  // A norm behind the sum, or a sum that nothing normalises before the next layer does.
  const behind = normed(search, value) === null ? null : readNorm(search, value);
  // The sum of a residual, which a norm, a sum or the input of the graph gives, and a projection.
  const [mid, ffn] = parted(search, writer(search, behind?.x ?? value, "Add").inputs);
  const down = readProjection(search, ffn);
  const { x: active, activation } = readActivation(search, down.x);
  const up = readProjection(search, active);
  const second = behind ?? readNorm(search, up.x);
  const first = behind === null ? null : readNorm(search, mid);
  const [x, attention] = parted(search, writer(search, first?.x ?? mid, "Add").inputs);
  const out = readProjection(search, attention);
  const attended = readAttention(search, out.x, sequence);
  const { query, key, value: content, heads, mask, causal } = attended;
  const before = first ?? readNorm(search, query.x);
  const inner = [query, key, content];
  const [reads, made] = behind === null ? [before.x, second.x] : [query.x, up.x];
  const same = inner.every((p) => p.x === query.x && p.inverse === query.inverse);
  if (made !== mid || reads !== x || !same) {
    stop(search, `the projections of the layer of ${quote(value)} read different values`);
  }
  return {
    ...{ in: joined(inner), out, up, down, norms: [before, second], x, heads, mask },
    found: [before, second],
    limits: [...inner, out, up, down].map(({ limit }) => limit),
    form: { order: behind === null ? "pre" : "post", activation, causal },
  };
}

/** Of the two values of a residual sum: the residual, then the projection. */
function parted(search: Search, [a = "", b = ""]: readonly string[]): readonly [string, string] {
  return isProjection(search, a) && !isProjection(search, b) ? [b, a] : [a, b];
}

function readNorm(search: Search, value: string): FoundNorm {
  const rms = isA(search, value, "RMSNormalization");
  const node = writer(search, value, rms ? "RMSNormalization" : "LayerNormalization");
  const axis = node.attributes.get("axis")?.integer ?? -1;
  if (axis !== -1 && axis !== 2) stop(search, `${nodeName(node)} is not over the last axis`);
  const epsilon = node.attributes.get("epsilon")?.float ?? 1e-5;
  const gain = vectorOf(search, node, 1);
  const alone = (node.inputs[2] ?? "") === "";
  const offset = alone ? new Float32Array(gain.length) : vectorOf(search, node, 2);
  const fine = [...gain, ...offset].every(Number.isFinite);
  if (!fine) stop(search, `${nodeName(node)} has a gain or an offset that is no finite number`);
  return { gain, offset, x: node.inputs[0] ?? "", epsilon, kind: rms ? "rms" : "layer" };
}

/** Queries, keys and values as one projection. */
function joined(parts: readonly Found[]): Projection {
  const [first = { ...NOTHING, x: "", limit: 0 }] = parts;
  const size = parts.reduce((sum, { weights }) => sum + weights.length, 0);
  const weights = new Int8Array(size);
  let at = 0;
  for (const part of parts) {
    weights.set(part.weights, at);
    at += part.weights.length;
  }
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    ...{ cols: first.cols, weights, inverse: first.inverse },
    scale: Float32Array.from(parts.flatMap(({ scale }) => [...scale])),
    bias: Float32Array.from(parts.flatMap(({ bias }) => [...bias])),
  };
}
