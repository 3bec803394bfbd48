//! The bearing rig: its faults, its sensors, its healthy hours; and real bearings of public sets.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commission } from "../../agent/models/convert/baseline.js";
import { createBearing } from "../../agent/sensors/plants/bearing.js";
import { BEARING_CHANNELS } from "../../agent/sensors/plants/bearing-channels.js";
import { FAULTS } from "../../agent/sensors/plants/faults.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { count, monitorAlarms, readLives, sigmaAlarms } from "./femto.js";
import { SHARED } from "./generic-rig.js";
import { type RigOptions, run } from "./rig.js";

const plant = createBearing({ asset: "test", seed: 77, blockEvery_ms: 60_000 });
const baseline = JSON.parse(JSON.stringify(commission(plant, 4, 1000, "simulated")));
const AT_s = 1800;
const rig = (options: Partial<RigOptions>) =>
  run({ kind: "bearing", baseline, seed: 3, duration_s: AT_s + 3600, ...options });

const EXPECTED: Readonly<Record<string, string>> = {
  outer_race: "bearing-damage",
  inner_race: "bearing-damage",
  rolling_element: "bearing-damage",
  lubrication: "lubrication",
  accel_loose: "sensor-accel",
};

describe("faults of the rig, each within an hour", () => {
  for (const { name, class: kind } of FAULTS.filter((row) => row.kind === "bearing")) {
    test(name, () => {
      const alarms = rig({ inject: `${name}@${AT_s}s`, blockEvery_ms: 120_000 });
      if (kind === "event") expect(alarms).toEqual([]);
      else {
        const shown = alarms.filter((a) => !a.folded).map((a) => [a.id, a.class]);
        expect(shown).toEqual([[EXPECTED[name], kind]]);
        expect(alarms[0]?.at_s).toBeGreaterThan(AT_s);
      }
    });
  }
});

describe("sensors, every mode", () => {
  for (const { name } of BEARING_CHANNELS.filter((c) => c.shape === "scalar")) {
    test(name, () => {
      for (const mode of SENSOR_FAULTS) {
        const other = name === "ambientTemp" ? "bearingTemp" : "ambientTemp";
        const inject = `bearing:sensor:${name}:${mode}${mode === "swap" ? `:${other}` : ""}@${AT_s}s`;
        const alarms = rig({ inject, blockEvery_ms: 300_000 });
        expect(
          alarms.filter((a) => a.class !== "sensor"),
          inject,
        ).toEqual([]);
        // A ceiling above the reading, and little of it below, does nothing.
        if (mode !== "saturation") expect(alarms.length, inject).toBeGreaterThan(0);
      }
    });
  }
});

test("healthy at several speeds and loads: nothing", () => {
  for (const [i, speed_radps] of [120, 157, 180].entries()) {
    for (const load_N of [2500, 4000]) {
      const options = { seed: 201 + i, duration_s: 7200, blockEvery_ms: 120_000 };
      expect(
        rig({ ...options, plant: { speed_radps, load_N } }),
        `${speed_radps} rad/s, ${load_N} N`,
      ).toEqual([]);
    }
  }
});

// Protocol: first half of life healthy, second faulty; normal and 3 sigma from the first 15 %.
const here = existsSync(join(SHARED, "femto_pronostia"));
test.skipIf(!here)("FEMTO run to failure (needs ../shared/data)", () => {
  let [ours, theirs] = [0, 0];
  for (const life of readLives()) {
    const [own, sigma] = [count(life, monitorAlarms(life)), count(life, sigmaAlarms(life, 2))];
    ours += own.episodes;
    theirs += sigma.episodes;
    expect(own.found, life.name).toBeLessThan(1);
  }
  expect(ours).toBeLessThanOrEqual(0.05 * theirs);
});
