//! What the demo promises: each fault of the simulated turbine gives one alarm for its component,
//! each fault of a sensor is said to be one, and a healthy machine gives none.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { TURBINE_CHANNELS } from "../../agent/sensors/plants/channels.js";
import { FAULTS } from "../../agent/sensors/plants/faults.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { type Raised, run } from "./rig.js";

const baseline: unknown = JSON.parse(readFileSync("config/baselines/demo-wt01.json", "utf8"));
const turbine = { kind: "wind-turbine", baseline } as const;
const AT_s = 1200;

/** Which alarm names which fault. */
const EXPECTED: Readonly<Record<string, string>> = {
  hss_bearing: "gearbox-hss",
  hss_bearing_inner: "gearbox-hss",
  gen_cooling: "generator-cooling",
  gear_loss: "gearbox-oil",
  blade: "rotor-performance",
  main_bearing: "main-bearing",
  yaw_misalign: "yaw-misalignment",
  pitch_stuck: "pitch-jam",
  imbalance: "rotor-imbalance",
};

/** Nothing to see: the value is the same, or would have been. */
const HARMLESS = new Set([
  "state:stuck", // 2 stays 2 as long as the turbine runs
  "state:saturation",
  "gridCurtailment:stuck",
  "gridCurtailment:spike", // a moment's curtailment to 50 % may be true
  "gridCurtailment:saturation", // true as long as the power is lower
]);

/** Found within this many hours only: a heavy bearing warms slowly, blades hide in the wind. */
const SLOW = new Set(["blade", "main_bearing", "gear_loss", "hss_bearing", "hss_bearing_inner"]);

const rows = FAULTS.filter((row) => row.kind === "wind-turbine");
const shown = (list: readonly Raised[]) => list.filter((a) => !a.folded);

describe("machine", () => {
  for (const { name, class: kind } of rows) {
    test(name, () => {
      const inject = `${name}@${AT_s}s`;
      const hours = name === "blade" ? 4 : SLOW.has(name) ? 1.5 : 0.75;
      const blockEvery_ms = name.startsWith("hss_bearing") ? 60_000 : 300_000;
      const duration_s = AT_s + hours * 3600;
      const alarms = run({ ...turbine, seed: 3, duration_s, blockEvery_ms, inject });
      if (kind === "event") expect(alarms).toEqual([]);
      else {
        expect(shown(alarms).map((a) => [a.id, a.class])).toEqual([[EXPECTED[name], "machine"]]);
        expect(alarms[0]?.at_s).toBeGreaterThan(AT_s);
      }
    });
  }
});

describe("sensors: two modes a channel, all modes in turn", () => {
  const channels = TURBINE_CHANNELS.filter((c) => c.shape === "scalar").map((c) => c.name);
  channels.forEach((name, row) => {
    test(name, () => {
      for (let k = 0; k < 2; k++) {
        const mode = SENSOR_FAULTS[(2 * row + k + (row >> 2)) % SENSOR_FAULTS.length] ?? "stuck";
        const other = name === "nacelleTemp" ? "oilTemp" : "nacelleTemp";
        const partner = mode === "swap" ? `:${other}` : "";
        const inject = `wind-turbine:sensor:${name}:${mode}${partner}@${AT_s}s`;
        const sparse = { duration_s: AT_s + 1800, blockEvery_ms: 300_000 };
        const alarms = run({ ...turbine, seed: 3, ...sparse, inject });
        const named = new Set(["stale", `sensor-${name}`, ...(partner ? [`sensor-${other}`] : [])]);
        expect(
          alarms.filter((a) => a.class !== "sensor"),
          inject,
        ).toEqual([]);
        expect(
          alarms.filter((a) => !named.has(a.id)),
          inject,
        ).toEqual([]);
        // A ceiling above the reading does nothing.
        if (mode === "saturation" || HARMLESS.has(`${name}:${mode}`)) continue;
        expect(alarms.length, inject).toBeGreaterThan(0);
      }
    });
  });
});

test("healthy: nothing in three times four hours", () => {
  for (const seed of [101, 102, 103]) {
    const duration_s = 4 * 3600;
    expect(run({ ...turbine, seed, duration_s, blockEvery_ms: 300_000 }), `seed ${seed}`).toEqual(
      [],
    );
  }
});

test("healthy, a reading every ten seconds for a day and a half: nothing", () => {
  const period_ms = 10_000;
  const blockEvery_ms = 6 * 3_600_000;
  const slow = { ...turbine, seed: 1, duration_s: 36 * 3600, period_ms, blockEvery_ms };
  expect(run(slow).filter((alarm) => alarm.id !== "stale")).toEqual([]);
});

test("the blocks of a healthy gearbox raise nothing, one every two seconds", () => {
  expect(run({ ...turbine, seed: 7, duration_s: 300, blockEvery_ms: 2000 })).toEqual([]);
});

test("before commissioning no learnt limit speaks, and the bearing network still does", () => {
  const bare = { ...turbine, baseline: null, seed: 3 };
  expect(run({ ...bare, duration_s: AT_s + 3600, inject: `gen_cooling@${AT_s}s` })).toEqual([]);
  const alarms = run({ ...bare, duration_s: AT_s + 900, inject: `hss_bearing@${AT_s}s` });
  expect(alarms.map((a) => a.id)).toEqual(["gearbox-hss"]);
});

test("the same run twice gives the same alarms", () => {
  const once = () => run({ ...turbine, seed: 5, duration_s: 2400, inject: "pitch_stuck@600s" });
  expect(once()).toEqual(once());
});
