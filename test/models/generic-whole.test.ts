//! The whole sets, half a minute of them: `STERNA_SETS=1 vitest run test/models/generic-whole.test.ts`.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { SHARED } from "./generic-rig.js";
import { cmapss, hydraulic, learnFleet, nab } from "./generic-sets.js";

const off = process.env["STERNA_SETS"] !== "1" || !existsSync(SHARED);
const say = (name: string, found: unknown): void => {
  process.stdout.write(`${name}: ${JSON.stringify(found)}\n`);
};

for (const set of ["FD001", "FD002"]) {
  test.skipIf(off)(
    `C-MAPSS ${set}, all engines (STERNA_SETS=1 and ../shared/data)`,
    () => {
      const found = cmapss(set, learnFleet(set));
      say(`cmapss ${set}`, { ...found, engines: undefined });
      expect(found.falseShare).toBeLessThan(0.08 * found.plainFalseShare);
      expect(found.episodes).toBeLessThan(0.08 * found.plainEpisodes);
      expect(found.found).toBeGreaterThanOrEqual(found.plainFound);
    },
    600_000,
  );
}

test.skipIf(off)(
  "NAB machine temperature and the hydraulic rig",
  () => {
    say("nab", nab());
    say("hydraulic", hydraulic());
  },
  600_000,
);
