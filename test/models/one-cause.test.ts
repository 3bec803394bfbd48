//! One cause, one alarm: a sensor that lies in any way is named once, nothing else with it, and no
//! machine for it, however long it lies and whatever the load does meanwhile.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Backend } from "../../agent/accel/backend.js";
import { reference } from "../../agent/accel/reference.js";
import type { Tier } from "../../agent/base/telemetry.js";
import { createTurbineMonitor } from "../../agent/models/turbine.js";
import { openThermal, THERMAL_FILE } from "../../agent/models/turbine-learned.js";
import { run } from "./rig.js";

const baseline: unknown = JSON.parse(readFileSync("config/baselines/demo-wt01.json", "utf8"));
const turbine = { kind: "wind-turbine", baseline, seed: 3, blockEvery_ms: 1e9 } as const;
const AT_s = 900;

/** What is raised after the fault, in order; of a machine that says its readings every so often. */
const raised = (fault: string, period_s: number, hours: number): string[] =>
  run({
    ...turbine,
    period_ms: 1000 * period_s,
    inject: `wind-turbine:sensor:${fault}@${AT_s}s`,
    duration_s: AT_s + 3600 * hours,
  }).map(({ id }) => id);

describe("each second", () => {
  test.each(["oilTemp", "power", "pitchDemand", "windSpeed"])(
    "%s comes ten seconds late: no silence, but late",
    (channel) => {
      expect(raised(`${channel}:delay`, 1, 0.1)).toEqual([`sensor-${channel}`]);
    },
  );
});

describe("each three seconds, for hours", () => {
  test.each([
    "state:drift", // beyond its range it falls silent
    "generatorTorque:saturation", // not the power, when the wind takes it in and out of it
    "windSpeed:spike",
    "oilTemp:spike",
    "towerAccel:spike",
    "oilTemp:drift*0.44", // the bearing in the oil does not follow it
    "pitch:bias*0.6", // at fine pitch, where the demand rests
    "pitch:drift*0.3",
    "ambientTemp:bias*0.35",
    "windingTemp:bias*0.4", // a lull takes it back to where it left from
  ])("%s", (fault) => {
    expect(raised(fault, 3, 2.5)).toEqual([`sensor-${fault.split(":")[0]}`]);
  });
});

describe("each ten seconds, most of them lost", () => {
  test.each(["pitch:dropout*0.9", "pitchDemand:dropout*0.9", "hssBearingTemp:dropout*0.8"])(
    "%s: what stands still is overdue, and no machine's fault",
    (fault) => {
      const own = `sensor-${fault.split(":")[0]}`;
      for (const id of raised(fault, 10, 12)) expect(["stale", own]).toContain(id);
    },
  );
});

test("a device taken out changes the tier that the evidence names", () => {
  const device: Backend & { tier: Tier } = { ...reference };
  const plate = { rated_W: 5e6, ratedSpeed_radps: 1.27, gearRatio: 97, efficiency: 0.944 };
  const learned = openThermal(readFileSync(THERMAL_FILE), device, plate);
  if (typeof learned === "string") throw new Error(learned);
  const nameplate = { ratedPower: 5e6, rotorRadius: 63, gearRatio: 97 };
  const monitor = createTurbineMonitor({
    id: "wt",
    nameplate,
    baseline: null,
    backend: reference,
    learned,
  });
  expect(monitor.tier).toBe("exact");
  device.tier = "within 1 step";
  expect(monitor.tier).toBe("within 1 step");
});
