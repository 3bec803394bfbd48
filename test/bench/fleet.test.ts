//! How the fleet is planned and its alarms are counted.
import { describe, expect, test } from "vitest";
import type { Fleet, Method } from "../../bench/fleet.js";
import { ABLATIONS } from "../../bench/fleet-ours.js";
import { alarmsOf, grouped } from "../../bench/fleet-plain.js";
import { DAY_s, type Episode, planTurbine, RECOVERY_days } from "../../bench/fleet-plan.js";
import { FLEET_NAMES, fleetRows } from "../../bench/fleet-rows.js";
import { figures, type Judged, judge } from "../../bench/fleet-score.js";
import type { TurbineRun } from "../../bench/fleet-turbine.js";
import { bootstrap, reduction_pct } from "../../bench/intervals.js";

const PLANS = Array.from({ length: 60 }, (_, i) => planTurbine(2000 + i, i));

describe("plan", () => {
  test("never two machine faults at once, none within a day and a half of a repair", () => {
    for (const { episodes, begin_s, end_s } of PLANS) {
      const [first, second] = episodes.filter((episode) => episode.class === "machine");
      expect(first?.from_s).toBeGreaterThan(begin_s);
      expect(second?.from_s).toBeGreaterThan((first?.to_s ?? 0) + RECOVERY_days * DAY_s);
      expect(second?.to_s).toBeLessThan(end_s);
    }
  });

  test("faults of sensors keep clear of machine faults; kinds take turns", () => {
    const kinds = new Map<string, number>();
    for (const { episodes } of PLANS) {
      const machine = episodes.filter((episode) => episode.class === "machine");
      for (const { name } of machine) kinds.set(name, (kinds.get(name) ?? 0) + 1);
      for (const sensor of episodes.filter((episode) => episode.class === "sensor")) {
        const clear = machine.every((m) => sensor.from_s > m.to_s || sensor.to_s < m.from_s);
        expect(clear).toBe(true);
      }
    }
    const counts = [...kinds.values()];
    expect(counts).toHaveLength(9);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  test("the same seed gives the same plan", () => {
    expect(planTurbine(7, 0)).toEqual(planTurbine(7, 0));
  });
});

test("a limit with its deadband, and one alarm a component and day", () => {
  const scored = [{ component: "a", sigmas: [0, 3.1, 2.9, 3.1, Number.NaN, 2, 3.2] }];
  const said = alarmsOf(scored, 3);
  expect(said.map(({ at_s }) => at_s)).toEqual([1200, 4200]);
  expect(grouped([...said, { at_s: 1200 + DAY_s, component: "a" }])).toHaveLength(2);
});

test("found, false, in recovery, and found by chance", () => {
  const fault = (name: string, from_s: number): Episode => ({
    name,
    class: "machine",
    from_s,
    to_s: from_s + 5 * DAY_s,
    ramp_s: 0,
    severity: 1,
  });
  const run = (name: string): TurbineRun => ({
    plan: {
      seed: 1,
      matched: false,
      begin_s: DAY_s,
      end_s: 31 * DAY_s,
      episodes: [fault(name, 10 * DAY_s)],
    },
    baseline: null,
    raised: [],
    said: {},
  });
  const at = (day: number, component: string) => ({ at_s: day * DAY_s, component });
  const said = [
    [at(0.5, "yaw"), at(5, "yaw"), at(11, "generator"), at(12, "hss"), at(15.5, "hss")],
    [at(11, "generator")],
  ];
  const judged = judge([run("gen_cooling"), run("main_bearing")], said);
  // Before the test, and while the machine forgets, nothing counts.
  expect(judged.map((one) => one.falsely)).toEqual([2, 1]);
  expect(judged[0]?.faults).toEqual([{ name: "gen_cooling", delay_s: DAY_s, witnesses: [DAY_s] }]);
  expect(figures(judged)).toMatchObject({ falsely: 0.75, recall: 0.5, net: 0, delay_h: 24 });
});

test("intervals are those of whole units and hold the figure", () => {
  const units = Array.from({ length: 40 }, (_, i) => ({ ours: i % 10 === 0 ? 1 : 0, peer: 2 }));
  const figure = (drawn: typeof units) =>
    reduction_pct(
      drawn.reduce((sum, unit) => sum + unit.ours, 0),
      drawn.reduce((sum, unit) => sum + unit.peer, 0),
    );
  const [low, high] = bootstrap(units, figure);
  expect(figure(units)).toBeCloseTo(95);
  expect(low).toBeLessThan(95);
  expect(low).toBeGreaterThan(85);
  expect(high).toBeGreaterThan(95);
  expect(reduction_pct(0, 0)).toBeNaN();
});

describe("rows", () => {
  /** One turbine with two faults; `chance_s`: when a turbine without the fault "finds" it, too. */
  const turbine = (falsely: number, second_h: number | null, chance_h: number | null): Judged => {
    const s = (hours: number | null): number | null => (hours === null ? null : 3600 * hours);
    const fault = (name: string, hours: number | null) => {
      return { name, delay_s: s(hours), witnesses: [s(chance_h)] };
    };
    return { falsely, months: 2, faults: [fault("blade", 10), fault("gear_loss", second_h)] };
  };
  const method = (name: string, limit: number | null, each: Judged): Method => {
    const judged = [each, each];
    return { name, limit, judged, figures: figures(judged) };
  };
  const ours = method("Sterna", null, turbine(1, 10, null));
  /** At the low limit it finds all, by chance; at the high one half, and nothing by chance. */
  const plain = [method("B", 2, turbine(80, 20, 5)), method("B", 8, turbine(4, null, null))];
  const fleet: Fleet = {
    from: 7,
    turbines: 2,
    months: 4,
    commissioned: 2,
    ours,
    replayed: ours,
    curve: [],
    ablations: ABLATIONS.map(() => ours),
    plain: { b0: plain, b1: plain, b2: plain, b3: plain, r1: plain },
    matched: { with: ours, without: method("Sterna", null, turbine(0, 10, null)) },
    sensors: [
      { taken: 1, of: 20 },
      { taken: 0, of: 30 },
    ],
    flood: 3,
  };
  const rows = new Map(fleetRows(fleet).map((row) => [row.name, row]));

  test("each name has its row, in order", () => {
    expect([...rows.keys()]).toEqual(FLEET_NAMES);
  });

  test("the worse of two reductions counts, the lower of two recalls, of sensors the share", () => {
    // 1 of 80 false at equal recall, 1 of 4 where it finds most beyond chance.
    expect(rows.get("sim-false-alarm-reduction")?.value).toBeCloseTo(75);
    expect(rows.get("sim-recall-ratio")?.value).toBe(1);
    expect(rows.get("sensor-as-machine")?.value).toBeCloseTo(2);
  });

  test("notes have seeds, the rarest kind, delays by kind, and what a mismatch costs", () => {
    expect(rows.get("flood")?.note).toBe(
      "4 turbine-months of 2 turbines (seeds 7 to 8), 4 faults of 2 kinds, at least 2 of each",
    );
    expect(rows.get("sim-sterna")?.note).toContain("p50 by kind blade 10 h, gear_loss 10 h");
    expect(rows.get("sim-b3-net")?.note).toContain("missed 2 gear_loss");
    expect(rows.get("sim-matched")).toMatchObject({ value: 0 });
    expect(rows.get("sim-matched")?.note).toContain("the same 2 turbines have 0.5 false");
  });
});
