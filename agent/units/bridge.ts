//! What several sources say of one channel's unit (config, EUInformation, engUnit, MAVLink), held
//! against the port and against each other: one dimension check, one {factor, offset}, or one error
//! that names every source. Nothing is converted behind anybody's back.
import { combineDimensions, isUnitFault, parseUnit, type Unit, type UnitFault } from "./parse.js";
import { parseWireUnit } from "./wire.js";

/** SI value = written value * factor + offset. */
export type Bridge = { readonly factor: number; readonly offset: number; readonly unit: Unit };

/** Where the values go; a Channel fits. `unit` is the one that it is usually written in. */
export type Port = { readonly dim: string; readonly unitKind: string; readonly unit?: string };

/** One source's word: `who` says `words`, which is a unit or, as a text, why it cannot be read. */
export type Claim = {
  readonly who: string;
  readonly words: string;
  readonly unit: Unit | string;
};

// Published factors are rounded, and mercury columns differ by 3e-6; calories differ by 7e-4.
const RELATIVE = 1e-5;

/** The one scale of a channel, or one text that names what each source says. */
export function bridge(
  port: Port,
  claims: readonly Claim[],
  remedy = "correct the source that is wrong",
): Bridge | string {
  const [first] = claims;
  if (first === undefined) {
    const usual = port.unit ?? portText(port);
    return `nobody states a unit, the port takes ${portText(port)}; write unit: "${usual}"`;
  }
  const said = claims.map((claim) => `${claim.who} ${claim.words}`).join(", ");
  const unread = claims.find((claim) => typeof claim.unit === "string");
  if (unread !== undefined) return `${said}, ${String(unread.unit)}; ${remedy}`;
  const units = claims.flatMap(({ unit }) => (typeof unit === "string" ? [] : [unit]));
  const odd = units.find((unit) => !fits(port, unit));
  const last = units.at(-1);
  if (last === undefined) return said;
  if (odd !== undefined) {
    const other = odd.dim === port.dim ? "another kind" : `dimension ${odd.dim}`;
    const against = `${other} against ${portText(port)}`;
    return `${said} (${against}); bind another source or write unit: "${last.ucum}", or ${remedy}`;
  }
  const [agreed = last] = units;
  const other = units.find((unit) => !same(agreed, unit));
  if (other !== undefined) return `${said}; write unit: "${other.ucum}", or ${remedy}`;
  return { factor: agreed.factor, offset: agreed.offset, unit: agreed };
}

/** Whether values in `unit` may feed the port: what a unit leaves unsaid, the port declares. */
export function fits(port: Port, unit: Unit): boolean {
  // N.m says nothing of rotation, so a torque (N.m/rad) may come so; rad/s as Hz may not.
  const turned = unit.dim === combineDimensions(port.dim, "rad", 1) && !unit.dim.includes("rad");
  const sameKind = unit.kind === "" || port.unitKind === "" || unit.kind === port.unitKind;
  return (unit.dim === port.dim || turned) && sameKind;
}

/** Whether two units say the same of a number; a kind that one leaves out is no difference. */
export function same(a: Unit, b: Unit): boolean {
  const kinds = a.kind === "" || b.kind === "" || a.kind === b.kind;
  const near = (x: number, y: number) => Math.abs(x - y) <= RELATIVE * Math.abs(x);
  return kinds && near(a.factor, b.factor) && near(a.offset, b.offset);
}

/** At a port that takes differences `Cel` is a kelvin: a spread has no zero to be shifted by. */
export function asDifference(unit: Unit): Unit {
  return unit.affine ? { ...unit, offset: 0, affine: false } : unit;
}

/** From values in one unit to values in another of the same dimension; null across dimensions. */
export function between(from: Unit, to: Unit): { factor: number; offset: number } | null {
  if (!fits({ dim: to.dim, unitKind: to.kind }, from)) return null;
  return { factor: from.factor / to.factor, offset: (from.offset - to.offset) / to.factor };
}

/** A text that a device states (a Sparkplug `engUnit`, a displayName). */
export function claim(who: string, text: string): Claim {
  return claimOf(who, text, parseWireUnit(text.trim()));
}

export function claimOf(who: string, text: string, unit: Unit | UnitFault): Claim {
  const words = `"${text.trim().slice(0, 60)}"`;
  return { who, words, unit: isUnitFault(unit) ? "which Sterna cannot read" : unit };
}

const AMOUNT = /^(?:(\d[\d.e+-]*) )?(\S+)$/;

/** `14.5939 kg` as a unit: so many of a unit that has a name. Only our own tables write so. */
export function unitOfAmount(text: string): Unit | UnitFault {
  const [, number = "1", name = ""] = AMOUNT.exec(text) ?? [];
  const unit = parseUnit(name);
  if (isUnitFault(unit) || number === "1") return unit;
  return { ...unit, text, factor: unit.factor * Number(number) };
}

function portText({ dim, unitKind }: Port): string {
  return unitKind === "" ? dim : `${dim}{${unitKind}}`;
}
