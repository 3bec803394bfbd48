//! The `units` attribute of MAVLink dialect files, in its own spelling: `cdeg`, `degE7`, `m/s/s`,
//! `mG`. An integer field of `degE7` holds 10^7 times the angle. Key `mavlinkUnit` of a channel.
import { parseUnit, type Unit, type UnitFault } from "./parse.js";

const SPELLING: ReadonlyMap<string, string> = new Map([
  ["degE7", "10*-7.deg"],
  ["degE5", "10*-5.deg"],
  ["ddeg", "10*-1.deg"],
  ["cdeg", "10*-2.deg"],
  ["ddeg/s", "10*-1.deg/s"],
  ["cdeg/s", "10*-2.deg/s"],
  ["deg/2", "2.deg"],
  ["cdegC", "cCel"],
  ["d%", "10*-1.%"],
  ["c%", "10*-2.%"],
  ["m/s*5", "m/5.s-1"],
  ["m/s/s", "m/s2"],
  ["mG", "10*-3.[g]"],
  ["gauss", "10*-4.T"],
  ["mgauss", "10*-7.T"],
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

/** The unit with a spelling that `unit:` takes too, so that what is stored of it can be read. */
export function parseMavlinkUnit(text: string): Unit | UnitFault {
  const fault = REFUSED.get(text);
  return fault === undefined
    ? parseUnit(SPELLING.get(text) ?? text)
    : { fault, at: 0, length: text.length };
}
