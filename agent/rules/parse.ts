//! Rule text to a typed tree: a Pratt parser with unit literals. check.ts types every node, so what
//! is accepted never mixes dimensions at run time. Faults carry the place for a caret.
import { nearest } from "../units/nearest.js";
import { isUnitFault, parseUnit } from "../units/parse.js";
import { type Binary, eitherOf, rateOf, type Type, typeOf } from "./check.js";
import type { Signal } from "./rule.js";

export { nearest };

export type Node = { readonly type: Type; readonly at: number; readonly end: number } & (
  | { readonly op: "literal"; readonly value: number; readonly unit: string }
  | { readonly op: "truth"; readonly value: boolean }
  | { readonly op: "signal"; readonly signal: Signal }
  | { readonly op: "not" | "negate"; readonly of: Node }
  | { readonly op: Binary; readonly left: Node; readonly right: Node }
  | { readonly op: "call"; readonly name: Pointwise; readonly of: readonly Node[] }
  | { readonly op: "window"; readonly name: Windowed; readonly of: Node; readonly span_ms: number }
  | { readonly op: "held"; readonly of: Node; readonly span_ms: number }
);
export type Pointwise = "abs" | "min" | "max";
export type Windowed = "avg" | "rms" | "min" | "max" | "rate";

export type TextFault = { readonly fault: string; readonly at: number; readonly length: number };

const POWERS = {
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
} as const satisfies Record<Binary, number>;
const OPERATOR = /^(\|\||&&|<=|>=|==|!=|[<>+\-*/]|and\b|or\b)/;
const NUMBER = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;
const NAME = /^[A-Za-z_][\w-]*(?:\.[\w-]+)*/;
const FUNCTIONS = ["abs", "min", "max", "avg", "rms", "rate", "held"] as const;
/**
 * One character of a unit literal; parentheses and "-" depend on what stands around them. Signs
 * beyond ASCII are taken too: the unit parser says what to write instead.
 */
const UNIT_START = /[A-Za-z%[{]|[^\s!-~]/;
const UNIT_CHAR = /[A-Za-z0-9_%'[\]{}^./]|[^\s!-~]/;
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
  /** Calls that are open: in their arguments a comma is none of a number. */
  #calls = 0;
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
    if (++this.#depth > DEPTH_MAX) this.#fail(`more than ${DEPTH_MAX} levels of nesting`, this.#at);
    let left = this.#operand();
    for (;;) {
      this.#blanks();
      const match = OPERATOR.exec(this.#text.slice(this.#at));
      if (match === null) break;
      const op = operator(match[0]);
      const binds = POWERS[op];
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
      return { ...inner, at, end: this.#at };
    }
    const not = /^(!(?!=)|not\b)/.exec(rest);
    if (not !== null) {
      this.#at += not[0].length;
      // `not a > b` is not (a > b); `!` binds as in C and needs parentheses there.
      const of = not[0] === "not" ? this.#expression(POWERS["&&"]) : this.#operand();
      if (of.type.is !== "truth") {
        this.#fail('"!" needs a condition, as in !(current > 16 A)', of.at, of.end);
      }
      return { op: "not", of, type: { is: "truth" }, at, end: of.end };
    }
    if (rest.startsWith("-") || NUMBER.test(rest)) return this.#number(at);
    const name = NAME.exec(rest)?.[0];
    if (name === "true" || name === "false") {
      this.#at += name.length;
      return { op: "truth", value: name === "true", type: { is: "truth" }, at, end: this.#at };
    }
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
      if (of.type.is !== "number" || of.type.point === true) {
        return this.#fail('"-" needs a difference, not a point', of.at, of.end);
      }
      return { op: "negate", of, type: of.type, at, end: of.end };
    }
    this.#at = from + digits[0].length;
    if (this.#calls === 0 && /^,\d/.test(this.#text.slice(this.#at))) {
      this.#fail('write a decimal point, not ","', this.#at);
    }
    const text = this.#unit();
    const unit = parseUnit(text);
    if (isUnitFault(unit)) {
      const start = this.#at - text.length + unit.at;
      return this.#fail(unit.fault, start, start + unit.length);
    }
    const written = Number(digits[0]) * (negative ? -1 : 1);
    const value = written * unit.factor + unit.offset;
    if (!Number.isFinite(value)) return this.#fail("the number is too large", at, this.#at);
    const { dim, kind, affine } = unit;
    const type: Type = { is: "number", dim, kind, point: affine ? true : null };
    return { op: "literal", value, unit: unit.ucum, type, at, end: this.#at };
  }

  /** The unit after a number, "1" where none stands. It has no blanks: `5 m / x` divides. */
  #unit(): string {
    const text = this.#text;
    let at = this.#at;
    while (text[at] === " ") at += 1;
    if (!UNIT_START.test(text[at] ?? "") || /^(?:and|or)\b/.test(text.slice(at))) return "1";
    const start = at;
    let depth = 0;
    for (; at < text.length; at++) {
      const sign = text[at] as string;
      if (sign === "(" && /[./^]/.test(text[at - 1] as string)) depth += 1;
      else if (sign === ")" && depth > 0) depth -= 1;
      else if (sign === "-" && /\d/.test(text[at + 1] ?? "")) continue;
      else if (!UNIT_CHAR.test(sign)) break;
    }
    this.#at = at;
    return text.slice(start, at);
  }

  #signal(name: string, at: number): Node {
    const signal = this.#signals.get(name);
    if (signal === undefined) {
      const near = nearest(name, this.#signals.keys(), (word) => `; write "${word}"`);
      const minus = name.includes("-") ? '; write blanks around "-" to subtract' : "";
      return this.#fail(`there is no channel "${name}"${near ?? minus}`, at, this.#at);
    }
    const { dim, kind, point, unit } = signal;
    const type: Type = { is: "number", dim, kind, point, unit };
    return { op: "signal", signal, type, at, end: this.#at };
  }

  #call(called: string, at: number): Node {
    const name = FUNCTIONS.find((known) => known === called);
    if (name === undefined) {
      return this.#fail(`no function "${called}"; there are ${FUNCTIONS.join(", ")}`, at, this.#at);
    }
    this.#at += 1;
    this.#calls += 1;
    const first = this.#expression(0);
    const second = name === "abs" ? null : this.#second(name);
    this.#expect(")");
    this.#calls -= 1;
    const place = { at, end: this.#at };
    const { type } = first;
    if (name === "held") return this.#held(first, second, place);
    if (type.is !== "number") return this.#fail(`${name} needs a number`, first.at, first.end);
    if ((name === "abs" || name === "rms") && type.point === true) {
      const what = `${name} of a point has no meaning; take a difference first`;
      return this.#fail(what, at, this.#at);
    }
    if (second === null) return { op: "call", name: "abs", of: [first], type, ...place };
    const isTime = second.type.is === "number" && second.type.dim === "s";
    const eitherTime = type.dim === "s" && (name === "min" || name === "max");
    if (isTime && second.op === "literal" && !eitherTime && name !== "abs") {
      if (!(second.value > 0)) this.#fail("a window is longer than 0 s", second.at, second.end);
      const over = name === "rate" ? this.#typed(rateOf(type), at) : type;
      return { op: "window", name, of: first, span_ms: second.value * 1000, type: over, ...place };
    }
    if ((name !== "min" && name !== "max") || second.type.is !== "number") {
      return this.#fail(`${name} needs a window, as in ${name}(x, 10 s)`, at, this.#at);
    }
    const both = this.#typed(eitherOf(type, second.type), at);
    return { op: "call", name, of: [first, second], type: both, ...place };
  }

  /** Whether a condition has held for a whole window. */
  #held(of: Node, span: Node | null, place: { readonly at: number; readonly end: number }): Node {
    if (of.type.is !== "truth") {
      return this.#fail("held needs a condition, as in held(x > 16 A, 10 s)", of.at, of.end);
    }
    if (span?.op !== "literal" || span.type.is !== "number" || span.type.dim !== "s") {
      return this.#fail("held needs a window, as in held(x > 16 A, 10 s)", place.at, place.end);
    }
    if (!(span.value > 0)) this.#fail("a window is longer than 0 s", span.at, span.end);
    return { op: "held", of, span_ms: span.value * 1000, type: { is: "truth" }, ...place };
  }

  #second(name: string): Node {
    this.#blanks();
    if (this.#text[this.#at] !== ",") {
      const of = name === "held" ? "x > 16 A" : "x";
      this.#fail(`${name} needs two arguments, as in ${name}(${of}, 10 s)`, this.#at);
    }
    this.#at += 1;
    return this.#expression(0);
  }

  #binary(op: Binary, left: Node, right: Node): Node {
    const type = this.#typed(typeOf(op, left.type, right.type), left.at, right.end);
    return { op, left, right, type, at: left.at, end: right.end };
  }

  #typed<T extends Type>(found: T | string, at: number, end = this.#at): T {
    return typeof found === "string" ? this.#fail(found, at, end) : found;
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

/** The operator regex lets nothing else through. */
function operator(text: string): Binary {
  return text === "and" ? "&&" : text === "or" ? "||" : (text as Binary);
}
