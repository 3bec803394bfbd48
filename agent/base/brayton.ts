//! A single-shaft gas turbine as a Brayton cycle: what plant and monitor share of it. Air standard
//! with constant specific heats; SI, temperatures in K. Rated, a 23.7 MW machine of pressure ratio
//! 14 and 1450 K: efficiency 0.325, exhaust at 834 K.
import type { ThermalNode } from "./physics.js";

const GAMMA_AIR = 1.4;
const GAMMA_GAS = 1.333;
/** Exponents of an isentropic change of air and of combustion gas. */
const AIR = (GAMMA_AIR - 1) / GAMMA_AIR;
const GAS = (GAMMA_GAS - 1) / GAMMA_GAS;
const PRESSURE_LOSS = 0.04; // combustor and exhaust together, of the pressure ratio

export const GAS_TURBINE = {
  inlet_K: 288.15,
  inlet_Pa: 101_325,
  pressureRatio: 14,
  firing_K: 1450,
  flow_kgps: 70,
  compressorEfficiency: 0.86,
  turbineEfficiency: 0.89,
  combustionEfficiency: 0.99,
  mechanicalEfficiency: 0.987, // bearings, gear and generator: 23.7 MW and 0.325 at rated
  heatingValue_Jpkg: 50e6,
  air_JpkgK: 1005,
  gas_JpkgK: 1148,
  /** Pressure lost in the clean inlet filter at rated flow. */
  filter_Pa: 900,
  ratedSpeed_radps: 314.159,
} as const;

/** What wears, as a healthy machine has it: 1 or the textbook's efficiency. */
export type CycleHealth = {
  readonly compressorEfficiency: number;
  readonly turbineEfficiency: number;
  readonly combustionEfficiency: number;
  /** Air that the compressor swallows, over the healthy machine's. */
  readonly flow: number;
  /** Resistance of the inlet filter over that of a clean one. */
  readonly filter: number;
};
export const HEALTHY: CycleHealth = {
  compressorEfficiency: GAS_TURBINE.compressorEfficiency,
  turbineEfficiency: GAS_TURBINE.turbineEfficiency,
  combustionEfficiency: GAS_TURBINE.combustionEfficiency,
  flow: 1,
  filter: 1,
};

export type Ambient = { readonly temperature_K: number; readonly pressure_Pa: number };

export type Cycle = {
  readonly power_W: number;
  readonly fuel_kgps: number;
  readonly flow_kgps: number;
  readonly pressureRatio: number;
  /** Behind the compressor, behind the combustor, in the exhaust. */
  readonly discharge_K: number;
  readonly discharge_Pa: number;
  readonly firing_K: number;
  readonly exhaust_K: number;
  readonly filterDrop_Pa: number;
};

/** T2 = T1 (1 + (PR^a - 1) / eta). */
export function compress(
  inlet_K: number,
  ratio: number,
  efficiency: number = GAS_TURBINE.compressorEfficiency,
): number {
  return inlet_K * (1 + (ratio ** AIR - 1) / efficiency);
}

/** T4 = T3 (1 - eta (1 - PRt^-g)), PRt less the pressure lost on the way. */
export function expand(
  firing_K: number,
  ratio: number,
  efficiency: number = GAS_TURBINE.turbineEfficiency,
): number {
  return firing_K * (1 - efficiency * (1 - (ratio * (1 - PRESSURE_LOSS)) ** -GAS));
}

/** Fuel over air that heats from `discharge_K` to `firing_K`. */
export function fuelRatio(
  discharge_K: number,
  firing_K: number,
  efficiency: number = GAS_TURBINE.combustionEfficiency,
): number {
  const { air_JpkgK, gas_JpkgK, heatingValue_Jpkg } = GAS_TURBINE;
  const heat = gas_JpkgK * firing_K - air_JpkgK * discharge_K;
  return heat / (efficiency * heatingValue_Jpkg - gas_JpkgK * firing_K);
}

const RATED_F = fuelRatio(compress(GAS_TURBINE.inlet_K, GAS_TURBINE.pressureRatio), 1450);
const RATED_GAS_kgps = GAS_TURBINE.flow_kgps * (1 + RATED_F);

/**
 * The steady cycle at a firing temperature. At constant shaft speed the compressor swallows a
 * constant volume; the choked turbine sets the pressure: PR ~ gas flow x sqrt(T3).
 */
export function cycle(
  ambient: Ambient,
  speed: number,
  firing_K: number,
  health: CycleHealth = HEALTHY,
): Cycle {
  const rated = GAS_TURBINE;
  const density = (ambient.pressure_Pa / rated.inlet_Pa) * (rated.inlet_K / ambient.temperature_K);
  const swallow = density * speed * health.flow;
  const filterDrop_Pa = health.filter * rated.filter_Pa * swallow * swallow;
  // The drop beyond a clean filter's throttles; the clean one's is part of the rated figures.
  const throttled_Pa = filterDrop_Pa - rated.filter_Pa * swallow * swallow;
  const inlet_Pa = ambient.pressure_Pa - throttled_Pa;
  const flow_kgps = rated.flow_kgps * swallow * (inlet_Pa / ambient.pressure_Pa);
  let pressureRatio: number = rated.pressureRatio;
  let discharge_K = 0;
  let f = RATED_F;
  for (let i = 0; i < 2; i++) {
    const gas = (flow_kgps * (1 + f)) / RATED_GAS_kgps;
    const choke = gas * Math.sqrt(firing_K / rated.firing_K) * (rated.inlet_Pa / inlet_Pa);
    pressureRatio = rated.pressureRatio * choke;
    discharge_K = compress(ambient.temperature_K, pressureRatio, health.compressorEfficiency);
    f = fuelRatio(discharge_K, firing_K, health.combustionEfficiency);
  }
  const open = pressureRatio * (inlet_Pa / ambient.pressure_Pa); // the exhaust feels no filter
  const exhaust_K = expand(firing_K, open, health.turbineEfficiency);
  const won = (1 + f) * rated.gas_JpkgK * (firing_K - exhaust_K);
  const spent = rated.air_JpkgK * (discharge_K - ambient.temperature_K);
  return {
    power_W: flow_kgps * (won - spent) * rated.mechanicalEfficiency,
    fuel_kgps: flow_kgps * f,
    flow_kgps,
    pressureRatio,
    discharge_K,
    discharge_Pa: pressureRatio * inlet_Pa,
    firing_K,
    exhaust_K,
    filterDrop_Pa,
  };
}

const FIRING_K = [600, 1800] as const;
const SOLVE_STEPS = 12;
const SOLVED_W = 200;

/** The cycle that gives `power_W`, by the secant; power rises with firing temperature. */
export function cycleAt(
  ambient: Ambient,
  speed: number,
  power_W: number,
  health: CycleHealth = HEALTHY,
  guess_K: number = GAS_TURBINE.firing_K,
): Cycle {
  let before = cycle(ambient, speed, guess_K, health);
  let now = cycle(ambient, speed, guess_K * 0.99, health);
  for (let i = 0; i < SOLVE_STEPS && !(Math.abs(now.power_W - power_W) < SOLVED_W); i++) {
    const slope = (now.power_W - before.power_W) / (now.firing_K - before.firing_K);
    const wanted_K = now.firing_K + (power_W - now.power_W) / slope;
    before = now;
    now = cycle(ambient, speed, Math.min(FIRING_K[1], Math.max(FIRING_K[0], wanted_K)), health);
    if (now.firing_K === before.firing_K) return now;
  }
  return now;
}

/** Exhaust temperature that the governor allows at a pressure ratio: that of the rated firing. */
export function exhaustLimit(pressureRatio: number): number {
  return expand(GAS_TURBINE.firing_K, pressureRatio);
}

/** Share of the fuel's heat that becomes power; below 1 - T1/T3 whatever the state. */
export function cycleEfficiency(power_W: number, fuel_kgps: number): number {
  return power_W / (fuel_kgps * GAS_TURBINE.heatingValue_Jpkg);
}

/** Relative efficiency of a simple-cycle machine at a share of rated fuel (Rowen 1983). */
export function rowenEfficiency(fuelShare: number): number {
  return (1.3 * (fuelShare - 0.23)) / fuelShare;
}

/** Oil loses its heat to the outside air, the bearings to the oil. */
export const GAS_TURBINE_NODES = {
  oil: { capacity_JpK: 9e6, conductance_WpK: 7000, heatMax_W: 260e3 },
  bearing1: { capacity_JpK: 3e5, conductance_WpK: 900, heatMax_W: 24e3 },
  bearing2: { capacity_JpK: 3e5, conductance_WpK: 900, heatMax_W: 30e3 },
} as const satisfies Record<string, ThermalNode>;
export type GasTurbineNode = keyof typeof GAS_TURBINE_NODES;

/** Heat in W at `speed` and `load`, both as fractions of rated. */
export function gasTurbineHeat(node: GasTurbineNode, speed: number, load: number): number {
  const most = GAS_TURBINE_NODES[node].heatMax_W;
  const share = node === "bearing2" ? 0.35 : 0.2;
  return most * speed * speed * (1 - share + share * Math.max(0, load));
}
