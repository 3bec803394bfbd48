//! A quadrotor like the 3DR Iris: point mass with a tilting thrust, four motors, battery, and what
//! its barometer, satellite receiver, accelerometers and speed controllers say about it.
import {
  airDensity,
  BATTERY_4S,
  barometricPressure,
  batteryCurrent,
  cellVoltage,
  GRAVITY_mps2,
  QUADROTOR,
  SEA_LEVEL,
} from "../../base/physics.js";
import { prng } from "../../base/prng.js";
import { QUADROTOR_CHANNELS } from "./channels.js";
import { faultNames } from "./faults.js";
import { createMission } from "./mission.js";
import { type Machine, type Plant, type PlantOptions, runMachine } from "./plant.js";
import { wander } from "./weather.js";

export type QuadrotorOptions = Partial<PlantOptions> & {
  readonly asset: string;
  readonly seed: number;
  /** Charge at the start; it starts hovering. */
  readonly soc?: number;
  readonly ambient_K?: number;
  readonly wind_mps?: number;
  /** False keeps it hovering at 30 m, without changes of battery. */
  readonly fly?: boolean;
};

const INNER_s = 0.02;
const ATTITUDE_s = 0.12;
const TILT_MAX_rad = 0.5;
const CLIMB_MAX_mps = 2;
const FULL_THRUST_N = 4 * QUADROTOR.thrust_Ns2 * QUADROTOR.speedMax_radps ** 2;
const ESC = { capacity_JpK: 8, conductance_WpK: 0.12, lossShare: 0.06 } as const;
const CHIP_kgm = 1e-4 * 0.1; // 0.1 g at 0.1 m
const WASH = 0.3; // share of the dynamic pressure of the rotor wash that the barometer feels
const DISC_m2 = Math.PI * QUADROTOR.rotorRadius_m ** 2;
const FIELD_T = 50e-6;
const CELL_ohm = BATTERY_4S.resistance_ohm / BATTERY_4S.cells;
const ROTORS = [0, 1, 2, 3] as const;

export function createQuadrotor(options: QuadrotorOptions): Plant {
  const plantOptions = { start_ms: 0, period_ms: 200, blockEvery_ms: 60_000, ...options };
  return runMachine("quadrotor", createMachine(options), plantOptions);
}

function createMachine(options: QuadrotorOptions): Machine {
  const { asset, seed, ambient_K = 288.15, wind_mps = 2, fly = true } = options;
  const faults = Object.fromEntries(faultNames("quadrotor").map((name) => [name, 0]));
  const level = (name: string): number => faults[name] ?? 0;
  const gusts = prng(seed, `${asset}/wind`);
  const control = prng(seed, `${asset}/control`);
  const scatter = prng(seed, `${asset}/scatter`);
  const build = prng(seed, `${asset}/build`);
  const cellOffset_V = ROTORS.map(() => 0.002 * build.normal());
  const mission = createMission();
  const at = { x: 0, y: 0, z: 30 };
  const speed = { x: 0, y: 0, z: 0 };
  const wind = { x: wind_mps, y: 0, z: 0 };
  const force = { x: 0, y: 0, z: 0 }; // mean specific force of the last period, body axes
  const hover_radps = Math.sqrt((QUADROTOR.mass_kg * GRAVITY_mps2) / 4 / QUADROTOR.thrust_Ns2);
  const rotor_radps = ROTORS.map(() => hover_radps);
  const power_W = ROTORS.map(() => 55);
  const esc_K = ROTORS.map(() => ambient_K + (55 * ESC.lossShare) / ESC.conductance_WpK);
  let [roll, pitch] = [0, 0];
  let soc = options.soc ?? 0.95;
  let [current_A, thrust_N, throttle] = [15, QUADROTOR.mass_kg * GRAVITY_mps2, 0.5];
  let seaLevel_Pa: number = SEA_LEVEL.pressure_Pa;
  let field_T = FIELD_T;
  let baro_Pa = Number.NaN;
  let glitch = { left_s: 0, offset_m: 0 };
  let clips = 0;

  const motor = (rotor: number, wanted_N: number, density: number, dt_s: number): number => {
    const weak = rotor === 0 ? 1 - 0.1 * level("rotor_thrust") : 1;
    const gain = (QUADROTOR.thrust_Ns2 * density) / 1.225;
    const wanted = Math.min(
      QUADROTOR.speedMax_radps,
      Math.sqrt(Math.max(0, wanted_N) / (gain * weak)),
    );
    const now = rotor_radps[rotor] ?? 0;
    const lag_s = wanted > now ? QUADROTOR.motorUp_s : QUADROTOR.motorDown_s;
    const dead = rotor === 0 && level("motor_loss") > 0;
    const next = dead
      ? now * Math.exp(-dt_s / 0.2)
      : now + (wanted - now) * (1 - Math.exp(-dt_s / lag_s));
    rotor_radps[rotor] = next;
    const shaft_W = QUADROTOR.torquePerThrust_m * gain * next ** 3;
    power_W[rotor] = dead ? 0 : shaft_W / QUADROTOR.motorEfficiency;
    return gain * weak * next * next;
  };

  const inner = (dt_s: number, density: number, share: number): void => {
    // A steady wind that wanders around its mean, along x.
    wind.x += wander(wind.x - wind_mps, 5, 0.8, dt_s, gusts);
    wind.y += wander(wind.y, 5, 0.8, dt_s, gusts);
    wind.z += wander(wind.z, 3, 0.2, dt_s, gusts);
    const wanted = steer(mission.target, mission.speed_mps, at, speed);
    const lift = { x: wanted.x, y: wanted.y, z: wanted.z + GRAVITY_mps2 };
    const tilt = (angle: number): number => Math.min(TILT_MAX_rad, Math.max(-TILT_MAX_rad, angle));
    const follow = 1 - Math.exp(-dt_s / ATTITUDE_s);
    const parked = mission.parked;
    pitch += ((parked ? 0 : tilt(Math.atan2(lift.x, lift.z))) - pitch) * follow;
    roll += ((parked ? 0 : tilt(-Math.atan2(lift.y, lift.z))) - roll) * follow;
    const ask_N = parked
      ? 0
      : Math.min(FULL_THRUST_N, (QUADROTOR.mass_kg * lift.z) / (Math.cos(pitch) * Math.cos(roll)));
    throttle = ask_N / FULL_THRUST_N;
    thrust_N = 0;
    for (const rotor of ROTORS) {
      // Without motor 1 its opposite, motor 2, must idle too, or the machine tips over.
      const lost = level("motor_loss") > 0;
      const part = lost ? (rotor < 2 ? 0 : 0.5) : 0.25;
      const trim = 1 + 0.01 * control.normal(); // the attitude loop at work
      thrust_N += motor(rotor, part * ask_N * trim, density, dt_s);
    }
    const air = { x: speed.x - wind.x, y: speed.y - wind.y, z: speed.z - wind.z };
    const drag = QUADROTOR.drag_Nspm / QUADROTOR.mass_kg;
    const lifted = thrust_N / QUADROTOR.mass_kg;
    const [cr, sr, cp, sp] = [Math.cos(roll), Math.sin(roll), Math.cos(pitch), Math.sin(pitch)];
    let ax = lifted * sp * cr - drag * air.x;
    let ay = -lifted * sr - drag * air.y;
    let az = lifted * cp * cr - drag * air.z; // specific force in world axes
    if (at.z <= 0 && az < GRAVITY_mps2) {
      Object.assign(speed, { x: 0, y: 0, z: 0 });
      [ax, ay, az] = [0, 0, GRAVITY_mps2];
    }
    speed.x += ax * dt_s;
    speed.y += ay * dt_s;
    speed.z += (az - GRAVITY_mps2) * dt_s;
    at.x += speed.x * dt_s;
    at.y += speed.y * dt_s;
    at.z = Math.max(0, at.z + speed.z * dt_s);
    // World to body: the inverse of Ry(pitch) Rx(roll).
    force.x += share * (cp * ax - sp * az);
    force.y += share * (sr * sp * ax + cr * ay + sr * cp * az);
    force.z += share * (cr * sp * ax - sr * ay + cr * cp * az);
  };

  const electric = (dt_s: number): void => {
    if (mission.swapped) soc = 1;
    const total_W = QUADROTOR.avionics_W + power_W.reduce((sum, p) => sum + p, 0);
    current_A = batteryCurrent(total_W, rest_V(), resistance_ohm());
    soc = Math.max(0, soc - (current_A * dt_s) / BATTERY_4S.capacity_As);
    for (const rotor of ROTORS) {
      const cooling = rotor === 0 ? 1 - 0.7 * level("esc_overtemp") : 1;
      const conductance = ESC.conductance_WpK * cooling;
      const goal_K = air_K() + ((power_W[rotor] ?? 0) * ESC.lossShare) / conductance;
      const fade = Math.exp((-conductance * dt_s) / ESC.capacity_JpK);
      esc_K[rotor] = goal_K + ((esc_K[rotor] ?? goal_K) - goal_K) * fade;
    }
  };

  const rest_V = (): number =>
    cellOffset_V.reduce((sum, offset) => sum + cellVoltage(soc) + offset, 0);
  const cell_ohm = (cell: number): number =>
    CELL_ohm * (cell === 2 ? 1 + 2 * level("battery_cell") : 1);
  const resistance_ohm = (): number =>
    ROTORS.reduce<number>((sum, cell) => sum + cell_ohm(cell), 0);
  const air_K = (): number => ambient_K - 0.0065 * at.z;
  const density = (): number => airDensity(pressure(), air_K());
  const pressure = (): number => barometricPressure(at.z, seaLevel_Pa, ambient_K);

  const instruments = (dt_s: number): void => {
    seaLevel_Pa += wander(seaLevel_Pa - SEA_LEVEL.pressure_Pa, 6 * 3600, 40, dt_s, gusts);
    const rho = density();
    const wash_Pa = (WASH * thrust_N) / 4 / (4 * DISC_m2); // 1/2 rho v^2, v^2 = T / (2 rho A)
    const ram_Pa = 0.05 * rho * (speed.x * speed.x + speed.y * speed.y);
    const true_Pa = pressure() - wash_Pa - ram_Pa;
    const icing = level("baro_icing");
    const keep = icing > 0 && !Number.isNaN(baro_Pa) ? Math.exp(-dt_s / (600 * icing)) : 0;
    baro_Pa = keep === 0 ? true_Pa : true_Pa + (baro_Pa - true_Pa) * keep;
    glitch.left_s -= dt_s;
    if (level("gps_glitch") > 0 && glitch.left_s < -5) {
      const side = scatter.next() < 0.5 ? -1 : 1;
      glitch = { left_s: 4, offset_m: side * (10 + 40 * scatter.next() * level("gps_glitch")) };
    }
    clips += 5 * level("imu_clipping") * dt_s;
    field_T += wander(field_T - FIELD_T, 20, 0.2e-6, dt_s, scatter);
  };

  function advance(dt_s: number): void {
    if (fly || level("motor_loss") > 0) {
      mission.advance(dt_s, at, soc, level("motor_loss") > 0);
    }
    const count = Math.ceil(dt_s / INNER_s - 1e-9);
    Object.assign(force, { x: 0, y: 0, z: 0 });
    const rho = density();
    for (let i = 0; i < count; i++) inner(dt_s / count, rho, 1 / count);
    electric(dt_s);
    instruments(dt_s);
  }

  function measure(values: Float64Array): void {
    let index = 0;
    const put = (value: number): void => {
      values[index++] = value;
    };
    const loss_V = current_A * resistance_ohm();
    const flying = thrust_N > 0.5;
    const whirl = (CHIP_kgm * level("prop_chip") * (rotor_radps[0] ?? 0) ** 2) / QUADROTOR.mass_kg;
    const buzz = flying ? (0.5 + 4 * throttle) * Math.exp(0.06 * scatter.normal()) : 0.02;
    const clipping = 62 * level("imu_clipping");
    put(baro_Pa);
    put(air_K());
    put(at.z + (glitch.left_s > 0 && level("gps_glitch") > 0 ? glitch.offset_m : 0));
    put(Math.hypot(speed.x, speed.y));
    put(speed.z);
    put(force.x);
    put(force.y);
    put(force.z - 2 * level("imu_clipping")); // clipped peaks shift the mean
    put(roll);
    put(pitch);
    put(throttle);
    for (const rotor of ROTORS) put(rotor_radps[rotor] ?? 0);
    for (const rotor of ROTORS) put((power_W[rotor] ?? 0) / (rest_V() - loss_V));
    for (const rotor of ROTORS) put(esc_K[rotor] ?? 0);
    put(rest_V() - loss_V);
    put(current_A);
    for (const cell of ROTORS) {
      put(cellVoltage(soc) + (cellOffset_V[cell] ?? 0) - current_A * cell_ohm(cell));
    }
    put(Math.hypot(buzz, whirl / Math.SQRT2, clipping));
    put(Math.floor(clips));
    put(field_T + 1e-6 * level("mag_interference") * current_A);
  }

  return { channels: QUADROTOR_CHANNELS, faults, advance, measure, waveform: () => null };
}

type Vector = { readonly x: number; readonly y: number; readonly z: number };

/** Acceleration wanted in m/s2: towards the target at a limited speed, gently. */
function steer(target: Vector, speed_mps: number, at: Vector, speed: Vector): Vector {
  const [dx, dy] = [0.5 * (target.x - at.x), 0.5 * (target.y - at.y)];
  const scale = Math.min(1, speed_mps / Math.max(1e-6, Math.hypot(dx, dy)));
  const limit = (value: number, most: number): number => Math.min(most, Math.max(-most, value));
  const climb = limit(0.5 * (target.z - at.z), CLIMB_MAX_mps);
  return {
    x: limit(1.5 * (scale * dx - speed.x), 2.5),
    y: limit(1.5 * (scale * dy - speed.y), 2.5),
    z: limit(2 * (climb - speed.z), 1.5),
  };
}
