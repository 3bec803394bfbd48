//! The heat of a wind turbine: four nodes and the air of the nacelle, each against what the load
//! explains. More heat than any fault brings is a wrong reading.
import { TURBINE, TURBINE_NODES, turbineHeat } from "../base/physics.js";
import { NacelleWatch } from "./chain/nacelle.js";
import { fitOf, ThermalWatch } from "./chain/thermal.js";
import type { Finding } from "./monitor.js";
import type { Readings, Said } from "./monitor-machine.js";
import type { Setup } from "./setup.js";
import { COMPONENTS } from "./turbine-outputs.js";

/** Below this no deviation of a temperature is worth an alarm, whatever its spread. */
const RESIDUAL_K = 4;
const SIGMAS = 6;
/** So near to what the outside explains, a step of the nacelle's air is over. */
const AIR_K = 1.5;
/** What was guessed of the surroundings is forgotten by then; a shift so small needs to know. */
const SEEN_s = 3600;
const OIL = COMPONENTS.findIndex(({ node }) => node === "oil");

export class TurbineHeat {
  readonly says: Said;
  readonly #on: Readings;
  readonly #commissioned: boolean;
  readonly #rated_W: number;
  readonly #efficiency: number;
  readonly #nodes: readonly ThermalWatch[];
  readonly #nacelle: NacelleWatch;
  /** Time for which the surroundings of each node have been measured. */
  readonly #seen_s = COMPONENTS.map(() => 0);

  constructor(readings: Readings, setup: Setup, rated_W: number, efficiency: number) {
    this.#on = readings;
    this.#commissioned = setup.baseline !== null;
    this.#rated_W = rated_W;
    this.#efficiency = efficiency;
    this.#nodes = COMPONENTS.map(
      ({ name, node, credible }) =>
        new ThermalWatch(
          TURBINE_NODES[node],
          credible,
          fitOf(readings, `${name}.offset`, `${name}.sigma`),
        ),
    );
    this.#nacelle = new NacelleWatch(fitOf(readings, "nacelle.offset", "nacelle.sigma"));
    const said = COMPONENTS.flatMap(({ name, channel }, i): [string, () => number][] => {
      const watch = this.#nodes[i] as ThermalWatch;
      const believed = (): boolean => !Number.isNaN(readings.value(channel));
      return [
        [`${name}.residual`, () => (believed() ? watch.residual_K : Number.NaN)],
        [`${name}.rise`, () => watch.rise_K],
        [`${name}.trend`, () => watch.trend_Kps],
        // NaN before commissioning
        [`${name}.limit`, () => Math.max(RESIDUAL_K, SIGMAS * watch.fit.sigma_K)],
      ];
    });
    const air = (): number => this.#nacelle.residual_K;
    this.says = { ...Object.fromEntries(said), "nacelle.residual": air };
  }

  /** `speed`: of the high-speed shaft, as a share of rated. */
  step(dt_s: number, speed: number): void {
    const { value, heard, raw, accuse, absolve } = this.#on;
    // The nodes are those of the 5-MW machine: heat, capacity and loss grow together with size.
    const scale = TURBINE.ratedPower_W / this.#rated_W;
    const shaft_W = (Math.max(0, value("power")) / this.#efficiency) * scale;
    const heard_K = heard("nacelleTemp");
    this.#nacelle.step(dt_s, value("nacelleTemp"), heard_K, heard("ambientTemp"));
    this.#accuseAir(this.#nacelle.suspect);
    const away_K = Math.abs(this.#on.raw("nacelleTemp") - this.#nacelle.expected_K);
    if (away_K < AIR_K) absolve("nacelleTemp");
    const measured_K = value("nacelleTemp");
    const nacelle_K = Number.isNaN(measured_K) ? this.#nacelle.expected_K : measured_K;
    COMPONENTS.forEach(({ node, channel, reference }, i) => {
      const watch = this.#nodes[i] as ThermalWatch;
      const oil_K = value("oilTemp");
      const expectedOil_K = this.#nodes[OIL]?.expected_K ?? Number.NaN;
      const around_K =
        reference === "nacelleTemp" ? nacelle_K : Number.isNaN(oil_K) ? expectedOil_K : oil_K;
      this.#seen_s[i] = this.#on.believed(reference) ? (this.#seen_s[i] ?? 0) + dt_s : 0;
      const heat_W = turbineHeat(node, shaft_W, Math.max(0, speed));
      watch.step(dt_s, value(channel), heard(channel), heat_W, around_K);
      if (watch.incredible) accuse(channel);
      const back = Math.abs(raw(channel) - watch.expected_K);
      if (back < RESIDUAL_K / 2) absolve(channel);
    });
  }

  /** False: the surroundings of this residual are or were guessed. */
  steady(output: string): boolean {
    const which = COMPONENTS.findIndex(({ name }) => output === `${name}.residual`);
    return which < 0 || (this.#seen_s[which] ?? 0) > SEEN_s;
  }

  /** Why the temperature of a component is thought too high. */
  explain(name: string): Finding | null {
    const which = COMPONENTS.findIndex((component) => name === `${component.name}.residual`);
    const watch = this.#nodes[which];
    const component = COMPONENTS[which];
    if (watch === undefined || component === undefined || Number.isNaN(watch.residual_K))
      return null;
    const { channel, reference } = component;
    const expected = (watch.expected_K - 273.15).toFixed(1);
    const evidence = [
      `${channel} expected at ${expected} Cel from load and ${reference}`,
      `${Math.round(watch.unexplained_W)} W of heat are not explained by the load`,
    ];
    return { expected: 0, sigma: watch.fit.sigma_K, unit: "K", evidence };
  }

  /** The first verdict stands: later a drift stands out less than where it has led. */
  #accuseAir(suspect: "nacelleTemp" | "ambientTemp" | null): void {
    if (suspect === null || !this.#commissioned) return;
    const known = ["nacelleTemp", "ambientTemp"].find((name) => !this.#on.believed(name));
    this.#on.accuse(known ?? suspect);
  }
}
