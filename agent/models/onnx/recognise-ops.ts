//! Operators without weights: sums, gates, activations, pools, and what only moves values.
import { type Node, nodeName } from "./model.js";
import { windowOf, withBias } from "./recognise-weights.js";
import {
  byChannel,
  constant,
  int64s,
  integer,
  type Real,
  realOf,
  type Steps,
  scalar,
  stepsOf,
  type Term,
  type Walk,
} from "./recognised.js";
import { shapeAfter, sizeOf } from "./shapes.js";
import type { TableLayer } from "./ternary-net.js";

const PLAIN = { relu: false, ends: null, clipped: false, moves: [] } as const;

/** Relu on what has no step yet belongs to the layer; on int8 steps it is a table. */
export function readActivation(walk: Walk, node: Node): Real | string {
  if (node.op === "Relu" && walk.reals.has(node.inputs[0] ?? "")) {
    const real = realOf(walk, node);
    if (typeof real === "string") return real;
    const fits = (real.form === "weighted" || real.form === "sum") && real.ends === null;
    return fits ? { ...real, relu: true } : `${nodeName(node)} follows what has no step of its own`;
  }
  const x = stepsOf(walk, node);
  if (typeof x === "string") return x;
  const tanh = node.attributes.get("approximate")?.text === "tanh";
  const gelu = tanh ? "gelu-tanh" : "gelu";
  const of = { Relu: "relu", Sigmoid: "sigmoid", Tanh: "tanh", Gelu: gelu }[node.op];
  const slope = node.attributes.get("alpha")?.float ?? 0.01;
  const layer: TableLayer = {
    ...{ kind: "table", of: (of ?? "leaky-relu") as TableLayer["of"], outScale: 0 },
    ...(of === undefined ? { slope } : {}),
  };
  return { form: "other", layer, sources: [x], shape: x.shape, ...PLAIN };
}

/** The clip to 127 steps before a QuantizeLinear, a relu, or a clip of its own. */
export function readClip(walk: Walk, node: Node, steps: (scale: number) => boolean): Real | string {
  const real = realOf(walk, node);
  if (typeof real === "string") return real;
  const [low, high] = [1, 2].map((at) => {
    const absent = (node.inputs[at] ?? "") === "";
    const none = at === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return absent ? none : scalar(constant(walk, node, at));
  }) as [number, number];
  const [next, ...more] = walk.readers.get(node.outputs[0] ?? "") ?? [];
  if (next?.op === "QuantizeLinear" && more.length === 0) {
    const scale = scalar(constant(walk, next, 1));
    const most = (steps(scale) ? 127 : 32_767) * scale;
    const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * most;
    if (near(low, -most) && near(high, most)) return { ...real, clipped: true };
    if (real.form === "input") {
      return `${nodeName(node)} does not clip to 127 scales of ${nodeName(next)}`;
    }
  }
  if (!(low <= high)) return `${nodeName(node)} has no constant ends`;
  if (real.form === "input") return `${nodeName(node)} reads a value without int8 steps`;
  if (walk.steps.has(node.inputs[0] ?? "") && real.form === "sum") {
    const sources = real.terms.map(({ value }) => value);
    const layer = { kind: "table", of: "clip", ends: [low, high], outScale: 0 } as const;
    return { form: "other", layer, sources, shape: real.shape, ...PLAIN };
  }
  const [least, most] = real.ends ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  // Of a clip before it, this one clips the ends.
  const ends = [least, most].map((end) => Math.min(Math.max(end, low), high)) as [number, number];
  const rectifies = (real.form === "weighted" || real.form === "sum") && ends[0] === 0;
  const open = ends[1] === Number.POSITIVE_INFINITY;
  return { ...real, relu: real.relu || rectifies, ends: rectifies && open ? null : ends };
}

/** Add, Sub, Mul, Div, Neg: a sum with gains, a bias, or a gate of two values. */
export function readArithmetic(walk: Walk, node: Node): Real | string {
  const { op } = node;
  if (node.inputs.some((name) => (walk.reals.get(name)?.moves.length ?? 0) > 0)) {
    return `${nodeName(node)} reads a value that was moved without int8 steps`;
  }
  if (op === "Neg") return scaled(walk, node, realOf(walk, node), Float32Array.of(-1));
  const at = walk.constants.has(node.inputs[0] ?? "") ? 0 : 1;
  const fixed = constant(walk, node, at);
  if (fixed === null) {
    if (op === "Mul") return gate(walk, node);
    return op === "Div" ? `${nodeName(node)} divides two values` : added(walk, node, op === "Sub");
  }
  const real = realOf(walk, node, 1 - at);
  if (typeof real === "string") return real;
  const bare = real.form === "weighted" && !real.relu && real.ends === null;
  if (op === "Add" && bare) return withBias(walk, node, real, at);
  const values = byChannel(fixed, real.shape);
  if (values === null) return `${nodeName(node)} has no constant of one value a channel`;
  if (op === "Mul") return scaled(walk, node, real, values);
  if (op === "Div") {
    if (at === 0) return `${nodeName(node)} divides by a value`;
    return scaled(
      walk,
      node,
      real,
      values.map((value) => 1 / value),
    );
  }
  const turned = op === "Sub" && at === 0 ? scaled(walk, node, real, Float32Array.of(-1)) : real;
  const constants = op === "Sub" && at === 1 ? values.map((value) => -value) : values;
  if (typeof turned === "string") return turned;
  if (!isOpenSum(turned)) return `${nodeName(node)} adds to what has no int8 steps`;
  return { ...turned, bias: combine(turned.bias, constants, (a, b) => a + b) };
}

type OpenSum = Real & { readonly form: "sum" };

function isOpenSum(real: Real): real is OpenSum {
  return real.form === "sum" && !real.relu && real.ends === null && !real.clipped;
}

function scaled(_walk: Walk, node: Node, real: Real | string, gain: Float32Array): Real | string {
  if (typeof real === "string") return real;
  if (!isOpenSum(real)) return `${nodeName(node)} scales what has no int8 steps`;
  const times = (a: number, b: number): number => a * b;
  const terms = real.terms.map((term): Term => {
    return { ...term, gain: combine(term.gain, gain, times) };
  });
  return { ...real, terms, bias: real.bias === null ? null : combine(real.bias, gain, times) };
}

function combine(
  a: Float32Array | null,
  b: Float32Array,
  of: (a: number, b: number) => number,
): Float32Array {
  if (a === null) return b;
  const pick = (list: Float32Array, i: number): number => list[list.length === 1 ? 0 : i] as number;
  const length = Math.max(a.length, b.length);
  return Float32Array.from({ length }, (_, i) => of(pick(a, i), pick(b, i)));
}

function added(walk: Walk, node: Node, minus: boolean): Real | string {
  const a = realOf(walk, node, 0);
  const b = realOf(walk, node, 1);
  if (typeof a === "string") return a;
  const right = minus ? scaled(walk, node, b, Float32Array.of(-1)) : b;
  if (typeof right === "string") return right;
  if (!isOpenSum(a) || !isOpenSum(right)) return `${nodeName(node)} adds what has no int8 steps`;
  const terms = [...a.terms, ...right.terms];
  if (terms.length > 2) return `${nodeName(node)} adds more than two values without steps between`;
  if (a.shape.join() !== right.shape.join()) return `${nodeName(node)} adds different shapes`;
  const bias = right.bias === null ? a.bias : combine(a.bias, right.bias, (p, q) => p + q);
  return { ...a, terms, bias };
}

function gate(walk: Walk, node: Node): Real | string {
  const [a, b] = [stepsOf(walk, node, 0), stepsOf(walk, node, 1)];
  if (typeof a === "string") return a;
  if (typeof b === "string") return b;
  // The gate, which may have one value a channel, comes second.
  const sources = sizeOf(a.shape) < sizeOf(b.shape) ? [b, a] : [a, b];
  const shape = sources[0]?.shape ?? [];
  if (a.shape.length !== b.shape.length) {
    return `${nodeName(node)} multiplies [${a.shape}] by [${b.shape}]`;
  }
  return { form: "other", layer: { kind: "mul", outScale: 0 }, sources, shape, ...PLAIN };
}

export function readConcat(walk: Walk, node: Node): Real | string {
  const sources: Steps[] = [];
  for (const at of node.inputs.keys()) {
    const found = stepsOf(walk, node, at);
    if (typeof found === "string") return found;
    sources.push(found);
  }
  const rank = (sources[0]?.shape.length ?? 0) + 1;
  const axis = integer(node, "axis", 1);
  if (axis !== 1 && axis !== 1 - rank) return `${nodeName(node)} is not along the channels`;
  return whole(node, { kind: "concat", outScale: 0 }, sources);
}

export function readPool(walk: Walk, node: Node): Real | string {
  const x = stepsOf(walk, node);
  if (typeof x === "string") return x;
  const mode = /MaxPool$|^ReduceMax$/.test(node.op) ? "max" : "average";
  const common = { kind: "pool", mode, outScale: 0 } as const;
  if (node.op.startsWith("Reduce")) return readReduced(walk, node, x, mode);
  if (node.op.startsWith("Global")) {
    return whole(node, { ...common, window: null, countPads: false }, [x]);
  }
  const kernel = node.attributes.get("kernel_shape")?.integers ?? [];
  if (kernel.length !== x.shape.length - 1 || kernel.length > 2 || kernel.length < 1) {
    return `${nodeName(node)} has not one size for each side of [${x.shape}]`;
  }
  const sides = windowOf(node, kernel, x.shape.slice(1));
  if (typeof sides === "string") return sides;
  const { stride, dilation, pads } = sides;
  const odd = dilation.some((d) => d !== 1) || integer(node, "ceil_mode", 0) !== 0;
  if (odd || node.outputs.filter((out) => out !== "").length !== 1) {
    return `${nodeName(node)} has dilation, ceil_mode or a second output`;
  }
  const [a = 1, b] = kernel;
  const size: readonly [number, number] = b === undefined ? [1, a] : [a, b];
  const countPads = integer(node, "count_include_pad", 0) !== 0;
  return whole(node, { ...common, window: { kernel: size, stride, pads }, countPads }, [x]);
}

/** ReduceMean, ReduceMax over all places: a global pool. */
function readReduced(walk: Walk, node: Node, x: Steps, mode: "max" | "average"): Real | string {
  const rank = x.shape.length + 1;
  const stated = int64s(walk, node, 1) ?? node.attributes.get("axes")?.integers ?? [];
  const axes = new Set(stated.map((axis) => (axis < 0 ? axis + rank : axis)));
  const places = x.shape.map((_, i) => i + 1).slice(1);
  if (places.length === 0 || axes.size !== places.length || !places.every((i) => axes.has(i))) {
    return `${nodeName(node)} is not over all places`;
  }
  const layer = { kind: "pool", mode, outScale: 0, window: null, countPads: false } as const;
  const real = whole(node, layer, [x]);
  if (typeof real === "string" || integer(node, "keepdims", 1) === 1) return real;
  const shape = x.shape.slice(0, 1);
  return { ...real, shape, moves: [{ layer: { kind: "reshape", shape }, from: real.shape }] };
}

function whole(node: Node, layer: (Real & { form: "other" })["layer"], sources: Steps[]) {
  const shape = shapeAfter(
    layer,
    sources.map((source) => source.shape),
  );
  if (typeof shape === "string") return `${nodeName(node)}: ${shape}`;
  return { form: "other", layer, sources, shape, ...PLAIN } as const;
}
