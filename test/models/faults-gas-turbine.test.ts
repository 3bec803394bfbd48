//! Each fault of the simulated gas turbine gives the alarm of its component, each fault of a sensor
//! is said to be one, and a healthy machine gives none.
import { describe, expect, test } from "vitest";
import { commission } from "../../agent/models/convert/baseline.js";
import { FAULTS } from "../../agent/sensors/plants/faults.js";
import { createGasTurbine } from "../../agent/sensors/plants/gas-turbine.js";
import { GAS_TURBINE_CHANNELS } from "../../agent/sensors/plants/gas-turbine-channels.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { type RigOptions, run } from "./rig.js";

const plant = createGasTurbine({ asset: "test", seed: 77 });
const baseline = JSON.parse(JSON.stringify(commission(plant, 12, 1000, "simulated")));
const AT_s = 1800;
const gas = (options: Partial<RigOptions>) =>
  run({ kind: "gas-turbine", baseline, seed: 3, duration_s: AT_s + 3600, ...options });

const EXPECTED: Readonly<Record<string, string>> = {
  compressor_fouling: "compressor-fouling",
  turbine_erosion: "turbine-performance",
  combustor: "combustor",
  filter_clogging: "inlet-filter",
  oil_cooler: "oil-cooler",
  journal_bearing: "bearing-2",
  rotor_imbalance: "rotor-imbalance",
};
/** The value stays what it would have been. */
const HARMLESS = new Set(["state:stuck", "state:saturation", "state:drift"]);

describe("machine, each within an hour", () => {
  for (const { name, class: kind } of FAULTS.filter((row) => row.kind === "gas-turbine")) {
    test(name, () => {
      const alarms = gas({ inject: `${name}@${AT_s}s` });
      if (kind === "event") expect(alarms).toEqual([]);
      else {
        const shown = alarms.filter((a) => !a.folded).map((a) => [a.id, a.class]);
        expect(shown).toEqual([[EXPECTED[name], "machine"]]);
        expect(alarms[0]?.at_s).toBeGreaterThan(AT_s);
      }
    });
  }
});

describe("sensors: two modes a channel, all modes in turn", () => {
  GAS_TURBINE_CHANNELS.forEach(({ name }, row) => {
    test(name, () => {
      for (let k = 0; k < 2; k++) {
        const mode = SENSOR_FAULTS[(2 * row + k + (row >> 2)) % SENSOR_FAULTS.length] ?? "stuck";
        const other = name === "oilTemp" ? "inletTemp" : "oilTemp";
        const partner = mode === "swap" ? `:${other}` : "";
        const inject = `gas-turbine:sensor:${name}:${mode}${partner}@${AT_s}s`;
        const alarms = gas({ inject });
        expect(
          alarms.filter((a) => a.class !== "sensor"),
          inject,
        ).toEqual([]);
        if (mode === "saturation" || HARMLESS.has(`${name}:${mode}`)) continue;
        expect(alarms.length, inject).toBeGreaterThan(0);
      }
    });
  });
});

test("healthy over loads and seasons: nothing in six times three hours", () => {
  for (const [i, load] of [0.5, 0.7, 0.95].entries()) {
    for (const ambient_K of [268, 303]) {
      const alarms = gas({ seed: 101 + i, duration_s: 3 * 3600, plant: { load, ambient_K } });
      expect(alarms, `load ${load}, ${ambient_K} K`).toEqual([]);
    }
  }
});
