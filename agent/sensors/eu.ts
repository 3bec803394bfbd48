//! EngineeringUnits of OPC UA held against the unit of the config. A unitId is the UNECE common
//! code as bytes (OPC 10000-8, 5.6.3), so the table is keyed by code. Never parses descriptions.
import type { Channel } from "../base/telemetry.js";
import { combineDimensions, isUnitFault, type Unit } from "../units/parse.js";
import { parseWireUnit } from "../units/wire.js";

/** What the server's EngineeringUnits property says; null texts are empty ones. */
export type DeclaredUnit = {
  readonly namespaceUri: string | null;
  readonly unitId: number;
  readonly displayName: string | null;
};

// A unitId means a UNECE code under this namespace only; IEC 62720 packs its own numbers.
const UNECE = "http://www.opcfoundation.org/UA/units/un/cefact";

const TABLE = `
  C62 1    P1 %     59 [ppm]  CEL Cel  KEL K    FAH [degF]
  MTR m    CMT cm   MMT mm    4H um    KMT km   FOT [ft_i]  INH [in_i]
  MTS m/s  C16 mm/s KMH km/h  MSK m/s2 KNT [kn_i]
  DD deg   C81 rad  2A rad/s  RPM r/min RPS r/s
  SEC s    C26 ms   MIN min   HUR h    DAY d    HTZ Hz   KHZ kHz  C94 /min
  PAL Pa   A97 hPa  KPA kPa   MPA MPa  MBR mbar BAR bar  PS [psi]
  NEW N    B47 kN   NU N.m    B48 kN.m
  WTT W    KWT kW   MAW MW    D46 V.A  KVA kV.A
  JOU J    KJO kJ   WHR W.h   KWH kW.h MWH MW.h
  VLT V    2Z mV    KVT kV    AMP A    4K mA    AMH A.h  E09 mA.h OHM Ohm  FAR F  D33 T
  GRM g    KGM kg   TNE t     KGS kg/s KMQ kg/m3
  LTR L    MTQ m3   L2 L/min  MQS m3/s MQH m3/h
`;

/** Common codes of UNECE Recommendation 20 that controllers of plants and vehicles use. */
export const COMMON_CODES: ReadonlyMap<string, string> = new Map(
  Array.from(TABLE.matchAll(/(\S+)\s+(\S+)/g), ([, code = "", unit = ""]) => [code, unit]),
);

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

/** The unit that the server declares; null: none declared; a text: declared but not readable. */
function readDeclared(declared: DeclaredUnit): Unit | string | null {
  const display = (declared.displayName ?? "").trim();
  const unece =
    declared.namespaceUri === null ||
    declared.namespaceUri === "" ||
    declared.namespaceUri === UNECE;
  const code = unece ? codeOf(declared.unitId) : null;
  const written = code === null ? undefined : COMMON_CODES.get(code);
  if (written === undefined && display === "") {
    return declared.unitId > 0 ? `${describe(declared)}, a code that Sterna does not know` : null;
  }
  const unit = parseWireUnit(written ?? display);
  return isUnitFault(unit) ? `${describe(declared)}, which Sterna cannot read` : unit;
}

/** Why the server's unit and the config's cannot both be right; null when they can. */
export function unitConflict(channel: Channel, declared: DeclaredUnit): string | null {
  const unit = readDeclared(declared);
  if (unit === null) return null;
  const config = `the config says unit "${channel.unit}"`;
  const remedy = 'or, if the server is wrong, write "overrideUnit: true"';
  if (typeof unit === "string") {
    return `${config}, the server's EngineeringUnits say ${unit}; check the machine, ${remedy}`;
  }
  // N.m says nothing of rotation, so a torque (N.m/rad) may be declared so; rad/s as Hz may not.
  const sameDim = unit.dim === channel.dim || unit.dim === combineDimensions(channel.dim, "rad", 1);
  const sameKind = unit.kind === "" || channel.unitKind === "" || unit.kind === channel.unitKind;
  const same =
    sameDim &&
    sameKind &&
    Math.abs(unit.factor - channel.factor) <= 1e-9 * Math.abs(channel.factor) &&
    Math.abs(unit.offset - channel.offset) <= 1e-9 * Math.abs(channel.offset);
  if (same) return null;
  const how = sameDim ? "" : ` (dimension ${unit.dim} against ${channel.dim})`;
  return (
    `${config}, the server's EngineeringUnits say ${describe(declared)}${how}; ` +
    `write unit: "${unit.ucum}", ${remedy}`
  );
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
