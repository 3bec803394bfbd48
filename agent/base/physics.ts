//! Equations that plants and monitors share: plain numbers in SI, temperatures in K, angles in rad.
//! A plant and the monitor that watches it start from the same textbook, never from the same state.

/** Standard gravity, m/s2 (BIPM). */
export const GRAVITY_mps2 = 9.80665;
/** Specific gas constant of dry air, J/(kg K). */
export const AIR_GAS_CONSTANT = 287.05;
/** Sea level of the International Standard Atmosphere (ISO 2533). */
export const SEA_LEVEL = { pressure_Pa: 101_325, temperature_K: 288.15 } as const;
/** No rotor takes more than 16/27 of the wind's power (Betz). */
export const BETZ = 16 / 27;

const LAPSE_KPM = 0.0065; // ISO 2533, troposphere
const BAROMETRIC_EXPONENT = (AIR_GAS_CONSTANT * LAPSE_KPM) / GRAVITY_mps2; // 0.19026

/** Air density in kg/m3, ideal gas. */
export function airDensity(pressure_Pa: number, temperature_K: number): number {
  return pressure_Pa / (AIR_GAS_CONSTANT * temperature_K);
}

/** Altitude in m above the level of `p0_Pa` in the standard atmosphere: 89 874.6 Pa is 1000 m. */
export function barometricAltitude(
  pressure_Pa: number,
  p0_Pa: number = SEA_LEVEL.pressure_Pa,
  T0_K: number = SEA_LEVEL.temperature_K,
): number {
  return (T0_K / LAPSE_KPM) * (1 - (pressure_Pa / p0_Pa) ** BAROMETRIC_EXPONENT);
}

/** The inverse: pressure in Pa at an altitude in m. */
export function barometricPressure(
  altitude_m: number,
  p0_Pa: number = SEA_LEVEL.pressure_Pa,
  T0_K: number = SEA_LEVEL.temperature_K,
): number {
  return p0_Pa * (1 - (LAPSE_KPM * altitude_m) / T0_K) ** (1 / BAROMETRIC_EXPONENT);
}

/** Rolling bearing geometry. */
export type Bearing = {
  readonly rollers: number;
  readonly ball_m: number;
  readonly pitch_m: number;
  readonly contact_rad: number;
};

/** The deep-groove ball bearing 6205, whose orders are published: 3.585 5.415 2.357 0.398. */
export const BEARING_6205: Bearing = {
  rollers: 9,
  ball_m: 0.00794,
  pitch_m: 0.03904,
  contact_rad: 0,
};

export type BearingPart = "outer" | "inner" | "ball" | "cage";

/** Fault rates in orders of shaft speed (BPFO, BPFI, BSF, FTF), outer race at rest. */
export function bearingOrders(bearing: Bearing): Readonly<Record<BearingPart, number>> {
  const q = (bearing.ball_m / bearing.pitch_m) * Math.cos(bearing.contact_rad);
  return {
    outer: (bearing.rollers / 2) * (1 - q),
    inner: (bearing.rollers / 2) * (1 + q),
    ball: (bearing.pitch_m / (2 * bearing.ball_m)) * (1 - q * q),
    cage: (1 - q) / 2,
  };
}

/**
 * The NREL offshore 5-MW reference turbine (Jonkman et al., NREL/TP-500-38060): geometry, inertia,
 * speeds; the torque constant K is that of the Cp surface below.
 */
export const TURBINE = {
  rotorRadius_m: 63,
  gearRatio: 97,
  inertia_kgm2: 43_702_538,
  ratedPower_W: 5e6,
  ratedWind_mps: 11.4,
  ratedRotor_radps: 1.2671,
  ratedGenerator_radps: 122.91,
  ratedTorque_Nm: 43_093.5,
  generatorEfficiency: 0.944,
  optimalTorque: 2.12,
  shaftLoss_Nms: 2e4 / 1.2671,
  cutIn_mps: 3,
  cutOut_mps: 25,
} as const;

/**
 * Power coefficient at tip-speed ratio `lambda` and pitch `pitch_rad`: Heier's form, fitted by
 * least squares to the published NREL 5-MW table (peak 0.473 at 7.76; weighted rms error 0.022).
 */
export function powerCoefficient(lambda: number, pitch_rad: number): number {
  const beta = (pitch_rad * 180) / Math.PI; // the fit is in degrees
  const inverse = 1 / (lambda + 0.080627 * beta) - 0.029962 / (beta * beta * beta + 1);
  const shape = 70.825 * inverse - 1.4824 * beta - 8.0781;
  const cp = 0.31208 * shape * Math.exp(-19.863 * inverse) + 0.066998 * lambda;
  return Math.min(BETZ, Math.max(-0.1, cp));
}

/** One thermal node: C dT/dt = q - G (T - Tref). */
export type ThermalNode = {
  readonly capacity_JpK: number;
  readonly conductance_WpK: number;
  /** The most heat the healthy machine can put in: bounds |dT/dt| by heatMax / capacity. */
  readonly heatMax_W: number;
};

/** Mechanical power at rated electrical power, W. */
export const RATED_SHAFT_W = TURBINE.ratedPower_W / TURBINE.generatorEfficiency;

/** Winding, oil and main bearing lose their heat to the nacelle, the HSS bearing to the oil. */
export const TURBINE_NODES = {
  winding: { capacity_JpK: 8.9e6, conductance_WpK: 4950, heatMax_W: 304.6e3 },
  oil: { capacity_JpK: 12.3e6, conductance_WpK: 4500, heatMax_W: 157.4e3 },
  hssBearing: { capacity_JpK: 1.25e5, conductance_WpK: 208, heatMax_W: 2500 },
  mainBearing: { capacity_JpK: 2.45e6, conductance_WpK: 270, heatMax_W: 6000 },
} as const satisfies Record<string, ThermalNode>;
export type TurbineNode = keyof typeof TURBINE_NODES;

/** The nacelle follows the outside air + 7 K with a time constant of 30 min. */
export const NACELLE = { rise_K: 7, tau_s: 1800 } as const;

/** Heat in W into each node at shaft power `shaft_W` and `speed` as a fraction of rated. */
export function turbineHeat(node: TurbineNode, shaft_W: number, speed: number): number {
  const load = shaft_W / 5.3e6;
  if (node === "winding") return (1 - TURBINE.generatorEfficiency) * shaft_W + 8e3;
  if (node === "oil") return 0.025 * shaft_W + 25e3 * speed * speed;
  if (node === "hssBearing") return 900 * speed + 1600 * load;
  return 1500 * speed + 4500 * load;
}

/** Temperature after `dt_s`: exact for constant heat and reference, so any step is stable. */
export function thermalStep(
  node: ThermalNode,
  temperature_K: number,
  heat_W: number,
  reference_K: number,
  dt_s: number,
): number {
  const goal = reference_K + heat_W / node.conductance_WpK;
  return (
    goal + (temperature_K - goal) * Math.exp((-node.conductance_WpK * dt_s) / node.capacity_JpK)
  );
}

/** Stress in Pa of a fully constrained, biaxially held part: E alpha dT / (1 - nu). */
export function thermalStress(
  rise_K: number,
  young_Pa: number,
  expansion_pK: number,
  poisson: number,
): number {
  return (young_Pa * expansion_pK * rise_K) / (1 - poisson);
}

/** Iris-like quadrotor: hover 794 rad/s and 225 W. */
export const QUADROTOR = {
  mass_kg: 1.5,
  /** Thrust of a rotor is k w^2, at sea-level density. */
  thrust_Ns2: 5.84e-6,
  /** Torque per thrust; 0.06 m of the Gazebo model is for yaw only, as power it asks 725 W. */
  torquePerThrust_m: 0.015,
  rotorRadius_m: 0.127,
  figureOfMerit: 0.45,
  speedMax_radps: 1100,
  motorUp_s: 0.0125,
  motorDown_s: 0.025,
  drag_Nspm: 0.25,
  /** Motor and ESC together; with the avionics 225 W in hover. */
  motorEfficiency: 0.8,
  avionics_W: 6,
} as const;

/**
 * Electrical power in W of `rotors` rotors at `thrust_N` each: ideal induced power over figure of
 * merit and motor efficiency. Not thrust times velocity, which is 0 in hover.
 */
export function rotorPower(thrust_N: number, rotors: number, density: number): number {
  const disc = Math.PI * QUADROTOR.rotorRadius_m ** 2;
  const ideal = Math.max(0, thrust_N) ** 1.5 / Math.sqrt(2 * density * disc);
  const shaft = ideal / QUADROTOR.figureOfMerit;
  return (rotors * shaft) / QUADROTOR.motorEfficiency + QUADROTOR.avionics_W;
}

/** A lithium-polymer pack. */
export type Battery = {
  readonly cells: number;
  readonly capacity_As: number;
  readonly resistance_ohm: number;
};
export const BATTERY_4S: Battery = { cells: 4, capacity_As: 5 * 3600, resistance_ohm: 0.02 };

const OCV_SOC = [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;
const OCV_V = [3.27, 3.61, 3.69, 3.77, 3.79, 3.82, 3.85, 3.91, 3.98, 4.05, 4.12, 4.2] as const;

/** Open-circuit voltage of one cell at a state of charge in [0, 1]. */
export function cellVoltage(soc: number): number {
  return interpolate(OCV_SOC, OCV_V, soc);
}

/** The inverse: state of charge from the rest voltage of one cell; clamped to [0, 1]. */
export function cellCharge(voltage_V: number): number {
  return interpolate(OCV_V, OCV_SOC, voltage_V);
}

/** Current in A that gives `power_W` through the inner resistance; NaN beyond what the pack can. */
export function batteryCurrent(power_W: number, rest_V: number, resistance_ohm: number): number {
  const root = rest_V * rest_V - 4 * resistance_ohm * power_W;
  return root < 0 ? Number.NaN : (rest_V - Math.sqrt(root)) / (2 * resistance_ohm);
}

/** Seconds at constant power until the charge falls to `reserve`; 16.5 min at 225 W to 0.2. */
export function timeToReserve(
  battery: Battery,
  soc: number,
  power_W: number,
  reserve: number,
): number {
  const STEPS = 40;
  const slice = Math.max(0, soc - reserve) / STEPS;
  let time_s = 0;
  for (let i = 0; i < STEPS; i++) {
    const rest_V = battery.cells * cellVoltage(soc - (i + 0.5) * slice);
    const current = batteryCurrent(power_W, rest_V, battery.resistance_ohm);
    time_s += (slice * battery.capacity_As) / current;
  }
  return time_s;
}

function interpolate(xs: readonly number[], ys: readonly number[], x: number): number {
  let at = 1;
  while (at < xs.length - 1 && x > (xs[at] ?? 0)) at += 1;
  const [x0 = 0, x1 = 0, y0 = 0, y1 = 0] = [xs[at - 1], xs[at], ys[at - 1], ys[at]];
  const part = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
  return y0 + part * (y1 - y0);
}
