//! Air in the nacelle follows the outside with a lag. When the two no longer fit, the one that
//! moved without the other is the wrong one: a heat wave moves both, a broken sensor one.
import { NACELLE } from "../../base/physics.js";
import { type ThermalFit, ThermalWatch } from "./thermal.js";

/** Off by so much, where the healthy air strays by less than a twentieth of it. */
const OFF_K = { least: 3, most: 6, sigmas: 20 } as const;
const OFF_s = 180; // the observer needs this long to tell which of the two moved
const OWN_SHARE = 0.6;

export class NacelleWatch {
  readonly #air: ThermalWatch;
  readonly #fit: ThermalFit;
  #off_s = 0;
  #moved: "nacelleTemp" | "ambientTemp" = "ambientTemp";

  constructor(fit: ThermalFit) {
    // A first-order lag written as a node: one watt a kelvin, so that watts read as kelvins.
    const node = { capacity_JpK: NACELLE.tau_s, conductance_WpK: 1, heatMax_W: NACELLE.rise_K };
    this.#air = new ThermalWatch(node, 1, fit);
    this.#fit = fit;
  }

  /** `heard`: also while only this watch speaks against it. */
  step(dt_s: number, measured_K: number, heard_K: number, ambientHeard_K: number): void {
    this.#air.step(dt_s, measured_K, heard_K, NACELLE.rise_K, ambientHeard_K);
    const unexplained_K = this.#air.unexplained_W;
    const off = this.#air.settled && Math.abs(unexplained_K) > this.#off_K;
    this.#off_s = off ? this.#off_s + dt_s : 0;
    const moves_K = NACELLE.rise_K + unexplained_K - (heard_K - ambientHeard_K);
    const own = Math.abs(moves_K) > OWN_SHARE * Math.abs(unexplained_K);
    this.#moved = own ? "nacelleTemp" : "ambientTemp";
  }

  get suspect(): "nacelleTemp" | "ambientTemp" | null {
    return this.#off_s >= OFF_s ? this.#moved : null;
  }

  /** The most before commissioning. */
  get #off_K(): number {
    const { least, most, sigmas } = OFF_K;
    const own_K = sigmas * this.#fit.sigma_K;
    return Number.isNaN(own_K) ? most : Math.min(most, Math.max(least, own_K));
  }

  get expected_K(): number {
    return this.#air.expected_K;
  }

  get residual_K(): number {
    return this.#air.residual_K;
  }
}
