//! A bearing test rig: a 6205 under radial load, its friction, its heat, and an accelerometer on the
//! housing. Vibration is synthesised only when a block is due.
import { BEARING_RIG, frictionTorque } from "../../base/bearing-rig.js";
import { SEA_LEVEL, thermalStep } from "../../base/physics.js";
import { type Prng, prng } from "../../base/prng.js";
import { BEARING_CHANNELS } from "./bearing-channels.js";
import { faultNames } from "./faults.js";
import { type Faults, level, type Machine, runMachine } from "./machine.js";
import type { Plant, PlantBlock, PlantOptions } from "./plant.js";
import { synthesizeVibration, VIBRATION } from "./vibration.js";
import { wander } from "./weather.js";

export type BearingOptions = Partial<PlantOptions> & {
  readonly asset: string;
  readonly seed: number;
  readonly speed_radps?: number;
  readonly load_N?: number;
  readonly ambient_K?: number;
  /** Spread of friction, heat and noise from rig to rig: 0.05 is +-5 %. */
  readonly spread?: number;
};

const SPEED_s = 20;

type Rig = {
  readonly faults: Faults;
  readonly speedSet_radps: number;
  readonly loadSet_N: number;
  readonly mean_K: number;
  readonly friction: number;
  readonly conductance: number;
  readonly noise_mps2: number;
  readonly air: Prng;
  readonly drive: Prng;
  readonly vibration: Prng;
  ambient_K: number;
  speed_radps: number;
  load_N: number;
  waver: number;
  temperature_K: number;
};

export function createBearing(options: BearingOptions): Plant {
  const { asset, seed, ambient_K = SEA_LEVEL.temperature_K + 7, spread = 0 } = options;
  const build = prng(seed, `${asset}/build`);
  const vary = (value: number): number => value * (1 + spread * (2 * build.next() - 1));
  const rig: Rig = {
    faults: Object.fromEntries(faultNames("bearing").map((name) => [name, 0])),
    speedSet_radps: options.speed_radps ?? 157,
    loadSet_N: options.load_N ?? 3500,
    mean_K: ambient_K,
    friction: vary(1),
    conductance: vary(1),
    noise_mps2: vary(1),
    air: prng(seed, `${asset}/air`),
    drive: prng(seed, `${asset}/drive`),
    vibration: prng(seed, `${asset}/vibration`),
    ambient_K,
    speed_radps: options.speed_radps ?? 157,
    load_N: options.load_N ?? 3500,
    waver: 0,
    temperature_K: Number.NaN,
  };
  const heat_W = torque(rig) * rig.speed_radps;
  rig.temperature_K = ambient_K + heat_W / (rig.conductance * BEARING_RIG.conductance_WpK);
  const machine: Machine = {
    channels: BEARING_CHANNELS,
    faults: rig.faults,
    advance: (dt_s) => advance(rig, dt_s),
    measure(values) {
      const { speed_radps, load_N, ambient_K: air_K, temperature_K } = rig;
      values.set([speed_radps, load_N, torque(rig), air_K, temperature_K]);
    },
    waveform: (t_ms) => waveform(rig, t_ms),
  };
  const plantOptions = { start_ms: 0, period_ms: 1000, blockEvery_ms: 60_000, ...options };
  return runMachine("bearing", machine, plantOptions);
}

function damage({ faults }: Rig): number {
  return Math.max(
    level(faults, "outer_race"),
    level(faults, "inner_race"),
    level(faults, "rolling_element"),
  );
}

function torque(rig: Rig): number {
  const worse = 1 + 0.5 * damage(rig) + 1.2 * level(rig.faults, "lubrication");
  return rig.friction * worse * frictionTorque(rig.load_N, rig.speed_radps);
}

function advance(rig: Rig, dt_s: number): void {
  const { faults } = rig;
  rig.ambient_K += wander(rig.ambient_K - rig.mean_K, 6 * 3600, 2, dt_s, rig.air);
  rig.waver += wander(rig.waver, 300, 0.01, dt_s, rig.drive);
  const turning = level(faults, "rest") > 0 ? 0 : 1 - 0.15 * level(faults, "speed_step");
  const goal_radps = rig.speedSet_radps * turning * (1 + 0.1 * rig.waver);
  rig.speed_radps += (goal_radps - rig.speed_radps) * -Math.expm1(-dt_s / SPEED_s);
  if (rig.speed_radps < 0.5) rig.speed_radps = 0;
  rig.load_N = rig.loadSet_N * (1 + rig.waver) * (1 - 0.3 * level(faults, "load_step"));
  const conductance_WpK = rig.conductance * BEARING_RIG.conductance_WpK;
  const node = { ...BEARING_RIG, conductance_WpK };
  const heat_W = torque(rig) * rig.speed_radps;
  rig.temperature_K = thermalStep(node, rig.temperature_K, heat_W, rig.ambient_K, dt_s);
}

function waveform(rig: Rig, t_ms: number): PlantBlock {
  const { faults, speed_radps } = rig;
  const inner = level(faults, "inner_race");
  const outer = level(faults, "outer_race");
  const severity = damage(rig);
  const part = severity === outer ? "outer" : severity === inner ? "inner" : "ball";
  const values = synthesizeVibration(
    {
      ...VIBRATION,
      speed_radps,
      ratedSpeed_radps: rig.speedSet_radps,
      load: Math.min(1, rig.load_N / BEARING_RIG.ratedLoad_N),
      part,
      severity,
      noise_mps2: rig.noise_mps2 * (1 + 0.8 * level(faults, "lubrication")),
      mesh_mps2: 0.3, // no gear on the rig: the coupling's bolts
    },
    rig.vibration,
  );
  const gain = 1 - 0.99 * level(faults, "accel_loose");
  for (let i = 0; i < values.length; i++) values[i] = gain * (values[i] as number);
  const { fs_hz, count } = VIBRATION;
  return { t_ms: t_ms - (1000 * count) / fs_hz, fs_hz, speed_radps, values };
}
