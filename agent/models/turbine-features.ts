//! What ThermalNBM reads: load, how far and how fast each node of the textbook moves, and the air.
//! None of it is a temperature that a fault of a component moves, so the network cannot follow one.
import { NACELLE, TURBINE, TURBINE_NODES, turbineHeat } from "../base/physics.js";
import { Smooth } from "./chain/smooth.js";
import type { Column } from "./columns.js";
import { COMPONENTS } from "./turbine-outputs.js";

/** As the monitor smooths its residuals. */
const SMOOTH_s = 60;
/** What is missing for longer makes the network silent. */
const BRIDGE_s = 120;

type Range = readonly [from: number, to: number];
/** Of the rise over the surroundings in K, and of its rate in K/h. */
const RANGES: Readonly<Record<string, readonly [Range, Range]>> = {
  generator: [
    [0, 70],
    [-60, 60],
  ],
  gearbox: [
    [0, 45],
    [-40, 40],
  ],
  hssBearing: [
    [0, 16],
    [-60, 60],
  ],
  mainBearing: [
    [0, 28],
    [-8, 8],
  ],
};

const column = (name: string, unit: string, [from, to]: Range): Column => ({
  name,
  unit,
  from,
  to,
});

export const THERMAL_COLUMNS: readonly Column[] = [
  column("load", "1", [0, 1.2]),
  column("speed", "1", [0, 1.2]),
  ...COMPONENTS.map(({ name }) => column(`${name}.rise`, "K", RANGES[name]?.[0] ?? [0, 1])),
  ...COMPONENTS.map(({ name }) => column(`${name}.rate`, "K/h", RANGES[name]?.[1] ?? [0, 1])),
  column("nacelle.rise", "K", [-5, 20]),
  column("ambientTemp", "Cel", [-30, 45]),
];

export type ThermalPlate = {
  readonly rated_W: number;
  readonly ratedSpeed_radps: number;
  readonly gearRatio: number;
  readonly efficiency: number;
};

export class ThermalFeatures {
  /** SI, in the order of THERMAL_COLUMNS. */
  readonly values = new Float64Array(THERMAL_COLUMNS.length);
  readonly #plate: ThermalPlate;
  readonly #nodes = COMPONENTS.map(({ node }) => {
    const { capacity_JpK, conductance_WpK } = TURBINE_NODES[node];
    const tau_s = capacity_JpK / conductance_WpK;
    return { node, conductance_WpK, tau_s, goal: new Smooth(SMOOTH_s), rise: new Smooth(tau_s) };
  });
  readonly #held = new Map<string, { value: number; missing_s: number }>();

  constructor(plate: ThermalPlate) {
    this.#plate = plate;
  }

  /** False where something has been missing for too long. */
  step(value: (channel: string) => number, dt_s: number): boolean {
    const { rated_W, ratedSpeed_radps, gearRatio, efficiency } = this.#plate;
    const fast = value("generatorSpeed");
    const shaft_radps = Number.isNaN(fast) ? value("rotorSpeed") * gearRatio : fast;
    const power_W = this.#hold("power", value("power"), dt_s);
    const speed = Math.max(0, this.#hold("speed", shaft_radps, dt_s) / ratedSpeed_radps);
    const ambient_K = this.#hold("ambient", value("ambientTemp"), dt_s);
    const nacelle_K = this.#hold("nacelle", value("nacelleTemp"), dt_s);
    if (Number.isNaN(power_W + speed + ambient_K)) return false;
    // The nodes are those of the 5-MW machine, as in TurbineHeat.
    const load = Math.max(0, power_W) / rated_W;
    const shaft_W = (load * TURBINE.ratedPower_W) / efficiency;
    const { values } = this;
    values[0] = load;
    values[1] = speed;
    const count = this.#nodes.length;
    this.#nodes.forEach(({ node, conductance_WpK, tau_s, goal, rise }, i) => {
      const goal_K = goal.add(turbineHeat(node, shaft_W, speed) / conductance_WpK, dt_s);
      values[2 + i] = rise.add(goal_K, dt_s);
      values[2 + count + i] = (goal_K - rise.value) / tau_s;
    });
    const above_K = nacelle_K - ambient_K;
    values[2 + 2 * count] = Number.isNaN(above_K) ? NACELLE.rise_K : above_K;
    values[3 + 2 * count] = ambient_K;
    return true;
  }

  #hold(name: string, value: number, dt_s: number): number {
    const held = this.#held.get(name) ?? { value: Number.NaN, missing_s: 0 };
    this.#held.set(name, held);
    held.missing_s = Number.isNaN(value) ? held.missing_s + dt_s : 0;
    if (!Number.isNaN(value)) held.value = value;
    else if (held.missing_s > BRIDGE_s) held.value = Number.NaN;
    return held.value;
  }
}
