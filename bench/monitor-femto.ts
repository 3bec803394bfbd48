//! The row `femto`: bearings run to failure, by the bearing monitor from figures of two
//! accelerometers, against any of six features beyond three sigma of the same healthy start.
import {
  type Counted,
  count,
  limitAlarms,
  monitorAlarms,
  readLives,
  sigmaAlarms,
} from "../test/models/femto.js";
import { hasSet } from "./monitor-sets.js";
import { failedRow, type Row } from "./result.js";

const FEATURES = 6;
const LOUDNESS = 2;

/** Episodes in the first half of a life, behind the part that is learnt; found in the second. */
export function femtoRow(): Row {
  const name = "femto";
  const bound = { min: 95 };
  if (!hasSet("femto_pronostia")) return failedRow(name, "%", bound, "no data");
  const lives = readLives();
  const own = lives.map((life) => count(life, monitorAlarms(life)));
  const sigma = lives.map((life) => count(life, sigmaAlarms(life, FEATURES)));
  const loudness = lives.map((life) => count(life, sigmaAlarms(life, LOUDNESS)));
  const limit = lives.map((life) => count(life, limitAlarms(life)));
  const [ours, theirs] = [episodesOf(own), episodesOf(sigma)];
  const at = lives.map((life, i) => {
    const { episodes, found } = own[i] as Counted;
    return `${life.name} ${episodes} at ${(100 * found).toFixed(0)} %`;
  });
  const note = [
    `${ours} episodes against ${theirs} of 3 sigma of six features (found ${foundOf(own)} and ${foundOf(sigma)} of ${lives.length})`,
    `3 sigma of the two rms alone: ${episodesOf(loudness)}`,
    `rms > 9.8 m/s2: ${episodesOf(limit)}, ${foundOf(limit)} found`,
    `episodes, and share of life when found: ${at.join(", ")}`,
  ].join("; ");
  if (foundOf(own) < foundOf(sigma)) return failedRow(name, "%", bound, `fewer found: ${note}`);
  return { name, value: 100 * (1 - ours / theirs), unit: "%", ...bound, note };
}

const episodesOf = (all: readonly Counted[]): number =>
  all.reduce((sum, { episodes }) => sum + episodes, 0);
const foundOf = (all: readonly Counted[]): number =>
  all.filter(({ found }) => !Number.isNaN(found)).length;
