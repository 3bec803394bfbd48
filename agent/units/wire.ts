//! Units as devices spell them on the wire (EUInformation displayName, engUnit): a plant is not
//! refused for a habit. Configs and rules get no such mercy: they are told what to write.
import { parseUnit, UNIT_CHARS_MAX, type Unit, type UnitFault } from "./parse.js";

const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/[°º]\s*C|℃/gu, "Cel"],
  [/[°º]\s*F|℉/gu, "[degF]"],
  [/[°º]/gu, "deg"],
  [/[µμ]/gu, "u"],
  [/[ΩΩ]/gu, "Ohm"],
  [/[·⋅×*]/gu, "."],
  [/[∕⁄]/gu, "/"],
  [/[−–⁻]/gu, "-"],
  [/¹/gu, "1"],
  [/²/gu, "2"],
  [/³/gu, "3"],
  [/‰/gu, "[ppth]"],
  [/\s*([./])\s*/g, "$1"],
];

/** As parseUnit, after the signs that displays use: `°C`, `µm`, `m³/h`, `N·m`, ` km / h `. */
export function parseWireUnit(text: string): Unit | UnitFault {
  // Read as it stands first: `10*3` is a number, not a product.
  const plain = parseUnit(text);
  if (!("fault" in plain)) return plain;
  if (text.length > UNIT_CHARS_MAX) return plain;
  let spelt = text.trim();
  for (const [sign, ascii] of SIGNS) spelt = spelt.replace(sign, ascii);
  const unit = parseUnit(spelt);
  return "fault" in unit ? plain : { ...unit, text };
}
