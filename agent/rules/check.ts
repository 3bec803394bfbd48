//! What a rule may combine: dimensions, kinds, points and differences. Pure typing, no text and no
//! closures. A rule that passes never mixes dimensions at run time.
import { combineDimensions } from "../units/parse.js";

/** A truth, or a number in SI. `point` is null for a literal that can be either (`10 K`, `5 m`). */
export type Type =
  | { readonly is: "truth" }
  | {
      readonly is: "number";
      readonly dim: string;
      /** "" is "not said" and goes with every kind. */
      readonly kind: string;
      readonly point: boolean | null;
      /** Of a channel: the unit in which people write it. */
      readonly unit?: string | undefined;
    };
export type NumberType = Extract<Type, { is: "number" }>;
export type Comparison = "<" | "<=" | ">" | ">=" | "==" | "!=";
export type Arithmetic = "+" | "-" | "*" | "/";
export type Binary = "||" | "&&" | Comparison | Arithmetic;

const TRUTH: Type = { is: "truth" };
const BETWEEN = { add: "and", subtract: "from", compare: "with" } as const;
const POINT_HINT = "a literal in Cel is a temperature; write K for a difference";

/** Pairs of dimensions that people take for each other, and the way out. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["m/s2 kg", '"g" is gram; gravity is "[g]"'],
  ["W J", '"kWh" is energy; power is "kW"'],
  ["J W", '"kW" is power; energy is "kWh"'],
  ["rad/s 1/s", "a speed of rotation is no frequency; write r/min or r/s"],
  ["1/s rad/s", "a frequency is no speed of rotation; write Hz"],
]);

/** The type of `left op right`, or why there is none. */
export function typeOf(op: Binary, left: Type, right: Type): Type | string {
  if (op === "&&" || op === "||") {
    const truths = left.is === "truth" && right.is === "truth";
    return truths ? TRUTH : `"${op}" joins conditions, such as current > 16 A`;
  }
  if (left.is === "truth" || right.is === "truth") {
    return `"${op}" needs numbers on both sides; join two comparisons with &&`;
  }
  if (op === "*" || op === "/") return productOf(op, left, right);
  if (op === "+" || op === "-") return sumOf(op, left, right);
  return mismatch("compare", left, right) ?? apart(left, right) ?? TRUTH;
}

/** Both as one: the result of min(a, b) and max(a, b). */
export function eitherOf(left: NumberType, right: NumberType): NumberType | string {
  const fault = mismatch("compare", left, right) ?? apart(left, right);
  if (fault !== null) return fault;
  const { unit = right.unit } = left;
  return { ...left, kind: left.kind || right.kind, point: left.point ?? right.point, unit };
}

/** Change per second: a rate of a temperature is a difference per second. */
export function rateOf(of: NumberType): NumberType | string {
  const dim = combineDimensions(of.dim, "s", -1);
  if (dim === null) return `an exponent of ${of.dim} per s leaves the range -8 to 8`;
  return { is: "number", dim, kind: "", point: false };
}

export function show(type: NumberType): string {
  return type.kind === "" ? type.dim : `${type.dim}{${type.kind}}`;
}

function productOf(op: "*" | "/", left: NumberType, right: NumberType): Type | string {
  if (left.point === true || right.point === true) {
    return `"${op}" of a point (a temperature) has no meaning; take a difference first`;
  }
  const dim = combineDimensions(left.dim, right.dim, op === "*" ? 1 : -1);
  if (dim === null) return `an exponent of ${left.dim} ${op} ${right.dim} leaves -8 to 8`;
  return { is: "number", dim, kind: "", point: false };
}

function sumOf(op: "+" | "-", left: NumberType, right: NumberType): Type | string {
  const fault = mismatch(op === "+" ? "add" : "subtract", left, right);
  if (fault !== null) return fault;
  const kind = left.kind || right.kind;
  const both = left.point === true && right.point === true;
  if (op === "+") {
    if (both) return "two points cannot be added; a literal in K is a difference";
    const point = left.point === true || right.point === true;
    const open = left.point === null && right.point === null;
    return { is: "number", dim: left.dim, kind, point: open ? null : point };
  }
  if (left.point === false && right.point === true) {
    return "a point cannot be taken from a difference";
  }
  const open = left.point === null && right.point === null;
  const point = open ? null : left.point === true && right.point !== true;
  return { is: "number", dim: left.dim, kind, point };
}

function mismatch(verb: keyof typeof BETWEEN, left: NumberType, right: NumberType): string | null {
  const kinds = left.kind === right.kind || left.kind === "" || right.kind === "";
  if (left.dim === right.dim && kinds) return null;
  const [a, b] = verb === "subtract" ? [show(right), show(left)] : [show(left), show(right)];
  const said = `cannot ${verb} ${a} ${BETWEEN[verb]} ${b}`;
  if (left.dim === right.dim) return said;
  const hint = HINTS.get(`${left.dim} ${right.dim}`) ?? HINTS.get(`${right.dim} ${left.dim}`);
  if (hint !== undefined) return `${said}; ${hint}`;
  const bare = right.dim === "1" ? left : left.dim === "1" ? right : null;
  if (bare === null) return said;
  const unit = bare.unit ?? (bare.dim === "K" && bare.point === true ? "Cel" : bare.dim);
  return `${said}; give the number its unit, such as ${unit}`;
}

function apart(left: NumberType, right: NumberType): string | null {
  if (left.point === null || right.point === null || left.point === right.point) return null;
  return `cannot compare a point with a difference${left.dim === "K" ? `; ${POINT_HINT}` : ""}`;
}
