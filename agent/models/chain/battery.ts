//! A battery pack: charge by counting, corrected by the rest voltage; cells against each other and
//! against the pack, so that a weak cell and a wrong voltmeter are two different things.
import { type Battery, cellCharge } from "../../base/physics.js";
import { Smooth } from "./smooth.js";

const SUM_OFF_V = 0.06;
const CHARGE_OFF = 0.15; // for so long, a fresh pack was put in
const SWAP_s = 6;
const CORRECT_s = 600;

export class BatteryWatch {
  readonly #pack: Battery;
  readonly #cells: readonly Smooth[];
  readonly #sum = new Smooth(5);
  readonly #rest = new Smooth(10);
  soc = Number.NaN;
  #other_s = 0;

  constructor(pack: Battery) {
    this.#pack = pack;
    this.#cells = Array.from({ length: pack.cells }, () => new Smooth(5));
  }

  /** The voltmeter that does not fit: a cell's index, "pack", or null. */
  step(dt_s: number, voltage_V: number, cells_V: readonly number[]): number | "pack" | null {
    const known = cells_V.filter((v) => !Number.isNaN(v));
    const all = known.length === this.#pack.cells; // one without a voltmeter: no sum to compare
    cells_V.forEach((v, i) => {
      const others = known.filter((other) => other !== v);
      const mean = others.reduce((a, b) => a + b, 0) / others.length;
      if (Number.isNaN(v)) this.#cells[i]?.reset();
      this.#cells[i]?.add(mean - v, dt_s);
    });
    if (!all || Number.isNaN(voltage_V)) {
      this.#sum.reset();
      return null;
    }
    const gap_V = this.#sum.add(known.reduce((a, b) => a + b, 0) - voltage_V, dt_s);
    if (!(Math.abs(gap_V) > SUM_OFF_V)) return null;
    const lows = this.#cells.map((c) => Math.abs(c.value));
    const worst = lows.indexOf(Math.max(...lows));
    return (lows[worst] ?? 0) > 0.5 * Math.abs(gap_V) ? worst : "pack";
  }

  /** Nothing was heard for a while. */
  pause(): void {
    this.#sum.reset();
    this.#rest.reset();
  }

  /** How far the lowest cell lies under the others, V. */
  get spread_V(): number {
    return Math.max(...this.#cells.map((c) => c.value));
  }

  /** Pack and cells disagree: no word about cells until that is settled. */
  get disagrees(): boolean {
    return !(Math.abs(this.#sum.value) < 0.5 * SUM_OFF_V);
  }

  /** Charge, from believed readings only; without voltage it counts on. */
  count(dt_s: number, voltage_V: number, current_A: number): void {
    if (Number.isNaN(current_A)) return;
    this.soc -= (current_A * dt_s) / this.#pack.capacity_As;
    if (Number.isNaN(voltage_V)) {
      this.#rest.reset();
      return;
    }
    const { cells, resistance_ohm } = this.#pack;
    const rest_V = this.#rest.add(voltage_V + current_A * resistance_ohm, dt_s);
    const seen = cellCharge(rest_V / cells);
    const other = Math.abs(seen - this.soc) > CHARGE_OFF;
    this.#other_s = other ? this.#other_s + dt_s : 0;
    if (Number.isNaN(this.soc) || this.#other_s > SWAP_s) this.soc = seen;
    this.soc += (seen - this.soc) * Math.min(1, dt_s / CORRECT_s);
  }
}
