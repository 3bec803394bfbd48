//! Rotor, generator torque, pitch and operating state of the NREL 5-MW turbine: the fast part of
//! the plant, integrated at 50 ms (1 s is too coarse: it invents overspeeds in gusts).
import { airDensity, powerCoefficient, TURBINE } from "../../base/physics.js";
import { TURBINE_STATES } from "./channels.js";
import { type Faults, level } from "./machine.js";
import type { Weather } from "./weather.js";

const AREA_m2 = Math.PI * TURBINE.rotorRadius_m ** 2;
const DEGREE = Math.PI / 180;
const PITCH = { gain_s: 0.01883, integral: 0.008069, soften_rad: 6.3 * DEGREE } as const;
const PITCH_MAX_rad = 90 * DEGREE;
const PITCH_RATE_radps = 8 * DEGREE;
const START_RATE_radps = 2 * DEGREE;
const TORQUE_RATE_Nmps = 40e3;
const TORQUE_MAX_Nm = 1.1 * TURBINE.ratedTorque_Nm;
const CONNECT_radps = 70; // the generator carries torque above this speed only
const JOIN_radps = 12;
const OVERSPEED_radps = 1.2 * TURBINE.ratedGenerator_radps;
const RESTART_s = 600;
const PARKING_Nm = 4e5; // brake on the slow shaft once a stop is nearly done
const JAM_rad = 3 * DEGREE;
const YAW_OFF_rad = 25 * DEGREE;
const RATED_POWER_W = TURBINE.ratedPower_W / TURBINE.generatorEfficiency;

export type Drive = {
  rotor_radps: number;
  torque_Nm: number;
  pitch_rad: number;
  pitchDemand_rad: number;
  yawError_rad: number;
  /** Share of rated power that the grid allows. */
  allowed: number;
  state: number;
  windMean_mps: number;
  integral_rad: number;
  /** Where the pitch drives jammed; NaN while they work. */
  jam_rad: number;
  /** Time in this state. */
  waited_s: number;
};

/** Running in the wind it finds. */
export function createDrive(wind_mps: number): Drive {
  const best_radps = (7.7 * wind_mps) / TURBINE.rotorRadius_m;
  // Near the published steady pitch, or a start in strong wind is an overspeed.
  const above = Math.max(0, wind_mps - TURBINE.ratedWind_mps);
  const pitch_rad = 23.5 * DEGREE * Math.sqrt(above / 13.6);
  return {
    rotor_radps: Math.min(TURBINE.ratedRotor_radps, best_radps),
    torque_Nm: 0,
    pitch_rad,
    pitchDemand_rad: pitch_rad,
    yawError_rad: 0,
    allowed: 1,
    state: TURBINE_STATES.run,
    windMean_mps: wind_mps,
    integral_rad: pitch_rad,
    jam_rad: Number.NaN,
    waited_s: 0,
  };
}

/** Once per outer step: state changes, on a mean wind. */
export function superviseDrive(drive: Drive, wind_mps: number, faults: Faults, dt_s: number): void {
  drive.windMean_mps += (wind_mps - drive.windMean_mps) * Math.min(1, dt_s / 60);
  drive.allowed = 1 - 0.5 * level(faults, "curtail");
  drive.waited_s += dt_s;
  const next = nextState(drive, level(faults, "stop") > 0);
  if (next !== drive.state) drive.waited_s = 0;
  drive.state = next;
}

/** One inner step of rotor, torque and pitch. */
export function turnDrive(drive: Drive, weather: Weather, faults: Faults, dt_s: number): void {
  drive.yawError_rad = weather.direction_rad + YAW_OFF_rad * level(faults, "yaw_misalign");
  const wind = weather.rotor_mps * Math.cos(drive.yawError_rad);
  const lambda = Math.max(0.05, (drive.rotor_radps * TURBINE.rotorRadius_m) / wind);
  const cp = powerCoefficient(lambda, drive.pitch_rad) * (1 - 0.1 * level(faults, "blade"));
  const density = airDensity(weather.pressure_Pa, weather.temperature_K);
  // P / w with w = lambda U / R, so that a rotor at rest needs no division by its speed.
  const push_Nm = (0.5 * density * AREA_m2 * TURBINE.rotorRadius_m * wind * wind * cp) / lambda;
  const net_Nm =
    push_Nm -
    TURBINE.gearRatio * drive.torque_Nm -
    TURBINE.shaftLoss_Nms * drive.rotor_radps -
    (isParking(drive) ? PARKING_Nm : 0);
  drive.rotor_radps = Math.max(0, drive.rotor_radps + (net_Nm / TURBINE.inertia_kgm2) * dt_s);
  const torque_Nm = wantedTorque(drive);
  drive.torque_Nm = approach(drive.torque_Nm, torque_Nm, TORQUE_RATE_Nmps * dt_s);
  turnBlades(drive, level(faults, "pitch_stuck"), dt_s);
}

/** Speed of the high-speed shaft. */
export function generatorSpeed(drive: Drive): number {
  return drive.rotor_radps * TURBINE.gearRatio;
}

function turnBlades(drive: Drive, jam: number, dt_s: number): void {
  let rate = PITCH_RATE_radps;
  let wanted = PITCH_MAX_rad;
  if (drive.state === TURBINE_STATES.run || drive.state === TURBINE_STATES.curtailed) {
    const excess = generatorSpeed(drive) - TURBINE.ratedGenerator_radps;
    const gain = 1 / (1 + Math.max(0, drive.pitch_rad) / PITCH.soften_rad);
    const integral_rad = drive.integral_rad + PITCH.integral * gain * excess * dt_s;
    drive.integral_rad = clamp(integral_rad, 0, PITCH_MAX_rad);
    wanted = clamp(PITCH.gain_s * gain * excess + drive.integral_rad, 0, PITCH_MAX_rad);
  } else if (drive.state === TURBINE_STATES.start) {
    drive.integral_rad = 0;
    [wanted, rate] = [0, START_RATE_radps];
  }
  drive.pitchDemand_rad = approach(drive.pitchDemand_rad, wanted, rate * dt_s);
  let reached_rad = drive.pitchDemand_rad;
  if (jam > 0) {
    if (Number.isNaN(drive.jam_rad)) drive.jam_rad = drive.pitch_rad + JAM_rad;
    // In a stop the blades feather on their own batteries; then one of three is still jammed.
    const share = isStopping(drive.state) ? jam / 3 : jam;
    reached_rad += share * (drive.jam_rad - drive.pitchDemand_rad);
  } else {
    drive.jam_rad = Number.NaN;
  }
  drive.pitch_rad = approach(drive.pitch_rad, reached_rad, PITCH_RATE_radps * dt_s);
}

function nextState(drive: Drive, stopped: boolean): number {
  const speed = generatorSpeed(drive);
  const { windMean_mps: wind_mps, waited_s } = drive;
  const { idle, start, run, stop, curtailed, service } = TURBINE_STATES;
  if (speed > OVERSPEED_radps) return service;
  switch (drive.state) {
    case idle: {
      const windy = wind_mps > TURBINE.cutIn_mps + 0.5 && wind_mps < TURBINE.cutOut_mps - 3;
      return windy && !stopped && waited_s > 30 ? start : idle;
    }
    case start:
      if (stopped) return stop;
      return speed > CONNECT_radps + 2 ? run : start;
    case stop:
      return speed < CONNECT_radps && drive.torque_Nm < 100 ? idle : stop;
    case service:
      return waited_s > RESTART_s && speed < CONNECT_radps ? idle : service;
    default: {
      const calm = wind_mps < TURBINE.cutIn_mps - 0.5 || speed < 0.8 * CONNECT_radps;
      if (stopped || wind_mps > TURBINE.cutOut_mps || calm) return stop;
      return drive.allowed < 1 ? curtailed : run;
    }
  }
}

/** Nothing, then K w^2 above the least speed, a line from 0.95 to 0.99, constant power. */
function wantedTorque(drive: Drive): number {
  const speed = generatorSpeed(drive);
  const { idle, start } = TURBINE_STATES;
  if (drive.state === idle || drive.state === start || speed < CONNECT_radps) return 0;
  const { ratedGenerator_radps: rated, optimalTorque } = TURBINE;
  const power_Nm = (drive.allowed * RATED_POWER_W) / speed;
  const [low, high] = [0.95 * rated, 0.99 * rated];
  const joined = clamp((speed - CONNECT_radps) / JOIN_radps, 0, 1);
  let torque = optimalTorque * speed * speed * joined;
  if (speed >= high) torque = power_Nm;
  else if (speed > low) {
    const from = optimalTorque * low * low;
    torque = from + ((RATED_POWER_W / high - from) * (speed - low)) / (high - low);
  }
  return Math.min(torque, power_Nm, TORQUE_MAX_Nm);
}

function isStopping(state: number): boolean {
  return state === TURBINE_STATES.stop || state === TURBINE_STATES.service;
}

function isParking(drive: Drive): boolean {
  return isStopping(drive.state) && generatorSpeed(drive) < CONNECT_radps;
}

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

function approach(from: number, to: number, most: number): number {
  return from + clamp(to - from, -most, most);
}
