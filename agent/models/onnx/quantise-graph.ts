//! Writes a float32 graph with int8 steps: Clip, QuantizeLinear and DequantizeLinear around every
//! layer and what stands between two of them, weights INT8, or INT2 where they are made ternary.
//! What stands before the first layer and behind the last stays in floats.
import { type FloatLayer, type Item, isLayer } from "./float-layers.js";
import type { Node, OnnxModel } from "./model.js";
import { finish, type Message, putText, WireReader } from "./proto.js";
import { constantsOf } from "./recognised.js";
import { ELEMENT, packInt2 } from "./tensor.js";
import { floatTensor, type WriteAttribute, writeModel, writeNode, writeTensor } from "./write.js";
import { type Draft, quantise } from "./write-layers.js";

/** What was seen of a value: its largest size, and the range of each of its values where it is flat. */
export type Seen = {
  readonly most: number;
  readonly low: Float32Array;
  readonly high: Float32Array;
};

export type QuantiseOptions = {
  /** Weights of -1, 0, 1 but for the first and last layer and filters of one channel. */
  readonly ternary: boolean;
  readonly seen: ReadonlyMap<string, Seen>;
};

const INT8_OPSET = 13;
const INT2_OPSET = 25;
/** From 18 on their sides are an input, not an attribute, or must be told how many they are. */
const CHANGED = /^(Reduce(?!Sum$)\w+|Split|Resize|Upsample|GridSample)$/;
/** Layers read these without steps between: they are behind them in one stage. */
const FUSED = ["Relu", "Clip"];
const MOVES = ["Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Identity"];
const BETWEEN = [
  ...["Sigmoid", "Tanh", "Gelu", "LeakyRelu", "Add", "Mul", "Concat", ...FUSED, ...MOVES],
  ...["MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"],
];
/** Columns whose ranges differ by more would share one step. */
const UNEVEN = 4;

/** The file, or why there is none. */
export function quantiseGraph(
  model: OnnxModel,
  items: readonly Item[],
  { ternary, seen }: QuantiseOptions,
): Uint8Array | string {
  const opset = model.opsets.get("") ?? 0;
  if (opset < INT8_OPSET)
    return `it is of operator set ${opset}; export it for ${INT8_OPSET} to 25`;
  const moved = ternary && opset < 18 ? model.graph.nodes.find(({ op }) => CHANGED.test(op)) : null;
  if (moved) return `${moved.op} is of operator set ${opset}; export it for 18 to 25`;
  const layers = items.filter(isLayer);
  if (layers.length === 0) return "it has no Gemm, MatMul or Conv of a value with constant weights";
  const draft: Draft = { nodes: [], tensors: [] };
  draft.tensors.push(writeTensor("sterna_zero", [], ELEMENT.INT8, new Uint8Array(1)));
  const inner = between(items);
  const { constants } = constantsOf(model.graph);
  /** Values that have steps, by the name of the value. */
  const steps = new Map<string, string>();
  const stepsOf = (name: string): string => {
    const known = steps.get(name);
    if (known !== undefined) return known;
    const key = `sterna_${steps.size}`;
    const most = seen.get(name)?.most ?? 0;
    quantise(draft, name, most > 0 ? most / 127 : 1 / 127, key, `${key}_steps`, ZERO);
    steps.set(name, `${key}_steps`);
    return `${key}_steps`;
  };
  const readers = readersOf(items);
  const fuses = (item: Item): boolean => {
    const [next, ...more] = readers.get(outputOf(item)) ?? [];
    return next !== undefined && more.length === 0 && !isLayer(next) && FUSED.includes(next.op);
  };
  const sums = new Set(layers.map(({ output }) => output));
  const bare = new Set<string>();
  for (const item of items) {
    if (isLayer(item)) {
      const outer = item === layers[0] || item === layers.at(-1) || (item.dims[1] ?? 0) === 1;
      const [from, layer] = inner.has(item.input) ? [null, item] : evened(draft, item, seen);
      const x = stepsOf(from === null ? item.input : from);
      writeFloatLayer(draft, layer, x, ternary && !outer);
      if (fuses(item)) bare.add(item.output);
      continue;
    }
    const wanted = item.outputs.some((name) => inner.has(name));
    const inputs = item.inputs.map((name) => {
      const fixed = name === "" || constants.has(name);
      if (fixed || bare.has(name) || !(wanted || inner.has(name))) return name;
      // Behind the last layer its sums are read as they are.
      return wanted || steps.has(name) || !sums.has(name) ? stepsOf(name) : name;
    });
    draft.nodes.push(withInputs(item, inputs));
    const moves = MOVES.includes(item.op) && inputs[0] !== item.inputs[0];
    if (wanted && moves) steps.set(item.outputs[0] ?? "", item.outputs[0] ?? "");
    if (wanted && item.op === "Add" && fuses(item)) bare.add(item.outputs[0] ?? "");
  }
  const read = new Set(items.flatMap((item) => (isLayer(item) ? [] : item.inputs)));
  const kept = [...model.graph.initializers].filter(([name]) => read.has(name));
  const tensors = [...draft.tensors, ...kept.map(([, tensor]) => tensor.raw)];
  const inputs = model.graph.inputs.map(({ raw }) => raw);
  const outputs = model.graph.outputs.map(({ raw }) => raw);
  const opsets = { ...Object.fromEntries(model.opsets), "": ternary ? INT2_OPSET : opset };
  return writeModel(
    { name: model.graph.name, nodes: draft.nodes, tensors, inputs, outputs },
    opsets,
    [...model.metadata].filter(([key]) => !key.startsWith("sterna.")),
  );
}

const ZERO = { zero: "sterna_zero" };

const outputOf = (item: Item): string => (isLayer(item) ? item.output : (item.outputs[0] ?? ""));
const inputsOf = (item: Item): readonly string[] => (isLayer(item) ? [item.input] : item.inputs);

function readersOf(items: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  const readers = new Map<string, Item[]>();
  for (const item of items) {
    for (const name of inputsOf(item)) readers.set(name, [...(readers.get(name) ?? []), item]);
  }
  return readers;
}

/** What layers give, and what is known between them and other layers. */
function between(items: readonly Item[]): ReadonlySet<string> {
  const behind = new Set<string>();
  for (const item of items) {
    const known = isLayer(item) || (item.domain === "" && BETWEEN.includes(item.op));
    const from = isLayer(item) || item.inputs.some((name) => behind.has(name));
    if (known && from) behind.add(outputOf(item));
  }
  const needed = new Set<string>();
  for (const item of items.toReversed()) {
    const leads = needed.has(outputOf(item)) && behind.has(outputOf(item));
    if (isLayer(item) || leads) for (const name of inputsOf(item)) needed.add(name);
  }
  const made = items.filter((item) => {
    const name = outputOf(item);
    return behind.has(name) && (isLayer(item) || needed.has(name));
  });
  return new Set(made.map(outputOf));
}

/**
 * Inputs of a first layer with columns of very different ranges: moved and scaled to the same, and
 * the weights with them. Null where they are even: nothing is done then.
 */
function evened(
  draft: Draft,
  layer: FloatLayer,
  seen: ReadonlyMap<string, Seen>,
): [string | null, FloatLayer] {
  const { low, high } = seen.get(layer.input) ?? { low: [], high: [] };
  const cols = layer.dims[1] ?? 0;
  if (layer.op !== "Gemm" || low.length !== cols) return [null, layer];
  const sizes = Array.from(low, (value, i) => Math.max(Math.abs(value), Math.abs(high[i] ?? 0)));
  const used = sizes.filter((size) => size > 0);
  if (used.length === 0 || Math.max(...used) <= UNEVEN * Math.min(...used)) return [null, layer];
  const middle = Float32Array.from(low, (value, i) => (value + (high[i] ?? 0)) / 2);
  const half = Float32Array.from(low, (value, i) => ((high[i] ?? 0) - value) / 2 || 1);
  const key = `sterna_even_${layer.output}`;
  draft.tensors.push(floatTensor(`${key}_middle`, [cols], middle));
  draft.tensors.push(floatTensor(`${key}_half`, [cols], half));
  draft.nodes.push(writeNode("Sub", [layer.input, `${key}_middle`], [`${key}_moved`]));
  draft.nodes.push(writeNode("Div", [`${key}_moved`, `${key}_half`], [key]));
  const weights = layer.weights.map((w, i) => w * (half[i % cols] as number));
  const bias = layer.bias.map((b, row) => {
    const shift = middle.reduce((sum, m, c) => sum + m * (layer.weights[row * cols + c] ?? 0), 0);
    return b + shift;
  });
  return [key, { ...layer, weights, bias, input: key }];
}

function writeFloatLayer(draft: Draft, layer: FloatLayer, x: string, ternary: boolean): void {
  const { op, node, output, dims } = layer;
  const { steps, scales } = ternary ? trits(layer) : eightBits(layer);
  const key = `sterna_${output}`;
  const bytes = ternary ? packInt2(steps) : new Uint8Array(steps.buffer);
  draft.tensors.push(
    writeTensor(`${key}_w`, dims, ternary ? ELEMENT.INT2 : ELEMENT.INT8, bytes),
    floatTensor(`${key}_scale`, [scales.length], scales),
    floatTensor(`${key}_bias`, [scales.length], layer.bias),
  );
  const scaled = [`${key}_w`, `${key}_scale`];
  draft.nodes.push(writeNode("DequantizeLinear", scaled, [`${key}_real`], { axis: 0n }));
  const more = op === "Gemm" ? { transB: 1n } : convOf(node);
  draft.nodes.push(writeNode(op, [x, `${key}_real`, `${key}_bias`], [output], more));
}

function convOf(node: Node): Record<string, WriteAttribute> {
  const lists = ["kernel_shape", "strides", "pads", "dilations"].flatMap((name) => {
    const integers = node.attributes.get(name)?.integers ?? [];
    return integers.length === 0 ? [] : [[name, integers.map(BigInt)] as const];
  });
  const group = node.attributes.get("group")?.integer ?? 1;
  const auto = node.attributes.get("auto_pad")?.text ?? "";
  const more = auto === "" ? {} : { auto_pad: auto };
  return { ...Object.fromEntries(lists), group: BigInt(group), ...more };
}

type Steps = { readonly steps: Int8Array; readonly scales: Float32Array };

function byRow(
  { weights, bias }: FloatLayer,
  of: (row: Float32Array) => { readonly scale: number; readonly cut: number },
): Steps {
  const cols = weights.length / bias.length;
  const steps = new Int8Array(weights.length);
  const scales = new Float32Array(bias.length);
  for (let r = 0; r < bias.length; r++) {
    const row = weights.subarray(r * cols, (r + 1) * cols);
    const { scale, cut } = of(row);
    scales[r] = scale > 0 ? scale : 1;
    row.forEach((w, c) => {
      const step = cut === 0 ? Math.round(w / (scales[r] as number)) : Math.sign(w);
      steps[r * cols + c] = Math.abs(w) < cut ? 0 : Math.max(-127, Math.min(127, step));
    });
  }
  return { steps, scales };
}

const largest = (row: Float32Array): number =>
  row.reduce((most, w) => Math.max(most, Math.abs(w)), 0);

const eightBits = (layer: FloatLayer): Steps =>
  byRow(layer, (row) => ({ scale: largest(row) / 127, cut: 0 }));

/** The cut and scale with the least squared error: of the k largest, their mean. */
const trits = (layer: FloatLayer): Steps =>
  byRow(layer, (row) => {
    const sizes = row.map(Math.abs).sort().reverse();
    let best = { gain: 0, scale: 0, cut: Number.POSITIVE_INFINITY };
    let sum = 0;
    sizes.forEach((size, i) => {
      sum += size;
      const gain = (sum * sum) / (i + 1);
      if (gain > best.gain) best = { gain, scale: sum / (i + 1), cut: size };
    });
    return best;
  });

/** The node with other inputs, all else as it stands in the file. */
function withInputs(node: Node, inputs: readonly string[]): Uint8Array {
  if (inputs.every((name, i) => name === node.inputs[i])) return node.raw;
  const made: Message = [];
  for (const name of inputs) putText(made, 1, name);
  const wire = new WireReader(node.raw, node.raw.length);
  for (let from = 0; wire.next(node.raw.length); from = wire.at) {
    if (wire.field !== 1) made.push(node.raw.subarray(from, wire.at));
  }
  return finish(made);
}
