//! Finds the ternary pattern in an ONNX graph: layers with INT2 or INT8 weights and layers without
//! any, each between int8 steps. What is anything else is said in words; ONNX Runtime may run it.
import { describePort, readMeta, type SternaMeta } from "./meta.js";
import { fixedBatch, type Node, nodeName, type OnnxModel, quote } from "./model.js";
import { move, moveSteps, readMoved } from "./recognise-move.js";
import { readActivation, readArithmetic, readClip, readConcat, readPool } from "./recognise-ops.js";
import { withGelu } from "./recognise-pointwise.js";
import { isFlip, readWeighted, stepBits } from "./recognise-weights.js";
import {
  constant,
  nameFor,
  push,
  type Real,
  realOf,
  type Steps,
  scalar,
  type Walk,
  walkOf,
} from "./recognised.js";
import { ELEMENT } from "./tensor.js";
import type { NetLayer, NetState, TernaryNet } from "./ternary-net.js";

/** What is looked up for each node costs the more the more there are. */
const NODES_MAX = 20_000;
const OUTPUTS_MAX = 64;

const WEIGHTED = ["Gemm", "MatMul", "Conv"];
const ACTIVATIONS = ["Relu", "Sigmoid", "Tanh", "Gelu", "LeakyRelu"];
const ARITHMETIC = ["Add", "Sub", "Mul", "Div", "Neg"];
const POOLS = [
  ...["MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"],
  ...["ReduceMean", "ReduceMax"],
];
const MOVES = ["Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Identity"];
/** Operators that the integer path knows, for people. */
export const OPERATORS = [
  ...[...WEIGHTED, ...ACTIVATIONS, "Clip", ...ARITHMETIC, ...POOLS],
  ...["Concat", ...MOVES, "QuantizeLinear", "DequantizeLinear"],
];

export function recognise(given: OnnxModel): TernaryNet | string {
  if (given.graph.nodes.length > NODES_MAX) {
    return `it has ${given.graph.nodes.length} nodes, at most ${NODES_MAX}`;
  }
  const model = withGelu(given);
  const meta = readMeta(model.metadata);
  if (typeof meta === "string") return meta;
  const { inputs, nodes, outputs } = model.graph;
  const kept = new Set(meta.states.map(({ input }) => input));
  const [input, ...more] = inputs.filter(({ name }) => !kept.has(name));
  if (input === undefined || more.length > 0) return "it has not exactly one input";
  const shape = (input.dims ?? []).slice(1);
  const vague = shape.length === 0 || shape.length > 3 || shape.some((dim) => dim < 1);
  if (input.type !== ELEMENT.FLOAT || vague) {
    const wanted = "float [batch, length], or [batch, channels, ...] with one or two sides";
    return `input ${quote(input.name)} is not ${wanted}`;
  }
  const fixed = fixedBatch(input);
  if (fixed !== null) return fixed;
  if (outputs.length > 1 + meta.states.length) return "it has not exactly one output";
  const walk = walkOf(model, input.name);
  for (const node of nodes) {
    const fault = walk.taken.has(node) ? null : visit(walk, node);
    if (fault !== null) return fault;
  }
  const found = stepsNamed(walk, input.name);
  if (found === null) return `nothing quantises the input ${quote(input.name)}`;
  const last = outputs.filter(({ name }) => !meta.states.some(({ output }) => output === name));
  const [output = outputs[0], ...others] = last;
  if (output === undefined || others.length > 0) return "it has not exactly one output";
  const end = finish(walk, output.name);
  if (end !== null) return end;
  const beside = nodes.find((node) => !walk.taken.has(node));
  if (beside !== undefined) return `${nodeName(beside)} stands beside the way to the output`;
  const states = statesOf(walk, meta);
  if (typeof states === "string") return states;
  const { version, training, facts, claims } = meta;
  return {
    input: { ...describePort(meta.inputs, input.name), shape, scale: found.scale },
    ...(states.length > 0 ? { states } : {}),
    layers: walk.layers,
    output: describePort(meta.outputs, output.name),
    meta: { version, training, facts },
    ...(Object.keys(claims).length > 0 ? { claims } : {}),
  };
}

/**
 * Values that a network from one value may end with, of a graph that is not known whole: int8 steps,
 * and what a layer with weights gives.
 */
export function reachable(given: OnnxModel, input: string): readonly string[] {
  const { graph } = given;
  if (graph.nodes.length > NODES_MAX || graph.outputs.length > OUTPUTS_MAX) return [];
  const model = withGelu(given);
  const { nodes } = model.graph;
  const walk = walkOf(model, input);
  // What a node that is not known writes, nothing after it finds.
  for (const node of nodes) if (!walk.taken.has(node)) visit(walk, node);
  const ends = (name: string): boolean => {
    const real = walk.reals.get(name);
    return (
      walk.steps.has(name) ||
      (real?.form === "weighted" && real.ends === null && real.moves.length === 0)
    );
  };
  return nodes.flatMap((node) => node.outputs.filter(ends));
}

function visit(walk: Walk, node: Node): string | null {
  const { op, domain } = node;
  const [out] = node.outputs;
  // Weights and biases, turned perhaps: who reads them takes them.
  const before = isFlip(node) ? walk.writers.get(node.inputs[0] ?? "") : node;
  const stored = before?.op === "DequantizeLinear" && walk.constants.has(before.inputs[0] ?? "");
  if (stored) return null;
  if (domain !== "" || out === undefined || !OPERATORS.includes(op)) {
    return `${nodeName(node)} is not on the integer path`;
  }
  walk.taken.add(node);
  if (op === "DequantizeLinear") return settle(walk, node, out);
  if (op === "QuantizeLinear") return quantise(walk, node, out);
  if (MOVES.includes(op) && walk.steps.has(node.inputs[0] ?? "")) return move(walk, node, out);
  const real = readReal(walk, node);
  if (typeof real === "string") return real;
  walk.reals.set(out, real);
  return null;
}

function readReal(walk: Walk, node: Node): Real | string {
  const { op } = node;
  if (WEIGHTED.includes(op)) return readWeighted(walk, node);
  if (ACTIVATIONS.includes(op)) return readActivation(walk, node);
  if (ARITHMETIC.includes(op)) return readArithmetic(walk, node);
  if (POOLS.includes(op)) return readPool(walk, node);
  if (op === "Concat") return readConcat(walk, node);
  if (op === "Identity") return realOf(walk, node);
  if (MOVES.includes(op)) return readMoved(walk, node);
  const [next] = walk.readers.get(node.outputs[0] ?? "") ?? [];
  return readClip(walk, node, () => next === undefined || stepBits(walk, next) !== 16);
}

function quantise(walk: Walk, node: Node, out: string): string | null {
  const real = realOf(walk, node);
  if (typeof real === "string") return real;
  const scale = scalar(constant(walk, node, 1));
  const bits = stepBits(walk, node);
  if (bits === null) return `${nodeName(node)} has no int8 zero point of 0`;
  if (!(scale > 0 && Number.isFinite(scale))) return `${nodeName(node)} has the scale ${scale}`;
  if (!real.clipped && !isNeverLow(real, scale)) {
    return `${nodeName(node)} may give -128; put Clip to 127 scales before it`;
  }
  walk.ints.set(out, { real, scale, bits });
  return null;
}

/** Values of 0 and above, or those of a tensor that had these steps before. */
function isNeverLow(real: Real, scale: number): boolean {
  if (real.relu || (real.ends !== null && real.ends[0] >= -127 * scale)) return true;
  if (real.form !== "other") return false;
  const { layer, sources } = real;
  if (layer.kind === "table") return layer.of === "sigmoid" || layer.of === "relu";
  return layer.kind !== "mul" && sources.every((source) => source.scale === scale);
}

function settle(walk: Walk, node: Node, out: string): string | null {
  const found = walk.ints.get(node.inputs[0] ?? "");
  if (found === undefined) return `${nodeName(node)} reads no int8 steps`;
  const { real, scale, bits } = found;
  if (scalar(constant(walk, node, 1)) !== scale || stepBits(walk, node) !== bits) {
    return `${nodeName(node)} has another scale than its QuantizeLinear`;
  }
  const { moves } = real;
  const shape = moves[0]?.from ?? real.shape;
  if (moves.length > 0 && bits === 16) return `${nodeName(node)} has int16 steps that are moved`;
  if (real.form === "input") {
    const steps = { scale, bits, shape, name: real.name };
    // Nothing else reads the input: its steps are known by its own name, too.
    walk.steps.set(real.name, steps);
    moveSteps(walk, steps, real, out);
    return null;
  }
  if (bits === 16 && (real.form !== "sum" || real.ends !== null)) {
    return `${nodeName(node)} has int16 steps, which only sums have`;
  }
  const { ends } = real;
  const inner = ends !== null && (ends[0] > -127 * scale || ends[1] < 127 * scale);
  const name = inner || moves.length > 0 ? undefined : nameFor(out);
  const layer = layerFrom(real, scale, bits);
  let last = push(walk, layer, sourcesIn(real), name);
  if (inner && ends !== null) {
    const clip = { kind: "table", of: "clip", ends, outScale: scale } as const;
    last = push(walk, clip, [last], moves.length > 0 ? undefined : nameFor(out));
  }
  moveSteps(walk, { scale, bits, shape, name: last }, real, out);
  return null;
}

function layerFrom(real: Real, outScale: number, bits: 8 | 16): NetLayer {
  const { relu } = real;
  if (real.form === "weighted") return { ...real.layer, relu, outScale };
  if (real.form === "other") return { ...real.layer, outScale };
  const terms = real.form === "sum" ? real.terms : [];
  const bias = real.form === "sum" ? real.bias : null;
  const plain = terms.every(({ gain }) => gain === null);
  if (terms.length === 1 && plain && bias === null && !relu && bits === 8) {
    const narrow = terms.every(({ value }) => value.bits === 8);
    if (narrow) return { kind: "table", of: "identity", outScale };
  }
  const gains = plain ? null : terms.map(({ gain }) => gain ?? Float32Array.of(1));
  return { kind: "add", gains, bias, relu, outScale, bits };
}

function sourcesIn(real: Real): readonly string[] {
  if (real.form === "input") return [];
  const steps = real.form === "sum" ? real.terms.map(({ value }) => value) : real.sources;
  return steps.map(({ name }) => name);
}

/** Puts the layer of the output last. */
function finish(walk: Walk, output: string): string | null {
  const { layers } = walk;
  const real = walk.reals.get(output);
  if (real !== undefined) {
    if (
      real.form !== "weighted" ||
      real.ends !== null ||
      real.moves.length > 0 ||
      (walk.readers.get(output) ?? []).length > 0
    ) {
      return `the output ${quote(output)} has no int8 steps and is no layer with weights`;
    }
    push(walk, { ...real.layer, relu: real.relu }, sourcesIn(real), undefined);
    return null;
  }
  const steps = walk.steps.get(output);
  if (steps === undefined || layers.length === 0) return "it has no layer";
  const last = layers.length - 1;
  if ((layers[last]?.name ?? `layer${last}`) !== steps.name) {
    push(walk, { kind: "reshape", shape: steps.shape }, [steps.name], undefined);
  }
  return null;
}

function stepsNamed(walk: Walk, input: string): Steps | null {
  return [...walk.steps.values()].find(({ name }) => name === input) ?? null;
}

function statesOf(walk: Walk, meta: SternaMeta): NetState[] | string {
  const states: NetState[] = [];
  for (const { input, output } of meta.states) {
    const [before, after] = [stepsNamed(walk, input), walk.steps.get(output)];
    const [channels, ...more] = before?.shape ?? [];
    if (before === null || after === undefined || channels === undefined || more.length > 0) {
      return `the state ${quote(input)} is no vector with steps, or nothing gives ${quote(output)}`;
    }
    if (before.scale !== after.scale || before.bits !== after.bits) {
      return `the state ${quote(input)} comes back with another step`;
    }
    const { scale, bits } = before;
    states.push({ name: input, channels, scale, bits, next: after.name });
  }
  return states;
}
