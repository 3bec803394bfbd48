//! The fault matrix of the simulated quadrotor. What the monitor cannot tell yet stands in UNTOLD,
//! by name: such a fault may go unseen, but it must never look like one of the machine.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { QUADROTOR_CHANNELS } from "../../agent/sensors/plants/channels.js";
import { FAULTS } from "../../agent/sensors/plants/faults.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { type Raised, run } from "./rig.js";

const baseline: unknown = JSON.parse(readFileSync("config/baselines/demo-qd01.json", "utf8"));
const drone = { kind: "quadrotor", baseline, period_ms: 200 } as const;

const EXPECTED: Readonly<Record<string, string>> = {
  rotor_thrust: "rotor-1-thrust",
  prop_chip: "propeller",
  motor_loss: "motor-loss",
  esc_overtemp: "esc-1-hot",
  battery_cell: "battery-cell",
  imu_clipping: "imu-clipping",
  gps_glitch: "sensor-altitudeRef",
  baro_icing: "sensor-pressure",
  mag_interference: "sensor-magField",
};

/** Channels that nothing else measures, or that speeds make needless: such an error stays unseen. */
const ALONE = new Set(["velocity", "accelX", "accelY", "roll", "pitch", "airTemp"]);
for (const rotor of [1, 2, 3, 4]) ALONE.add(`motorOutput${rotor}`);
const QUIET_MODES = new Set(["drift", "bias", "saturation", "swap", "spike"]);

const shown = (list: readonly Raised[]) => list.filter((a) => !a.folded);

describe("machine and built-in sensors", () => {
  for (const { name, class: kind } of FAULTS.filter((row) => row.kind === "quadrotor")) {
    test(name, () => {
      const alarms = run({ ...drone, seed: 3, duration_s: 600, inject: `${name}@120s` });
      const found = [...new Set(shown(alarms).map((a) => `${a.id} ${a.class}`))];
      expect(found).toEqual([`${EXPECTED[name]} ${kind}`]);
      expect(alarms[0]?.at_s).toBeGreaterThanOrEqual(120);
    });
  }
});

describe("sensors: two modes a channel, all modes in turn", () => {
  QUADROTOR_CHANNELS.forEach(({ name }, row) => {
    test(name, () => {
      for (let k = 0; k < 2; k++) {
        const mode = SENSOR_FAULTS[(2 * row + k + (row >> 2)) % SENSOR_FAULTS.length] ?? "stuck";
        const partner = mode === "swap" ? `:${name === "roll" ? "pitch" : "roll"}` : "";
        const inject = `quadrotor:sensor:${name}:${mode}${partner}@60s`;
        const alarms = run({ ...drone, seed: 3, duration_s: 400, inject });
        expect(
          alarms.filter((a) => a.class !== "sensor"),
          inject,
        ).toEqual([]);
        // A controller's sensor that creeps has not come far in five minutes.
        const creeps = mode === "drift" && name.startsWith("escTemp");
        const unseen = creeps || mode === "saturation" || name === "clipCount" || mode === "swap";
        if (unseen || (ALONE.has(name) && QUIET_MODES.has(mode))) continue;
        expect(alarms.length, inject).toBeGreaterThan(0);
      }
    });
  });
});

test("healthy: nothing in two flights of forty minutes, battery changes included", () => {
  for (const seed of [101, 102]) {
    expect(run({ ...drone, seed, duration_s: 2400 }), `seed ${seed}`).toEqual([]);
  }
});
