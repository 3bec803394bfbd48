//! The monitor of a machine without equations: regimes, what follows what, one channel alone, units
//! that wear; and engines of C-MAPSS where ../shared is.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { prng } from "../../agent/base/prng.js";
import { levelsOf, regimeAt, regimesOf } from "../../agent/models/generic-regime.js";
import { solve } from "../../agent/models/generic-ridge.js";
import { compileRules } from "../../agent/rules/compile.js";
import {
  BASELINE,
  type Change,
  COLUMNS,
  fresh,
  learnt,
  pump,
  START_ms,
  USE,
} from "./generic-pump.js";
import { CMAPSS_COLUMNS, GenericRig, SHARED } from "./generic-rig.js";
import { cmapss, learnFleet } from "./generic-sets.js";

const FIVE_MINUTES_ms = 300_000;

describe("a normal without equations", () => {
  test("without commissioning there is no monitor and no rule; with it both", () => {
    const plain = new GenericRig(COLUMNS, USE, {});
    expect(plain.fitted.monitors).toEqual([]);
    expect(plain.fitted.rules).toEqual([]);
    const { rules, monitors } = fresh().fitted;
    expect(rules.map(({ id }) => id)).toContain("unusual");
    const outputs = monitors.flatMap((monitor) => monitor.outputs);
    const signals = new Map(
      outputs.map(({ name }, index) => [name, { name, index, dim: "1", kind: "", point: false }]),
    );
    expect(compileRules(rules, "g", signals).faults).toEqual([]);
  });

  test("three regimes are found, bad hours are left out and said", () => {
    expect(BASELINE.values["regimes"]).toBe(3);
    expect(BASELINE.provenance?.excluded.join()).toMatch(/slices that deviate/);
    // Flow, pressure and heat share a weather: each has the two others for twins.
    expect(BASELINE.vectors?.["twins.pressure"]).toEqual([1, 3]);
    expect(BASELINE.provenance?.notLearnt).toEqual([]);
  });

  test("a healthy week says nothing; changes of load are no change of health", () => {
    expect(pump(fresh(), 10, 7)).toEqual([]);
  });

  test("two channels that leave together are the machine, one alone its sensor", () => {
    const together: Change = (row, day) => {
      if (day < 11) return;
      row[1] = (row[1] ?? 0) - 12;
      row[2] = (row[2] ?? 0) - 24;
      row[3] = (row[3] ?? 0) + 12;
    };
    expect(pump(fresh(), 10, 2, together)).toEqual(["machine"]);
    const rig = fresh();
    const alone: Change = (row, day) => {
      if (day > 11) row[2] = (row[2] ?? 0) + 25;
    };
    expect(pump(rig, 10, 2, alone)).toEqual(["sensor"]);
    expect(rig.get("pressure.fault")).toBeGreaterThan(0);
    const [monitor] = rig.fitted.monitors;
    const fault = monitor?.outputs.findIndex(({ name }) => name === "pressure.fault") ?? -1;
    const said = monitor?.explain(fault)?.evidence.join() ?? "";
    expect(said).toMatch(/pressure is .* spreads above its normal \(now .*, foretold .* to .*\)/);
    expect(said).toContain("other explanation");
  });

  test("what it was never taught it does not judge: another load, a setting that is missing", () => {
    const rig = fresh();
    const other: Change = (row, day) => {
      if (day > 11) row[0] = 70;
    };
    expect(pump(rig, 10, 2, other)).toEqual([]);
    expect(rig.get("health.index")).toBeNaN();
    const silent: Change = (row, day) => {
      if (day > 11) row[0] = Number.NaN;
    };
    expect(pump(fresh(), 10, 2, silent)).toEqual([]);
  });

  test("a slow fault is not learnt away, and the same machine in another season is quiet", () => {
    const ramp =
      (days: number, size: number): Change =>
      (row, day) => {
        const share = Math.min(1, Math.max(0, (day - 10) / days));
        row[1] = (row[1] ?? 0) - size * share;
        row[2] = (row[2] ?? 0) - 2 * size * share;
        row[3] = (row[3] ?? 0) + size * share;
      };
    expect(pump(fresh(), 10, 15, ramp(30, 12), FIVE_MINUTES_ms)).toEqual(["machine"]);
    expect(pump(fresh(), 10, 40, ramp(30, 0.6), FIVE_MINUTES_ms)).toEqual([]);
  });

  test("readings an hour apart are slices of an hour", () => {
    const rig = new GenericRig(
      COLUMNS,
      { ...USE, settings: [] },
      { want: { amount: 6, by: "hand" } },
    );
    const chance = prng(5, "hourly");
    for (let hour = 0; hour < 24 * 6; hour++) {
      rig.feed(
        START_ms + hour * 3_600_000,
        COLUMNS.map(() => chance.normal()),
      );
    }
    expect(rig.fitted.stage.progress).toBe("5.9 of 6 days");
    expect(learnt(rig).provenance?.states["unknown"]).toBe(142);
  });

  test("is refused when too short, when nothing moves, and when no regime lasts", () => {
    const learn = (days: number, change: Change) => {
      const rig = new GenericRig(COLUMNS, USE, { want: { amount: 6, by: "hand" } });
      pump(rig, 0, days, change);
      return JSON.stringify(rig.fitted.stage.finish("test", null));
    };
    expect(learn(1, () => {})).toContain("too short");
    expect(learn(3.2, (row) => row.fill(5, 1))).toContain("no channel moved");
    expect(learn(3.2, (row) => row.fill(Number.NaN))).toContain("too short");
  });
});

describe("cycles of a unit", () => {
  const WEAR = { cycle: "n", settings: [], records: false };
  const TWO = ["n", "a", "b", "c"].map((name) => ({ name, unit: "1" }));
  /** A unit of `life` cycles, its own level, wearing over the last third. */
  const unit = (rig: GenericRig, seed: number, life: number, wears: boolean): number => {
    const chance = prng(seed, "unit");
    const own = [chance.normal(), chance.normal(), chance.normal()];
    let first = Number.NaN;
    for (let n = 1; n <= life; n++) {
      const worn = wears ? 8 * Math.max(0, (n - 0.67 * life) / (0.33 * life)) ** 2 : 0;
      const row = own.map((level, i) => level + 0.4 * chance.normal() + worn * (i === 1 ? -1 : 1));
      rig.feed(START_ms + (seed * 1000 + n) * 3_600_000, [n, ...row]);
      if (rig.alarm !== null && Number.isNaN(first)) first = n;
    }
    return first;
  };

  test("each unit has its own first cycles for a normal; wear alarms, another unit is new", () => {
    const fleet = new GenericRig(TWO, WEAR, { want: { amount: 30, by: "hand" } });
    for (let seed = 1; seed <= 20; seed++) unit(fleet, seed, 150, true);
    const baseline = learnt(fleet);
    expect(baseline.values["counts.single"]).toBe(1);
    expect(baseline.provenance?.amount).toBe("600 cycles");
    const rig = new GenericRig(TWO, WEAR, { baseline });
    expect(unit(rig, 101, 150, false)).toBeNaN();
    const found = unit(rig, 102, 150, true);
    expect(found).toBeGreaterThan(100);
    expect(found).toBeLessThan(140);
    // Put in after a worn one, while its alarm stands: the counter falls and all begins anew.
    unit(rig, 103, 10, false);
    expect(rig.alarm).toBeNull();
    expect(rig.get("health.index")).toBeLessThan(1);
  });

  test("its own middle outlives a restart", () => {
    const fleet = new GenericRig(TWO, WEAR, { want: { amount: 30, by: "hand" } });
    for (let seed = 1; seed <= 20; seed++) unit(fleet, seed, 40, false);
    const baseline = learnt(fleet);
    const rig = new GenericRig(TWO, WEAR, { baseline });
    unit(rig, 7, 40, false);
    const again = new GenericRig(TWO, WEAR, { baseline });
    again.fitted.stage.restore(JSON.parse(JSON.stringify(rig.fitted.stage.save())));
    const [monitor] = again.fitted.monitors;
    expect(monitor).toBeDefined();
    expect(again.fitted.stage.save().memory).toEqual(rig.fitted.stage.save().memory);
  });
});

describe("parts", () => {
  test("levels: steps of a governor are, noise and quanta of an instrument are not", () => {
    const noise = prng(1, "levels");
    const at = (centres: readonly number[], sigma: number) =>
      Array.from(
        { length: 300 },
        (_, i) => (centres[i % centres.length] ?? 0) + sigma * noise.normal(),
      );
    expect(levelsOf(at([0, 10, 25], 0.1))?.length).toBe(3);
    expect(levelsOf(at([5], 1))).toBeNull();
    expect(levelsOf(at([0.1, 0.2, 0.3, 0.4, 0.5], 0))).toBeNull();
    const regimes = regimesOf(at([0, 10, 25], 0.1).map((v) => [v, 7]));
    expect(regimes.length).toBe(3);
    const known = [0, 10.05, 25].map((v) => regimeAt(regimes, [v, 7]));
    expect([...known].sort()).toEqual([0, 1, 2]);
    expect(regimeAt(regimes, [17, 7])).toBe(-1);
    expect(regimeAt(regimes, [Number.NaN, 7])).toBe(-1);
  });

  test("the solver solves", () => {
    const x = solve(
      [
        [4, 2, 1],
        [2, 5, 3],
        [1, 3, 6],
      ],
      [9, 16, 25],
    );
    const back = [4 * (x[0] ?? 0) + 2 * (x[1] ?? 0) + (x[2] ?? 0)];
    expect(back[0]).toBeCloseTo(9, 9);
  });
});

test.skipIf(!existsSync(join(SHARED, "cmapss")))(
  "C-MAPSS FD001: a third of the fleet teaches, other engines are judged (needs ../shared/data)",
  () => {
    const baseline = learnFleet("FD001", (engine) => engine % 3 === 0);
    const found = cmapss("FD001", baseline, (engine) => engine % 3 === 1);
    process.stdout.write(`cmapss FD001, part: ${JSON.stringify(found)}\n`);
    expect(CMAPSS_COLUMNS.length).toBe(25);
    expect(found.falseShare).toBeLessThan(0.08 * found.plainFalseShare);
    expect(found.episodes).toBeLessThan(0.08 * found.plainEpisodes);
    expect(found.found).toBeGreaterThanOrEqual(found.plainFound);
  },
);
