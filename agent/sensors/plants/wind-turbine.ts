//! A wind turbine like the NREL 5-MW reference: weather, drive train, heat and vibration put
//! together. Parameters may be varied a little, so that no monitor is tuned to one machine.
import {
  NACELLE,
  type ThermalNode,
  TURBINE,
  TURBINE_NODES,
  type TurbineNode,
  thermalStep,
  turbineHeat,
} from "../../base/physics.js";
import { type Prng, prng } from "../../base/prng.js";
import { TURBINE_CHANNELS } from "./channels.js";
import { createDrive, type Drive, generatorSpeed, superviseDrive, turnDrive } from "./drive.js";
import { faultNames } from "./faults.js";
import { type Faults, level, type Machine, runMachine } from "./machine.js";
import type { Plant, PlantBlock, PlantOptions } from "./plant.js";
import { synthesizeVibration, VIBRATION } from "./vibration.js";
import { blowWeather, changeWeather, createWeather, type Weather } from "./weather.js";

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

type Node = ThermalNode & { readonly name: TurbineNode; temperature_K: number };

type Turbine = {
  readonly weather: Weather;
  readonly drive: Drive;
  readonly faults: Faults;
  readonly nodes: Readonly<Record<TurbineNode, Node>>;
  nacelle_K: number;
  readonly inner_s: number;
  readonly scatter: Prng;
  readonly vibration: Prng;
};

const SETTLE_s = 300; // rotor, pitch and wind forget how they were started

/** Hot and running at its start, as a turbine is found. */
export function createWindTurbine(options: WindTurbineOptions): Plant {
  const { asset, seed, ambient_K = 283.15 } = options;
  const clock_s = ((options.start_ms ?? 0) / 1000) % 86_400;
  const site = { wind_mps: options.wind_mps ?? 9, temperature_K: ambient_K, clock_s };
  const turbine: Turbine = {
    weather: createWeather(seed, asset, site),
    drive: createDrive(site.wind_mps),
    faults: Object.fromEntries(faultNames("wind-turbine").map((name) => [name, 0])),
    nodes: createNodes(options.spread ?? 0, prng(seed, `${asset}/build`)),
    nacelle_K: Number.NaN,
    inner_s: options.inner_s ?? 0.05,
    scatter: prng(seed, `${asset}/scatter`),
    vibration: prng(seed, `${asset}/vibration`),
  };
  settle(turbine);
  const machine: Machine = {
    channels: TURBINE_CHANNELS,
    faults: turbine.faults,
    advance(dt_s) {
      move(turbine, dt_s);
      heat(turbine, dt_s);
    },
    measure: (values) => measure(turbine, values),
    waveform: (t_ms) => waveform(turbine, t_ms),
  };
  const plantOptions = { start_ms: 0, period_ms: 1000, blockEvery_ms: 60_000, ...options };
  return runMachine("wind-turbine", machine, plantOptions);
}

function createNodes(spread: number, build: Prng): Readonly<Record<TurbineNode, Node>> {
  const vary = (value: number): number => value * (1 + spread * (2 * build.next() - 1));
  const node = (name: TurbineNode): Node => {
    const { capacity_JpK, conductance_WpK, heatMax_W } = TURBINE_NODES[name];
    return {
      name,
      capacity_JpK: vary(capacity_JpK),
      conductance_WpK: vary(conductance_WpK),
      heatMax_W,
      temperature_K: Number.NaN,
    };
  };
  return {
    winding: node("winding"),
    oil: node("oil"),
    hssBearing: node("hssBearing"),
    mainBearing: node("mainBearing"),
  };
}

/** Temperatures start at what the mean load of the last minutes would have made of them. */
function settle(turbine: Turbine): void {
  let meanShaft_W = 0;
  let meanSpeed = 0;
  for (let i = 0; i < SETTLE_s; i++) {
    move(turbine, 1);
    meanShaft_W += shaftPower(turbine.drive) / SETTLE_s;
    meanSpeed += turbine.drive.rotor_radps / TURBINE.ratedRotor_radps / SETTLE_s;
  }
  turbine.nacelle_K = turbine.weather.temperature_K + NACELLE.rise_K;
  const { oil } = turbine.nodes;
  for (const node of Object.values(turbine.nodes)) {
    const reference_K = node.name === "hssBearing" ? oil.temperature_K : turbine.nacelle_K;
    const heat_W = turbineHeat(node.name, meanShaft_W, meanSpeed);
    node.temperature_K = reference_K + heat_W / node.conductance_WpK;
  }
}

function move({ weather, drive, faults, inner_s }: Turbine, dt_s: number): void {
  const count = Math.ceil(dt_s / inner_s - 1e-9);
  const step_s = dt_s / count;
  changeWeather(weather, faults, dt_s, step_s);
  superviseDrive(drive, weather.rotor_mps, faults, dt_s);
  for (let i = 0; i < count; i++) {
    blowWeather(weather);
    turnDrive(drive, weather, faults, step_s);
  }
}

function heat(turbine: Turbine, dt_s: number): void {
  const { nodes, faults, drive, weather } = turbine;
  const speed = drive.rotor_radps / TURBINE.ratedRotor_radps;
  const goal_K = weather.temperature_K + NACELLE.rise_K;
  turbine.nacelle_K += (goal_K - turbine.nacelle_K) * (1 - Math.exp(-dt_s / NACELLE.tau_s));
  const shaft_W = shaftPower(drive);
  const put = (node: Node, reference_K: number, gain: number, cooling: number): void => {
    const heat_W = gain * turbineHeat(node.name, shaft_W, speed);
    const cooled =
      cooling === 1 ? node : { ...node, conductance_WpK: cooling * node.conductance_WpK };
    node.temperature_K = thermalStep(cooled, node.temperature_K, heat_W, reference_K, dt_s);
  };
  const hss = Math.max(level(faults, "hss_bearing"), level(faults, "hss_bearing_inner"));
  put(nodes.winding, turbine.nacelle_K, 1, 1 - 0.35 * level(faults, "gen_cooling"));
  put(nodes.oil, turbine.nacelle_K, 1 + 0.6 * level(faults, "gear_loss"), 1);
  put(nodes.hssBearing, nodes.oil.temperature_K, 1 + 1.3 * hss, 1);
  put(nodes.mainBearing, turbine.nacelle_K, 1 + level(faults, "main_bearing"), 1);
}

function shaftPower(drive: Drive): number {
  return drive.torque_Nm * generatorSpeed(drive);
}

function measure(turbine: Turbine, values: Float64Array): void {
  const { weather, drive, nodes, faults, scatter } = turbine;
  const speed = drive.rotor_radps / TURBINE.ratedRotor_radps;
  const shake = (0.03 + 0.006 * weather.rotor_mps) * (0.3 + 0.7 * speed);
  const once = 0.45 * level(faults, "imbalance") * speed * speed;
  let at = 0;
  const put = (value: number): void => {
    values[at++] = value;
  };
  put(weather.point_mps);
  put(drive.rotor_radps);
  put(generatorSpeed(drive));
  put(drive.pitch_rad);
  put(drive.pitchDemand_rad);
  put(shaftPower(drive) * TURBINE.generatorEfficiency);
  put(drive.torque_Nm);
  put(weather.temperature_K);
  put(weather.pressure_Pa);
  put(turbine.nacelle_K);
  put(nodes.winding.temperature_K);
  put(nodes.oil.temperature_K);
  put(nodes.hssBearing.temperature_K);
  put(nodes.mainBearing.temperature_K);
  put(drive.yawError_rad);
  put(Math.hypot(shake * Math.exp(0.15 * scatter.normal()), once));
  put(drive.allowed);
  put(drive.state);
}

function waveform({ drive, faults, vibration }: Turbine, t_ms: number): PlantBlock {
  const speed_radps = generatorSpeed(drive);
  const inner = level(faults, "hss_bearing_inner");
  const outer = level(faults, "hss_bearing");
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
  const { fs_hz, count } = VIBRATION;
  return { t_ms: t_ms - (1000 * count) / fs_hz, fs_hz, speed_radps, values };
}
