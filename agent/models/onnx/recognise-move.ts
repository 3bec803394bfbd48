//! What only moves values: on int8 steps it is a layer that costs nothing; before the steps it is
//! made behind them, which is the same.
import { type Node, nodeName } from "./model.js";
import {
  int64s,
  integer,
  nameFor,
  push,
  type Real,
  realOf,
  type Steps,
  type Walk,
} from "./recognised.js";
import { shapeAfter, sizeOf } from "./shapes.js";
import type { ReshapeLayer, TransposeLayer } from "./ternary-net.js";

/** Of int8 steps. */
export function move(walk: Walk, node: Node, out: string): string | null {
  const x = walk.steps.get(node.inputs[0] ?? "") as Steps;
  const layer = readMove(walk, node, x);
  if (typeof layer === "string") return layer;
  const shape = shapeAfter(layer, [x.shape]);
  if (typeof shape === "string") return `${nodeName(node)}: ${shape}`;
  moveSteps(walk, x, { shape, moves: [{ layer, from: x.shape }] }, out);
  return null;
}

/** `out` is what the moves make of `x`, the last of them in this shape. */
export function moveSteps(
  walk: Walk,
  x: Steps,
  { shape, moves }: Pick<Real, "shape" | "moves">,
  out: string,
): void {
  const readers = walk.readers.get(out) ?? [];
  const seen = walk.model.graph.outputs.some(({ name }) => name === out);
  // A dense layer reads flat by itself.
  const dense = readers.every(({ op }) => op === "Gemm" || op === "MatMul");
  let { name } = x;
  for (const [i, { layer, from }] of moves.entries()) {
    const last = i === moves.length - 1;
    const after = last ? shape : (moves[i + 1]?.from ?? shape);
    const same = after.join() === from.join() && layer.kind === "reshape";
    const flat = last && layer.kind === "reshape" && shape.length === 1 && dense;
    if (!seen && (flat || same)) continue;
    name = push(walk, layer, [name], last ? nameFor(out) : undefined);
  }
  walk.steps.set(out, { ...x, shape, name });
}

/** Of a value that has no steps yet. */
export function readMoved(walk: Walk, node: Node): Real | string {
  const real = realOf(walk, node);
  if (typeof real === "string") return real;
  const layer = readMove(walk, node, real);
  if (typeof layer === "string") return layer;
  const shape = shapeAfter(layer, [real.shape]);
  if (typeof shape === "string") return `${nodeName(node)}: ${shape}`;
  return { ...real, shape, moves: [...real.moves, { layer, from: real.shape }] };
}

/** Flatten, Reshape, Squeeze, Unsqueeze, Transpose: what the layer is that moves no value. */
function readMove(
  walk: Walk,
  node: Node,
  x: Pick<Steps, "shape">,
): ReshapeLayer | TransposeLayer | string {
  const rank = x.shape.length + 1;
  if (node.op === "Transpose") {
    const perm = node.attributes.get("perm")?.integers ?? [];
    if (perm[0] !== 0) return `${nodeName(node)} moves the batch`;
    return { kind: "transpose", perm: perm.slice(1).map((at) => at - 1) };
  }
  const shape = movedShape(walk, node, x.shape, rank);
  if (shape === null || sizeOf(shape) !== sizeOf(x.shape)) {
    return `${nodeName(node)} has no constant shape that leaves the batch first`;
  }
  return { kind: "reshape", shape };
}

function movedShape(
  walk: Walk,
  node: Node,
  from: readonly number[],
  rank: number,
): readonly number[] | null {
  if (node.op === "Flatten") return integer(node, "axis", 1) === 1 ? [sizeOf(from)] : null;
  const given = int64s(walk, node, 1);
  if (node.op === "Identity") return from;
  if (given === null) return null;
  if (node.op === "Reshape") {
    const [batch, ...rest] = given;
    const free = rest.filter((dim) => dim === -1).length;
    // The batch is copied, or 1, or what is left where all others are known.
    if (batch !== 0 && batch !== 1 && !(batch === -1 && free === 0)) return null;
    const sizes = rest.map((dim, i) => (dim === 0 ? (from[i] ?? 0) : dim));
    const left = sizeOf(from) / sizeOf(sizes.filter((dim) => dim !== -1));
    return free > 1 ? null : sizes.map((dim) => (dim === -1 ? left : dim));
  }
  const out = node.op === "Unsqueeze" ? rank + given.length : rank;
  const axes = new Set(given.map((axis) => (axis < 0 ? axis + out : axis)));
  if (axes.has(0) || axes.size !== given.length) return null;
  if (node.op === "Squeeze") return from.filter((_, i) => !axes.has(i + 1));
  const rest = [...from];
  return Array.from({ length: out - 1 }, (_, i) => (axes.has(i + 1) ? 1 : (rest.shift() ?? 0)));
}
