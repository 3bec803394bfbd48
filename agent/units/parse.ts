//! Unit strings at run time: UCUM syntax plus the habits of people who write configs (`m/s^2`,
//! `rpm`, `kWh`, `degC`). One parser for config, wire and rules; dimension.ts is its twin in types.
import { adviceFor, lookUp, NOTHING, type Part } from "./lookup.js";
import { INSTEAD, LOOK_ALIKE } from "./spelling.js";
import { multiply, print, type Vector } from "./vector.js";

/** A parsed unit: SI value = written value * factor + offset. */
export type Unit = {
  /** As the user wrote it. */
  readonly text: string;
  /** The UCUM spelling that the wire and the page print (`m/s2`, `Cel`, `mm/s{rms}`). */
  readonly ucum: string;
  /** Canonical SI dimension without kind: `m/s2`, `Pa`, `1`. Equal strings, equal dimensions. */
  readonly dim: string;
  /** UCUM annotation (`rms` of `mm/s{rms}`), "" when none. */
  readonly kind: string;
  readonly factor: number;
  readonly offset: number;
  /** True for degC and degF: a reading is a point, not a difference. */
  readonly affine: boolean;
};

/** Why a unit string cannot be read: `at` and `length` are the offending part. */
export type UnitFault = {
  readonly fault: string;
  readonly at: number;
  readonly length: number;
};

/** A literal such as `5 MW` or `60 s`: the value in SI with its unit. */
export type Amount = { readonly value: number; readonly unit: Unit };

/** Longer text is no unit. It bounds time and memory on whatever the wire brings. */
export const UNIT_CHARS_MAX = 128;
const DEPTH_MAX = 4;
const KIND_CHARS_MAX = 32;

type State = {
  readonly text: string;
  at: number;
  depth: number;
  kind: string;
  /** The first fault; later ones are consequences. */
  fault: UnitFault | null;
};

const ATOM = /(?:[A-Za-z%'_]|\[[A-Za-z0-9_']+\])+/y;
const EXPONENT = /\^\(([^()]*)\)|\^?([+-]?\d+)/y;
const TEN = /10[*^](?=[+-]?\d)/y;
const INTEGER = /[1-9]\d{0,14}(?![A-Za-z\d[%'_])/y;
const EXPONENT_TEXT = /^[+-]?(?:[1-8]|(?:[13579]|1[135])\/2)$/;
const NUMBER = /^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*/;

export function parseUnit(text: string): Unit | UnitFault {
  if (text === "") return { fault: 'empty unit; write "1" for a plain number', at: 0, length: 0 };
  if (text.length > UNIT_CHARS_MAX) {
    const fault = `a unit has at most ${UNIT_CHARS_MAX} characters, this one ${text.length}`;
    return { fault, at: 0, length: UNIT_CHARS_MAX };
  }
  const state: State = { text, at: 0, depth: 0, kind: "", fault: null };
  const part = product(state);
  if (state.fault === null && state.at < text.length) unexpected(state);
  if (state.fault !== null) return state.fault;
  const { kind } = state;
  const shown = part.ucum === "" && kind === "" ? "1" : part.ucum;
  const ucum = kind === "" ? shown : `${shown === "1" ? "" : shown}{${kind}}`;
  const affine = part.offset !== 0;
  const factor = scaled(part);
  return { text, ucum, dim: print(part.vector), kind, factor, offset: part.offset, affine };
}

export function isUnitFault(unit: Unit | UnitFault): unit is UnitFault {
  return "fault" in unit;
}

/** `5 MW`, `60 s`, `-20 Cel`, `5 %`, `0.85`. */
export function parseAmount(text: string): Amount | UnitFault {
  const match = NUMBER.exec(text.slice(0, UNIT_CHARS_MAX));
  if (match === null) {
    const fault = `no number in "${text.slice(0, 40)}"; write it first, as in "5 MW"`;
    return { fault, at: 0, length: Math.min(text.length, UNIT_CHARS_MAX) };
  }
  const at = match[0].length;
  const rest = text.slice(at).trimEnd();
  if (rest.startsWith(",")) return { fault: 'write a decimal point, not ","', at, length: 1 };
  const unit = parseUnit(rest === "" ? "1" : rest);
  if (isUnitFault(unit)) return { ...unit, at: unit.at + at };
  const value = Number(match[1]) * unit.factor + unit.offset;
  if (Number.isFinite(value)) return { value, unit };
  return { fault: `the number ${match[1]} is too large`, at: 0, length: at };
}

/** Dimension of a product or quotient of two canonical dimensions; null when it overflows. */
export function combineDimensions(a: string, b: string, power: 1 | -1): string | null {
  const vector = multiply(dimVector(a), dimVector(b), power);
  return vector === null ? null : print(vector);
}

function dimVector(dim: string): Vector {
  return product({ text: dim, at: 0, depth: 0, kind: "", fault: null }).vector;
}

function scaled(part: Part): number {
  const { factor, tens } = part;
  return tens < 0 ? factor / 10 ** -tens : factor * 10 ** tens; // 10**n is exact up to 22
}

function fail(state: State, fault: string, at: number, length: number): Part {
  state.fault ??= { fault, at, length };
  state.at = state.text.length; // nothing after a fault is read
  return NOTHING;
}

function product(state: State): Part {
  let part = NOTHING;
  let sign: 1 | -1 = 1;
  if (state.text[state.at] === "/" && state.depth === 0) {
    state.at += 1;
    sign = -1;
  }
  for (;;) {
    const at = state.at;
    const next = component(state);
    const vector = multiply(part.vector, next.vector, sign);
    if (vector === null) {
      return fail(state, "an exponent leaves the range -8 to 8", at, state.at - at);
    }
    const lone = part === NOTHING && sign === 1;
    const compound = sign === -1 && isCompound(next.ucum);
    const shown = compound ? `(${next.ucum})` : next.ucum;
    part = {
      vector,
      factor: sign === 1 ? part.factor * next.factor : part.factor / next.factor,
      tens: part.tens + sign * next.tens,
      offset: lone ? next.offset : 0,
      ucum: lone ? shown : join(part.ucum, sign, shown),
    };
    const operator = state.text[state.at];
    if (operator !== "." && operator !== "/") return part;
    sign = operator === "." ? 1 : -1;
    state.at += 1;
  }
}

/** A lone kind prints as nothing, so `{cells}/uL` prints `/uL{cells}`. */
function join(left: string, sign: 1 | -1, right: string): string {
  if (right === "") return left;
  if (sign === -1) return `${left}/${right}`;
  return left === "" ? right : `${left}.${right}`;
}

function component(state: State): Part {
  const { text, at } = state;
  let part: Part;
  if (text[at] === "(") part = group(state);
  else if (text[at] === "{") part = NOTHING;
  else part = number(state) ?? atom(state);
  if (state.text[state.at] === "{") annotation(state);
  return part;
}

function group(state: State): Part {
  const open = state.at;
  if (state.depth === DEPTH_MAX) {
    return fail(state, `more than ${DEPTH_MAX} nested parentheses`, open, 1);
  }
  state.at += 1;
  state.depth += 1;
  const part = product(state);
  state.depth -= 1;
  if (state.fault !== null) return NOTHING;
  if (state.text[state.at] !== ")") return fail(state, 'a "(" is not closed', open, 1);
  state.at += 1;
  if (/[\d^+-]/.test(state.text[state.at] ?? "")) {
    const fault = "parentheses take no exponent; write it on each unit inside";
    return fail(state, fault, state.at, 1);
  }
  return isCompound(part.ucum) ? { ...part, ucum: `(${part.ucum})` } : part;
}

/** Whether a text needs parentheses after "/"; the "/" of an exponent does not count. */
function isCompound(ucum: string): boolean {
  return /[./]/.test(ucum.replace(/\^\(.*?\)/g, "")) && !/^\([^()]*\)$/.test(ucum);
}

function annotation(state: State): void {
  const { text, at } = state;
  const end = text.indexOf("}", at);
  const kind = end < 0 ? "" : text.slice(at + 1, end);
  if (!/^[!-z|~]+$/.test(kind) || kind.includes("{")) {
    fail(state, 'a kind is a plain word in braces, as in "mm/s{rms}"', at, 1);
  } else if (kind.length > KIND_CHARS_MAX) {
    fail(state, `a kind has at most ${KIND_CHARS_MAX} characters`, at, kind.length + 2);
  } else if (state.kind !== "") {
    fail(state, `a unit has one kind; "${state.kind}" stands before`, at, kind.length + 2);
  } else {
    state.kind = kind;
    state.at = end + 1;
  }
}

function match(state: State, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = state.at;
  const found = pattern.exec(state.text);
  if (found !== null) state.at += found[0].length;
  return found;
}

function number(state: State): Part | null {
  const at = state.at;
  if (match(state, TEN) !== null) {
    const digits = /[+-]?\d{1,2}(?!\d)/y;
    const power = match(state, digits);
    if (power === null) return fail(state, "a power of ten has at most two digits", at, 3);
    return { ...NOTHING, tens: Number(power[0]), ucum: state.text.slice(at, state.at) };
  }
  const integer = match(state, INTEGER);
  return integer === null ? null : { ...NOTHING, factor: Number(integer[0]), ucum: integer[0] };
}

function atom(state: State): Part {
  const at = state.at;
  const name = match(state, ATOM)?.[0];
  if (name === undefined) return unexpected(state);
  const found = lookUp(name);
  if (found === null) {
    // The rest of the word is what is wrong: of `kΩ` or a Greek `kρ`, "k" alone says nothing.
    const cut = (state.text.codePointAt(state.at) ?? 0) > 127;
    return cut ? unexpected(state) : unknown(state, name, at);
  }
  const exponentAt = state.at;
  const written = match(state, EXPONENT);
  if (written === null) return found;
  const digits = written[1] ?? written[2] ?? "";
  if (!EXPONENT_TEXT.test(digits) || (written[1] === undefined && digits.includes("/"))) {
    const fault = `bad exponent "${digits}"; use 1 to 8, negative, or a half as in "^(1/2)"`;
    return fail(state, fault, exponentAt, written[0].length);
  }
  const [over, under] = digits.split("/");
  const exponent = Number(over) / Number(under ?? 1);
  const vector = multiply([], found.vector, exponent);
  if (vector === null) {
    return fail(state, "an exponent leaves the range -8 to 8", at, state.at - at);
  }
  return {
    vector,
    factor: found.factor ** exponent,
    tens: found.tens * exponent,
    offset: exponent === 1 ? found.offset : 0,
    ucum: printPower(name, found.ucum, exponent),
  };
}

function printPower(name: string, ucum: string, exponent: number): string {
  const base = isCompound(ucum) ? name : ucum; // `rpm2`: parentheses take no exponent
  if (exponent === 1) return base;
  return Number.isInteger(exponent) ? `${base}${exponent}` : `${base}^(${exponent * 2}/2)`;
}

function unknown(state: State, name: string, at: number): Part {
  return fail(state, `unknown unit "${name}"${adviceFor(name)}`, at, name.length);
}

function unexpected(state: State): Part {
  const { text, at } = state;
  if (at >= text.length) return fail(state, "a unit is missing at the end", text.length, 0);
  const sign = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const known = INSTEAD.get(text.slice(at, at + 2)) ?? INSTEAD.get(sign) ?? plainOf(sign);
  const code = sign.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  const named = code > 32 && code < 127 ? `"${sign}"` : code === 32 ? "blank" : `U+${hex}`;
  const hint = /\s/.test(sign) ? '; write none, as in "km/h"' : "";
  const advice = known === undefined ? hint : `; write ${known}`;
  return fail(state, `unexpected ${named} in a unit${advice}`, at, sign.length);
}

/** The letters that a sign beyond ASCII looks like: Cyrillic `м`, fullwidth `Ｗ`, the one sign `㎾`. */
function plainOf(sign: string): string | undefined {
  const plain = LOOK_ALIKE.get(sign) ?? sign.normalize("NFKC");
  return plain !== sign && /^[!-~]+$/.test(plain) ? `"${plain}"` : undefined;
}
