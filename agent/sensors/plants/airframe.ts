//! The flying part of the quadrotor: four motors, a thrust that tilts, drag and wind. Axes are
//! x forward, y left, z up; heading stays at 0. The attitude loop is quasi-static.
import { airDensity, GRAVITY_mps2, QUADROTOR, SEA_LEVEL } from "../../base/physics.js";
import type { Prng } from "../../base/prng.js";
import { type Faults, level } from "./machine.js";
import { wander } from "./weather.js";

export const ROTORS: readonly number[] = [0, 1, 2, 3];

export type Vector = { x: number; y: number; z: number };

export type Airframe = {
  readonly at: Vector;
  readonly speed: Vector;
  readonly wind: Vector;
  readonly windMean_mps: number;
  /** Mean specific force since `force` was last cleared, in body axes. */
  readonly force: Vector;
  roll: number;
  pitch: number;
  /** Collective demand as a share of full thrust. */
  throttle: number;
  thrust_N: number;
  readonly rotor_radps: number[];
  /** Electrical power of each motor. */
  readonly power_W: number[];
};

export type Command = { readonly target: Vector; readonly speed_mps: number; parked: boolean };

const INNER_s = 0.02;
const ATTITUDE_s = 0.12;
const TILT_MAX_rad = 0.5;
const CLIMB_MAX_mps = 2;
const SPIN_DOWN_s = 0.2;
const FULL_THRUST_N = 4 * QUADROTOR.thrust_Ns2 * QUADROTOR.speedMax_radps ** 2;
const DENSITY_0 = airDensity(SEA_LEVEL.pressure_Pa, SEA_LEVEL.temperature_K);

/** Hovering at 30 m. */
export function createAirframe(wind_mps: number): Airframe {
  const weight_N = QUADROTOR.mass_kg * GRAVITY_mps2;
  const hover_radps = Math.sqrt(weight_N / 4 / QUADROTOR.thrust_Ns2);
  return {
    at: { x: 0, y: 0, z: 30 },
    speed: { x: 0, y: 0, z: 0 },
    wind: { x: wind_mps, y: 0, z: 0 },
    windMean_mps: wind_mps,
    force: { x: 0, y: 0, z: 0 },
    roll: 0,
    pitch: 0,
    throttle: weight_N / FULL_THRUST_N,
    thrust_N: weight_N,
    rotor_radps: ROTORS.map(() => hover_radps),
    power_W: ROTORS.map(() => 55),
  };
}

/** Flies for `dt_s` towards the command; `force` becomes the mean over that time. */
export function flyAirframe(
  frame: Airframe,
  command: Command,
  faults: Faults,
  density: number,
  dt_s: number,
  random: { readonly gusts: Prng; readonly control: Prng },
): void {
  const count = Math.ceil(dt_s / INNER_s - 1e-9);
  const step_s = dt_s / count;
  Object.assign(frame.force, { x: 0, y: 0, z: 0 });
  for (let i = 0; i < count; i++) {
    const { wind } = frame;
    wind.x += wander(wind.x - frame.windMean_mps, 5, 0.8, step_s, random.gusts);
    wind.y += wander(wind.y, 5, 0.8, step_s, random.gusts);
    wind.z += wander(wind.z, 3, 0.2, step_s, random.gusts);
    const ask_N = steer(frame, command, step_s);
    // Without motor 1 its opposite, motor 2, must idle too, or the machine tips over.
    const lost = level(faults, "motor_loss") > 0;
    frame.throttle = ask_N / FULL_THRUST_N;
    frame.thrust_N = 0;
    for (const rotor of ROTORS) {
      const part = lost ? (rotor < 2 ? 0 : 0.5) : 0.25;
      const trim = 1 + 0.01 * random.control.normal(); // the attitude loop at work
      frame.thrust_N += spin(frame, rotor, part * ask_N * trim, faults, density, step_s);
    }
    move(frame, step_s, 1 / count);
  }
}

/** Tilts towards the acceleration that the command wants, and returns the thrust to ask for. */
function steer(frame: Airframe, command: Command, dt_s: number): number {
  const follow = 1 - Math.exp(-dt_s / ATTITUDE_s);
  if (command.parked) {
    frame.pitch -= frame.pitch * follow;
    frame.roll -= frame.roll * follow;
    return 0;
  }
  const wanted = acceleration(command, frame);
  const lift = wanted.z + GRAVITY_mps2;
  const pitch = limit(Math.atan2(wanted.x, lift), TILT_MAX_rad);
  const roll = limit(-Math.atan2(wanted.y, lift), TILT_MAX_rad);
  frame.pitch += (pitch - frame.pitch) * follow;
  frame.roll += (roll - frame.roll) * follow;
  const needed_N = (QUADROTOR.mass_kg * lift) / (Math.cos(frame.pitch) * Math.cos(frame.roll));
  return Math.min(FULL_THRUST_N, needed_N);
}

/** Towards the target at a limited speed, gently. */
function acceleration({ target, speed_mps }: Command, { at, speed }: Airframe): Vector {
  const [dx, dy] = [0.5 * (target.x - at.x), 0.5 * (target.y - at.y)];
  const scale = Math.min(1, speed_mps / Math.max(1e-6, Math.hypot(dx, dy)));
  const climb = limit(0.5 * (target.z - at.z), CLIMB_MAX_mps);
  return {
    x: limit(1.5 * (scale * dx - speed.x), 2.5),
    y: limit(1.5 * (scale * dy - speed.y), 2.5),
    z: limit(2 * (climb - speed.z), 1.5),
  };
}

/** One motor follows its demand; returns its thrust. The loop around it makes up for a weak one. */
function spin(
  frame: Airframe,
  rotor: number,
  wanted_N: number,
  faults: Faults,
  density: number,
  dt_s: number,
): number {
  const gain = (QUADROTOR.thrust_Ns2 * density) / DENSITY_0;
  const weak = rotor === 0 ? 1 - 0.1 * level(faults, "rotor_thrust") : 1;
  const dead = rotor === 0 && level(faults, "motor_loss") > 0;
  const now = frame.rotor_radps[rotor] ?? 0;
  const free = Math.sqrt(Math.max(0, wanted_N) / (gain * weak));
  const wanted = dead ? 0 : Math.min(QUADROTOR.speedMax_radps, free);
  const lag_s = wanted > now ? QUADROTOR.motorUp_s : QUADROTOR.motorDown_s;
  const next = wanted + (now - wanted) * Math.exp(-dt_s / (dead ? SPIN_DOWN_s : lag_s));
  frame.rotor_radps[rotor] = next;
  const shaft_W = QUADROTOR.torquePerThrust_m * gain * next ** 3;
  frame.power_W[rotor] = dead ? 0 : shaft_W / QUADROTOR.motorEfficiency;
  return gain * weak * next * next;
}

function move(frame: Airframe, dt_s: number, share: number): void {
  const { at, speed, wind, force } = frame;
  const [cr, sr] = [Math.cos(frame.roll), Math.sin(frame.roll)];
  const [cp, sp] = [Math.cos(frame.pitch), Math.sin(frame.pitch)];
  const lift = frame.thrust_N / QUADROTOR.mass_kg;
  const drag = QUADROTOR.drag_Nspm / QUADROTOR.mass_kg;
  // Specific force in world axes: thrust along Ry(pitch) Rx(roll) z, and drag.
  let ax = lift * sp * cr - drag * (speed.x - wind.x);
  let ay = -lift * sr - drag * (speed.y - wind.y);
  let az = lift * cp * cr - drag * (speed.z - wind.z);
  if (at.z <= 0 && az < GRAVITY_mps2) {
    Object.assign(speed, { x: 0, y: 0, z: 0 });
    [ax, ay, az] = [0, 0, GRAVITY_mps2]; // the ground carries it
  }
  speed.x += ax * dt_s;
  speed.y += ay * dt_s;
  speed.z += (az - GRAVITY_mps2) * dt_s;
  at.x += speed.x * dt_s;
  at.y += speed.y * dt_s;
  at.z = Math.max(0, at.z + speed.z * dt_s);
  force.x += share * (cp * ax - sp * az);
  force.y += share * (sr * sp * ax + cr * ay + sr * cp * az);
  force.z += share * (cr * sp * ax - sr * ay + cr * cp * az);
}

function limit(value: number, most: number): number {
  return Math.min(most, Math.max(-most, value));
}
