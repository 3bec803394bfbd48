//! The `units` attribute of MAVLink dialect files, in its own spelling: `cdeg`, `degE7`, `m/s/s`,
//! `mG`. An integer field of `degE7` holds 10^7 times the angle.
import { unitOfAmount } from "./bridge.js";
import { parseUnit, type Unit, type UnitFault } from "./parse.js";

const AMOUNTS: ReadonlyMap<string, string> = new Map([
  ["degE7", "1e-7 deg"],
  ["degE5", "1e-5 deg"],
  ["ddeg", "0.1 deg"],
  ["cdeg", "0.01 deg"],
  ["ddeg/s", "0.1 deg/s"],
  ["cdeg/s", "0.01 deg/s"],
  ["deg/2", "2 deg"],
  ["cdegC", "0.01 Cel"],
  ["d%", "0.1 %"],
  ["c%", "0.01 %"],
  ["m/s*5", "0.2 m/s"],
  ["m/s/s", "m/s2"],
  ["mG", "1e-3 [g]"],
  ["gauss", "1e-4 T"],
  ["mgauss", "1e-7 T"],
  ["bytes", "By"],
  ["bytes/s", "By/s"],
  ["bits/s", "bit/s"],
  ["KiB", "KiBy"],
  ["KiB/s", "KiBy/s"],
  ["MiB", "MiBy"],
  ["MiB/s", "MiBy/s"],
]);
const LEVEL = "a level is logarithmic; convert it at the sender";
const PIXEL = "a pixel is no quantity; take it as a plain number";
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["dB", LEVEL],
  ["dBm", LEVEL],
  ["pix", PIXEL],
  ["dpix", PIXEL],
]);

export function parseMavlinkUnit(text: string): Unit | UnitFault {
  const fault = REFUSED.get(text);
  if (fault !== undefined) return { fault, at: 0, length: text.length };
  const amount = AMOUNTS.get(text);
  return amount === undefined ? parseUnit(text) : unitOfAmount(amount);
}
