//! A wind turbine like the NREL 5-MW reference: weather, drive train, heat and vibration put
//! together. Parameters may be varied a little, so that no monitor is tuned to one machine.
import {
  NACELLE,
  TURBINE,
  TURBINE_NODES,
  type TurbineNode,
  thermalStep,
  turbineHeat,
} from "../../base/physics.js";
import { prng } from "../../base/prng.js";
import { TURBINE_CHANNELS } from "./channels.js";
import { createDrive } from "./drive.js";
import { faultNames } from "./faults.js";
import { type Machine, type Plant, type PlantOptions, runMachine } from "./plant.js";
import { synthesizeVibration, VIBRATION } from "./vibration.js";
import { createWeather } from "./weather.js";

export type WindTurbineOptions = Partial<PlantOptions> & {
  readonly asset: string;
  readonly seed: number;
  /** Mean wind at the start. */
  readonly wind_mps?: number;
  readonly ambient_K?: number;
  /** Inner integration step; above 0.1 s gusts give false overspeeds. */
  readonly inner_s?: number;
  /** Spread of the thermal parameters from machine to machine: 0.05 is +-5 %. */
  readonly spread?: number;
};

const NODES: readonly TurbineNode[] = ["winding", "oil", "hssBearing", "mainBearing"];
const SETTLE_s = 300; // rotor, pitch and wind forget how they were started

/** Hot and running at its start, as a turbine is found. */
export function createWindTurbine(options: WindTurbineOptions): Plant {
  const machine = createMachine(options);
  const plantOptions = { start_ms: 0, period_ms: 1000, blockEvery_ms: 60_000, ...options };
  return runMachine("wind-turbine", machine, plantOptions);
}

function createMachine(options: WindTurbineOptions): Machine {
  const { asset, seed, inner_s = 0.05, spread = 0, ambient_K = 283.15 } = options;
  const faults = Object.fromEntries(faultNames("wind-turbine").map((name) => [name, 0]));
  const clock_s = ((options.start_ms ?? 0) / 1000) % 86_400;
  const site = { wind_mps: options.wind_mps ?? 9, temperature_K: ambient_K, clock_s };
  const weather = createWeather(seed, asset, site, faults);
  const drive = createDrive(weather, faults);
  const build = prng(seed, `${asset}/build`);
  const scatter = prng(seed, `${asset}/scatter`);
  const vibration = prng(seed, `${asset}/vibration`);
  const nodes = NODES.map((name) => {
    const { capacity_JpK, conductance_WpK, heatMax_W } = TURBINE_NODES[name];
    return {
      name,
      capacity_JpK: capacity_JpK * (1 + spread * (2 * build.next() - 1)),
      conductance_WpK: conductance_WpK * (1 + spread * (2 * build.next() - 1)),
      heatMax_W,
      temperature_K: Number.NaN,
    };
  });
  const [winding, oil, hssBearing, mainBearing] = nodes as [Node, Node, Node, Node];
  let nacelle_K = ambient_K + NACELLE.rise_K;

  const level = (name: string): number => faults[name] ?? 0;
  const shaft_W = (): number => drive.torque_Nm * drive.rotor_radps * TURBINE.gearRatio;
  const heatGain = (name: TurbineNode): number => {
    if (name === "oil") return 1 + 0.6 * level("gear_loss");
    if (name === "mainBearing") return 1 + level("main_bearing");
    if (name !== "hssBearing") return 1;
    return 1 + 1.3 * Math.max(level("hss_bearing"), level("hss_bearing_inner"));
  };

  const move = (dt_s: number): void => {
    const count = Math.ceil(dt_s / inner_s - 1e-9);
    const step_s = dt_s / count;
    weather.slow(dt_s, step_s);
    drive.supervise(dt_s);
    for (let i = 0; i < count; i++) {
      weather.inner();
      drive.inner(step_s);
    }
  };
  const heat = (dt_s: number): void => {
    const speed = drive.rotor_radps / TURBINE.ratedRotor_radps;
    const goal_K = weather.temperature_K + NACELLE.rise_K;
    nacelle_K += (goal_K - nacelle_K) * (1 - Math.exp(-dt_s / NACELLE.tau_s));
    for (const node of nodes) {
      const reference_K = node === hssBearing ? oil.temperature_K : nacelle_K;
      const cooling = node === winding ? 1 - 0.35 * level("gen_cooling") : 1;
      const cooled = { ...node, conductance_WpK: node.conductance_WpK * cooling };
      const heat_W = turbineHeat(node.name, shaft_W(), speed) * heatGain(node.name);
      node.temperature_K = thermalStep(cooled, node.temperature_K, heat_W, reference_K, dt_s);
    }
  };

  settle();
  return { channels: TURBINE_CHANNELS, faults, advance, measure, waveform };

  /** Temperatures start at what the mean load of the last minutes would have made of them. */
  function settle(): void {
    let meanShaft_W = 0;
    let meanSpeed = 0;
    for (let i = 0; i < SETTLE_s; i++) {
      move(1);
      meanShaft_W += shaft_W() / SETTLE_s;
      meanSpeed += drive.rotor_radps / TURBINE.ratedRotor_radps / SETTLE_s;
    }
    nacelle_K = weather.temperature_K + NACELLE.rise_K;
    for (const node of nodes) {
      const reference_K = node === hssBearing ? oil.temperature_K : nacelle_K;
      const heat_W = turbineHeat(node.name, meanShaft_W, meanSpeed);
      node.temperature_K = reference_K + heat_W / node.conductance_WpK;
    }
  }

  function advance(dt_s: number): void {
    move(dt_s);
    heat(dt_s);
  }

  function measure(values: Float64Array): void {
    const speed = drive.rotor_radps / TURBINE.ratedRotor_radps;
    const shake = (0.03 + 0.006 * weather.rotor_mps) * (0.3 + 0.7 * speed);
    const once = 0.45 * level("imbalance") * speed * speed;
    const tower = Math.hypot(shake * Math.exp(0.15 * scatter.normal()), once);
    let at = 0;
    const put = (value: number): void => {
      values[at++] = value;
    };
    put(weather.point_mps);
    put(drive.rotor_radps);
    put(drive.rotor_radps * TURBINE.gearRatio);
    put(drive.pitch_rad);
    put(drive.pitchDemand_rad);
    put(shaft_W() * TURBINE.generatorEfficiency);
    put(drive.torque_Nm);
    put(weather.temperature_K);
    put(weather.pressure_Pa);
    put(nacelle_K);
    put(winding.temperature_K);
    put(oil.temperature_K);
    put(hssBearing.temperature_K);
    put(mainBearing.temperature_K);
    put(drive.yawError_rad);
    put(tower);
    put(drive.allowed);
    put(drive.state);
  }

  function waveform(t_ms: number) {
    const speed_radps = drive.rotor_radps * TURBINE.gearRatio;
    const length_s = VIBRATION.count / VIBRATION.fs_hz;
    const inner = level("hss_bearing_inner");
    const outer = level("hss_bearing");
    const values = synthesizeVibration(
      {
        ...VIBRATION,
        speed_radps,
        load: drive.torque_Nm / TURBINE.ratedTorque_Nm,
        part: inner > outer ? "inner" : "outer",
        severity: Math.max(inner, outer),
      },
      vibration,
    );
    return { t_ms: t_ms - length_s * 1000, fs_hz: VIBRATION.fs_hz, speed_radps, values };
  }
}

type Node = {
  readonly name: TurbineNode;
  readonly capacity_JpK: number;
  readonly conductance_WpK: number;
  readonly heatMax_W: number;
  temperature_K: number;
};
