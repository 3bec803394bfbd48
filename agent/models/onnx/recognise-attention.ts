//! Softmax attention of an encoder in an ONNX graph, found from its result back: in its nodes, or as
//! the operator Attention; heads, the scale wherever the exporter put it, and masks.
import { type Node, nodeName } from "./model.js";
import { type Hiding, type Mask, readAdded, readChosen, readStated } from "./recognise-mask.js";
import {
  type Found,
  isA,
  isPlaces,
  readPart,
  readProjection,
  type Search,
  scalarOf,
  splitOf,
  stop,
  TOLERANCE,
  thirdOf,
  wholesOf,
  writer,
} from "./recognise-projection.js";

export type Attention = Hiding & {
  readonly query: Found;
  readonly key: Found;
  readonly value: Found;
  readonly heads: number;
};

/** Queries, keys or values: what makes them, and what they were multiplied by. */
type Heads = { readonly found: Found; readonly heads: number; readonly by: number };
/** The three of an attention; `by` is what the scores were multiplied by themselves. */
type Scored = Hiding & {
  readonly query: Heads;
  readonly key: Heads;
  readonly content: Heads;
  readonly by: number;
  readonly node: Node;
};

const APART = [0, 2, 1, 3];
/** Behind each other: one of padding, one of the order, and what else is refused. */
const MASKS_MAX = 4;

/** `value` is what the projection behind the attention reads. */
export function readAttention(search: Search, value: string, sequence: number): Attention {
  const { query, key, content, by, node, mask, causal } = readScored(search, value, sequence);
  const { heads, found } = query;
  const factor = by * query.by * key.by * Math.sqrt(found.rows / heads);
  if (!(Math.abs(factor - 1) < TOLERANCE)) {
    stop(search, `${nodeName(node)} is not divided by the root of a head's channels`);
  }
  if (content.by !== 1) stop(search, `${nodeName(node)} is of values that are scaled`);
  if (key.heads !== heads || content.heads !== heads) stop(search, "heads differ in number");
  return { query: found, key: key.found, value: content.found, heads, mask, causal };
}

function readScored(search: Search, value: string, sequence: number): Scored {
  if (isA(search, value, "Attention")) return readOperator(search, value, sequence, false);
  const joined = writer(search, value, "Reshape");
  const back = writer(search, joined.inputs[0] ?? "", "Transpose");
  permuted(search, back, APART);
  const blended = back.inputs[0] ?? "";
  const scored = isA(search, blended, "Attention")
    ? readOperator(search, blended, sequence, true)
    : readNodes(search, blended, sequence);
  const width = scored.query.found.rows;
  const sizes = wholesOf(search, joined.inputs[1] ?? "");
  if (!isPlaces(sizes, sequence) || sizes.length !== 3 || ![width, -1].includes(sizes[2] ?? 0)) {
    stop(search, `${nodeName(joined)} does not join the heads to ${width} channels`);
  }
  return scored;
}

/** MatMul, Softmax, MatMul, with the scale and masks between. */
function readNodes(search: Search, value: string, sequence: number): Scored {
  const blend = writer(search, value, "MatMul");
  const soft = writer(search, blend.inputs[0] ?? "", "Softmax");
  const axis = soft.attributes.get("axis")?.integer ?? -1;
  if (axis !== -1 && axis !== 3) stop(search, `${nodeName(soft)} is not over the last axis`);
  const { scored, mask, causal } = readMasked(search, soft.inputs[0] ?? "", sequence);
  const scaled = unscaled(search, scored);
  const node = writer(search, scaled.from, "MatMul");
  const query = readHeads(search, node.inputs[0] ?? "", sequence, false);
  const key = readHeads(search, node.inputs[1] ?? "", sequence, true);
  const content = readHeads(search, blend.inputs[1] ?? "", sequence, false);
  return { query, key, content, by: scaled.by, node, mask, causal };
}

/** The operator: of four sides with heads `apart`, or of three with heads in a row. */
function readOperator(search: Search, value: string, sequence: number, apart: boolean): Scored {
  const node = writer(search, value, "Attention");
  const number = (name: string): number => node.attributes.get(name)?.integer ?? 0;
  const [q = "", k = "", v = "", stated = "", ...more] = node.inputs;
  if (more.some((name) => name !== "") || (node.attributes.get("softcap")?.float ?? 0) !== 0) {
    stop(search, `${nodeName(node)} has past keys, sizes of padding or a cap of its scores`);
  }
  const inRow = (name: string, count: number): Heads => {
    const { from, by } = unscaled(search, name);
    return { found: readPart(search, from), heads: Math.max(1, count), by };
  };
  const own = number("q_num_heads");
  const theirs = number("kv_num_heads");
  const query = apart ? readHeads(search, q, sequence, false) : inRow(q, own);
  const key = apart ? readHeads(search, k, sequence, false) : inRow(k, theirs);
  const content = apart ? readHeads(search, v, sequence, false) : inRow(v, theirs);
  const { mask, causal } =
    stated === "" ? { mask: null, causal: false } : readStated(search, stated, sequence);
  const root = Math.sqrt(query.heads / query.found.rows);
  const by = node.attributes.get("scale")?.float ?? root;
  const ordered = number("is_causal") === 1;
  return { query, key, content, by, node, mask, causal: causal || ordered };
}

/** What the softmax reads, less the masks: an Add, or a Where that puts a constant instead. */
function readMasked(search: Search, value: string, sequence: number) {
  let [scored, causal] = [value, false];
  let mask: Mask | null = null;
  for (let i = 0; i < MASKS_MAX; i++) {
    const node = search.writers.get(scored);
    if (node?.op !== "Where" && node?.op !== "Add") break;
    const next = writer(search, scored, node.op);
    const found = node.op === "Where" ? readChosen(search, next, sequence) : readSum(next);
    if (mask !== null && found.mask !== null) stop(search, `${nodeName(node)} is a second mask`);
    mask ??= found.mask;
    causal ||= found.causal;
    scored = found.scored;
  }
  return { scored, mask, causal };

  function readSum(add: Node) {
    const [a = "", b = ""] = add.inputs;
    const first = isScore(search, a);
    return { scored: first ? a : b, ...readAdded(search, first ? b : a, sequence) };
  }
}

/** A product, perhaps times a constant or masked before: never a mask. */
function isScore(search: Search, value: string): boolean {
  const node = search.writers.get(value);
  if (node?.op === "Mul" || node?.op === "Div") {
    return node.inputs.some((name) => isA(search, name, "MatMul"));
  }
  if (node?.op !== "Add" && node?.op !== "Where") return node?.op === "MatMul";
  return node.inputs.some((name) => isA(search, name, "MatMul") || isScaled(search, name));
}

function isScaled(search: Search, value: string): boolean {
  const node = search.writers.get(value);
  const scaled = node?.op === "Mul" || node?.op === "Div";
  return scaled && node.inputs.some((name) => isA(search, name, "MatMul"));
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
function readHeads(search: Search, value: string, sequence: number, keys: boolean): Heads {
  const outer = unscaled(search, value);
  let { from } = outer;
  const twice = keys && isA(search, writerOf(search, from)?.inputs[0], "Transpose");
  const once = keys && !twice && !isFifth(search, writerOf(search, from)?.inputs[0]);
  if (keys && !once) {
    const turned = writer(search, from, "Transpose");
    permuted(search, turned, [0, 1, 3, 2]);
    from = turned.inputs[0] ?? "";
  }
  if (isFifth(search, from)) return readFifth(search, from, sequence, outer.by);
  const turned = writer(search, from, "Transpose");
  permuted(search, turned, once ? [0, 2, 3, 1] : APART);
  const apart = writer(search, turned.inputs[0] ?? "", "Reshape");
  const inner = unscaled(search, apart.inputs[0] ?? "");
  const found = readPart(search, inner.from);
  const sizes = wholesOf(search, apart.inputs[1] ?? "");
  const [, , count = 0, stated = 0] = sizes;
  const head = stated === -1 ? found.rows / count : stated;
  const known = sizes.length === 4 && isPlaces(sizes, sequence);
  if (!known || count < 1 || count * head !== found.rows) {
    stop(search, `${nodeName(apart)} does not part its channels into heads`);
  }
  return { found, heads: Math.max(1, count), by: outer.by * inner.by };
}

/** One of three of `[3, batch, heads, places, head]`, as a Gather or a Split takes it. */
function isFifth(search: Search, value: string | undefined): boolean {
  const node = writerOf(search, value ?? "");
  const from = node?.op === "Squeeze" ? writerOf(search, node.inputs[0] ?? "") : node;
  if (from?.op !== "Gather" && from?.op !== "Split") return false;
  const turned = writerOf(search, from.inputs[0] ?? "");
  return turned?.attributes.get("perm")?.integers.length === 5;
}

function readFifth(search: Search, value: string, sequence: number, by: number): Heads {
  const { from, part } = takenOf(search, value);
  const turned = writer(search, from, "Transpose");
  permuted(search, turned, [2, 0, 3, 1, 4]);
  const apart = writer(search, turned.inputs[0] ?? "", "Reshape");
  const whole = readProjection(search, apart.inputs[0] ?? "");
  const found = thirdOf(search, whole, part);
  const sizes = wholesOf(search, apart.inputs[1] ?? "");
  const [, , three, count = 0, stated = 0] = sizes;
  const head = stated === -1 ? found.rows / count : stated;
  const known = sizes.length === 5 && three === 3 && isPlaces(sizes, sequence);
  if (!known || count < 1 || count * head !== found.rows) {
    stop(search, `${nodeName(apart)} does not part its channels into heads`);
  }
  return { found, heads: Math.max(1, count), by };
}

/** Which of the first side it takes, and of what. */
function takenOf(search: Search, value: string): { readonly from: string; readonly part: number } {
  if (isA(search, value, "Gather")) {
    const node = writer(search, value, "Gather");
    const first = (node.attributes.get("axis")?.integer ?? 0) === 0;
    const at = scalarOf(search, node.inputs[1] ?? "") ?? Number.NaN;
    const plain = search.constants.get(node.inputs[1] ?? "")?.dims.length === 0;
    if (!first || !plain) stop(search, `${nodeName(node)} does not take one of three`);
    return { from: node.inputs[0] ?? "", part: at < 0 ? at + 3 : at };
  }
  const squeeze = writer(search, value, "Squeeze");
  if (`${wholesOf(search, squeeze.inputs[1] ?? "")}` !== "0") {
    stop(search, `${nodeName(squeeze)} does not leave out the first side`);
  }
  return splitOf(search, squeeze.inputs[0] ?? "", [0], 1);
}

const writerOf = (search: Search, value: string): Node | undefined => search.writers.get(value);

function permuted(search: Search, node: Node, perm: readonly number[]): void {
  const found = node.attributes.get("perm")?.integers ?? [];
  if (`${found}` !== `${perm}`) stop(search, `${nodeName(node)} does not permute by ${perm}`);
}
