//! Dimensions at run time: exponents over the bases, and their canonical text. The compile-time
//! twin is dimension.ts; equal strings mean equal dimensions in both.
import { BASES, CURRENCIES, type Exponents, NAMES } from "./atoms.js";

/** Exponents in the order of the bases; what is missing at the end is 0. */
export type Vector = readonly number[];

/** Exponents beyond this are faults: no physical law needs them, and types compute by table. */
export const EXPONENT_MAX = 8;

const bases: string[] = [...BASES, ...CURRENCIES];
const builtIn = bases.length;
const names = new Map<string, string>(Object.entries(NAMES));

/** Adds counts or currencies of one's own. At module level, beside the `Register` of the types. */
export function registerBases(...added: readonly string[]): void {
  for (const base of added) if (!bases.includes(base)) bases.push(base);
}

/** The vector of a custom base or currency; null for any other name. */
export function customBase(name: string): Vector | null {
  const index = bases.indexOf(name, BASES.length);
  return index < 0 ? null : unitVector(index);
}

export function customNames(): readonly string[] {
  return bases.slice(builtIn);
}

function unitVector(index: number): Vector {
  return bases.slice(0, index + 1).map((_, i) => (i === index ? 1 : 0));
}

export function fromExponents(dim: Exponents): Vector {
  return bases.map((base) => (Object.hasOwn(dim, base) ? Number(dim[base]) : 0));
}

/** a * b^power; null when an exponent leaves [-8, 8] or is no multiple of 1/2. */
export function multiply(a: Vector, b: Vector, power: number): Vector | null {
  const out: number[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const raised = (b[i] ?? 0) * power;
    const sum = (a[i] ?? 0) + raised;
    // The power alone must fit too: that is how the types compute it.
    if (!(Math.abs(raised) <= EXPONENT_MAX && Math.abs(sum) <= EXPONENT_MAX)) return null;
    if (!Number.isInteger(sum * 2)) return null;
    out.push(sum);
  }
  return out;
}

/** `kg.m2/s3` as `W`: numerators in base order, then a `/` before each denominator. */
export function print(vector: Vector): string {
  const over: string[] = [];
  let under = "";
  for (const [i, base] of bases.entries()) {
    const exponent = vector[i] ?? 0;
    if (exponent > 0) over.push(base + printExponent(exponent));
    if (exponent < 0) under += `/${base}${printExponent(-exponent)}`;
  }
  const text = (over.join(".") || "1") + under;
  return names.get(text) ?? text;
}

function printExponent(exponent: number): string {
  if (exponent === 1) return "";
  return Number.isInteger(exponent) ? String(exponent) : `^(${exponent * 2}/2)`;
}
