import { expect, test } from "vitest";
import { QUADROTOR_CHANNELS, TURBINE_CHANNELS } from "../../agent/sensors/plants/channels.js";
import { FAULTS } from "../../agent/sensors/plants/faults.js";
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import { createPlant } from "../../agent/sensors/plants/kinds.js";
import { SENSOR_FAULTS } from "../../agent/sensors/plants/plant.js";
import { isUnitFault, parseUnit } from "../../agent/units/parse.js";
import { injectAll, type Run, run } from "./run.js";

const PERIOD_ms = 1000;
const turbine = (...faults: string[]): Run =>
  run(injectAll(createPlant("wind-turbine", { asset: "WT01", seed: 3 }), faults));

test("what is injected, how hard, when, and how it grows", () => {
  expect(parseInjection("hss_bearing@20s")).toEqual({
    name: "hss_bearing",
    kind: "wind-turbine",
    sensor: null,
    at_s: 20,
    ramp_s: 0,
    severity: 1,
  });
  expect(parseInjection("blade*0.5@2min+1h")).toMatchObject({
    severity: 0.5,
    at_s: 120,
    ramp_s: 3600,
  });
  expect(parseInjection("sensor:oilTemp:swap:nacelleTemp@500ms")).toMatchObject({
    kind: "wind-turbine",
    sensor: { channel: 11, mode: "swap", other: 9 },
    at_s: 0.5,
  });
  expect(parseInjection("quadrotor:sensor:pitch:stuck")).toMatchObject({ kind: "quadrotor" });
});

test.each([
  ["bearing@20s", "there is no fault"],
  ["hss_bearing@soon", "is no injection"],
  ["hss_bearing*0", "severity"],
  ["hss_bearing*2", "severity"],
  ["sensor:oilTemp:melted", "stuck spike drift"],
  ["sensor:tea:stuck", "windSpeed"],
  ["sensor:hssAccel:stuck", "no scalar channel"],
  ["sensor:oilTemp:swap", "swap needs"],
  ["sensor:oilTemp:swap:oilTemp", "swap needs"],
  ["sensor:oilTemp:stuck:nacelleTemp", "only swap"],
  ["", "is no injection"],
])("%j is refused in words", (text, words) => {
  const found = parseInjection(text);
  expect("fault" in found ? found.fault : "").toContain(words);
});

test("every fault and sensor fault can be injected, every channel has a known unit", () => {
  for (const { name } of FAULTS) expect(parseInjection(name)).toMatchObject({ name });
  for (const channel of [...TURBINE_CHANNELS, ...QUADROTOR_CHANNELS]) {
    expect(isUnitFault(parseUnit(channel.unit))).toBe(false);
    if (channel.shape === "block") continue;
    for (const mode of SENSOR_FAULTS) {
      if (mode === "swap") continue;
      expect(parseInjection(`sensor:${channel.name}:${mode}`)).toMatchObject({ severity: 1 });
    }
  }
});

test.each(SENSOR_FAULTS)("sensor fault %s: seen on its channel, and on no other", (mode) => {
  const partner = mode === "swap" ? ":windingTemp" : "";
  const [good, bad] = [turbine(), turbine(`sensor:oilTemp:${mode}${partner}@10s`)];
  good.advance(120);
  bad.advance(120);
  const others = (plant: Run) =>
    plant.rows.filter(
      ([name]) => name !== "oilTemp" && (mode !== "swap" || name !== "windingTemp"),
    );
  expect(others(bad)).toEqual(others(good));
  const rows = (plant: Run) => plant.rows.filter(([name]) => name === "oilTemp");
  expect(rows(bad).slice(0, 9)).toEqual(rows(good).slice(0, 9));
  expect(rows(bad)).not.toEqual(rows(good));
});

test("each sensor fault is what its name says", () => {
  const at = (mode: string) => {
    const plant = turbine(`sensor:oilTemp:${mode}@10s`);
    plant.advance(120);
    return plant;
  };
  const truth = turbine();
  truth.advance(120);
  const good = truth.last("oilTemp");
  expect(new Set(at("stuck").of("oilTemp").slice(10)).size).toBe(1);
  expect(at("bias").last("oilTemp") - good).toBeCloseTo(0.25 * 85, 6);
  expect(at("scale").last("oilTemp") - good).toBeCloseTo(-273.15, 6);
  expect(at("dropout").of("oilTemp").length).toBe(9);
  expect(at("drift").last("oilTemp") - good).toBeCloseTo((85 * 111) / 3600, 1);
  const jumped = at("clock_jump").rows.filter(([name]) => name === "oilTemp");
  expect(jumped.at(-1)?.[1]).toBe(120 * PERIOD_ms + 3_600_000);
  const late = at("delay").rows.filter(([name]) => name === "oilTemp");
  expect(late.at(-1)?.[1]).toBe(110 * PERIOD_ms);
  expect(at("saturation").max("oilTemp")).toBeLessThan(273.15 + 85);
  const spikes = at("spike")
    .of("oilTemp")
    .filter((v) => Math.abs(v - good) > 20);
  expect(spikes.length).toBeGreaterThan(3);
  const swapped = at("swap:windingTemp");
  expect(Math.abs(swapped.last("oilTemp") - truth.last("windingTemp"))).toBeLessThan(1);
  expect(Math.abs(swapped.last("windingTemp") - good)).toBeLessThan(1);
});

test("a drift that is mended leaves nothing behind", () => {
  const plant = createPlant("wind-turbine", { asset: "WT01", seed: 3 });
  const told = run(plant);
  told.advance(60);
  const good = told.last("oilTemp");
  const drift = parseInjection("wind-turbine:sensor:oilTemp:drift");
  if ("fault" in drift) throw new Error(drift.fault);
  plant.inject(drift);
  told.advance(1800);
  expect(told.last("oilTemp") - good).toBeGreaterThan(30);
  plant.inject({ ...drift, severity: 0 });
  told.advance(1860);
  expect(Math.abs(told.last("oilTemp") - good)).toBeLessThan(5);
});
