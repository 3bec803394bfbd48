//! Unit strings at run time: UCUM syntax plus the dialect of config writers (`m/s^2`, `rpm`,
//! `degC`, `kWh`, `V/Hz^(1/2)`). One grammar for config, wire and rules. Pure; bounded in time
//! and length.
import { ALIASES, ATOMS, BASES, NAMES, PREFIXES } from "./atoms.js";

/** A parsed unit: SI value = written value * factor + offset. */
export type Unit = {
  /** As the user wrote it. */
  readonly text: string;
  /** The spelling that the wire and the page print (`m/s2`, `Cel`, `mm/s{rms}`). */
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

const LENGTH_MAX = 128;
const DEPTH_MAX = 8;
const EXPONENT_MAX = 8;
const FACTOR = /^(\[[^\]\s]*\]|[A-Za-zµ°%]+|\d+)(\[[^\]\s]*\])?/;
const EXPONENT = /^(?:\^\(([+-]?\d+)\/(\d+)\)|\^?([+-]?\d+))/;

type Vector = Map<string, number>;
type Product = { factor: number; dim: Vector; lone: number };

export function isUnitFault(unit: Unit | UnitFault): unit is UnitFault {
  return "fault" in unit;
}

/** Reads a unit string; a fault says which part and what to write instead. */
export function parseUnit(text: string): Unit | UnitFault {
  if (text.length > LENGTH_MAX) {
    return fault(`a unit has at most ${LENGTH_MAX} characters, this has ${text.length}`, 0, 1);
  }
  const annotation = /\{([A-Za-z0-9_,.\- ]*)\}$/.exec(text);
  const body = annotation === null ? text : text.slice(0, annotation.index);
  const kind = annotation?.[1] ?? "";
  if (body === "" && annotation === null)
    return fault('empty unit; write "1" for a bare number', 0, 1);
  const product = body === "" ? one() : new Reader(body).all();
  if ("fault" in product) return product;
  for (const exponent of product.dim.values()) {
    if (Math.abs(exponent) > EXPONENT_MAX) {
      return fault(`an exponent of "${text}" is beyond ${EXPONENT_MAX}`, 0, text.length);
    }
  }
  const spelling = (body === "" ? "1" : canonical(body)) + (kind === "" ? "" : `{${kind}}`);
  return {
    text,
    ucum: spelling,
    dim: showDimension(product.dim),
    kind,
    factor: product.factor,
    offset: product.lone,
    affine: product.lone !== 0,
  };
}

const one = (): Product => ({ factor: 1, dim: new Map(), lone: 0 });
const fault = (what: string, at: number, length: number): UnitFault => ({
  fault: what,
  at,
  length,
});

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Product | UnitFault {
    const product = this.#term(0);
    if ("fault" in product || this.#at === this.#text.length) return product;
    return fault(`unexpected "${this.#text[this.#at]}" in the unit "${this.#text}"`, this.#at, 1);
  }

  #term(depth: number): Product | UnitFault {
    const sum = one();
    let sign = 1;
    let factors = 0;
    if (this.#take("/")) sign = -1;
    for (;;) {
      const part = this.#factor(depth);
      if ("fault" in part) return part;
      sum.factor *= part.factor ** sign;
      for (const [base, exponent] of part.dim) {
        sum.dim.set(base, (sum.dim.get(base) ?? 0) + sign * exponent);
      }
      factors += 1;
      // degC is a point only alone: in Cel/min it is a difference, and the offset has no place.
      sum.lone = factors === 1 && sign === 1 ? part.lone : 0;
      if (this.#take(".") || this.#take("*")) sign = 1;
      else if (this.#take("/")) sign = -1;
      else return sum;
    }
  }

  #factor(depth: number): Product | UnitFault {
    const at = this.#at;
    if (this.#take("(")) {
      if (depth >= DEPTH_MAX) return fault("too many parentheses in the unit", at, 1);
      const inner = this.#term(depth + 1);
      if ("fault" in inner) return inner;
      if (!this.#take(")")) return fault('a ")" is missing in the unit', this.#at, 1);
      return this.#power({ ...inner, lone: 0 });
    }
    const match = FACTOR.exec(this.#text.slice(at));
    if (match === null) {
      const found = this.#text[at];
      return fault(found === undefined ? "the unit ends too soon" : `"${found}" is no unit`, at, 1);
    }
    this.#at += match[0].length;
    const found = lookUp(match[0]);
    if (found === null) {
      return fault(`unknown unit "${match[0]}"${nearest(match[0])}`, at, match[0].length);
    }
    return this.#power(found);
  }

  #power(base: Product): Product | UnitFault {
    const match = EXPONENT.exec(this.#text.slice(this.#at));
    if (match === null) return base;
    const at = this.#at;
    this.#at += match[0].length;
    const exponent = Number(match[1] ?? match[3]) / Number(match[2] ?? 1);
    if (!Number.isInteger(exponent * 2) || Math.abs(exponent) > EXPONENT_MAX || exponent === 0) {
      return fault(
        `bad exponent "${match[0]}"; write a multiple of 1/2 up to ${EXPONENT_MAX}`,
        at,
        match[0].length,
      );
    }
    const dim: Vector = new Map([...base.dim].map(([b, e]) => [b, e * exponent]));
    return { factor: base.factor ** exponent, dim, lone: exponent === 1 ? base.lone : 0 };
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}

function lookUp(name: string): Product | null {
  const alias = ALIASES.get(name);
  if (alias !== undefined) {
    const product = new Reader(alias).all();
    return "fault" in product ? null : product;
  }
  const atom = ATOMS.get(name);
  if (atom !== undefined) {
    return { factor: atom.factor, dim: new Map(Object.entries(atom.dim)), lone: atom.offset };
  }
  if (/^\d+$/.test(name)) return { factor: Number(name), dim: new Map(), lone: 0 };
  for (const length of [1, 2]) {
    const prefix = PREFIXES.get(name.slice(0, length));
    const metric = ATOMS.get(name.slice(length));
    if (prefix !== undefined && metric?.metric) {
      return { factor: prefix * metric.factor, dim: new Map(Object.entries(metric.dim)), lone: 0 };
    }
  }
  return null;
}

function nearest(name: string): string {
  const low = name.toLowerCase();
  for (const known of [...ATOMS.keys(), ...ALIASES.keys()]) {
    if (known.toLowerCase().replace(/[[\]]|_.*$/g, "") === low) return `; write "${known}"`;
  }
  return "";
}

function canonical(body: string): string {
  return body
    .replace(/[A-Za-z°]+/g, (word) => {
      const alias = ALIASES.get(word);
      if (alias === undefined || word === "r") return word;
      return /[./]/.test(alias) && body !== word ? `(${alias})` : alias;
    })
    .replace(/\^(?=[+-]?\d)/g, "");
}

/** Numerators in base order joined by ".", then "/x" for each denominator; "1" when empty. */
export function showDimension(dim: ReadonlyMap<string, number>): string {
  let over = "";
  let under = "";
  for (const base of BASES) {
    const exponent = dim.get(base) ?? 0;
    if (exponent > 0) over += `${over === "" ? "" : "."}${base}${power(exponent)}`;
    if (exponent < 0) under += `/${base}${power(-exponent)}`;
  }
  const text = `${over === "" ? "1" : over}${under}`;
  return NAMES.get(text) ?? text;
}

function power(exponent: number): string {
  if (exponent === 1) return "";
  return Number.isInteger(exponent) ? String(exponent) : `^(${exponent * 2}/2)`;
}

/** The dimension of a product or quotient of two canonical dimensions. */
export function combineDimensions(left: string, right: string, sign: 1 | -1): string {
  const product = new Reader(left).all();
  const other = new Reader(right).all();
  if ("fault" in product || "fault" in other) return "1";
  for (const [base, exponent] of other.dim) {
    product.dim.set(base, (product.dim.get(base) ?? 0) + sign * exponent);
  }
  return showDimension(product.dim);
}

/** A literal such as `5 MW` or `60 s`: the value in SI with its unit. */
export type Amount = { readonly value: number; readonly unit: Unit };

const AMOUNT = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$/;

export function parseAmount(text: string): Amount | UnitFault {
  if (text.length > LENGTH_MAX) return fault("an amount is a number and a unit", 0, 1);
  const match = AMOUNT.exec(text);
  if (match === null) return fault(`no number in "${text}"`, 0, text.length);
  const written = match[2] === undefined || match[2] === "" ? "1" : match[2];
  const unit = parseUnit(written);
  if (isUnitFault(unit)) return { ...unit, at: unit.at + Math.max(0, text.indexOf(written)) };
  const value = Number(match[1]) * unit.factor + unit.offset;
  if (!Number.isFinite(value)) return fault(`"${text}" is not a finite amount`, 0, text.length);
  return { value, unit };
}
