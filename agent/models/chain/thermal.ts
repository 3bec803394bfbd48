//! One thermal node of a machine, C dT/dt = q - G (T - Tref), watched twice: run free from the heat
//! that the load explains (its residual in K finds faults of the machine), and as an observer that
//! asks how much unexplained heat the reading implies (more than any fault could bring, or less
//! than none, is a fault of the sensor).
import { type ThermalNode, thermalStep } from "../../base/physics.js";
import { Smooth } from "./smooth.js";

/** Time of the observer: fast against the node, slow against the noise of its sensor. */
const OBSERVER_s = { share: 0.03, least: 60, most: 300 } as const;
const SETTLED = 5; // observer times
/** Inputs may be missing this long before the free run no longer means anything. */
const BRIDGE_s = 120;
/** What the load did in a longer gap, nobody saw. */
const RESUME_s = 600;
/** Begun anew, the free run first has to forget how, in times of the node. */
const BEGUN = 2;
/** Share of the greatest healthy heat below which load says nothing about a sensor. */
const HEAT_FLOOR = 0.3;

export type ThermalFit = {
  /** Correction of the heat found in commissioning: 1 is the textbook. */
  readonly heat: number;
  /** Steady difference in K, and the spread of the residual around it. */
  readonly offset_K: number;
  readonly sigma_K: number;
};
export const NO_FIT: ThermalFit = { heat: 1, offset_K: 0, sigma_K: Number.NaN };

/** What commissioning learnt, asked anew each step: it depends on the state, and adapts. */
export function fitOf(
  { normal }: { normal(name: string, otherwise: number): number },
  offset: string,
  sigma: string,
  heat = 1,
): ThermalFit {
  return {
    heat,
    get offset_K() {
      return normal(offset, 0);
    },
    get sigma_K() {
      return normal(sigma, Number.NaN);
    },
  };
}

export class ThermalWatch {
  readonly node: ThermalNode;
  readonly fit: ThermalFit;
  /** Most heat that a broken machine adds, over what its load explains. */
  readonly #credible: number;
  readonly #observer_s: number;
  #free_K = Number.NaN;
  #observed_K = Number.NaN;
  #age_s = 0;
  #missing_s = 0;
  /** Of the free run, since an outage or a restart. */
  #begun_s = Number.POSITIVE_INFINITY;
  /** As that; a first start is a beginning, too. */
  #run_s = 0;
  /** Time of a restart that the free run has yet to make up for. */
  #skipped_s = 0;
  /** Load as slow as the observer, so that both speak of the same minutes. */
  readonly #load: Smooth;
  #heat_W = Number.NaN;
  #reference_K = Number.NaN;
  readonly #residual = new Smooth(60);
  /** Heat beyond what the load explains, W. */
  unexplained_W = 0;

  constructor(node: ThermalNode, credible: number, fit: ThermalFit) {
    this.node = node;
    this.fit = fit;
    this.#credible = credible;
    const { share, least, most } = OBSERVER_s;
    const tau_s = node.capacity_JpK / node.conductance_WpK;
    this.#observer_s = Math.min(most, Math.max(least, share * tau_s));
    this.#load = new Smooth(2 * this.#observer_s);
  }

  /**
   * Any may be NaN. `heard_K` is the reading even while only this watch speaks against it: it
   * must go on hearing it, or it would forget its own verdict.
   */
  step(
    dt_s: number,
    measured_K: number,
    heard_K: number,
    heat_W: number,
    reference_K: number,
  ): void {
    const known = !Number.isNaN(heat_W) && !Number.isNaN(reference_K);
    if (known) {
      this.#heat_W = heat_W * this.fit.heat;
      this.#reference_K = reference_K;
      this.#load.add(this.#heat_W, dt_s);
    }
    this.#missing_s = known ? 0 : this.#missing_s + dt_s;
    if (this.#missing_s > BRIDGE_s) this.#forget();
    if (Number.isNaN(this.#heat_W)) return;
    const { node } = this;
    this.#begun_s += dt_s;
    this.#run_s += dt_s;
    if (Number.isNaN(this.#free_K)) this.#free_K = measured_K - this.fit.offset_K;
    else {
      const run_s = dt_s + this.#skipped_s;
      this.#free_K = thermalStep(node, this.#free_K, this.#heat_W, this.#reference_K, run_s);
    }
    this.#skipped_s = 0;
    this.#residual.add(measured_K - this.#free_K - this.fit.offset_K, dt_s);
    if (Number.isNaN(heard_K)) this.#observed_K = Number.NaN;
    else this.#observe(dt_s, heard_K);
  }

  /** Reading minus expectation in K; NaN until it means something. */
  get residual_K(): number {
    return this.#residual.value;
  }

  /**
   * As `residual_K`; below the limit NaN until the free run has forgotten how it was begun: until
   * then a machine that is ill looks well, and an alarm that a restart found would clear.
   */
  toldBeyond(limit_K: number): number {
    return this.#isLong(this.#run_s) || this.residual_K > limit_K ? this.residual_K : Number.NaN;
  }

  /** The free run, once it means something: for a restart. */
  get kept_K(): number {
    return this.#isLong(this.#run_s) ? this.#free_K : Number.NaN;
  }

  /** Goes on after a restart; after a longer gap it begins anew. */
  resume(free_K: number | undefined, gap_s: number): void {
    this.#begun_s = 0;
    if (free_K === undefined || gap_s > RESUME_s) return;
    this.#free_K = free_K;
    this.#skipped_s = gap_s;
    this.#begun_s = this.#run_s = Number.POSITIVE_INFINITY;
  }

  get expected_K(): number {
    return this.#free_K + this.fit.offset_K;
  }

  /** Rise over its surroundings that the load explains, K. */
  get rise_K(): number {
    return this.#free_K - this.#reference_K;
  }

  /** How fast that goes, K/s: where a slow sensor, or a heavier node, stands out. */
  get trend_Kps(): number {
    const { capacity_JpK, conductance_WpK } = this.node;
    return (this.#heat_W - conductance_WpK * this.rise_K) / capacity_JpK;
  }

  /** The free run has forgotten how it was begun after an outage. */
  get ran(): boolean {
    return this.#isLong(this.#begun_s);
  }

  /** The observer has forgotten how it was started. */
  get settled(): boolean {
    return this.#age_s >= SETTLED * this.#observer_s && !Number.isNaN(this.#observed_K);
  }

  /** The reading asks for heat that no state of the machine explains. */
  get incredible(): boolean {
    if (!this.settled) return false;
    const lost_W = this.node.conductance_WpK * (this.#free_K - this.#reference_K);
    const load_W = Math.max(
      this.#heat_W,
      this.#load.value,
      lost_W,
      HEAT_FLOOR * this.node.heatMax_W,
    );
    const share = this.unexplained_W / load_W;
    return !(share <= this.#credible && share >= -0.6);
  }

  #isLong(time_s: number): boolean {
    const { capacity_JpK, conductance_WpK } = this.node;
    return time_s >= (BEGUN * capacity_JpK) / conductance_WpK;
  }

  #observe(dt_s: number, measured_K: number): void {
    const { node } = this;
    if (Number.isNaN(this.#observed_K)) {
      this.#observed_K = measured_K;
      this.unexplained_W = 0;
      this.#age_s = 0;
      return;
    }
    this.#age_s += dt_s;
    const heat_W = this.#heat_W + this.unexplained_W;
    const ahead_K = thermalStep(node, this.#observed_K, heat_W, this.#reference_K, dt_s);
    const w = Math.min(1 / this.#observer_s, 0.3 / dt_s);
    const error_K = measured_K - ahead_K;
    this.#observed_K = ahead_K + 2 * w * dt_s * error_K;
    this.unexplained_W += w * w * dt_s * error_K * node.capacity_JpK;
  }

  #forget(): void {
    if (!Number.isNaN(this.#free_K)) this.#begun_s = this.#run_s = 0;
    this.#free_K = Number.NaN;
    this.#observed_K = Number.NaN;
    this.#residual.reset();
    this.#heat_W = Number.NaN;
  }
}
