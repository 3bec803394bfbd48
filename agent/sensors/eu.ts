//! EngineeringUnits of OPC UA held against the unit of the config. A unitId is the UNECE common
//! code as bytes (OPC 10000-8, 5.6.3), so the table is keyed by code. Never parses descriptions.
import type { Channel } from "../base/telemetry.js";
import { bridge, type Claim } from "../units/bridge.js";
import { isUnitFault, type Unit } from "../units/parse.js";
import { uneceUnit } from "../units/unece.js";
import { parseWireUnit } from "../units/wire.js";

/** What the server's EngineeringUnits property says; null texts are empty ones. */
export type DeclaredUnit = {
  readonly namespaceUri: string | null;
  readonly unitId: number;
  readonly displayName: string | null;
};

const REMEDY = 'or, if the server is wrong, write "overrideUnit: true"';
// A unitId means a UNECE code under this namespace only; IEC 62720 packs its own numbers.
const UNECE = "http://www.opcfoundation.org/UA/units/un/cefact";

/** The common code packed in a unitId: 4408652 is `CEL`; null where it packs none. */
export function codeOf(unitId: number): string | null {
  if (!Number.isInteger(unitId) || unitId <= 0 || unitId > 0xffffff) return null;
  let code = "";
  for (let rest = unitId; rest > 0; rest >>= 8) code = String.fromCharCode(rest & 0xff) + code;
  return /^[A-Z0-9]{1,3}$/.test(code) ? code : null;
}

export function unitIdOf(code: string): number {
  return [...code].reduce((sum, letter) => sum * 256 + letter.charCodeAt(0), 0);
}

/** The server's word; null: it declares no unit. */
function claimOf(declared: DeclaredUnit): Claim | null {
  const display = (declared.displayName ?? "").trim();
  const unece =
    declared.namespaceUri === null ||
    declared.namespaceUri === "" ||
    declared.namespaceUri === UNECE;
  const code = unece ? codeOf(declared.unitId) : null;
  const found = code === null ? null : uneceUnit(code);
  const who = "the server's EngineeringUnits say";
  const words = describe(declared);
  if (found !== null && typeof found !== "string") return { who, words, unit: found };
  if (display !== "") {
    // A code that is refused or unknown may still carry a text that says what it is.
    const unit = parseWireUnit(display);
    return { who, words, unit: isUnitFault(unit) ? (found ?? "which Sterna cannot read") : unit };
  }
  if (declared.unitId <= 0) return null;
  return { who, words, unit: found ?? "a code that Sterna does not know" };
}

/** Why the server's unit and the config's cannot both be right; null when they can. */
export function unitConflict(channel: Channel, declared: DeclaredUnit): string | null {
  const server = claimOf(declared);
  if (server === null) return null;
  const { unit: text, dim, unitKind: kind, factor, offset, point: affine } = channel;
  const unit: Unit = { text, ucum: text, dim, kind, factor, offset, affine };
  const config = { who: "the config says", words: `unit "${text}"`, unit };
  const found = bridge(channel, [config, server], REMEDY);
  return typeof found === "string" ? found : null;
}

/** Why the server's EURange makes the config's limits doubtful; null when they overlap. */
export function rangeDoubt(channel: Channel, low: number, high: number): string | null {
  if (!(low < high)) return null;
  const from = low * channel.factor + channel.offset;
  const to = high * channel.factor + channel.offset;
  if (from <= channel.max && to >= channel.min) return null;
  const limits = [channel.min, channel.max].map((si) => (si - channel.offset) / channel.factor);
  return (
    `the server's EURange is ${low} to ${high}, the config allows ${limits.join(" to ")} ` +
    `(${channel.unit}): no reading fits both`
  );
}

function describe(declared: DeclaredUnit): string {
  const code = codeOf(declared.unitId);
  const id = code === null ? `unitId ${declared.unitId}` : `unitId ${declared.unitId} = ${code}`;
  return `"${(declared.displayName ?? "").trim()}" (${id})`;
}
