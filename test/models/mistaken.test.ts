//! What gas turbine, bearing and quadrotor once took for something else: a fault of the machine for one
//! of an instrument, the other way round, and ordinary events for either.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type RigOptions, run } from "./rig.js";

const baselineOf = (asset: string): unknown =>
  JSON.parse(readFileSync(`config/baselines/${asset}.json`, "utf8"));
type Options = Omit<RigOptions, "kind" | "baseline">;
const ids = (kind: RigOptions["kind"], asset: string, options: Options): string[] =>
  run({ kind, baseline: baselineOf(asset), ...options }).map(({ id }) => id);
const gas = (options: Options) => ids("gas-turbine", "demo-gt01", options);
const rig = (options: Options) => ids("bearing", "demo-br01", options);
const drone = (options: Options) => ids("quadrotor", "demo-qd01", options);

const HOURS = { seed: 52, period_ms: 10_000 };

/** A thermometer in a well: what it says comes minutes later. */
function lagging(names: RegExp, lag_s: number) {
  const said = new Map<string, number>();
  return (name: string, value: number): number => {
    if (!names.test(name)) return value;
    const before = said.get(name) ?? value;
    const now = before - (value - before) * Math.expm1(-HOURS.period_ms / 1000 / lag_s);
    said.set(name, now);
    return now;
  };
}

test("gas turbine: thermometers with a lag, as it stops and starts again", () => {
  const lie = lagging(/^(oil|bearing)Temp/, 300);
  expect(gas({ ...HOURS, duration_s: 30_000, inject: "shutdown@2h", lie })).toEqual([]);
});

test("gas turbine: an offset of a bearing's thermometer comes faster than heat", () => {
  const inject = "gas-turbine:sensor:bearingTemp2:bias*0.5@1h";
  expect(gas({ ...HOURS, duration_s: 14_000, inject })).toEqual(["sensor-bearingTemp2"]);
});

test("gas turbine: a filter that begins to clog is no broken gauge", () => {
  const inject = "filter_clogging*0.9@1h+8h";
  const said = gas({ ...HOURS, duration_s: 36_000, inject });
  expect(said.filter((id) => id.startsWith("sensor-"))).toEqual([]);
  expect(said).toContain("inlet-filter");
});

test("bearing: another speed or load between blocks that come every ten minutes", () => {
  for (const event of ["speed_step", "load_step"]) {
    const options = { ...HOURS, duration_s: 10_000, blockEvery_ms: 600_000 };
    expect(rig({ ...options, inject: `${event}@4000s` }), event).toEqual([]);
  }
});

test("bearing: damage that warms it before its torque counts is no thermometer's fault", () => {
  const options = { ...HOURS, duration_s: 20_000, blockEvery_ms: 600_000 };
  const said = rig({ ...options, inject: "outer_race*0.6@1h" });
  expect(said).toContain("bearing-damage");
  expect(said).not.toContain("sensor-bearingTemp");
});

test("quadrotor: a chip is a propeller's, however small it is", () => {
  for (const severity of [0.65, 0.75, 0.9]) {
    const inject = `prop_chip*${severity}@60s`;
    expect(drone({ seed: 57, duration_s: 180, period_ms: 200, inject }), inject).toEqual([
      "propeller",
    ]);
  }
});

test("quadrotor: a climb rate that stays at zero makes no hover of a climb", () => {
  const lie = (name: string, value: number, t_s: number): number =>
    name === "climbRate" && t_s > 200 ? 0 : value;
  const said = drone({ seed: 55, duration_s: 400, period_ms: 200, lie });
  expect(said).toEqual(["sensor-climbRate"]);
});
