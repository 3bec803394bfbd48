import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  compress,
  cycle,
  cycleAt,
  cycleEfficiency,
  expand,
  GAS_TURBINE,
  HEALTHY,
  rowenEfficiency,
} from "../../agent/base/brayton.js";
import { createGasTurbine } from "../../agent/sensors/plants/gas-turbine.js";
import { GAS_TURBINE_STATES } from "../../agent/sensors/plants/gas-turbine-channels.js";
import { injectAll, type Run, run } from "./run.js";

const ISO = { temperature_K: GAS_TURBINE.inlet_K, pressure_Pa: GAS_TURBINE.inlet_Pa };
const plant = (seed: number, ...faults: string[]): Run =>
  run(injectAll(createGasTurbine({ asset: "GT01", seed }), faults));

test("the first 1000 rows of seed 1 are what they were", () => {
  const hash = createHash("sha256");
  const first = plant(1);
  first.advance(60);
  for (const [name, t_ms, value] of first.rows.slice(0, 1000)) {
    hash.update(`${name} ${t_ms} ${value.toPrecision(9)}\n`);
  }
  expect(first.rows.length).toBeGreaterThanOrEqual(1000);
  expect(hash.digest("hex").slice(0, 16)).toMatchInlineSnapshot(`"29a9a1212f9da407"`);
});

test("one seed, one history, however it is advanced; another seed, another", () => {
  const [a, b, c] = [plant(1), plant(1), plant(2)];
  a.advance(60);
  for (let s = 1; s <= 60; s++) b.advance(s);
  c.advance(60);
  expect(b.rows).toEqual(a.rows);
  expect(c.rows).not.toEqual(a.rows);
});

test("rated: 23.7 MW, efficiency 0.325, heat rate 11 090 kJ/kWh, exhaust 834 K", () => {
  const now = cycle(ISO, 1, GAS_TURBINE.firing_K);
  const efficiency = cycleEfficiency(now.power_W, now.fuel_kgps);
  expect(now.power_W / 1e6).toBeCloseTo(23.7, 1);
  expect(efficiency).toBeCloseTo(0.325, 2);
  expect(Math.abs(3600 / efficiency / 11_090 - 1)).toBeLessThan(0.01);
  expect(Math.abs(now.exhaust_K - 834)).toBeLessThan(1);
  expect(now.pressureRatio).toBeCloseTo(14, 6);
});

test("what goes in comes out, and Carnot bounds it, at any load and weather", () => {
  const { air_JpkgK, gas_JpkgK, heatingValue_Jpkg, mechanicalEfficiency } = GAS_TURBINE;
  for (const temperature_K of [255, 288, 315]) {
    for (const power_W of [8e6, 14e6, 20e6]) {
      const now = cycleAt({ temperature_K, pressure_Pa: 98_000 }, 1, power_W);
      const { flow_kgps, fuel_kgps, exhaust_K } = now;
      const into_W =
        flow_kgps * air_JpkgK * temperature_K +
        fuel_kgps * HEALTHY.combustionEfficiency * heatingValue_Jpkg;
      const out_W =
        now.power_W / mechanicalEfficiency + (flow_kgps + fuel_kgps) * gas_JpkgK * exhaust_K;
      expect(Math.abs(out_W / into_W - 1)).toBeLessThan(1e-3);
      expect(Math.abs(now.power_W - power_W)).toBeLessThan(500);
      expect(cycleEfficiency(now.power_W, fuel_kgps)).toBeLessThan(
        1 - temperature_K / now.firing_K,
      );
      expect(now.discharge_K).toBeCloseTo(compress(temperature_K, now.pressureRatio), 6);
      expect(exhaust_K).toBeCloseTo(expand(now.firing_K, now.pressureRatio), 6);
    }
  }
});

test("wear at constant firing costs what the textbook says", () => {
  const rated = cycle(ISO, 1, GAS_TURBINE.firing_K);
  const loss = (health: Partial<typeof HEALTHY>): number =>
    1 - cycle(ISO, 1, GAS_TURBINE.firing_K, { ...HEALTHY, ...health }).power_W / rated.power_W;
  const turbine = cycle(ISO, 1, GAS_TURBINE.firing_K, { ...HEALTHY, turbineEfficiency: 0.87 });
  expect(Math.abs(loss({ turbineEfficiency: 0.87 }) - 0.047)).toBeLessThan(0.003);
  expect(Math.abs(turbine.exhaust_K - rated.exhaust_K - 13.8)).toBeLessThan(0.3);
  expect(Math.abs(loss({ compressorEfficiency: 0.84 }) - 0.027)).toBeLessThan(0.004);
  expect(loss({ compressorEfficiency: 0.84, flow: 0.945 })).toBeGreaterThan(0.06);
});

test("Rowen's part-load efficiency: 0.70 at half fuel, 0.90 at three quarters", () => {
  expect(rowenEfficiency(0.5)).toBeCloseTo(0.7, 2);
  expect(rowenEfficiency(0.75)).toBeCloseTo(0.9, 2);
});

test("a stop ends at rest and cold oil, a cut of load at less power", () => {
  const stopped = plant(1, "shutdown@10s");
  stopped.advance(4 * 3600);
  expect(stopped.last("state")).toBe(GAS_TURBINE_STATES.off);
  expect(stopped.last("shaftSpeed")).toBeLessThan(0.2);
  expect(stopped.last("oilTemp") - stopped.last("inletTemp")).toBeLessThan(5);
  const [full, cut] = [plant(1), plant(1, "load_cut@10s")];
  full.advance(900);
  cut.advance(900);
  expect(cut.last("power")).toBeLessThan(0.75 * full.last("power"));
});

test("readings at 10 s are those of the same physics as at 1 s", () => {
  const slow = run(createGasTurbine({ asset: "GT01", seed: 1, period_ms: 10_000 }));
  const fast = plant(1);
  slow.advance(600);
  fast.advance(600);
  const ratio = slow.mean("exhaustTempA", 20) / fast.mean("exhaustTempA", 200);
  expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
});

test("the exhaust limit holds on a hot day", () => {
  const hot = run(createGasTurbine({ asset: "GT01", seed: 1, ambient_K: 310, load: 1 }));
  hot.advance(3600);
  expect(hot.mean("power", 600)).toBeLessThan(22e6);
  expect(hot.mean("exhaustTempA", 600)).toBeLessThan(860);
});
