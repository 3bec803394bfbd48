//! Units as devices spell them on the wire (EUInformation displayName, engUnit): a plant is not
//! refused for a habit. Configs and rules get no such mercy: they are told what to write.
import { parseUnit, UNIT_CHARS_MAX, type Unit, type UnitFault } from "./parse.js";
import { INSTEAD } from "./spelling.js";

const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/[°º]\s*C|℃|\bdeg(?:rees?)?\s*C\b/giu, "Cel"],
  [/[°º]\s*F|℉|\bdeg(?:rees?)?\s*F\b/giu, "[degF]"],
  [/[°º]/gu, "deg"],
  [/[\u00b5\u03bc]/gu, "u"],
  [/[\u03a9\u2126]/gu, "Ohm"],
  [/[·⋅×*]/gu, "."],
  [/[∕⁄]/gu, "/"],
  [/[−–⁻]/gu, "-"],
  [/¹/gu, "1"],
  [/²/gu, "2"],
  [/³/gu, "3"],
  [/‰/gu, "[ppth]"],
  [/%\s*RH$/i, "%"],
  [/\s*([./])\s*/g, "$1"],
  [/^(k?Pa|m?bar|psi)\s*(?:\(g\)|\sg)$/i, "$1{g}"],
  [/^(k?Pa|m?bar|psi)\s*(?:\(a(?:bs)?\)|\sa(?:bs)?)$/i, "$1{abs}"],
  [/\s+rms$/i, "{rms}"],
  [/\s+(?:peak|pk)$/i, "{peak}"],
  [/(?<=[A-Za-z])[- ](?=[A-Za-z])/g, "."],
];
const WORD = /[A-Za-z]+(?:2O)?/g;
/** Advice that is one unit and nothing else. */
const ONE_UNIT = /^"([^"]+)"$/;

/** As parseUnit, after the signs and words of displays: `°C`, `m³/h`, `N·m`, `kg/hr`, `RPM`. */
export function parseWireUnit(text: string): Unit | UnitFault {
  // Read as it stands first: `10*3` is a number, not a product.
  const plain = parseUnit(text);
  if (!("fault" in plain)) return plain;
  if (text.length > UNIT_CHARS_MAX) return plain;
  let spelt = text.trim();
  for (const [sign, ascii] of SIGNS) spelt = spelt.replace(sign, ascii);
  const unit = parseUnit(spelt);
  if (!("fault" in unit)) return { ...unit, text };
  // What we advise the author of a config to write is what a device may mean by the same word.
  const worded = parseUnit(spelt.replace(WORD, meant));
  return "fault" in worded ? plain : { ...worded, text };
}

function meant(word: string): string {
  const advice = INSTEAD.get(word) ?? INSTEAD.get(word.toLowerCase()) ?? "";
  return ONE_UNIT.exec(advice)?.[1] ?? word;
}
