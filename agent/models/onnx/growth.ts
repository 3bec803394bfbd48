//! Operators that make large tensors out of a few bytes. ONNX Runtime would try: seconds and
//! gigabytes at load. The integer path has none of them; this guards what is handed to the runtime.
import { nodeName, type OnnxModel, quote } from "./model.js";
import { countOf, ELEMENT, type Tensor } from "./tensor.js";

/** Values of all such tensors together, and of one input: 1 GB as float32. */
const VALUES_MAX = 2 ** 28;
const INPUT_VALUES_MAX = 2 ** 24;

/** By operator the input that holds a shape, or how often each dimension is repeated. */
const SHAPE_INPUT: Readonly<Record<string, number>> = { ConstantOfShape: 0, Expand: 1, Tile: 1 };

export function growthFault(model: OnnxModel): string | null {
  const { graph } = model;
  for (const { name, dims } of graph.inputs) {
    const fixed = (dims ?? []).map((dim) => Math.max(1, dim));
    if (countOf(fixed, INPUT_VALUES_MAX) === null) {
      return `input ${quote(name)} has more than ${INPUT_VALUES_MAX} values`;
    }
  }
  let total = 0;
  for (const node of graph.nodes) {
    const at = Object.hasOwn(SHAPE_INPUT, node.op) ? SHAPE_INPUT[node.op] : undefined;
    const shape = at === undefined ? undefined : graph.initializers.get(node.inputs[at] ?? "");
    if (shape === undefined || shape.type !== ELEMENT.INT64) continue;
    total += countOf(int64sOf(shape), VALUES_MAX) ?? Number.POSITIVE_INFINITY;
    if (total > VALUES_MAX) return `${nodeName(node)} makes more than ${VALUES_MAX} values`;
  }
  return null;
}

function int64sOf(tensor: Tensor): number[] {
  const view = new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength);
  return Array.from({ length: tensor.count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}
