import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { airDensity, powerCoefficient, TURBINE, TURBINE_NODES } from "../../agent/base/physics.js";
import { TURBINE_STATES } from "../../agent/sensors/plants/channels.js";
import {
  createWindTurbine,
  type WindTurbineOptions,
} from "../../agent/sensors/plants/wind-turbine.js";
import { injectAll, type Run, run } from "./run.js";

const turbine = (options: Partial<WindTurbineOptions> = {}, ...faults: string[]): Run =>
  run(injectAll(createWindTurbine({ asset: "WT01", seed: 1, ...options }), faults));

test("the first 1000 rows of seed 1 are what they were", () => {
  const hash = createHash("sha256");
  const plant = turbine();
  plant.advance(Math.ceil(1000 / 18));
  for (const [name, t_ms, value] of plant.rows.slice(0, 1000)) {
    hash.update(`${name} ${t_ms} ${value.toPrecision(9)}\n`);
  }
  expect(plant.rows.length).toBeGreaterThanOrEqual(1000);
  expect(hash.digest("hex").slice(0, 16)).toMatchInlineSnapshot(`"e8f1e6067299c42e"`);
});

test("one seed, one history, however it is advanced; another seed, another", () => {
  const [a, b, c] = [turbine(), turbine(), turbine({ seed: 2 })];
  a.advance(60);
  for (let s = 1; s <= 60; s++) b.advance(s);
  c.advance(60);
  expect(b.rows).toEqual(a.rows);
  expect(c.rows).not.toEqual(a.rows);
});

test("steady wind of 11.4 m/s gives 5 MW, of 8 m/s the best Cp", () => {
  const rated = (0.5 * airDensity(101_325, 288.15) * Math.PI * 63 ** 2 * 11.4 ** 3) / 1e6;
  const lambda = (TURBINE.ratedRotor_radps * 63) / 11.4;
  expect(rated * powerCoefficient(lambda, 0) * 0.944).toBeGreaterThan(4.9);
  const plant = turbine({ wind_mps: 14 });
  plant.advance(600);
  expect(plant.mean("power", 300)).toBeGreaterThan(4.7e6);
  expect(plant.max("power")).toBeLessThan(5.1e6);
  const slow = turbine({ wind_mps: 8 });
  slow.advance(600);
  const ratio = (slow.mean("rotorSpeed", 300) * 63) / slow.mean("windSpeed", 300);
  expect(ratio).toBeGreaterThan(7);
  expect(ratio).toBeLessThan(8.6);
});

test("at rated power the temperatures settle where heat and cooling balance", () => {
  const plant = turbine({ wind_mps: 18 });
  plant.advance(3600);
  const over = (a: string, b: string) => plant.mean(a, 600) - plant.mean(b, 600);
  expect(Math.abs(over("windingTemp", "nacelleTemp") - 61.5)).toBeLessThan(4);
  expect(Math.abs(over("oilTemp", "nacelleTemp") - 35)).toBeLessThan(3);
  expect(Math.abs(over("hssBearingTemp", "oilTemp") - 12)).toBeLessThan(1);
  expect(Math.abs(over("mainBearingTemp", "nacelleTemp") - 22)).toBeLessThan(2);
  for (const { heatMax_W, conductance_WpK } of Object.values(TURBINE_NODES)) {
    expect(heatMax_W / conductance_WpK).toBeLessThan(65);
  }
});

test("no overspeed in strong wind, nor in a gust", () => {
  const plant = turbine({ wind_mps: 20 }, "gust@60s");
  plant.advance(900);
  expect(plant.max("rotorSpeed")).toBeLessThan(1.15 * TURBINE.ratedRotor_radps);
  expect(plant.last("state")).toBe(TURBINE_STATES.run);
});

test("an operator's stop ends at rest, a curtailment at half power, calm in idling", () => {
  const stopped = turbine({ wind_mps: 10 }, "stop@10s");
  stopped.advance(120);
  expect(stopped.last("state")).toBe(TURBINE_STATES.idle);
  expect(stopped.last("rotorSpeed")).toBeLessThan(0.01);
  const curtailed = turbine({ wind_mps: 14 }, "curtail@10s");
  curtailed.advance(120);
  expect(curtailed.last("state")).toBe(TURBINE_STATES.curtailed);
  expect(Math.abs(curtailed.last("power") - 2.5e6)).toBeLessThan(0.1e6);
  const calm = turbine({ wind_mps: 1 });
  calm.advance(60);
  expect(calm.last("power")).toBeLessThan(20e3);
});

const CHANGES: [fault: string, channel: string, least: number, most: number, wind: number][] = [
  ["hss_bearing", "hssBearingTemp", 10, 20, 18],
  ["hss_bearing_inner", "hssBearingTemp", 10, 20, 18],
  ["gen_cooling", "windingTemp", 20, 35, 18],
  ["gear_loss", "oilTemp", 12, 22, 18],
  ["main_bearing", "mainBearingTemp", 5, 15, 18],
  ["yaw_misalign", "yawError", 0.4, 0.47, 9],
  ["yaw_misalign", "power", -0.9e6, -0.3e6, 9],
  ["blade", "power", -0.5e6, -0.1e6, 9],
  ["imbalance", "towerAccel", 0.1, 0.45, 9],
  ["heat_wave", "ambientTemp", 14.9, 15.1, 9],
];
const healthy = new Map<number, Run>();
test.each(CHANGES)("%s changes %s by %d to %d", (fault, channel, least, most, wind_mps) => {
  // The same seed with and without: what differs is the fault.
  const good = healthy.get(wind_mps) ?? turbine({ wind_mps });
  healthy.set(wind_mps, good);
  const bad = turbine({ wind_mps }, `${fault}@60s`);
  good.advance(7200);
  bad.advance(7200);
  expect(bad.rows.slice(0, 18 * 59)).toEqual(good.rows.slice(0, 18 * 59));
  const change = bad.mean(channel, 3600) - good.mean(channel, 3600);
  expect(change).toBeGreaterThan(least);
  expect(change).toBeLessThan(most);
});

test("a jammed pitch costs power, and the controller asks in vain", () => {
  const [good, bad] = [turbine(), turbine({}, "pitch_stuck@60s")];
  good.advance(300);
  bad.advance(300);
  expect(bad.mean("pitch", 200) - bad.mean("pitchDemand", 200)).toBeGreaterThan(0.04);
  const loss = 1 - bad.mean("power", 200) / good.mean("power", 200);
  expect(loss).toBeGreaterThan(0.05);
  expect(loss).toBeLessThan(0.25);
});

test("blocks come when asked, with the speed of the shaft", () => {
  const plant = turbine({ blockEvery_ms: 2000, start_ms: 1_700_000_000_000 }, "hss_bearing@5s");
  plant.advance(10);
  expect(plant.blocks.map((b) => b.t_ms)).toEqual(
    [2, 4, 6, 8, 10].map((s) => 1_700_000_000_000 + s * 1000 - 1280),
  );
  for (const block of plant.blocks) {
    expect(Math.abs(block.speed_radps - plant.last("generatorSpeed"))).toBeLessThan(6);
  }
  const peak = (i: number) => plant.blocks[i]?.values.reduce((m, v) => Math.max(m, v), 0) ?? 0;
  expect(peak(4)).toBeGreaterThan(peak(0) + 4);
});
