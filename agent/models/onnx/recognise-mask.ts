//! The masks of an encoder, as exporters write them. That of padding is a second input of the graph:
//! floats that are added to the scores, or 0 and 1, true and false, behind Cast, Not, Sub, Mul or
//! Where. A causal one is a triangle of constants, alone or laid over the other.
import { MASK_LEAST } from "../../accel/encoder.js";
import { constancyOf, type Triangle, unsqueezed } from "./fold.js";
import { type Node, nodeName, quote } from "./model.js";
import { type Search, scalarOf, stop, wholesOf } from "./recognise-projection.js";
import { ELEMENT } from "./tensor.js";

/** What is added to the scores of a key: gain * value + offset, of a flag: of value != 0. */
export type Mask = {
  readonly input: string;
  readonly gain: number;
  readonly offset: number;
  readonly flag: boolean;
};

/** What hides keys: those of padding, and those behind a place. */
export type Hiding = { readonly mask: Mask | null; readonly causal: boolean };

/**
 * `dims` of the value, from the last side on, as far as they are known. `above`: the value of the
 * input that would give what stands above the diagonal; null without a triangle.
 */
type Traced = Mask & { readonly dims: readonly number[]; readonly above: number | null };

/** Scores that a constant stands for instead are below all others from here on. */
const HIDDEN = -1e4;
const STEPS_MAX = 16;

const isHidden = (value: number): boolean => value <= HIDDEN;
const isSeen = (value: number): boolean => value === 0;
const isTrue = (value: number): boolean => value === 1;

/** Whether a triangle has these values on and below its diagonal, and above. */
function isCausal(
  { side, within, beyond }: Triangle,
  sequence: number,
  seen: (value: number) => boolean,
  hidden: (value: number) => boolean,
): boolean {
  return side === sequence && seen(within) && beyond.every(hidden);
}

/** What is added to the scores. */
export function readAdded(search: Search, value: string, sequence: number): Hiding {
  const fixed = constancyOf(search, value);
  if (fixed === null) return fitted(search, value, trace(search, value, STEPS_MAX), sequence);
  const { triangle } = fixed;
  const known = triangle !== null && isCausal(triangle, sequence, isSeen, isHidden);
  return constantOr(search, value, known);
}

/** What the operator Attention reads as its mask: true for what is seen, or added. */
export function readStated(search: Search, value: string, sequence: number): Hiding {
  const fixed = constancyOf(search, value);
  const triangle = fixed?.triangle ?? null;
  if (triangle?.truth === true) {
    return constantOr(search, value, isCausal(triangle, sequence, isTrue, isSeen));
  }
  if (fixed !== null) return readAdded(search, value, sequence);
  const found = trace(search, value, STEPS_MAX);
  const number = search.writers.get(value)?.attributes.get("to")?.integer ?? ELEMENT.BOOL;
  const truth = found !== null && isTruth(found) && number === ELEMENT.BOOL;
  return fitted(search, value, truth ? chosen(found, 0, MASK_LEAST) : found, sequence);
}

/** Where(hidden, constant, scores), or Where(seen, scores, constant). */
export function readChosen(search: Search, node: Node, sequence: number) {
  const [flag = "", a = "", b = ""] = node.inputs;
  const [left, right] = [scalarOf(search, a), scalarOf(search, b)];
  const scored = left === null ? a : b;
  const constant = left ?? right ?? 0;
  if (!isHidden(constant)) {
    stop(search, `${nodeName(node)} hides no keys by a constant of ${HIDDEN} or less`);
  }
  const fixed = constancyOf(search, flag);
  if (fixed !== null) {
    const [within, beyond] = left === null ? [isTrue, isSeen] : [isSeen, isTrue];
    const { triangle } = fixed;
    const known = triangle !== null && isCausal(triangle, sequence, within, beyond);
    return { scored, ...constantOr(search, flag, known) };
  }
  const found = trace(search, flag, STEPS_MAX);
  if (found !== null && !isTruth(found)) stop(search, `${quote(flag)} is neither true nor false`);
  const [yes, no] = left === null ? [0, MASK_LEAST] : [MASK_LEAST, 0];
  const taken = found === null ? null : chosen(found, yes, no);
  return { scored, ...fitted(search, flag, taken, sequence) };
}

function constantOr(search: Search, value: string, causal: boolean): Hiding {
  if (!causal) stop(search, `the constant mask ${quote(value)} is not causal`);
  return { mask: null, causal };
}

/** It must be `sequence` keys, the same for all heads and, but for a triangle, all queries. */
function fitted(search: Search, value: string, traced: Traced | null, sequence: number): Hiding {
  if (traced === null) return { mask: null, causal: false };
  const { dims, above, ...mask } = traced;
  if (dims.at(-1) !== sequence || !isSame(dims)) {
    const wanted = `[batch, 1, 1, ${sequence}]`;
    stop(search, `the mask ${quote(value)} is [${dims.join(", ")}], not ${wanted}`);
  }
  if (above !== null && !isHidden(mask.gain * above + mask.offset)) {
    stop(search, `the mask ${quote(value)} does not hide what stands above its diagonal`);
  }
  return { mask, causal: above !== null };
}

/** The batch may stand first of four; before fewer sides nothing is left but a batch of one. */
function isSame(dims: readonly number[]): boolean {
  const [, ...others] = dims.toReversed();
  return dims.length <= 4 && others.every((side, i) => side === 1 || i === 2);
}

/** A triangle over a mask of padding: both hide. */
function overlaid(op: string, found: Traced, over: Triangle): Traced | null {
  const { dims, gain, offset, above } = found;
  const keys = dims.at(-1) ?? 0;
  if (above !== null || gain === 0 || !isSame(dims)) return null;
  const fits = (within: (value: number) => boolean, beyond: (value: number) => boolean): boolean =>
    isCausal(over, keys, within, beyond);
  // What the value becomes above the diagonal; below it stays.
  let becomes: number | null = null;
  if (op === "Add" && fits(isSeen, isHidden)) becomes = Number.NEGATIVE_INFINITY;
  if (op === "Mul" && fits(isTrue, isSeen)) becomes = 0;
  if (op === "And" && isTruth(found) && fits(isTrue, isSeen)) becomes = 0;
  if (op === "Or" && isTruth(found) && fits(isSeen, isTrue)) becomes = 1;
  if (becomes === null) return null;
  const missing = new Array<number>(Math.max(0, over.rank - dims.length)).fill(1);
  return { ...found, dims: [...missing, ...dims], above: (becomes - offset) / gain };
}

/** A flag that is 0 or 1. */
function isTruth({ flag, gain, offset }: Mask): boolean {
  return flag && (gain === 1 ? offset === 0 : gain === -1 && offset === 1);
}

/** One of two numbers by a flag. */
function chosen(found: Traced, yes: number, no: number): Traced {
  const [high, low] = [yes, no].map((v) => Math.max(MASK_LEAST, v)) as [number, number];
  return { ...found, gain: (high - low) * found.gain, offset: low + (high - low) * found.offset };
}

function trace(search: Search, value: string, left: number): Traced | null {
  const input = search.inputs.find(({ name }) => name === value);
  if (input !== undefined) {
    const dims = input.dims ?? [];
    const flag = input.type === ELEMENT.BOOL;
    return { input: value, gain: 1, offset: 0, flag, dims, above: null };
  }
  const node = search.writers.get(value);
  if (node === undefined || node.domain !== "" || left === 0) return lost(search, value);
  search.taken.add(node);
  const fixed = node.inputs.map((name) => scalarOf(search, name));
  const two = ["Add", "Sub", "Mul", "Div", "And", "Or"].includes(node.op);
  const folded = node.inputs.map((name, i) => {
    return two && fixed[i] === null ? constancyOf(search, name) : null;
  });
  const first = fixed[0] !== null || (folded[0] ?? null) !== null;
  const at = two && first ? 1 : 0;
  const found = trace(search, node.inputs[at] ?? "", left - 1);
  if (found === null) return null;
  const over = folded[1 - at] ?? null;
  const triangle = over?.triangle ?? null;
  const next =
    triangle === null ? step(search, node, found, fixed, at) : overlaid(node.op, found, triangle);
  return next ?? lost(search, value);
}

function lost(search: Search, value: string): null {
  const node = search.writers.get(value);
  const what = node === undefined ? quote(value) : nodeName(node);
  stop(search, `${what} is no part of a padding mask that is known`);
  return null;
}

function step(
  search: Search,
  node: Node,
  found: Traced,
  fixed: readonly (number | null)[],
  at: number,
): Traced | null {
  const { gain, offset, dims, above } = found;
  const plain = gain === 1 && offset === 0 && (above === null || isSeen(above) || isTrue(above));
  const other = fixed[1 - at] ?? null;
  const by = (times: number, plus: number): Traced => {
    return { ...found, gain: gain * times, offset: offset * times + plus };
  };
  switch (node.op) {
    case "Identity":
    case "Expand":
      return found;
    case "Unsqueeze": {
      const axes = wholesOf(search, node.inputs[1] ?? "");
      return { ...found, dims: unsqueezed(dims, axes) };
    }
    case "Reshape": {
      const shape = wholesOf(search, node.inputs[1] ?? "");
      return shape.length === 0 ? null : { ...found, dims: shape };
    }
    case "Cast": {
      const bool = node.attributes.get("to")?.integer === ELEMENT.BOOL;
      // Of what is 0 or 1 already, nothing changes.
      if (bool && !found.flag) return plain ? { ...found, flag: true } : null;
      return found;
    }
    case "Not":
      return isTruth(found) ? by(-1, 1) : null;
    case "Equal":
      return other === 0 && plain ? { ...by(-1, 1), flag: true } : null;
    case "Neg":
      return by(-1, 0);
    case "Add":
      return other === null ? null : by(1, other);
    case "Sub":
      if (other === null) return null;
      return at === 0 ? by(1, -other) : by(-1, other);
    case "Mul":
      return other === null || !Number.isFinite(other) ? null : by(other, 0);
    case "Div":
      return other === null || at === 1 ? null : by(1 / other, 0);
    case "Where": {
      const [, yes, no] = fixed;
      const known = yes !== null && yes !== undefined && no !== null && no !== undefined;
      return known && isTruth(found) ? chosen(found, yes, no) : null;
    }
    default:
      return null;
  }
}
