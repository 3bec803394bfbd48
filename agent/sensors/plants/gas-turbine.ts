//! A single-shaft gas turbine on the grid: quasi-steady Brayton cycle under a load governor with an
//! exhaust-temperature limit, oil and bearings as thermal nodes, housing vibration. The grid holds
//! the speed, so no rotor swing needs a small step and 10 s are as stable as 1 s.
import {
  type Ambient,
  type Cycle,
  type CycleHealth,
  cycle,
  cycleAt,
  exhaustLimit,
  GAS_TURBINE,
  GAS_TURBINE_NODES,
  type GasTurbineNode,
  gasTurbineHeat,
  HEALTHY,
} from "../../base/brayton.js";
import { SEA_LEVEL, type ThermalNode, thermalStep } from "../../base/physics.js";
import { type Prng, prng } from "../../base/prng.js";
import { faultNames } from "./faults.js";
import { GAS_TURBINE_CHANNELS, GAS_TURBINE_STATES } from "./gas-turbine-channels.js";
import { type Faults, level, type Machine, runMachine } from "./machine.js";
import type { Plant, PlantOptions } from "./plant.js";
import { wander } from "./weather.js";

export type GasTurbineOptions = Partial<PlantOptions> & {
  readonly asset: string;
  readonly seed: number;
  /** Share of rated power around which the dispatch wanders. */
  readonly load?: number;
  readonly ambient_K?: number;
  /** Spread from machine to machine: 0.05 varies thermal parameters by 5 %, efficiencies 0.5 %. */
  readonly spread?: number;
};

const RATED_W = 23.7e6;
const DAY_s = 86_400;
const LOAD = { tau_s: 7200, sd: 0.14, least: 0.45, rampPs: 0.05 / 60 } as const;
const START_s = 600; // purge, light-off and run-up
const COAST_s = 900;
const EXHAUST_s = 10; // thermocouples in their wells
const GOVERNOR_s = 5;
/** A per MW at 11 kV and a power factor of 0.95. */
export const CURRENT_APW = 1 / (Math.sqrt(3) * 11_000 * 0.95);

type Node = ThermalNode & { temperature_K: number };

type Turbine = {
  readonly faults: Faults;
  readonly health: CycleHealth;
  readonly nodes: Readonly<Record<GasTurbineNode, Node>>;
  readonly shake: readonly [number, number];
  readonly air: Prng;
  readonly dispatch: Prng;
  readonly grid: Prng;
  readonly scatter: Prng;
  readonly mean_K: number;
  readonly load: number;
  clock_s: number;
  warmth_K: number;
  pressure_Pa: number;
  temperature_K: number;
  /** Dispatch, the governor's ramped reference and what it has reached, shares of rated. */
  wish: number;
  reference: number;
  reached: number;
  speed: number;
  state: number;
  waited_s: number;
  exhaust_K: number;
  swirl_K: number;
  now: Cycle;
};

export function createGasTurbine(options: GasTurbineOptions): Plant {
  const { asset, seed, ambient_K = SEA_LEVEL.temperature_K, spread = 0, load = 0.8 } = options;
  const build = prng(seed, `${asset}/build`);
  const vary = (value: number, share = 1): number =>
    value * (1 + share * spread * (2 * build.next() - 1));
  const node = (name: GasTurbineNode): Node => {
    const { capacity_JpK, conductance_WpK, heatMax_W } = GAS_TURBINE_NODES[name];
    return {
      capacity_JpK: vary(capacity_JpK),
      conductance_WpK: vary(conductance_WpK),
      heatMax_W,
      temperature_K: Number.NaN,
    };
  };
  const start: Ambient = { temperature_K: ambient_K, pressure_Pa: SEA_LEVEL.pressure_Pa };
  const turbine: Turbine = {
    faults: Object.fromEntries(faultNames("gas-turbine").map((name) => [name, 0])),
    health: {
      ...HEALTHY,
      compressorEfficiency: vary(HEALTHY.compressorEfficiency, 0.1),
      turbineEfficiency: vary(HEALTHY.turbineEfficiency, 0.1),
      flow: vary(1, 0.2),
      filter: vary(1),
    },
    nodes: { oil: node("oil"), bearing1: node("bearing1"), bearing2: node("bearing2") },
    shake: [vary(1.6, 2), vary(1.9, 2)],
    air: prng(seed, `${asset}/air`),
    dispatch: prng(seed, `${asset}/dispatch`),
    grid: prng(seed, `${asset}/grid`),
    scatter: prng(seed, `${asset}/scatter`),
    mean_K: ambient_K,
    load,
    clock_s: ((options.start_ms ?? 0) / 1000) % DAY_s,
    warmth_K: 0,
    ...start,
    wish: load,
    reference: load,
    reached: load,
    speed: 1,
    state: GAS_TURBINE_STATES.run,
    waited_s: 3600,
    exhaust_K: Number.NaN,
    swirl_K: 0,
    now: cycleAt(start, 1, load * RATED_W),
  };
  settle(turbine);
  const machine: Machine = {
    channels: GAS_TURBINE_CHANNELS,
    faults: turbine.faults,
    advance: (dt_s) => advance(turbine, dt_s),
    measure: (values) => measure(turbine, values),
    waveform: () => null,
  };
  const plantOptions = { start_ms: 0, period_ms: 1000, blockEvery_ms: 60_000, ...options };
  return runMachine("gas-turbine", machine, plantOptions);
}

function settle(turbine: Turbine): void {
  const { nodes, temperature_K } = turbine;
  for (const name of ["oil", "bearing1", "bearing2"] as const) {
    const around_K = name === "oil" ? temperature_K : nodes.oil.temperature_K;
    const { conductance_WpK } = nodes[name];
    nodes[name].temperature_K = around_K + gasTurbineHeat(name, 1, turbine.load) / conductance_WpK;
  }
  turbine.exhaust_K = turbine.now.exhaust_K;
}

function advance(turbine: Turbine, dt_s: number): void {
  blow(turbine, dt_s);
  supervise(turbine, dt_s);
  govern(turbine, dt_s);
  const { now, faults, nodes, speed } = turbine;
  turbine.exhaust_K += (now.exhaust_K - turbine.exhaust_K) * -Math.expm1(-dt_s / EXHAUST_s);
  turbine.swirl_K += wander(turbine.swirl_K, 600, 2, dt_s, turbine.scatter);
  const load = now.power_W / RATED_W;
  const heat = (name: GasTurbineNode, around_K: number, gain: number, cooling: number): void => {
    const node = nodes[name];
    const cooled = { ...node, conductance_WpK: cooling * node.conductance_WpK };
    const heat_W = gain * gasTurbineHeat(name, speed, load);
    node.temperature_K = thermalStep(cooled, node.temperature_K, heat_W, around_K, dt_s);
  };
  heat("oil", turbine.temperature_K, 1, 1 - 0.35 * level(faults, "oil_cooler"));
  heat("bearing1", nodes.oil.temperature_K, 1, 1);
  heat("bearing2", nodes.oil.temperature_K, 1 + 0.6 * level(faults, "journal_bearing"), 1);
}

function blow(turbine: Turbine, dt_s: number): void {
  turbine.clock_s = (turbine.clock_s + dt_s) % DAY_s;
  const { air, faults, clock_s } = turbine;
  turbine.warmth_K += wander(turbine.warmth_K, 6 * 3600, 2, dt_s, air);
  const away_Pa = turbine.pressure_Pa - SEA_LEVEL.pressure_Pa;
  turbine.pressure_Pa += wander(away_Pa, 24 * 3600, 700, dt_s, air);
  const day_K = 4 * Math.sin((2 * Math.PI * (clock_s / 3600 - 9)) / 24);
  const start_K = turbine.mean_K + turbine.warmth_K + 15 * level(faults, "hot_day");
  turbine.temperature_K = start_K + day_K;
}

function supervise(turbine: Turbine, dt_s: number): void {
  const { faults } = turbine;
  const stopped = level(faults, "shutdown") > 0;
  const { off, start, run, stop } = GAS_TURBINE_STATES;
  turbine.waited_s += dt_s;
  let next = turbine.state;
  if (next === run && stopped && turbine.reached < 0.05) next = stop;
  else if (next === stop && turbine.waited_s > COAST_s) next = off;
  else if (next === off && !stopped && turbine.waited_s > 600) next = start;
  else if (next === start) next = stopped ? stop : turbine.waited_s > START_s ? run : start;
  if (next !== turbine.state) turbine.waited_s = 0;
  turbine.state = next;
  turbine.wish += wander(turbine.wish - turbine.load, LOAD.tau_s, LOAD.sd, dt_s, turbine.dispatch);
  const cut = 1 - 0.4 * level(faults, "load_cut");
  const wish = stopped ? 0 : Math.max(LOAD.least, cut * Math.min(1, turbine.wish));
  const most = LOAD.rampPs * dt_s;
  const goal = next === run ? wish : 0;
  turbine.reference += Math.max(-most, Math.min(most, goal - turbine.reference));
  const noise = turbine.grid.normal();
  if (next === run) turbine.speed = 1 + 0.0006 * noise;
  else if (next === start) turbine.speed = Math.min(1, turbine.waited_s / START_s);
  else if (next === stop) turbine.speed = Math.max(0, 1 - turbine.waited_s / COAST_s);
  else turbine.speed = 0;
}

function govern(turbine: Turbine, dt_s: number): void {
  const { temperature_K, pressure_Pa, speed, faults } = turbine;
  const ambient = { temperature_K, pressure_Pa };
  if (turbine.state !== GAS_TURBINE_STATES.run) {
    turbine.reached = 0;
    turbine.now = idle(ambient, speed, turbine.state === GAS_TURBINE_STATES.start);
    return;
  }
  const wear: CycleHealth = {
    ...turbine.health,
    compressorEfficiency:
      turbine.health.compressorEfficiency - 0.02 * level(faults, "compressor_fouling"),
    flow: turbine.health.flow * (1 - 0.055 * level(faults, "compressor_fouling")),
    turbineEfficiency: turbine.health.turbineEfficiency - 0.02 * level(faults, "turbine_erosion"),
    combustionEfficiency:
      turbine.health.combustionEfficiency * (1 - 0.04 * level(faults, "combustor")),
    filter: turbine.health.filter * (1 + 3 * level(faults, "filter_clogging")),
  };
  turbine.reached += (turbine.reference - turbine.reached) * -Math.expm1(-dt_s / GOVERNOR_s);
  const guess_K = turbine.now.firing_K > 900 ? turbine.now.firing_K : 1200;
  let now = cycleAt(ambient, speed, turbine.reached * RATED_W, wear, guess_K);
  for (let i = 0; i < 4; i++) {
    const over_K = now.exhaust_K - exhaustLimit(now.pressureRatio);
    if (over_K < 0.1) break;
    now = cycle(ambient, speed, now.firing_K - 1.6 * over_K, wear);
  }
  turbine.now = now;
}

/** Turning without load: figures of the right size, which no monitor judges. */
function idle({ temperature_K, pressure_Pa }: Ambient, speed: number, lit: boolean): Cycle {
  const pressureRatio = 1 + 9 * speed * speed;
  const burning = lit && speed > 0.2;
  return {
    power_W: 0,
    fuel_kgps: burning ? 0.3 * speed : 0,
    flow_kgps: GAS_TURBINE.flow_kgps * speed,
    pressureRatio,
    discharge_K: temperature_K * (1 + 1.1 * speed * speed),
    discharge_Pa: pressureRatio * pressure_Pa,
    firing_K: temperature_K,
    exhaust_K: temperature_K + (burning ? 300 : 40 * speed),
    filterDrop_Pa: GAS_TURBINE.filter_Pa * speed * speed,
  };
}

function measure(turbine: Turbine, values: Float64Array): void {
  const { now, nodes, faults, speed, shake, scatter } = turbine;
  const load = now.power_W / RATED_W;
  const once = 6 * level(faults, "rotor_imbalance") * speed * speed;
  const housing = (i: 0 | 1): number =>
    1e-3 *
    Math.hypot(
      shake[i] * speed * (0.8 + 0.2 * load) * Math.exp(0.04 * scatter.normal()),
      once * (i === 0 ? 0.6 : 1),
    );
  const readings = [
    turbine.state,
    turbine.reference * RATED_W,
    now.power_W,
    now.power_W * CURRENT_APW,
    speed * GAS_TURBINE.ratedSpeed_radps,
    now.fuel_kgps,
    turbine.temperature_K,
    turbine.pressure_Pa,
    now.filterDrop_Pa,
    now.discharge_K,
    now.discharge_Pa,
    turbine.exhaust_K + 0.5 * turbine.swirl_K,
    turbine.exhaust_K - 0.5 * turbine.swirl_K,
    (14 + 8 * load) * Math.min(1, speed) +
      45 * level(faults, "combustor") +
      Math.abs(turbine.swirl_K),
    nodes.oil.temperature_K,
    nodes.bearing1.temperature_K,
    nodes.bearing2.temperature_K,
    housing(0),
    housing(1),
  ];
  values.set(readings);
}
