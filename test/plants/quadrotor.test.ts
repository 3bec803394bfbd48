import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  BATTERY_4S,
  barometricAltitude,
  barometricPressure,
  batteryCurrent,
  cellCharge,
  cellVoltage,
  rotorPower,
  timeToReserve,
} from "../../agent/base/physics.js";
import { createQuadrotor, type QuadrotorOptions } from "../../agent/sensors/plants/quadrotor.js";
import { injectAll, type Run, run } from "./run.js";

const drone = (options: Partial<QuadrotorOptions> = {}, ...faults: string[]): Run =>
  run(injectAll(createQuadrotor({ asset: "QD01", seed: 1, ...options }), faults));
const hovering = { fly: false, wind_mps: 0, period_ms: 1000 };

test("the first 1000 rows of seed 1 are what they were", () => {
  const hash = createHash("sha256");
  const plant = drone();
  plant.advance(10);
  for (const [name, t_ms, value] of plant.rows.slice(0, 1000)) {
    hash.update(`${name} ${t_ms} ${value.toPrecision(9)}\n`);
  }
  expect(plant.rows.length).toBeGreaterThanOrEqual(1000);
  expect(hash.digest("hex").slice(0, 16)).toMatchInlineSnapshot(`"e4137bdc7ff6f55f"`);
});

test("one seed, one history, however it is advanced", () => {
  const [a, b] = [drone(), drone()];
  a.advance(20);
  for (let s = 1; s <= 20; s++) b.advance(s);
  expect(b.rows).toEqual(a.rows);
});

test("hover at 794 rad/s and 225 W", () => {
  const plant = drone(hovering);
  plant.advance(60);
  const density = 1.221; // at 30 m
  const expected = 793.5 * Math.sqrt(1.225 / density);
  expect(Math.abs(plant.mean("rotorSpeed3", 50) - expected)).toBeLessThan(4);
  const power = plant.mean("batteryVoltage", 50) * plant.mean("batteryCurrent", 50);
  expect(Math.abs(power - 225)).toBeLessThan(5);
  expect(Math.abs(rotorPower((1.5 * 9.80665) / 4, 4, 1.225) - 225)).toBeLessThan(5);
  expect(Math.abs(plant.mean("accelZ", 50) - 9.807)).toBeLessThan(0.03);
});

test("a full battery hovers 16.5 min to 20 %, as the equation says", () => {
  const plant = drone({ ...hovering, soc: 1 });
  let charge_As = BATTERY_4S.capacity_As;
  let minutes = 0;
  for (let s = 1; charge_As > 0.2 * BATTERY_4S.capacity_As; s++) {
    plant.advance(s);
    charge_As -= plant.last("batteryCurrent");
    minutes = s / 60;
  }
  expect(Math.abs(minutes - 16.5) / 16.5).toBeLessThan(0.05);
  expect(Math.abs(timeToReserve(BATTERY_4S, 1, 225, 0.2) / 60 - 16.5)).toBeLessThan(0.2);
});

test("barometer, battery and their inverses agree with the published points", () => {
  for (const [p, h] of [
    [95_461, 499.99],
    [89_874.6, 1000],
    [79_495.2, 2000],
  ] as const) {
    expect(Math.abs(barometricAltitude(p) - h)).toBeLessThan(0.1);
    expect(Math.abs(barometricPressure(h) - p)).toBeLessThan(1);
  }
  for (const soc of [0, 0.07, 0.33, 0.5, 0.95, 1]) {
    expect(cellCharge(cellVoltage(soc))).toBeCloseTo(soc, 9);
  }
  const current = batteryCurrent(225, 16, 0.02);
  expect(current * (16 - 0.02 * current)).toBeCloseTo(225, 9);
  expect(batteryCurrent(1e5, 16, 0.02)).toBeNaN();
});

test("it flies its round, lands for a fresh battery, and goes on", () => {
  const plant = drone({ period_ms: 1000 });
  plant.advance(2400);
  const altitude = plant.of("altitudeRef");
  expect(plant.max("altitudeRef")).toBeGreaterThan(58);
  expect(Math.min(...altitude)).toBeLessThan(1);
  expect(Math.min(...plant.of("batteryVoltage"))).toBeGreaterThan(14);
  expect(plant.max("velocity")).toBeGreaterThan(7);
  const landed = altitude.findIndex((h) => h < 1);
  expect(Math.max(...altitude.slice(landed + 60))).toBeGreaterThan(58);
  const heights = plant.of("pressure").map((p) => barometricAltitude(p));
  const errors = heights.map((h, i) => Math.abs(h - (altitude[i] ?? Number.NaN)));
  expect(Math.max(...errors)).toBeLessThan(10);
});

const CHANGES: [fault: string, channel: string, least: number, most: number][] = [
  ["rotor_thrust", "rotorSpeed1", 40, 46],
  ["prop_chip", "vibe", 0.8, 2],
  ["motor_loss", "escCurrent1", -4, -3],
  ["esc_overtemp", "escTemp1", 50, 75],
  ["battery_cell", "cellVoltage3", -0.18, -0.12],
  ["imu_clipping", "vibe", 55, 65],
  ["imu_clipping", "clipCount", 1000, 3000],
  ["mag_interference", "magField", 13e-6, 17e-6],
];
test.each(CHANGES)("%s changes %s by %d to %d", (fault, channel, least, most) => {
  const [good, bad] = [drone(hovering), drone(hovering, `${fault}@10s`)];
  good.advance(600);
  bad.advance(600);
  expect(bad.rows.slice(0, 32 * 9)).toEqual(good.rows.slice(0, 32 * 9));
  const change = bad.mean(channel, 200) - good.mean(channel, 200);
  expect(change).toBeGreaterThan(least);
  expect(change).toBeLessThan(most);
});

test("a frozen barometer and a jumping satellite receiver disagree with the height", () => {
  const iced = drone({ period_ms: 1000 }, "baro_icing@10s");
  iced.advance(100);
  const shown = barometricAltitude(iced.last("pressure"));
  expect(iced.last("altitudeRef") - shown).toBeGreaterThan(15);
  const jumping = drone(hovering, "gps_glitch@10s");
  jumping.advance(60);
  const far = jumping.of("altitudeRef").filter((h) => Math.abs(h - 30) > 8);
  expect(far.length).toBeGreaterThan(5);
});
