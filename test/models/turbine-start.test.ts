//! The first half hour of a turbine after a start of the agent, a reading every three seconds as in
//! the demo: a healthy one doubts no sensor, and a broken sensor is one alarm, its own.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { run } from "./rig.js";

const baseline: unknown = JSON.parse(readFileSync("config/baselines/demo-wt01.json", "utf8"));
const START = { kind: "wind-turbine", period_ms: 3_000, blockEvery_ms: 600_000, baseline } as const;

test.each([5, 13, 30, 31])("healthy, seed %i: nothing", (seed) => {
  expect(run({ ...START, seed, duration_s: 1_200 })).toEqual([]);
});

test.each([1, 2, 3, 4, 6, 7, 8])(
  "an anemometer out of scale, seed %i: one alarm, its own",
  (seed) => {
    const inject = "sensor:windSpeed:scale@3min";
    const raised = run({ ...START, seed, duration_s: 2_400, inject });
    expect(raised.map((r) => [r.id, r.class])).toEqual([["sensor-windSpeed", "sensor"]]);
  },
);

test("a power reading beyond the rated power doubts itself, not what the grid allows", () => {
  const inject = "sensor:power:bias@3min";
  const raised = run({ ...START, seed: 1, duration_s: 2_400, inject });
  expect(raised.map((r) => r.id)).toEqual(["sensor-power"]);
});
