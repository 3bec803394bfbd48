//! What a graph computes of constants alone, as far as a mask needs it: triangles, comparisons, sides.
import type { Node } from "./model.js";
import type { Constant } from "./recognised.js";
import { ELEMENT, floatsOf } from "./tensor.js";

/** `truth`: its values are 0 and 1, and were false and true. */
type Folded = {
  readonly dims: readonly number[];
  readonly values: Float64Array;
  readonly truth: boolean;
};
export type Foldable = {
  readonly writers: ReadonlyMap<string, Node>;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly taken: Set<Node>;
  /** Values that may still be computed of constants. */
  folds: number;
};

/**
 * A constant of `side` x `side`, the same for all else: what all values on and below its diagonal
 * are, and the least and the most of those above. `truth` as above, `rank` its number of sides.
 */
export type Triangle = {
  readonly side: number;
  readonly rank: number;
  readonly within: number;
  readonly beyond: readonly [number, number];
  readonly truth: boolean;
};
/** `triangle` null: of constants, but no triangle. `made`: all values that lead to it. */
export type Constancy = { readonly triangle: Triangle | null; readonly made: readonly string[] };

/** Of one result, of all that lead to it, and of all masks of a file. 1,024 places have 2^20. */
const VALUES_MAX = 2 ** 20;
const TOTAL_MAX = 2 ** 22;
export const FOLDED_MAX = 2 ** 26;

type Visit = { readonly graph: Foldable; readonly made: string[]; left: number };
type Op = (a: number, b: number) => number;

const REALS: Readonly<Record<string, Op>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};
const TRUTHS: Readonly<Record<string, Op>> = {
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  Equal: (a, b) => Number(a === b),
  And: (a, b) => a * b,
  Or: (a, b) => Math.max(a, b),
};
const WHOLE: readonly number[] = [ELEMENT.INT32, ELEMENT.INT64];

/** By the message of a node, which stands for one place of one file: tries ask again and again. */
const known = new WeakMap<Uint8Array, Constancy | null>();

/** Null where it is not of constants alone, too large, or of other operators. */
export function constancyOf(graph: Foldable, value: string): Constancy | null {
  const key = graph.writers.get(value)?.raw;
  const before = key === undefined ? undefined : known.get(key);
  const found = before === undefined ? judged(graph, value) : before;
  if (key !== undefined) known.set(key, found);
  for (const name of found?.made ?? []) {
    const node = graph.writers.get(name);
    if (node !== undefined) graph.taken.add(node);
  }
  return found;
}

function judged(graph: Foldable, value: string): Constancy | null {
  const made: string[] = [];
  const visit: Visit = { graph, made, left: Math.min(TOTAL_MAX, graph.folds) };
  const started = visit.left;
  const folded = foldOf(visit, value);
  graph.folds -= started - Math.max(0, visit.left);
  return folded === null ? null : { triangle: triangleIn(folded), made };
}

function foldOf(visit: Visit, value: string): Folded | null {
  const { writers, constants } = visit.graph;
  const constant = constants.get(value);
  if (constant !== undefined) return read(constant);
  const node = writers.get(value);
  if (node === undefined || node.domain !== "") return null;
  // Each node costs, or the same could be asked for in more ways than there is time for.
  visit.left -= 1;
  const found = visit.left < 0 ? null : computed(visit, node);
  if (found === null) return null;
  visit.left -= found.values.length;
  visit.made.push(value);
  return found;
}

function triangleIn({ dims, values, truth }: Folded): Triangle | null {
  const [side = 0, lines, ...others] = dims.toReversed();
  if (side < 2 || lines !== side || others.some((one) => one !== 1)) return null;
  const within = values[0] as number;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let line = 0; line < side; line++) {
    for (let place = 0; place < side; place++) {
      const value = values[line * side + place] as number;
      if (place <= line ? value !== within : Number.isNaN(value)) return null;
      if (place > line) [least, most] = [Math.min(least, value), Math.max(most, value)];
    }
  }
  return { side, rank: dims.length, within, beyond: [least, most], truth };
}

function computed(visit: Visit, node: Node): Folded | null {
  const parts: Folded[] = [];
  for (const name of node.inputs) {
    const part = foldOf(visit, name);
    if (part === null) return null;
    parts.push(part);
  }
  const [a, b, c] = parts;
  if (node.op === "ConstantOfShape") return filled(node, a);
  if (a === undefined) return null;
  const real = REALS[node.op];
  const truth = TRUTHS[node.op];
  const of = real ?? truth;
  if (of !== undefined) {
    return b === undefined
      ? null
      : spread([a, b], ([x = 0, y = 0]) => of(x, y), real === undefined);
  }
  switch (node.op) {
    case "Identity":
      return a;
    case "Not":
      return { ...a, values: a.values.map((v) => 1 - v) };
    case "Neg":
      return { ...a, values: a.values.map((v) => -v) };
    case "Cast":
      return cast(a, node.attributes.get("to")?.integer ?? 0);
    case "Where":
      if (b === undefined || c === undefined) return null;
      return spread([a, b, c], ([w, x = 0, y = 0]) => (w === 0 ? y : x), b.truth && c.truth);
    case "Trilu":
      return triangle(a, b?.values[0] ?? 0, node.attributes.get("upper")?.integer !== 0);
    case "Range":
      return b === undefined || c === undefined ? null : counted([a, b, c]);
    case "Unsqueeze":
      return b === undefined ? null : { ...a, dims: unsqueezed(a.dims, [...b.values]) };
    case "Reshape":
      return b === undefined ? null : reshaped(a, [...b.values]);
    case "Expand": {
      if (b === undefined) return null;
      const ones = { dims: [...b.values], values: new Float64Array(1), truth: false };
      return spread([a, ones], ([x = 0]) => x, a.truth);
    }
    case "Slice":
      return sliced(a, parts.slice(1));
    default:
      return null;
  }
}

function read(tensor: Constant): Folded | null {
  const { dims, count, bytes, type } = tensor;
  if (count > VALUES_MAX) return null;
  if (type === ELEMENT.BOOL) {
    return { dims, values: Float64Array.from(bytes, (v) => Number(v !== 0)), truth: true };
  }
  const whole = WHOLE.includes(type) ? new Uint8Array(bytes).buffer : null;
  if (type === ELEMENT.INT64 && whole !== null) {
    return { dims, values: Float64Array.from(new BigInt64Array(whole), Number), truth: false };
  }
  const values = whole === null ? floatsOf(tensor) : new Int32Array(whole);
  return values === null ? null : { dims, values: Float64Array.from(values), truth: false };
}

/** Values beside each other, sides of 1 repeated; a part of one value may have any sides. */
function spread(
  parts: readonly Folded[],
  of: (values: readonly number[]) => number,
  truth: boolean,
): Folded | null {
  const rank = Math.max(...parts.map(({ dims }) => dims.length));
  const wide = parts.map(({ dims }) => [...new Array<number>(rank - dims.length).fill(1), ...dims]);
  const sides = Array.from({ length: rank }, (_, i) => Math.max(...wide.map((d) => d[i] ?? 1)));
  const fits = wide.every((d) => d.every((side, i) => side === 1 || side === sides[i]));
  const count = sides.reduce((a, b) => a * b, 1);
  if (!fits || !(count <= VALUES_MAX)) return null;
  const steps = wide.map((d, part) => {
    if (parts[part]?.values.length === 1) return d.map(() => 0);
    let step = 1;
    return d.map((_, i) => {
      const side = d[d.length - 1 - i] as number;
      const own = side === 1 ? 0 : step;
      step *= side;
      return own;
    });
  });
  const [p, q] = parts;
  if (parts.length === 2 && p !== undefined && q !== undefined) {
    const whole = [p, q].every((part) => part.values.length === count || part.values.length === 1);
    if (whole) return { dims: sides, values: paired(p.values, q.values, count, of), truth };
  }
  const values = new Float64Array(count);
  const at: number[] = new Array(parts.length).fill(0);
  for (let i = 0; i < count; i++) {
    let left = i;
    at.fill(0);
    // The last side first, as `steps` has them.
    for (let side = 0; side < rank; side++) {
      const size = sides[rank - 1 - side] as number;
      const place = left % size;
      left = (left - place) / size;
      for (const [part, own] of steps.entries()) {
        at[part] = (at[part] as number) + place * (own[side] as number);
      }
    }
    values[i] = of(parts.map((part, k) => part.values[at[k] as number] as number));
  }
  return { dims: sides, values, truth };
}

/** The usual case, at its speed: of one shape, or one value. */
function paired(
  a: Float64Array,
  b: Float64Array,
  count: number,
  of: (values: readonly number[]) => number,
): Float64Array {
  const two = [0, 0];
  const [p, q] = [a.length === 1 ? 0 : 1, b.length === 1 ? 0 : 1];
  return Float64Array.from({ length: count }, (_, i) => {
    two[0] = a[i * p] as number;
    two[1] = b[i * q] as number;
    return of(two);
  });
}

function cast(a: Folded, to: number): Folded {
  const truth = to === ELEMENT.BOOL;
  if (truth) return { ...a, values: a.values.map((v) => Number(v !== 0)), truth };
  return { ...a, values: WHOLE.includes(to) ? a.values.map(Math.trunc) : a.values, truth };
}

function filled({ attributes }: Node, shape: Folded | undefined): Folded | null {
  const dims = [...(shape?.values ?? [])];
  const count = dims.reduce((a, b) => a * b, 1);
  if (shape === undefined || !(count >= 1 && count <= VALUES_MAX)) return null;
  const given = attributes.get("value")?.tensor ?? null;
  const one = given === null ? null : read(given);
  const values = new Float64Array(count).fill(one?.values[0] ?? 0);
  return { dims, values, truth: one?.truth ?? false };
}

function counted([from, to, by]: readonly [Folded, Folded, Folded]): Folded | null {
  const [start = 0, end = 0, step = 1] = [from, to, by].map(({ values }) => values[0]);
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (!(count <= VALUES_MAX)) return null;
  return {
    dims: [count],
    values: Float64Array.from({ length: count }, (_, i) => start + i * step),
    truth: false,
  };
}

function triangle(a: Folded, k: number, upper: boolean): Folded | null {
  const [lines, places] = a.dims.slice(-2);
  if (lines === undefined || places === undefined) return null;
  const values = a.values.map((v, i) => {
    const [line, place] = [Math.floor(i / places) % lines, i % places];
    return (upper ? place - line >= k : place - line <= k) ? v : 0;
  });
  return { ...a, values };
}

/** With sides of 1 at these places. */
export function unsqueezed(dims: readonly number[], axes: readonly number[]): readonly number[] {
  const rank = dims.length + axes.length;
  const places = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const rest = [...dims];
  return Array.from({ length: rank }, (_, i) => (places.includes(i) ? 1 : (rest.shift() ?? 1)));
}

function reshaped(a: Folded, given: readonly number[]): Folded | null {
  const sides = given.map((side, i) => (side === 0 ? (a.dims[i] ?? 0) : side));
  const rest = sides.filter((side) => side !== -1).reduce((x, y) => x * y, 1);
  const dims = sides.map((side) => (side === -1 ? a.values.length / rest : side));
  return dims.reduce((x, y) => x * y, 1) === a.values.length ? { ...a, dims } : null;
}

/** Of steps of 1. */
function sliced(a: Folded, [starts, ends, axes, steps]: readonly Folded[]): Folded | null {
  if (starts === undefined || ends === undefined) return null;
  if (steps?.values.some((step) => step !== 1) === true) return null;
  let found: Folded = a;
  for (const [i, start] of starts.values.entries()) {
    const stated = axes?.values[i] ?? i;
    const axis = stated < 0 ? stated + a.dims.length : stated;
    const side = found.dims[axis];
    if (side === undefined) return null;
    const place = (at: number): number => Math.max(0, Math.min(side, at < 0 ? at + side : at));
    const [from, to] = [place(start), place(ends.values[i] ?? 0)];
    const inner = found.dims.slice(axis + 1).reduce((x, y) => x * y, 1);
    const values = found.values.filter((_, at) => {
      const own = Math.floor(at / inner) % side;
      return own >= from && own < to;
    });
    found = { ...found, dims: found.dims.with(axis, Math.max(0, to - from)), values };
  }
  return found;
}
