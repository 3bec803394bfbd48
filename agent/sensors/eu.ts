//! EngineeringUnits of OPC UA held against the unit of the config. A unitId is the UNECE common
//! code as bytes (OPC 10000-8, 5.6.3), so the table is keyed by code. Never parses descriptions.
import type { Channel } from "../base/telemetry.js";
import { bridge, type Claim, same } from "../units/bridge.js";
import { isUnitFault } from "../units/parse.js";
import { uneceUnit } from "../units/unece.js";
import { parseWireUnit } from "../units/wire.js";
import { asTaken, ownClaim } from "./scale.js";

/** What the server's EngineeringUnits property says; null texts are empty ones. */
export type DeclaredUnit = {
  readonly namespaceUri: string | null;
  readonly unitId: number;
  readonly displayName: string | null;
};

const REMEDY = 'write "overrideUnit: true" if the server is wrong';
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
  const shown = display === "" ? null : parseWireUnit(display);
  const read = shown === null || isUnitFault(shown) ? null : shown;
  if (found !== null && typeof found !== "string") {
    // RPM shown as 1/min is a habit; KWT shown as W is a factor of a thousand.
    const clash = read !== null && read.dim === found.dim && !same(read, found);
    return { who, words, unit: clash ? "of which the name contradicts the code" : found };
  }
  // A code that is refused or unknown may still carry a text that says what it is.
  if (shown !== null) return { who, words, unit: read ?? found ?? "which Sterna cannot read" };
  if (declared.unitId <= 0) return null;
  return { who, words, unit: found ?? "a code that Sterna does not know" };
}

/**
 * The channel with the one scale of its values, or why there is none. `stated`: the config gives a
 * unit; without it the server's stands, and where that is silent too nobody knows what is sent.
 */
export function unitBridge(
  channel: Channel,
  declared: DeclaredUnit | null,
  stated: boolean,
): Channel | string {
  const server = declared === null ? null : claimOf(declared);
  if (server === null && (stated || isNumber(channel))) return channel;
  const says =
    server === null || typeof server.unit === "string"
      ? server
      : { ...server, unit: asTaken(channel, server.unit) };
  const claims = [stated ? ownClaim(channel) : null, says].filter((claim) => claim !== null);
  const found = bridge(channel, claims, stated ? REMEDY : undefined);
  if (typeof found === "string") return found;
  return stated ? channel : { ...channel, factor: found.factor, offset: found.offset };
}

/** A state or a count: nobody writes a unit to it. */
const isNumber = ({ dim, factor }: Channel): boolean => dim === "1" && factor === 1;

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
  return `"${(declared.displayName ?? "").trim().slice(0, 60)}" (${id})`;
}
