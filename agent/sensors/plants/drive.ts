//! Rotor, generator torque, pitch and operating state of the NREL 5-MW turbine: the fast part of
//! the plant, integrated at 50 ms (1 s is too coarse: it invents overspeeds in gusts).
import { airDensity, powerCoefficient, TURBINE } from "../../base/physics.js";
import { TURBINE_STATES } from "./channels.js";
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
  accel_radps2: number;
  torque_Nm: number;
  pitch_rad: number;
  pitchDemand_rad: number;
  yawError_rad: number;
  /** Share of rated power that the grid allows. */
  allowed: number;
  state: number;
  /** Once per outer step: state changes, on a mean wind. */
  supervise(dt_s: number): void;
  inner(dt_s: number): void;
};

/** Starts running in the wind it finds. `faults` is read at every step. */
export function createDrive(weather: Weather, faults: Readonly<Record<string, number>>): Drive {
  let windMean_mps = weather.rotor_mps;
  let integral_rad = 0;
  let waited_s = 0;
  let jam_rad = Number.NaN;
  const level = (name: string): number => faults[name] ?? 0;

  const drive: Drive = {
    rotor_radps: Math.min(
      TURBINE.ratedRotor_radps,
      (7.7 * weather.rotor_mps) / TURBINE.rotorRadius_m,
    ),
    accel_radps2: 0,
    torque_Nm: 0,
    pitch_rad: 0,
    pitchDemand_rad: 0,
    yawError_rad: 0,
    allowed: 1,
    state: TURBINE_STATES.run,
    supervise(dt_s) {
      windMean_mps += (weather.rotor_mps - windMean_mps) * Math.min(1, dt_s / 60);
      drive.allowed = 1 - 0.5 * level("curtail");
      const speed = drive.rotor_radps * TURBINE.gearRatio;
      waited_s += dt_s;
      const next = nextState(drive, speed, windMean_mps, waited_s, level("stop") > 0);
      if (next !== drive.state) waited_s = 0;
      drive.state = next;
    },
    inner(dt_s) {
      drive.yawError_rad = weather.direction_rad + YAW_OFF_rad * level("yaw_misalign");
      const wind = weather.rotor_mps * Math.cos(drive.yawError_rad);
      const lambda = Math.max(0.05, (drive.rotor_radps * TURBINE.rotorRadius_m) / wind);
      const cp = powerCoefficient(lambda, drive.pitch_rad) * (1 - 0.1 * level("blade"));
      const density = airDensity(weather.pressure_Pa, weather.temperature_K);
      const push_Nm = (0.5 * density * AREA_m2 * TURBINE.rotorRadius_m * wind * wind * cp) / lambda;
      const brake_Nm = parked(drive) ? PARKING_Nm : 0;
      const net_Nm =
        push_Nm -
        TURBINE.gearRatio * drive.torque_Nm -
        TURBINE.shaftLoss_Nms * drive.rotor_radps -
        brake_Nm;
      drive.accel_radps2 = net_Nm / TURBINE.inertia_kgm2;
      drive.rotor_radps = Math.max(0, drive.rotor_radps + drive.accel_radps2 * dt_s);
      const speed = drive.rotor_radps * TURBINE.gearRatio;
      const torque_Nm = wantedTorque(drive, speed);
      drive.torque_Nm = approach(drive.torque_Nm, torque_Nm, TORQUE_RATE_Nmps * dt_s);
      turnBlades(speed, dt_s);
    },
  };

  function turnBlades(speed: number, dt_s: number): void {
    let rate = PITCH_RATE_radps;
    let wanted = PITCH_MAX_rad;
    if (drive.state === TURBINE_STATES.run || drive.state === TURBINE_STATES.curtailed) {
      const excess = speed - TURBINE.ratedGenerator_radps;
      const gain = 1 / (1 + Math.max(0, drive.pitch_rad) / PITCH.soften_rad);
      integral_rad = clamp(integral_rad + PITCH.integral * gain * excess * dt_s, 0, PITCH_MAX_rad);
      wanted = clamp(PITCH.gain_s * gain * excess + integral_rad, 0, PITCH_MAX_rad);
    } else {
      integral_rad = drive.state === TURBINE_STATES.start ? 0 : PITCH_MAX_rad;
      if (drive.state === TURBINE_STATES.start) [wanted, rate] = [0, START_RATE_radps];
    }
    drive.pitchDemand_rad = approach(drive.pitchDemand_rad, wanted, rate * dt_s);
    const jam = level("pitch_stuck");
    if (jam > 0 && Number.isNaN(jam_rad)) jam_rad = drive.pitch_rad + JAM_rad;
    if (jam === 0) jam_rad = Number.NaN;
    // In a stop the blades feather on their own batteries; then one of three is still jammed.
    const share = isStopping(drive.state) ? jam / 3 : jam;
    const reached =
      drive.pitchDemand_rad + (jam > 0 ? share * (jam_rad - drive.pitchDemand_rad) : 0);
    drive.pitch_rad = approach(drive.pitch_rad, reached, PITCH_RATE_radps * dt_s);
  }

  return drive;
}

function nextState(
  drive: Drive,
  speed: number,
  wind_mps: number,
  waited_s: number,
  stopped: boolean,
): number {
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

/** From nothing to K w^2 just above the least speed, a line from 0.95 to 0.99, constant power. */
function wantedTorque(drive: Drive, speed: number): number {
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

function parked(drive: Drive): boolean {
  const still = drive.state === TURBINE_STATES.service || drive.state === TURBINE_STATES.stop;
  return still && drive.rotor_radps * TURBINE.gearRatio < CONNECT_radps;
}

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

function approach(from: number, to: number, most: number): number {
  return from + clamp(to - from, -most, most);
}
