//! Shapes of the values of a graph whose operators are all plain ones, for a batch of one: what ternary
//! networks and the float tier need. ONNX Runtime knows those of any graph, where it is installed.
import type { Node, OnnxModel } from "./model.js";
import { type Constant, constantsOf } from "./recognised.js";
import { ELEMENT } from "./tensor.js";

type Shape = readonly number[];

const ALIKE = [
  ...["Clip", "QuantizeLinear", "DequantizeLinear", "Identity", "Relu", "LeakyRelu", "Sigmoid"],
  ...["Tanh", "Gelu", "Neg", "Softmax", "LayerNormalization", "RMSNormalization", "Erf"],
];
const BESIDE = ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min"];

/** Of the floats; null where a node is of another kind, or an input of more than one batch. */
export function knownShapes({ graph }: OnnxModel): ReadonlyMap<string, Shape> | null {
  const { constants } = constantsOf(graph);
  const shapes = new Map<string, Shape>();
  for (const [name, { dims }] of constants) shapes.set(name, dims);
  for (const { name, dims, type } of graph.inputs) {
    if (dims === null || (dims[0] ?? 0) > 1 || type !== ELEMENT.FLOAT) return null;
    shapes.set(name, [1, ...dims.slice(1)]);
  }
  for (const node of graph.nodes) {
    if (constants.has(node.outputs[0] ?? "")) continue;
    const shape = node.domain === "" ? shapeOf(node, shapes, constants) : null;
    const sound = shape?.every((side) => Number.isInteger(side) && side >= 1) === true;
    if (shape === null || !sound || node.outputs.length !== 1) return null;
    shapes.set(node.outputs[0] ?? "", shape);
  }
  // Parts meet at floats.
  for (const { op, outputs } of graph.nodes) {
    if (op === "QuantizeLinear") shapes.delete(outputs[0] ?? "");
  }
  return shapes;
}

function shapeOf(
  { op, inputs, attributes }: Node,
  shapes: ReadonlyMap<string, Shape>,
  constants: ReadonlyMap<string, Constant>,
): Shape | null {
  const [x, w] = inputs.map((name) => shapes.get(name));
  if (x === undefined) return null;
  if (ALIKE.includes(op)) return x;
  if (BESIDE.includes(op)) return w === undefined || inputs.length > 2 ? null : beside(x, w);
  const integer = (name: string, standard: number): number =>
    attributes.get(name)?.integer ?? standard;
  switch (op) {
    case "Transpose":
      return (attributes.get("perm")?.integers ?? []).map((at) => x[at] ?? 0);
    case "Flatten":
      return integer("axis", 1) === 1 ? [x[0] ?? 0, product(x.slice(1))] : null;
    case "MatMul":
      return w?.length === 2 && x.at(-1) === w[0] ? [...x.slice(0, -1), w[1] ?? 0] : null;
    case "Gemm": {
      if (w?.length !== 2 || x.length !== 2 || integer("transA", 0) !== 0) return null;
      return [x[0] ?? 0, (integer("transB", 0) === 0 ? w[1] : w[0]) ?? 0];
    }
    case "Reshape": {
      const tensor = constants.get(inputs[1] ?? "");
      return tensor?.type === ELEMENT.INT64 && tensor.count <= 8 ? reshaped(x, tensor) : null;
    }
    default:
      return null;
  }
}

const product = (sides: Shape): number => sides.reduce((a, b) => a * b, 1);

function beside(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.length, b.length);
  const [p, q] = [a, b].map((shape) => [...new Array(rank - shape.length).fill(1), ...shape]) as [
    number[],
    number[],
  ];
  const fits = p.every((side, i) => side === q[i] || side === 1 || q[i] === 1);
  return fits ? p.map((side, i) => Math.max(side, q[i] ?? 1)) : null;
}

function reshaped(x: Shape, { bytes }: Constant): Shape | null {
  const stated = Array.from(new BigInt64Array(new Uint8Array(bytes).buffer), Number);
  const sides = stated.map((side, i) => (side === 0 ? (x[i] ?? 0) : side));
  const rest = product(sides.filter((side) => side !== -1));
  const shape = sides.map((side) => (side === -1 ? product(x) / rest : side));
  return product(shape) === product(x) ? shape : null;
}
