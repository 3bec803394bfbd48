//! The operating state of a machine: what it says of itself, and where it has no such channel what
//! load and speed show. A status that was told once and is now in doubt stays unknown.
export type Shown = {
  /** Share of rated power and of rated speed; NaN where not known. */
  readonly load: number;
  readonly speed: number;
  /** Share of rated power that the grid allows. */
  readonly allowed: number;
};

export const STATE = { idle: 0, start: 1, run: 2, stop: 3, curtailed: 4, service: 5 } as const;
const LOADED = 0.01;
const TURNING = 0.2;

export class OperatingState {
  #told = false;

  /** `said`: the believed code, `raw` what was last sent; NaN where none. */
  step(said: number, raw: number, shown: Shown): number {
    if (!Number.isNaN(raw)) this.#told = true;
    if (this.#told) return said;
    if (shown.load > LOADED) return shown.allowed < 1 ? STATE.curtailed : STATE.run;
    if (shown.speed > TURNING) return STATE.start;
    return Number.isNaN(shown.load) ? Number.NaN : STATE.idle;
  }
}
