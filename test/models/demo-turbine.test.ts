//! The demo's turbine as the README promises it, without broker and wall clock: same plant, same
//! seed, same speed, same baseline. Each fault gives one alarm, that of its component, in its time.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createPlants, inject, PLANT_KINDS, turbinePeriod_ms } from "../../agent/cli/demo/setup.js";
import { FAULTS } from "../../agent/sensors/plants/faults.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import { type Raised, runPlant } from "./rig.js";

const baseline: unknown = JSON.parse(readFileSync("config/baselines/demo-wt01.json", "utf8"));
const SPEED = 60;
const AT_s = 3;
const START_ms = 1_800_000_000_000;

/** Wall seconds, as on the command line. */
function demo(wall_s: number, seed: number, fault?: string): Raised[] {
  const plants = createPlants(seed, SPEED, START_ms);
  if (fault !== undefined) {
    const injection = parseInjection(`${fault}@${AT_s}s`, PLANT_KINDS);
    if ("fault" in injection) throw new Error(injection.fault);
    inject(plants, injection, SPEED);
  }
  const period_ms = turbinePeriod_ms(SPEED);
  return runPlant(plants.turbine, { baseline, duration_s: wall_s * SPEED, period_ms });
}

/** The rule that names the fault, and the wall seconds within which it does. */
const EXPECTED: Readonly<Record<string, readonly [rule: string, within_s: number]>> = {
  hss_bearing: ["gearbox-hss", 10],
  hss_bearing_inner: ["gearbox-hss", 10],
  gen_cooling: ["generator-cooling", 40],
  gear_loss: ["gearbox-oil", 40],
  blade: ["rotor-performance", 150],
  main_bearing: ["main-bearing", 80],
  yaw_misalign: ["yaw-misalignment", 20],
  pitch_stuck: ["pitch-jam", 10],
  imbalance: ["rotor-imbalance", 30],
};
/** So long after it consequences are waited for. */
const AFTER_s = 20;

const machine = FAULTS.filter((row) => row.kind === "wind-turbine" && row.class === "machine");

describe("at full severity, by the default seed", () => {
  test.each(machine.map(({ name }) => name))("%s", (name) => {
    const [rule, within_s] = EXPECTED[name] ?? ["", 0];
    const alarms = demo(AT_s + within_s + AFTER_s, 1, name);
    const shown = alarms.filter(({ folded }) => !folded);
    expect(shown.map(({ id, cleared_s }) => [id, cleared_s])).toEqual([
      [rule, Number.POSITIVE_INFINITY],
    ]);
    expect((shown[0]?.at_s ?? 0) / SPEED).toBeGreaterThan(AT_s);
    expect((shown[0]?.at_s ?? 0) / SPEED).toBeLessThan(AT_s + within_s);
  });
});

test("healthy: nothing in three minutes", () => {
  for (const seed of [1, 2, 3]) expect(demo(180, seed), `seed ${seed}`).toEqual([]);
});
