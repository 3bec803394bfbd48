//! A wind turbine for months in a second: ten-minute means of the textbook's equations at steady
//! state, but for its heat, which has its own time. What goes wrong is a share of heat, or a reading.

import { reference } from "../../agent/accel/reference.js";
import { type Fitted, KINDS } from "../../agent/assets.js";
import {
  airDensity,
  NACELLE,
  powerCoefficient,
  TURBINE,
  TURBINE_NODES,
  type TurbineNode,
  thermalStep,
  turbineHeat,
} from "../../agent/base/physics.js";
import { type Prng, prng } from "../../agent/base/prng.js";
import type { Want } from "../../agent/models/commission-stage.js";
import type { Baseline } from "../../agent/models/setup.js";
import { TURBINE_PORTS } from "../../agent/models/turbine-ports.js";
import { isUnitFault, parseUnit } from "../../agent/units/parse.js";
import { amounts } from "./rig.js";

export const START_ms = 1_800_000_000_000;
export const DAY_ms = 86_400_000;
export const STEP_s = 600;

export type Year = {
  readonly seed?: number;
  /** Mean of the wind, m/s. */
  readonly wind_mps?: number;
  /** Seasonal swing of the outside and of the machine against its equations, K. */
  readonly season_K?: number;
  readonly offset_K?: (day: number) => number;
  /** Heat of the high-speed shaft's bearing over what is healthy, as a share. */
  readonly heat?: (day: number) => number;
  /** Changes a reading before it is sent. */
  readonly lie?: (name: string, value: number, day: number) => number;
};

export class TurbineYear {
  readonly #options: Year;
  readonly #chance: Prng;
  readonly #temps = new Map<TurbineNode, number>();
  #wind = 0;
  #nacelle_K = 290;
  #step = 0;

  constructor(options: Year) {
    this.#options = options;
    this.#chance = prng(options.seed ?? 1, "year");
  }

  get day(): number {
    return (this.#step * STEP_s * 1000) / DAY_ms;
  }

  get t_ms(): number {
    return START_ms + this.#step * STEP_s * 1000;
  }

  /** Readings of the next ten minutes, SI, by channel. */
  next(): ReadonlyMap<string, number> {
    this.#step += 1;
    const { day } = this;
    const { wind_mps = 8.5, season_K = 0, lie = (_, value) => value } = this.#options;
    const offset_K = this.#options.offset_K?.(day) ?? 0;
    const heat = this.#options.heat?.(day) ?? 0;
    const noise = (sigma: number): number => sigma * this.#chance.normal();
    this.#wind += -this.#wind * 0.014 + 0.59 * this.#chance.normal();
    const wind = Math.min(24, Math.max(3.2, wind_mps + this.#wind));
    const air_K = 283 + season_K * Math.sin((2 * Math.PI * day) / 365) + 4 * Math.sin(6.283 * day);
    const pressure = 101_325;
    const rotor = Math.min(TURBINE.ratedRotor_radps, (7.6 * wind) / 63);
    const cp = (pitch: number): number => powerCoefficient((rotor * 63) / wind, pitch);
    const blown = 0.5 * airDensity(pressure, air_K) * Math.PI * 63 ** 2 * wind ** 3;
    const power = (pitch: number): number =>
      0.944 * (cp(pitch) * blown - TURBINE.shaftLoss_Nms * rotor ** 2);
    let pitch = 0;
    while (power(pitch) > 5e6 && pitch < 0.45) pitch += 0.0005;
    const power_W = Math.max(0, power(pitch));
    const shaft = rotor * TURBINE.gearRatio;
    const speed = shaft / TURBINE.ratedGenerator_radps;
    this.#nacelle_K =
      air_K +
      NACELLE.rise_K +
      (this.#nacelle_K - air_K - NACELLE.rise_K) * Math.exp(-STEP_s / NACELLE.tau_s);
    const warm = (node: TurbineNode, around_K: number, extra: number): number => {
      const q_W = turbineHeat(node, power_W / 0.944, speed) * (1 + extra);
      const own = TURBINE_NODES[node];
      const goal_K = around_K + q_W / own.conductance_WpK;
      const now_K = thermalStep(own, this.#temps.get(node) ?? goal_K, q_W, around_K, STEP_s);
      this.#temps.set(node, now_K);
      return now_K;
    };
    const oil_K = warm("oil", this.#nacelle_K, 0);
    const found: readonly [string, number, number][] = [
      ["windSpeed", wind, 0.1],
      ["rotorSpeed", rotor, 0.001],
      ["generatorSpeed", shaft, 0.05],
      ["pitch", pitch, 0.0005],
      ["pitchDemand", pitch, 0.0001],
      ["power", power_W, 3000],
      ["generatorTorque", power_W / 0.944 / Math.max(1, shaft), 20],
      ["ambientTemp", air_K, 0.1],
      ["ambientPressure", pressure, 10],
      ["nacelleTemp", this.#nacelle_K, 0.1],
      ["windingTemp", warm("winding", this.#nacelle_K, 0), 0.1],
      ["oilTemp", oil_K, 0.1],
      ["hssBearingTemp", warm("hssBearing", oil_K, heat) + offset_K, 0.1],
      ["mainBearingTemp", warm("mainBearing", this.#nacelle_K, 0), 0.1],
      ["yawError", 0, 0.02],
      ["towerAccel", (0.03 + 0.006 * wind) * (0.3 + 0.7 * speed), 0.002],
      ["gridCurtailment", 1, 0],
      ["state", 2, 0],
    ];
    return new Map(
      found.map(([name, value, sigma]) => [name, lie(name, value + noise(sigma), day)]),
    );
  }
}

const PORTS = TURBINE_PORTS.filter((port) => port.shape === "scalar");

export class YearRig {
  readonly fitted: Fitted;
  readonly plant: TurbineYear;
  readonly said = new Map<string, number>();
  readonly #values = new Map<string, number>();

  constructor(
    plant: TurbineYear,
    learn: { readonly want?: Want; readonly baseline?: Baseline; readonly adapts?: boolean },
    declared: Readonly<Record<string, string>> = {},
  ) {
    const kind = KINDS["wind-turbine"];
    if (kind === undefined) throw new Error("wind-turbine");
    this.plant = plant;
    this.fitted = kind.monitors({
      id: "wt",
      nameplate: amounts("wind-turbine"),
      baseline: learn.baseline ?? null,
      backend: reference,
      channels: new Set(PORTS.map((port) => port.name)),
      declared: PORTS.map(({ name, unit }) => {
        const parsed = parseUnit(unit);
        const point = !isUnitFault(parsed) && parsed.affine;
        return { name, unit: declared[name] ?? unit, point, coded: name === "state" };
      }),
      want: learn.want ?? null,
      adapts: learn.adapts ?? true,
    });
    if (this.fitted.faults.length > 0) throw new Error(JSON.stringify(this.fitted.faults));
  }

  /** Runs to this day of the plant; `look` after each instant. */
  run(day: number, look: (day: number) => void = () => {}): void {
    const [monitor] = this.fitted.monitors;
    if (monitor === undefined) return;
    const frame = {
      get: (input: number) => this.#values.get(monitor.inputs[input] ?? "") ?? Number.NaN,
      set: (output: number, value: number) => {
        this.said.set(monitor.outputs[output]?.name ?? "", value);
      },
    };
    while (this.plant.day < day) {
      const now = this.plant.next();
      for (const [name, value] of now) {
        this.#values.set(name, value);
        monitor.onSample(frame, monitor.inputs.indexOf(name), this.plant.t_ms);
      }
      look(this.plant.day);
    }
  }

  get(name: string): number {
    return this.said.get(name) ?? Number.NaN;
  }

  /** What the rule over the bearing's temperature would say. */
  get hot(): boolean {
    return this.get("hssBearing.residual") > this.get("hssBearing.limit");
  }
}
