//! The heat of a wind turbine: four nodes and the air of the nacelle, each against what the load
//! explains. More heat than any fault brings is a wrong reading.
import { TURBINE, TURBINE_NODES, turbineHeat } from "../base/physics.js";
import { NacelleWatch } from "./chain/nacelle.js";
import { fitOf, ThermalWatch } from "./chain/thermal.js";
import type { Finding } from "./monitor.js";
import type { Readings, Said } from "./monitor-machine.js";
import type { Recalled } from "./recall.js";
import type { Setup } from "./setup.js";
import { COMPONENTS, type Component } from "./turbine-outputs.js";

/** Below this no deviation of a temperature is worth an alarm, whatever its spread. */
const RESIDUAL_K = 4;
const SIGMAS = 6;
/** So near to what is expected for so long, a step of a reading is over. */
const NEAR_K = 2;
const AIR_NEAR_K = 1.5;
const NEAR_s = 600;
/** Heard again after a silence and so far off: not before the observer has judged it. */
const FAR_K = 15;
/** What was guessed of the surroundings is forgotten by then; a shift so small needs to know. */
const SEEN_s = 3600;
/** So far off and for so long, while the bearing in the oil does not follow by such a share. */
const OIL_OFF = { K: 3, suspect_K: 1.5, share: 0.6, s: 60 } as const;
const OIL = COMPONENTS.findIndex(({ node }) => node === "oil");
const HSS = COMPONENTS.findIndex(({ node }) => node === "hssBearing");

export class TurbineHeat implements Recalled {
  readonly says: Said;
  readonly #on: Readings;
  readonly #commissioned: boolean;
  readonly #rated_W: number;
  readonly #efficiency: number;
  readonly #nodes: readonly ThermalWatch[];
  readonly #nacelle: NacelleWatch;
  /** The bearing again, in the oil as it is read even while that is in doubt. */
  readonly #bathed: ThermalWatch;
  #oilOff_s = 0;
  /** Time for which the surroundings of each node have been measured. */
  readonly #seen_s = COMPONENTS.map(() => 0);
  /** Time for which each temperature has been near its expectation. */
  readonly #near_s = new Map<string, number>();

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
    const hss = COMPONENTS[HSS] as Component;
    const bathed = fitOf(readings, `${hss.name}.offset`, `${hss.name}.sigma`);
    this.#bathed = new ThermalWatch(TURBINE_NODES[hss.node], hss.credible, bathed);
    this.#nacelle = new NacelleWatch(fitOf(readings, "nacelle.offset", "nacelle.sigma"));
    const said = COMPONENTS.flatMap(({ name, channel }, i): [string, () => number][] => {
      const watch = this.#nodes[i] as ThermalWatch;
      const believed = (): boolean => !Number.isNaN(readings.value(channel));
      // NaN before commissioning
      const limit = (): number => Math.max(RESIDUAL_K, SIGMAS * watch.fit.sigma_K);
      return [
        [`${name}.residual`, () => (believed() ? watch.toldBeyond(limit()) : Number.NaN)],
        [`${name}.rise`, () => watch.rise_K],
        [`${name}.trend`, () => watch.trend_Kps],
        [`${name}.limit`, limit],
      ];
    });
    const air = (): number => this.#nacelle.residual_K;
    this.says = { ...Object.fromEntries(said), "nacelle.residual": air };
  }

  /** `speed`: of the high-speed shaft, as a share of rated. */
  step(dt_s: number, speed: number): void {
    const { value, heard, accuse, current } = this.#on;
    // The nodes are those of the 5-MW machine: heat, capacity and loss grow together with size.
    const scale = TURBINE.ratedPower_W / this.#rated_W;
    const shaft_W = (Math.max(0, value("power")) / this.#efficiency) * scale;
    const heard_K = heard("nacelleTemp");
    this.#nacelle.step(dt_s, value("nacelleTemp"), heard_K, heard("ambientTemp"));
    this.#accuseAir(this.#nacelle.suspect);
    this.#agree(dt_s, "nacelleTemp", this.#nacelle.expected_K, AIR_NEAR_K);
    const measured_K = value("nacelleTemp");
    const nacelle_K = Number.isNaN(measured_K) ? this.#nacelle.expected_K : measured_K;
    const hssHeat_W = turbineHeat("hssBearing", shaft_W, Math.max(0, speed));
    const oilOff = this.#oilOff(dt_s, hssHeat_W);
    if (this.#oilOff_s > OIL_OFF.s) accuse("oilTemp");
    COMPONENTS.forEach(({ node, channel, reference }, i) => {
      const watch = this.#nodes[i] as ThermalWatch;
      const oil_K = value("oilTemp");
      const expectedOil_K = this.#nodes[OIL]?.expected_K ?? Number.NaN;
      const around_K =
        reference === "nacelleTemp" ? nacelle_K : Number.isNaN(oil_K) ? expectedOil_K : oil_K;
      this.#seen_s[i] = this.#on.believed(reference) ? (this.#seen_s[i] ?? 0) + dt_s : 0;
      const heat_W = turbineHeat(node, shaft_W, Math.max(0, speed));
      // An overdue reading is of another load.
      const own_K = current(channel) ? value(channel) : Number.NaN;
      watch.step(dt_s, own_K, heard(channel), heat_W, around_K);
      const far = Math.abs(heard(channel) - watch.expected_K) > FAR_K;
      const unjudged = this.#commissioned && far && !watch.settled;
      if (unjudged || (watch.incredible && !(oilOff && i === HSS))) accuse(channel);
      this.#agree(dt_s, channel, watch.expected_K, NEAR_K);
    });
  }

  /** False: the surroundings of this residual are or were guessed, or its load. */
  steady(output: string): boolean {
    const which = COMPONENTS.findIndex(({ name }) => output === `${name}.residual`);
    if (which < 0) return true;
    return (this.#seen_s[which] ?? 0) > SEEN_s && this.#nodes[which]?.ran === true;
  }

  recollect(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#nodes.map((watch, i) => [`${COMPONENTS[i]?.name}.free`, watch.kept_K]),
    );
  }

  recall(kept: Readonly<Record<string, number>>, gap_s: number): void {
    COMPONENTS.forEach(({ name }, i) => {
      this.#nodes[i]?.resume(kept[`${name}.free`], gap_s);
    });
  }

  /** What the load asks of a temperature, K. */
  expects(channel: string): number {
    if (channel === "nacelleTemp") return this.#nacelle.expected_K;
    return (
      this.#nodes[COMPONENTS.findIndex((c) => c.channel === channel)]?.expected_K ?? Number.NaN
    );
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

  /** Oil that really is another would make the bearing in it another, too. */
  #oilOff(dt_s: number, heat_W: number): boolean {
    const { value, heard } = this.#on;
    const hss_K = heard("hssBearingTemp");
    this.#bathed.step(dt_s, value("hssBearingTemp"), hss_K, heat_W, heard("oilTemp"));
    const oil_K = heard("oilTemp") - (this.#nodes[OIL]?.expected_K ?? Number.NaN);
    const { node, unexplained_W, settled } = this.#bathed;
    const against_K = (-Math.sign(oil_K) * unexplained_W) / node.conductance_WpK;
    const off_K = Math.abs(oil_K);
    const suspect = this.#commissioned && settled && against_K > OIL_OFF.share * off_K;
    this.#oilOff_s = suspect && off_K > OIL_OFF.K ? this.#oilOff_s + dt_s : 0;
    return suspect && off_K > OIL_OFF.suspect_K;
  }

  /** A wrong reading passes what is expected as the load changes; a right one stays there. */
  #agree(dt_s: number, channel: string, expected_K: number, near_K: number): void {
    const away_K = Math.abs(this.#on.raw(channel) - expected_K);
    if (Number.isNaN(away_K) || !this.#commissioned) return;
    const near_s = away_K < near_K ? (this.#near_s.get(channel) ?? 0) + dt_s : 0;
    this.#near_s.set(channel, near_s);
    this.#on.agree(channel, near_s >= NEAR_s);
  }

  /** The first verdict stands: later a drift stands out less than where it has led. */
  #accuseAir(suspect: "nacelleTemp" | "ambientTemp" | null): void {
    if (suspect === null || !this.#commissioned) return;
    const known = ["nacelleTemp", "ambientTemp"].find((name) => !this.#on.believed(name));
    this.#on.accuse(known ?? suspect);
  }
}
