import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { type AssetSetup, KINDS } from "../../agent/assets.js";
import { airDensity, powerCoefficient, TURBINE, TURBINE_NODES } from "../../agent/base/physics.js";
import { prng } from "../../agent/base/prng.js";
import { AltitudeWatch } from "../../agent/models/chain/altitude.js";
import { RotorWatch } from "../../agent/models/chain/rotor.js";
import { BlockMean, Cusum, Smooth } from "../../agent/models/chain/smooth.js";
import { NO_FIT, ThermalWatch } from "../../agent/models/chain/thermal.js";
import { powerModel, stressModel } from "../../agent/models/laws.js";
import { readBaseline } from "../../agent/models/setup.js";
import { createVibrationMonitor } from "../../agent/models/vibration.js";
import { QUADROTOR_CHANNELS, TURBINE_CHANNELS } from "../../agent/sensors/plants/channels.js";
import { synthesizeVibration, VIBRATION } from "../../agent/sensors/plants/vibration.js";
import { parseAmount, parseUnit } from "../../agent/units/parse.js";
import { unit } from "../../agent/units/quantity.js";
import { amounts } from "./rig.js";

describe("memories", () => {
  test("a mean does not depend on how a constant stretch is cut", () => {
    const at = (steps: readonly number[]): number => {
      const mean = new Smooth(30);
      mean.add(0, 1);
      for (const dt_s of steps) mean.add(10, dt_s);
      return mean.value;
    };
    expect(at([20])).toBeCloseTo(at([5, 5, 10]), 10);
    const block = new BlockMean(10);
    expect(block.add(2, 5)).toBeNaN();
    expect(block.add(4, 5)).toBe(3);
  });

  test("evidence grows while a shift lasts, by at most 3 a step, and fades after", () => {
    const evidence = new Cusum(1, 20);
    expect(evidence.add(1000)).toBe(3);
    for (let i = 0; i < 20; i++) evidence.add(1000);
    expect(evidence.value).toBe(20);
    for (let i = 0; i < 4; i++) evidence.add(-9);
    expect(evidence.value).toBe(0);
  });
});

describe("balances", () => {
  test("thermal: 30 % more heat shows as a residual and as that heat", () => {
    const node = TURBINE_NODES.winding;
    const watch = new ThermalWatch(node, 0.9, NO_FIT);
    let truth_K = 330;
    const noise = prng(2, "thermal");
    for (let k = 0; k < 7200; k++) {
      const goal = 300 + (130_000 / node.conductance_WpK) * 1;
      truth_K = goal + (truth_K - goal) * Math.exp(-node.conductance_WpK / node.capacity_JpK);
      const reading_K = truth_K + 0.1 * noise.normal();
      watch.step(1, reading_K, reading_K, 100_000, 300);
    }
    expect(watch.unexplained_W).toBeGreaterThan(26_000);
    expect(watch.unexplained_W).toBeLessThan(34_000);
    expect(watch.residual_K).toBeCloseTo(30_000 / node.conductance_WpK, 0);
    expect(watch.incredible).toBe(false);
  });

  test("rotor: the wind that explains the power is the wind that made it", () => {
    for (const wind_mps of [5, 8, 11, 16, 22]) {
      const rotor_radps = Math.min(TURBINE.ratedRotor_radps, (7.7 * wind_mps) / 63);
      const pitch_rad = wind_mps > 11.4 ? ((wind_mps - 11.4) * 1.7 * Math.PI) / 180 + 0.06 : 0;
      const density = airDensity(101_325, 288.15);
      const cp = powerCoefficient((rotor_radps * 63) / wind_mps, pitch_rad);
      const taken_W = 0.5 * density * Math.PI * 63 ** 2 * cp * wind_mps ** 3;
      const power_W = 0.944 * (taken_W - TURBINE.shaftLoss_Nms * rotor_radps ** 2);
      const watch = new RotorWatch(63, 5e6, 0.944, { ratio: 1, sigma: 0.02 });
      watch.step(1, {
        wind_mps,
        rotor_radps,
        pitch_rad,
        power_W,
        pressure_Pa: 101_325,
        temperature_K: 288.15,
        yaw_rad: 0,
      });
      expect(watch.wind_mps).toBeCloseTo(wind_mps, 1);
    }
  });

  test("height: golden pressures, and the one that leaves the climb rate is named", () => {
    const watch = new AltitudeWatch();
    watch.step(0.2, 101_325, 288.15, 0, 0);
    for (const [pressure_Pa, height_m] of [
      [95_461, 499.99],
      [89_874.6, 1000],
      [79_495.2, 2000],
    ]) {
      watch.step(0.2, pressure_Pa ?? 0, 288.15, height_m ?? 0, 0);
      expect(Math.abs(watch.residual_m)).toBeLessThan(0.1);
    }
    const climb = new AltitudeWatch();
    let named: string | null = null;
    for (let k = 0; k < 200; k++) {
      // Climbs 20 m at 1 m/s while the barometer stands still.
      named = climb.step(0.2, 101_325, 288.15, Math.min(20, 0.2 * k), k < 100 ? 1 : 0) ?? named;
    }
    expect(named).toBe("pressure");
  });
});

describe("typed models", () => {
  test("stress: 3.46 MPa a kelvin", () => {
    const stress = stressModel.infer(unit("K")(1));
    expect(unit("MPa").of(stress)).toBeCloseTo(3.46, 2);
    const column = unit("Pa").column(new Float64Array(2));
    stressModel.inferBatch(unit("K").column(Float64Array.of(1, 2)), column);
    expect(unit("MPa").of(column[1] ?? stress)).toBeCloseTo(6.92, 2);
  });

  test("power: a promise beyond Betz names the law that it breaks", () => {
    const wind = unit("MW")(10);
    expect(unit("MW").of(powerModel(0.45).infer(wind))).toBeCloseTo(4.5, 9);
    expect(powerModel(0.45).inferChecked(wind).broken).toEqual([]);
    expect(
      powerModel(0.6)
        .inferChecked(wind)
        .broken.map((law) => law.name)[0],
    ).toContain("Betz");
  });
});

describe("kinds", () => {
  const setup = (kind: string, more: Partial<AssetSetup> = {}): AssetSetup => ({
    id: "a",
    nameplate: amounts(kind),
    baseline: null,
    backend: reference,
    channels: new Set((KINDS[kind]?.ports ?? []).map((port) => port.name)),
    ...more,
  });

  test("ports are the channels of the simulated machines, with the same dimension", () => {
    const plants = { "wind-turbine": TURBINE_CHANNELS, quadrotor: QUADROTOR_CHANNELS };
    for (const [kind, channels] of Object.entries(plants)) {
      const ports = KINDS[kind]?.ports ?? [];
      expect(ports.map((port) => port.name)).toEqual(channels.map((channel) => channel.name));
      ports.forEach((port, i) => {
        const [own, theirs] = [parseUnit(port.unit), parseUnit(channels[i]?.unit ?? "")];
        if ("fault" in own || "fault" in theirs) throw new Error(port.name);
        expect(own.dim).toBe(theirs.dim);
        expect(own.affine).toBe(theirs.affine);
      });
    }
  });

  test("a missing nameplate value, port or baseline switches off what needs it, in words", () => {
    const { off } = KINDS["wind-turbine"]?.monitors(
      setup("wind-turbine", { nameplate: {}, channels: new Set(["power"]) }),
    ) ?? { off: [] };
    const text = off.join("\n");
    for (const word of ["ratedPower", "rotorRadius", "gearRatio", "hssBearing", "uncommissioned"]) {
      expect(text).toContain(word);
    }
    expect(text).toContain("oilTemp");
    expect(text).not.toContain("no channel power ");
  });

  test("a wrong nameplate unit, an unknown key and a foreign baseline are faults", () => {
    const power = parseAmount("5 m");
    const radius = parseAmount("63 m");
    if ("fault" in power || "fault" in radius) throw new Error("amount");
    const nameplate = { ratedPower: power, rotorRadios: radius };
    const fitted = KINDS["wind-turbine"]?.monitors(
      setup("wind-turbine", { nameplate, baseline: { version: 1, kind: "quadrotor", values: {} } }),
    );
    expect(fitted?.faults).toEqual([
      { key: "ratedPower", what: "ratedPower is in m, which is no MW", instead: "write it in MW" },
      {
        key: "rotorRadios",
        what: 'unknown nameplate key "rotorRadios"',
        instead: 'write "rotorRadius"',
      },
      {
        key: "baseline",
        what: 'the baseline is of kind "quadrotor", not "wind-turbine"',
        instead: "commission the asset anew, or leave baseline out",
      },
    ]);
  });

  test("shipped baselines load", () => {
    for (const [kind, name] of [
      ["wind-turbine", "demo-wt01"],
      ["quadrotor", "demo-qd01"],
    ] as const) {
      const data: unknown = JSON.parse(readFileSync(`config/baselines/${name}.json`, "utf8"));
      expect(typeof readBaseline(data, kind)).toBe("object");
    }
    expect(readBaseline({ version: 2 }, "quadrotor")).toContain("version");
    expect(readBaseline([], "quadrotor")).toContain("version");
    expect(readBaseline(null, "quadrotor")).toContain("object");
  });

  test("a block: plain figures, spectrum with markers, four blocks until the evidence speaks", () => {
    const nameplate = Object.fromEntries(
      Object.entries(amounts("wind-turbine")).map(([key, { value }]) => [key, value]),
    );
    const monitor = createVibrationMonitor({
      id: "a",
      nameplate,
      baseline: null,
      backend: reference,
    });
    expect(monitor.model).toMatch(/^sha256:/);
    const written = new Map<string, number>();
    const frame = {
      get: () => Number.NaN,
      set: (i: number, v: number) => void written.set(monitor.outputs[i]?.name ?? "", v),
    };
    for (let k = 1; k <= 4; k++) {
      const params = { ...VIBRATION, part: "inner" as const, severity: 1 };
      const values = synthesizeVibration(params, prng(k, "block"));
      const [kind, channel] = ["block" as const, 0];
      const [t_ms, fs_hz, speed_radps] = [k * 60_000, 25_600, 122.91];
      monitor.onBlock(frame, 0, { kind, channel, t_ms, r_ms: t_ms, values, fs_hz, speed_radps });
      expect((written.get("hssBearing.damage") ?? 0) > 8).toBe(k >= 3);
    }
    expect(written.get("hssBearing.inner")).toBeGreaterThan(0.6);
    expect(written.get("vibration.peak")).toBe(written.get("hssAccel.peak"));
    const spectrum = monitor.spectrum();
    expect(spectrum?.values.length).toBe(512);
    expect(spectrum?.markers.map((m) => m.label)).toContain("inner");
    const damage = monitor.outputs.findIndex((o) => o.name === "hssBearing.damage");
    expect(monitor.explain(damage)?.evidence[0]).toContain("order 5.42");
  });
});
