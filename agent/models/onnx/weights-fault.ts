//! What the quantised weights of a file become in memory, known before any of them is unpacked. Layers
//! that share one tensor each have weights of their own there: a small file can ask for gigabytes.
import { type Graph, nodeName } from "./model.js";
import { MODEL_BYTES_MAX } from "./read-tensor.js";
import { constantsOf } from "./recognised.js";
import { ELEMENT } from "./tensor.js";

/** A file of the largest size reaches it with weights of two bits, each used once. */
export const UNPACKED_BYTES_MAX = 4 * MODEL_BYTES_MAX;

/** Names the layer with which it is too much, or null. */
export function weightsFault(graph: Pick<Graph, "nodes" | "initializers">): string | null {
  const { constants } = constantsOf(graph);
  /** Bytes of what is computed of weights alone, by name. */
  const made = new Map<string, number>();
  const bytesOf = (name: string): number => {
    const tensor = constants.get(name);
    if (tensor === undefined) return made.get(name) ?? 0;
    return tensor.type === ELEMENT.INT2 ? tensor.count : tensor.bytes.length;
  };
  let total = 0;
  for (const node of graph.nodes) {
    const { op, inputs, outputs } = node;
    const [first = ""] = inputs;
    const stored = op === "DequantizeLinear" && constants.has(first);
    const moved = op === "Transpose" && made.has(first);
    // Float constants that nothing quantised stay where they are.
    if (!stored && !inputs.some((name) => made.has(name))) continue;
    const bytes = inputs.reduce((sum, name) => sum + bytesOf(name), 0);
    if (stored || moved) made.set(outputs[0] ?? "", bytes);
    else total += bytes;
    if (total > UNPACKED_BYTES_MAX) {
      const most = `more than ${UNPACKED_BYTES_MAX / 2 ** 20} MiB`;
      return `${nodeName(node)}: the weights up to it take ${most}, counted wherever they are used`;
    }
  }
  return null;
}
