//! One unit atom with its prefix: from the name to dimension, factor and spelling.
import type { Atom } from "./atoms.js";
import { BINARY, METRIC, PLAIN, PREFIX, ZERO } from "./atoms.js";
import { nearest } from "./nearest.js";
import { INSTEAD, SPELLING } from "./spelling.js";
import { customBase, fromExponents, type Vector } from "./vector.js";

/** A factor of the unit. Powers of ten are summed apart, so that mm3 is 1e-9 to the last bit. */
export type Part = {
  readonly vector: Vector;
  readonly factor: number;
  readonly tens: number;
  readonly offset: number;
  readonly ucum: string;
};

export const NOTHING: Part = { vector: [], factor: 1, tens: 0, offset: 0, ucum: "" };
const metric = new Map<string, Atom>(Object.entries(METRIC));
const plain = new Map<string, Atom>(Object.entries(PLAIN));
const decimal = new Map<string, number>(Object.entries(PREFIX));
const binary = new Map<string, number>(Object.entries(BINARY));

/** The part of an atom such as `mm` or `kPa`; null when there is no such unit. */
export function lookUp(name: string): Part | null {
  const whole = plain.get(name) ?? metric.get(name);
  if (whole !== undefined) return toPart(name, whole, "", 1, 0);
  for (const size of [1, 2]) {
    const prefix = name.slice(0, size);
    const rest = metric.get(name.slice(size));
    if (rest === undefined) continue;
    const tens = decimal.get(prefix);
    if (tens !== undefined) return toPart(name.slice(size), rest, prefix, 1, tens);
    const twos = binary.get(prefix);
    if (twos !== undefined) return toPart(name.slice(size), rest, prefix, 2 ** twos, 0);
  }
  const vector = customBase(name);
  return vector === null ? null : { ...NOTHING, vector, ucum: name };
}

function toPart(name: string, atom: Atom, prefix: string, times: number, tens: number): Part {
  const [factor, dim] = atom;
  return {
    vector: fromExponents(dim),
    factor: factor * times,
    tens,
    offset: ZERO.get(name) ?? 0,
    ucum: prefix + (SPELLING.get(name) ?? name),
  };
}

/** What to write instead of a name that is no unit. */
export function adviceFor(name: string): string {
  const known = INSTEAD.get(name) ?? INSTEAD.get(name.toLowerCase()) ?? withPower(name);
  const near = known ?? nearest(name, [...plain.keys(), ...metric.keys()], (s) => `"${s}"`);
  return near === null ? "; see docs/units.md for the units" : `; write ${near}`;
}

/** `kft`: a unit that takes no prefix, which so must be written as a power of ten. */
function withPower(name: string): string | undefined {
  for (const size of [1, 2]) {
    const tens = decimal.get(name.slice(0, size));
    const rest = name.slice(size);
    if (tens === undefined || !plain.has(rest)) continue;
    return `"10*${tens}.${rest}": ${rest} takes no prefix`;
  }
  return undefined;
}
