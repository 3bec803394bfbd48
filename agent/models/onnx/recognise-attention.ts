//! Softmax attention of an encoder in an ONNX graph, found from its result back: heads, the scale
//! wherever the exporter put it, and a mask of keys.
import { type Node, nodeName } from "./model.js";
import { type Mask, readAdded, readChosen } from "./recognise-mask.js";
import {
  type Found,
  isA,
  readProjection,
  type Search,
  scalarOf,
  stop,
  TOLERANCE,
  wholesOf,
  writer,
} from "./recognise-projection.js";

export type Attention = {
  readonly query: Found;
  readonly key: Found;
  readonly value: Found;
  readonly heads: number;
  readonly mask: Mask | null;
};

const APART = [0, 2, 1, 3];

/** `value` is what the projection behind the attention reads. */
export function readAttention(search: Search, value: string, sequence: number): Attention {
  const joined = writer(search, value, "Reshape");
  const back = writer(search, joined.inputs[0] ?? "", "Transpose");
  permuted(search, back, APART);
  const blend = writer(search, back.inputs[0] ?? "", "MatMul");
  const soft = writer(search, blend.inputs[0] ?? "", "Softmax");
  const axis = soft.attributes.get("axis")?.integer ?? -1;
  if (axis !== -1 && axis !== 3) stop(search, `${nodeName(soft)} is not over the last axis`);
  const { scored, mask } = readMasked(search, soft.inputs[0] ?? "", sequence);
  const scaled = unscaled(search, scored);
  const scores = writer(search, scaled.from, "MatMul");
  const query = readHeads(search, scores.inputs[0] ?? "", sequence, false);
  const key = readHeads(search, scores.inputs[1] ?? "", sequence, true);
  const content = readHeads(search, blend.inputs[1] ?? "", sequence, false);
  const { heads, found } = query;
  const width = found.rows;
  const sizes = wholesOf(search, joined.inputs[1] ?? "");
  if (!isShape(sizes, sequence) || sizes.length !== 3 || ![width, -1].includes(sizes[2] ?? 0)) {
    stop(search, `${nodeName(joined)} does not join the heads to ${width} channels`);
  }
  const factor = scaled.by * query.by * key.by * Math.sqrt(width / heads);
  if (!(Math.abs(factor - 1) < TOLERANCE)) {
    stop(search, `${nodeName(scores)} is not divided by the root of a head's channels`);
  }
  if (content.by !== 1) stop(search, `${nodeName(blend)} reads values that are scaled`);
  if (key.heads !== heads || content.heads !== heads) stop(search, "heads differ in number");
  return { query: found, key: key.found, value: content.found, heads, mask };
}

/** What the softmax reads, less the mask: an Add of it, or a Where that puts a constant instead. */
function readMasked(search: Search, value: string, sequence: number) {
  const node = search.writers.get(value);
  if (node?.op === "Where") return readChosen(search, writer(search, value, "Where"), sequence);
  if (node?.op !== "Add") return { scored: value, mask: null };
  const add = writer(search, value, "Add");
  const [a = "", b = ""] = add.inputs;
  const first = isScore(search, a);
  const mask = readAdded(search, first ? b : a, sequence);
  return { scored: first ? a : b, mask };
}

/** A product, perhaps times a constant: never a mask. */
function isScore(search: Search, value: string): boolean {
  const node = search.writers.get(value);
  if (node?.op !== "Mul" && node?.op !== "Div") return node?.op === "MatMul";
  return node.inputs.some((name) => isA(search, name, "MatMul"));
}

/** Before any products and quotients by a constant. */
function unscaled(search: Search, value: string): { readonly from: string; readonly by: number } {
  let [from, by] = [value, 1];
  for (;;) {
    const node = search.writers.get(from);
    if (node?.op !== "Mul" && node?.op !== "Div") return { from, by };
    const at = node.op === "Mul" && search.constants.has(node.inputs[0] ?? "") ? 1 : 0;
    const factor = scalarOf(search, node.inputs[1 - at] ?? "");
    if (factor === null) return { from, by };
    writer(search, from, node.op);
    by *= node.op === "Mul" ? factor : 1 / factor;
    from = node.inputs[at] ?? "";
  }
}

/** Queries or values `[batch, heads, places, head]`; keys with their last two sides turned. */
function readHeads(search: Search, value: string, sequence: number, keys: boolean) {
  const outer = unscaled(search, value);
  let turned = writer(search, outer.from, "Transpose");
  const twice = keys && isA(search, turned.inputs[0], "Transpose");
  if (keys) permuted(search, turned, twice ? [0, 1, 3, 2] : [0, 2, 3, 1]);
  if (twice) turned = writer(search, turned.inputs[0] ?? "", "Transpose");
  if (twice || !keys) permuted(search, turned, APART);
  const apart = writer(search, turned.inputs[0] ?? "", "Reshape");
  const inner = unscaled(search, apart.inputs[0] ?? "");
  const found = readProjection(search, inner.from);
  const sizes = wholesOf(search, apart.inputs[1] ?? "");
  const [, , count = 0, stated = 0] = sizes;
  const head = stated === -1 ? found.rows / count : stated;
  const known = sizes.length === 4 && isShape(sizes, sequence);
  if (!known || count < 1 || count * head !== found.rows) {
    stop(search, `${nodeName(apart)} does not part its channels into heads`);
  }
  return { found, heads: Math.max(1, count), by: outer.by * inner.by };
}

/** Whether a Reshape to these sizes leaves the batch and the places as the first two. */
function isShape([batch = 2, places = 0, ...rest]: readonly number[], sequence: number): boolean {
  const free = [batch, places, ...rest].filter((side) => side === -1).length;
  return [0, 1, -1].includes(batch) && [0, -1, sequence].includes(places) && free <= 1;
}

function permuted(search: Search, node: Node, perm: readonly number[]): void {
  const found = node.attributes.get("perm")?.integers ?? [];
  if (`${found}` !== `${perm}`) stop(search, `${nodeName(node)} does not permute by ${perm}`);
}
