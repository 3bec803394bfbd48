//! Rows over the real sets of ../shared/data. Each needs its set; where that is absent the row says
//! so. `ours` is the product's generic monitor, commissioned by its own code.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SHARED } from "../test/models/generic-rig.js";
import { cmapss, learnFleet } from "../test/models/generic-sets.js";
import { bootstrap, type Interval, intervalText, reduction_pct } from "./intervals.js";
import { type Bound, failedRow, type Row } from "./result.js";

export const hasSet = (name: string): boolean => existsSync(join(SHARED, name));

/** C-MAPSS test engines: share of healthy cycles in alarm, and separate episodes of it. */
export function cmapssRows(set: "FD001" | "FD002"): Row[] {
  const name = `cmapss-${set.toLowerCase()}`;
  const bound = { min: 92 };
  if (!hasSet("cmapss")) return noData([name, `${name}-episodes`], "%", bound);
  const found = cmapss(set, learnFleet(set));
  const detected = `found ${found.found} of ${found.late}, peer ${found.plainFound}`;
  const interval = (key: "falsely" | "episodes"): Interval =>
    bootstrap(found.engines, (engines) => {
      const sum = (part: "own" | "plain"): number =>
        engines.reduce((total, engine) => total + engine[part][key], 0);
      return reduction_pct(sum("own"), sum("plain"));
    });
  const row = (
    id: string,
    ours: number,
    peer: number,
    what: string,
    key: "falsely" | "episodes",
  ) => {
    if (found.found < found.plainFound)
      return failedRow(id, "%", bound, `fewer found: ${detected}`);
    const note = `${what}; ${detected}; ${intervalText(interval(key))} over engines`;
    return { name: id, value: reduction_pct(ours, peer), unit: "%", ...bound, note };
  };
  const { falseShare, plainFalseShare, episodes, plainEpisodes, healthyCycles } = found;
  const shares = `${falseShare.toFixed(3)} % of ${healthyCycles} healthy cycles in alarm`;
  return [
    row(
      name,
      falseShare,
      plainFalseShare,
      `${shares}, peer ${plainFalseShare.toFixed(2)} %`,
      "falsely",
    ),
    row(
      `${name}-episodes`,
      episodes,
      plainEpisodes,
      `${episodes} against ${plainEpisodes}`,
      "episodes",
    ),
  ];
}

export const noData = (names: readonly string[], unit: string, bound: Bound): Row[] =>
  names.map((name) => failedRow(name, unit, bound, "no data"));
