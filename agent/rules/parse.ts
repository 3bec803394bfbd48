//! Rule text to a typed tree: a Pratt parser with unit literals. Every unit is checked here, so
//! what it accepts never mixes dimensions at run time. Faults carry the place for a caret.
import { nearest } from "../units/nearest.js";
import { combineDimensions, isUnitFault, parseUnit } from "../units/parse.js";
import type { Signal } from "./rule.js";

/** What a node is: a truth, or a number of some dimension (a point where it has a zero). */
export type Type =
  | { readonly is: "truth" }
  | { readonly is: "number"; readonly dim: string; readonly kind: string; readonly point: boolean };

export type Node = { readonly type: Type; readonly at: number; readonly end: number } & (
  | { readonly op: "literal"; readonly value: number; readonly unit: string }
  | { readonly op: "signal"; readonly signal: Signal }
  | { readonly op: "not" | "negate"; readonly of: Node }
  | { readonly op: Binary; readonly left: Node; readonly right: Node }
  | { readonly op: "call"; readonly name: string; readonly of: readonly Node[] }
);
export type Binary = "||" | "&&" | Comparison | "+" | "-" | "*" | "/";
export type Comparison = "<" | "<=" | ">" | ">=" | "==" | "!=";

export type TextFault = { readonly fault: string; readonly at: number; readonly length: number };

const POWERS: Readonly<Record<string, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
};
const WORDS: Readonly<Record<string, string>> = { and: "&&", or: "||" };
const OPERATOR = /^(\|\||&&|<=|>=|==|!=|[<>+\-*/]|and\b|or\b)/;
const NUMBER = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;
// A unit follows its number at once or after one blank, and ends where an operator can begin.
const UNIT_START = String.raw`(?:\[[^\]\s]*\]|[A-Za-zµ°%])`;
const UNIT_REST = String.raw`(?:\[[^\]\s]*\]|\{[^}]*\}|\^\(\d+\/\d+\)|[A-Za-z0-9µ°%./^]|-(?=\d))`;
const UNIT = new RegExp(String.raw`^ ?((?!(?:and|or)\b)${UNIT_START}${UNIT_REST}*)`);
const NAME = /^[A-Za-z_][\w-]*(?:\.[\w-]+)*/;
const FUNCTIONS: Readonly<Record<string, number>> = { abs: 1, min: 2, max: 2 };
const LENGTH_MAX = 2_000;
const DEPTH_MAX = 64;

class Stop extends Error {
  readonly found: TextFault;
  constructor(found: TextFault) {
    super(found.fault);
    this.found = found;
  }
}

/** The typed tree of a condition, or its first fault. */
export function parseRule(text: string, signals: ReadonlyMap<string, Signal>): Node | TextFault {
  if (text.length > LENGTH_MAX) {
    return { fault: `a rule has at most ${LENGTH_MAX} characters`, at: 0, length: 1 };
  }
  try {
    return new Parser(text, signals).all();
  } catch (stop) {
    if (stop instanceof Stop) return stop.found;
    throw stop;
  }
}

class Parser {
  readonly #text: string;
  readonly #signals: ReadonlyMap<string, Signal>;
  #at = 0;
  #depth = 0;

  constructor(text: string, signals: ReadonlyMap<string, Signal>) {
    this.#text = text;
    this.#signals = signals;
  }

  all(): Node {
    const node = this.#expression(0);
    this.#blanks();
    if (this.#at < this.#text.length) this.#fail(`unexpected "${this.#text[this.#at]}"`, this.#at);
    if (node.type.is !== "truth") {
      this.#fail("a rule must compare something, e.g. temperature > 80 Cel", node.at, node.end);
    }
    return node;
  }

  #expression(power: number): Node {
    if (++this.#depth > DEPTH_MAX) this.#fail("nested too deeply", this.#at);
    let left = this.#operand();
    for (;;) {
      this.#blanks();
      const match = OPERATOR.exec(this.#text.slice(this.#at));
      if (match === null) break;
      const op = (WORDS[match[0]] ?? match[0]) as Binary;
      const binds = POWERS[op] as number;
      if (binds <= power) break;
      this.#at += match[0].length;
      left = this.#binary(op, left, this.#expression(binds));
    }
    this.#depth -= 1;
    return left;
  }

  #operand(): Node {
    this.#blanks();
    const at = this.#at;
    const rest = this.#text.slice(at);
    if (rest.startsWith("(")) {
      this.#at += 1;
      const inner = this.#expression(0);
      this.#expect(")");
      return inner;
    }
    const not = /^(!(?!=)|not\b)/.exec(rest);
    if (not !== null) {
      this.#at += not[0].length;
      const of = this.#expression(4);
      if (of.type.is !== "truth") this.#fail('"!" needs a condition', of.at, of.end);
      return { op: "not", of, type: { is: "truth" }, at, end: of.end };
    }
    if (rest.startsWith("-") || NUMBER.test(rest)) return this.#number(at);
    const name = NAME.exec(rest)?.[0];
    if (name === undefined) {
      return this.#fail(rest === "" ? "the rule ends too soon" : `unexpected "${rest[0]}"`, at);
    }
    this.#at += name.length;
    return this.#text[this.#at] === "(" ? this.#call(name, at) : this.#signal(name, at);
  }

  #number(at: number): Node {
    const negative = this.#text[at] === "-";
    const from = at + (negative ? 1 : 0);
    const digits = NUMBER.exec(this.#text.slice(from));
    if (digits === null) {
      this.#at = from;
      const of = this.#expression(6);
      if (of.type.is !== "number" || of.type.point) {
        return this.#fail('"-" needs a difference, not a point', of.at, of.end);
      }
      return { op: "negate", of, type: of.type, at, end: of.end };
    }
    this.#at = from + digits[0].length;
    const match = UNIT.exec(this.#text.slice(this.#at));
    const text = match?.[1] ?? "1";
    const place = this.#at + (match?.[0].length ?? 0) - text.length;
    if (match !== null) this.#at += match[0].length;
    const unit = parseUnit(text);
    if (isUnitFault(unit)) return this.#fail(unit.fault, place + unit.at, place + text.length);
    const written = Number(digits[0]) * (negative ? -1 : 1);
    const value = written * unit.factor + unit.offset;
    const { dim, kind, affine } = unit;
    const type: Type = { is: "number", dim, kind, point: affine };
    return { op: "literal", value, unit: unit.ucum, type, at, end: this.#at };
  }

  #signal(name: string, at: number): Node {
    const signal = this.#signals.get(name);
    if (signal === undefined) {
      const close = nearest(name, this.#signals.keys());
      const known = close === null ? "" : `; write "${close}"`;
      return this.#fail(`there is no channel "${name}"${known}`, at, this.#at);
    }
    const { dim, kind, point } = signal;
    return { op: "signal", signal, type: { is: "number", dim, kind, point }, at, end: this.#at };
  }

  #call(name: string, at: number): Node {
    const count = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (count === undefined) {
      return this.#fail(`no function "${name}"; there are abs, min, max`, at, this.#at);
    }
    this.#at += 1;
    const of = [this.#expression(0)];
    while (of.length < count) {
      this.#expect(",");
      of.push(this.#expression(0));
    }
    this.#expect(")");
    const [first, second] = of as [Node, Node | undefined];
    if (first.type.is !== "number") return this.#fail(`${name} needs a number`, at, this.#at);
    if (name === "abs" && first.type.point) {
      return this.#fail("abs of a point has no meaning; take a difference first", at, this.#at);
    }
    if (second !== undefined) this.#same(first, second, name);
    return { op: "call", name, of, type: first.type, at, end: this.#at };
  }

  #binary(op: Binary, left: Node, right: Node): Node {
    const place = { at: left.at, end: right.end };
    if (op === "&&" || op === "||") {
      for (const side of [left, right]) {
        if (side.type.is !== "truth") this.#fail(`"${op}" joins conditions`, side.at, side.end);
      }
      return { op, left, right, type: { is: "truth" }, ...place };
    }
    const [l, r] = [left.type, right.type];
    if (l.is !== "number" || r.is !== "number") {
      return this.#fail(`"${op}" needs numbers on both sides`, left.at, right.end);
    }
    if (op === "*" || op === "/") {
      if (l.point || r.point) {
        this.#fail(`"${op}" of a point (a temperature) has no meaning`, left.at, right.end);
      }
      const dim = combineDimensions(l.dim, r.dim, op === "*" ? 1 : -1);
      if (dim === null)
        return this.#fail("an exponent of the result is too large", left.at, right.end);
      return { op, left, right, type: { is: "number", dim, kind: "", point: false }, ...place };
    }
    if (op === "+" || op === "-") {
      this.#same(left, right, op, true);
      if (op === "+" && l.point && r.point) {
        this.#fail(
          "two points cannot be added; a literal in K is a difference",
          left.at,
          right.end,
        );
      }
      if (op === "-" && !l.point && r.point) {
        this.#fail("a point cannot be taken from a difference", left.at, right.end);
      }
      const point = op === "+" ? l.point || r.point : l.point && !r.point;
      const type: Type = { is: "number", dim: l.dim, kind: l.kind || r.kind, point };
      return { op, left, right, type, ...place };
    }
    this.#same(left, right, "compare");
    return { op, left, right, type: { is: "truth" }, ...place };
  }

  /** Both sides must be of one dimension and kind, and both points or both differences. */
  #same(left: Node, right: Node, op: string, affine = false): void {
    const [l, r] = [left.type, right.type];
    if (l.is !== "number" || r.is !== "number") {
      return this.#fail(`${op} needs numbers`, left.at, right.end);
    }
    const kinds = l.kind === r.kind || l.kind === "" || r.kind === "";
    if (l.dim !== r.dim || !kinds) {
      this.#fail(`cannot ${verb(op)} ${show(l)} with ${show(r)}`, left.at, right.end);
    }
    // A point against a bare kelvin value is a comparison with an absolute temperature.
    if (!affine && l.point !== r.point && left.op !== "literal" && right.op !== "literal") {
      this.#fail(`cannot ${verb(op)} a point with a difference`, left.at, right.end);
    }
    const literal = left.op === "literal" ? left : right.op === "literal" ? right : null;
    if (!affine && literal !== null && l.point !== r.point && literal.unit !== "K") {
      const hint = "a literal in Cel is a temperature, write K for a difference";
      this.#fail(`cannot ${verb(op)} a point with a difference; ${hint}`, left.at, right.end);
    }
  }

  #expect(character: string): void {
    this.#blanks();
    if (this.#text[this.#at] !== character) this.#fail(`expected "${character}"`, this.#at);
    this.#at += 1;
  }

  #blanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #fail(what: string, at: number, end = at + 1): never {
    throw new Stop({ fault: what, at, length: Math.max(1, end - at) });
  }
}

const verb = (op: string): string => (op === "+" || op === "-" ? "combine" : "compare");

function show(type: Extract<Type, { is: "number" }>): string {
  return type.kind === "" ? type.dim : `${type.dim}{${type.kind}}`;
}
