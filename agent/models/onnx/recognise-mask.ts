//! The padding mask of an encoder, as exporters write it: a second input of the graph of floats that
//! are added to the scores, or of 0 and 1, true and false, behind Cast, Not, Sub, Mul or Where.
import { MASK_LEAST } from "../../accel/encoder.js";
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

/** `dims` of the value, from the last side on, as far as they are known. */
type Traced = Mask & { readonly dims: readonly number[] };

/** Scores that a constant stands for instead are below all others from here on. */
const HIDDEN = -1e4;
const STEPS_MAX = 16;

export function readAdded(search: Search, value: string, sequence: number): Mask | null {
  const found = trace(search, value, STEPS_MAX);
  return found === null ? null : fitted(search, value, found, sequence);
}

/** Where(hidden, constant, scores), or Where(seen, scores, constant). */
export function readChosen(search: Search, node: Node, sequence: number) {
  const [flag = "", a = "", b = ""] = node.inputs;
  const [left, right] = [scalarOf(search, a), scalarOf(search, b)];
  const scored = left === null ? a : b;
  const found = trace(search, flag, STEPS_MAX);
  const constant = left ?? right ?? 0;
  if (found === null) return { scored, mask: null };
  if (!(constant <= HIDDEN) || !isTruth(found)) {
    stop(search, `${nodeName(node)} hides no keys by a constant of ${HIDDEN} or less`);
  }
  const [yes, no] = left === null ? [0, MASK_LEAST] : [MASK_LEAST, 0];
  return { scored, mask: fitted(search, flag, chosen(found, yes, no), sequence) };
}

/** It must be `sequence` keys, the same for all heads and queries. */
function fitted(search: Search, value: string, traced: Traced, sequence: number): Mask {
  const { dims, ...mask } = traced;
  const [keys, ...others] = dims.toReversed();
  // The batch may stand first of four; before fewer sides nothing is left but a batch of one.
  const same = others.every((side, i) => side === 1 || i === 2);
  if (keys !== sequence || !same || dims.length > 4) {
    const wanted = `[batch, 1, 1, ${sequence}]`;
    stop(search, `the mask ${quote(value)} is [${dims.join(", ")}], not ${wanted}`);
  }
  return mask;
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
    return { input: value, gain: 1, offset: 0, flag, dims };
  }
  const node = search.writers.get(value);
  if (node === undefined || node.domain !== "" || left === 0) return lost(search, value);
  search.taken.add(node);
  const fixed = node.inputs.map((name) => scalarOf(search, name));
  const arithmetic = ["Add", "Sub", "Mul", "Div"].includes(node.op);
  const at = node.op === "Where" || !(arithmetic && fixed[0] !== null) ? 0 : 1;
  const found = trace(search, node.inputs[at] ?? "", left - 1);
  if (found === null) return null;
  return step(search, node, found, fixed, at) ?? lost(search, value);
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
  const { gain, offset, dims } = found;
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
      const rank = dims.length + axes.length;
      const places = axes.map((axis) => (axis < 0 ? axis + rank : axis));
      const rest = [...dims];
      return {
        ...found,
        dims: Array.from({ length: rank }, (_, i) =>
          places.includes(i) ? 1 : (rest.shift() ?? 1),
        ),
      };
    }
    case "Reshape": {
      const shape = wholesOf(search, node.inputs[1] ?? "");
      return shape.length === 0 ? null : { ...found, dims: shape };
    }
    case "Cast": {
      const bool = node.attributes.get("to")?.integer === ELEMENT.BOOL;
      // Of what is 0 or 1 already, nothing changes.
      if (bool && !found.flag) return gain === 1 && offset === 0 ? { ...found, flag: true } : null;
      return found;
    }
    case "Not":
      return isTruth(found) ? by(-1, 1) : null;
    case "Equal":
      return other === 0 && gain === 1 && offset === 0 ? { ...by(-1, 1), flag: true } : null;
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
