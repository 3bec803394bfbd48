//! A quadrotor like the 3DR Iris: airframe, battery, and what its barometer, satellite receiver,
//! accelerometers, compass and speed controllers say about it.
import {
  airDensity,
  BATTERY_4S,
  barometricPressure,
  batteryCurrent,
  cellVoltage,
  QUADROTOR,
  SEA_LEVEL,
} from "../../base/physics.js";
import { type Prng, prng } from "../../base/prng.js";
import { type Airframe, createAirframe, flyAirframe, ROTORS } from "./airframe.js";
import { QUADROTOR_CHANNELS } from "./channels.js";
import { faultNames } from "./faults.js";
import { type Faults, level, type Machine, runMachine } from "./machine.js";
import { createMission, type Mission } from "./mission.js";
import type { Plant, PlantOptions } from "./plant.js";
import { wander } from "./weather.js";

export type QuadrotorOptions = Partial<PlantOptions> & {
  readonly asset: string;
  readonly seed: number;
  /** Charge at the start; it starts hovering. */
  readonly soc?: number;
  readonly ambient_K?: number;
  readonly wind_mps?: number;
  /** Share by which wash, ram and power of this build differ from the usual; none where absent. */
  readonly spread?: number;
  /** False keeps it hovering at 30 m until the battery is flat. */
  readonly fly?: boolean;
};

type Drone = {
  readonly frame: Airframe;
  readonly mission: Mission;
  readonly faults: Faults;
  readonly fly: boolean;
  readonly ambient_K: number;
  readonly cellOffset_V: readonly number[];
  /** Over the usual build. */
  readonly own: { readonly wash: number; readonly ram: number; readonly power: number };
  readonly esc_K: number[];
  soc: number;
  current_A: number;
  seaLevel_Pa: number;
  baro_Pa: number;
  field_T: number;
  glitch_s: number;
  glitch_m: number;
  clips: number;
  readonly gusts: Prng;
  readonly control: Prng;
  readonly scatter: Prng;
};

const ESC = { capacity_JpK: 8, conductance_WpK: 0.12, lossShare: 0.06 } as const;
const CHIP_kgm = 1e-4 * 0.1; // 0.1 g at 0.1 m
const WASH = 0.3; // share of the dynamic pressure of the rotor wash that the barometer feels
const RAM = 0.05; // pressure lost at the port per rho v^2
const DISC_m2 = Math.PI * QUADROTOR.rotorRadius_m ** 2;
const FIELD_T = 50e-6;
const FULL_V = 16;
const CELL_ohm = BATTERY_4S.resistance_ohm / BATTERY_4S.cells;

/** Starts in the air, its mission under way. */
export function createQuadrotor(options: QuadrotorOptions): Plant {
  const { asset, seed, ambient_K = 288.15 } = options;
  const build = prng(seed, `${asset}/build`);
  const cellOffset_V = ROTORS.map(() => 0.002 * build.normal());
  const differs = (): number => Math.exp((options.spread ?? 0) * build.normal());
  const frame = createAirframe(options.wind_mps ?? 2);
  const escRise_K = ((frame.power_W[0] ?? 0) * ESC.lossShare) / ESC.conductance_WpK;
  const drone: Drone = {
    frame,
    mission: createMission(),
    faults: Object.fromEntries(faultNames("quadrotor").map((name) => [name, 0])),
    fly: options.fly ?? true,
    ambient_K,
    cellOffset_V,
    own: { wash: differs(), ram: differs(), power: differs() },
    esc_K: ROTORS.map(() => ambient_K + escRise_K),
    soc: options.soc ?? 0.95,
    current_A: 15,
    seaLevel_Pa: SEA_LEVEL.pressure_Pa,
    baro_Pa: Number.NaN,
    field_T: FIELD_T,
    glitch_s: 0,
    glitch_m: 0,
    clips: 0,
    gusts: prng(seed, `${asset}/wind`),
    control: prng(seed, `${asset}/control`),
    scatter: prng(seed, `${asset}/scatter`),
  };
  const machine: Machine = {
    channels: QUADROTOR_CHANNELS,
    faults: drone.faults,
    advance: (dt_s) => advance(drone, dt_s),
    measure: (values) => measure(drone, values),
    waveform: () => null,
  };
  const plantOptions = { start_ms: 0, period_ms: 200, blockEvery_ms: 60_000, ...options };
  return runMachine("quadrotor", machine, plantOptions);
}

function advance(drone: Drone, dt_s: number): void {
  const { frame, mission, faults } = drone;
  const lost = level(faults, "motor_loss") > 0;
  if (drone.fly || lost) mission.advance(dt_s, frame.at, drone.soc, lost);
  const density = airDensity(pressure(drone), air_K(drone));
  flyAirframe(frame, mission, faults, density, dt_s, drone);
  power(drone, dt_s);
  sense(drone, density, dt_s);
}

function air_K({ ambient_K, frame }: Drone): number {
  return ambient_K - 0.0065 * frame.at.z;
}

function pressure({ frame, seaLevel_Pa, ambient_K }: Drone): number {
  return barometricPressure(frame.at.z, seaLevel_Pa, ambient_K);
}

function restVoltage({ soc, cellOffset_V }: Drone): number {
  return cellOffset_V.reduce((sum, offset) => sum + cellVoltage(soc) + offset, 0);
}

function cellResistance({ faults }: Drone, cell: number): number {
  return CELL_ohm * (cell === 2 ? 1 + 2 * level(faults, "battery_cell") : 1);
}

function packResistance(drone: Drone): number {
  return ROTORS.reduce((sum, cell) => sum + cellResistance(drone, cell), 0);
}

/** Battery and speed controllers. */
function power(drone: Drone, dt_s: number): void {
  const { frame, mission, faults, esc_K } = drone;
  if (mission.swapped) drone.soc = 1;
  const rotors_W = frame.power_W.reduce((sum, p) => sum + p, 0);
  const total_W = QUADROTOR.avionics_W + drone.own.power * rotors_W;
  drone.current_A = batteryCurrent(total_W, restVoltage(drone), packResistance(drone));
  drone.soc = Math.max(0, drone.soc - (drone.current_A * dt_s) / BATTERY_4S.capacity_As);
  for (const rotor of ROTORS) {
    const cooling = rotor === 0 ? 1 - 0.7 * level(faults, "esc_overtemp") : 1;
    const conductance = ESC.conductance_WpK * cooling;
    const heat_W = drone.own.power * (frame.power_W[rotor] ?? 0) * ESC.lossShare;
    const goal_K = air_K(drone) + heat_W / conductance;
    const fade = Math.exp((-conductance * dt_s) / ESC.capacity_JpK);
    esc_K[rotor] = goal_K + ((esc_K[rotor] ?? goal_K) - goal_K) * fade;
  }
}

/** What the sensors make of it beyond noise: wash, lag, jumps, clipping. */
function sense(drone: Drone, density: number, dt_s: number): void {
  const { frame, faults, scatter } = drone;
  const depth_Pa = drone.seaLevel_Pa - SEA_LEVEL.pressure_Pa;
  drone.seaLevel_Pa += wander(depth_Pa, 6 * 3600, 40, dt_s, scatter);
  // 1/2 rho v^2 of the wash, v^2 = T / (2 rho A)
  const wash_Pa = (drone.own.wash * WASH * frame.thrust_N) / 4 / (4 * DISC_m2);
  const ram_Pa = drone.own.ram * RAM * density * (frame.speed.x ** 2 + frame.speed.y ** 2);
  const port_Pa = pressure(drone) - wash_Pa - ram_Pa;
  const icing = level(faults, "baro_icing");
  const frozen = icing > 0 && !Number.isNaN(drone.baro_Pa);
  const keep = frozen ? Math.exp(-dt_s / (600 * icing)) : 0;
  drone.baro_Pa = frozen ? port_Pa + (drone.baro_Pa - port_Pa) * keep : port_Pa;
  drone.field_T += wander(drone.field_T - FIELD_T, 20, 0.2e-6, dt_s, scatter);
  // Drawn every time, so that a fault shifts nothing after it.
  const [side, size] = [scatter.next() < 0.5 ? -1 : 1, scatter.next()];
  drone.glitch_s -= dt_s;
  const glitch = level(faults, "gps_glitch");
  if (glitch > 0 && drone.glitch_s < -5) {
    drone.glitch_s = 4;
    drone.glitch_m = side * (10 + 40 * size * glitch);
  }
  if (glitch === 0 || drone.glitch_s < 0) drone.glitch_m = 0;
  drone.clips += 5 * level(faults, "imu_clipping") * dt_s;
}

/** A motor's speed goes with its share of the voltage: full speed at full command and FULL_V. */
function commandOf(speed_radps: number, pack_V: number): number {
  return Math.min(1, (speed_radps / QUADROTOR.speedMax_radps) * (FULL_V / pack_V));
}

function measure(drone: Drone, values: Float64Array): void {
  const { frame, faults, scatter, soc, current_A } = drone;
  const { at, speed, force, rotor_radps, throttle } = frame;
  let index = 0;
  const put = (value: number): void => {
    values[index++] = value;
  };
  const pack_V = restVoltage(drone) - current_A * packResistance(drone);
  const clipping = level(faults, "imu_clipping");
  const chip_kgm = CHIP_kgm * level(faults, "prop_chip");
  const whirl = (chip_kgm * (rotor_radps[0] ?? 0) ** 2) / QUADROTOR.mass_kg / Math.SQRT2;
  const wobble = Math.exp(0.06 * scatter.normal());
  const buzz = frame.thrust_N > 0.5 ? (0.5 + 4 * throttle) * wobble : 0.02;
  put(drone.baro_Pa);
  put(air_K(drone));
  put(at.z + drone.glitch_m);
  put(Math.hypot(speed.x, speed.y));
  put(speed.z);
  put(force.x);
  put(force.y);
  put(force.z - 2 * clipping); // clipped peaks shift the mean
  put(frame.roll);
  put(frame.pitch);
  put(throttle);
  for (const rotor of ROTORS) put(rotor_radps[rotor] ?? 0);
  for (const rotor of ROTORS) put(commandOf(rotor_radps[rotor] ?? 0, pack_V));
  for (const rotor of ROTORS) put((drone.own.power * (frame.power_W[rotor] ?? 0)) / pack_V);
  for (const rotor of ROTORS) put(drone.esc_K[rotor] ?? 0);
  put(pack_V);
  put(current_A);
  for (const cell of ROTORS) {
    const offset_V = drone.cellOffset_V[cell] ?? 0;
    put(cellVoltage(soc) + offset_V - current_A * cellResistance(drone, cell));
  }
  put(Math.hypot(buzz, whirl, 62 * clipping));
  put(Math.floor(drone.clips));
  put(drone.field_T + 1e-6 * level(faults, "mag_interference") * current_A);
}
