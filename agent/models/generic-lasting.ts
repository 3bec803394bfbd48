//! A deviation of hours hangs together: what crosses a limit for a moment crosses it again tomorrow.
//! So the machine is off only once it has been for a while, and whatever was off is well again only
//! once it has kept calm for longer than the longest median looks back. A silence counts for neither.
import { CALM, LIMIT, PIECE_s } from "./generic-foretell.js";

const BEGINS_s = PIECE_s;
export const ENDS_s = 6 * PIECE_s;
/** Hours within the limit take back so much of those beyond: what shows at noon alone adds up. */
const LEAK = 1 / 6;

/** How long something has kept calm. */
export class Calm {
  #calm_s = 0;

  /** `deviation` in spreads; NaN, not judged, changes nothing. True: it is well again. */
  take(deviation: number, dt_s: number): boolean {
    if (deviation >= CALM * LIMIT) this.#calm_s = 0;
    else if (deviation < CALM * LIMIT) this.#calm_s += dt_s;
    return this.#calm_s >= ENDS_s;
  }

  save(): number {
    return this.#calm_s;
  }

  restore(kept: unknown): void {
    this.#calm_s = typeof kept === "number" && kept >= 0 ? kept : 0;
  }
}

/** Whether the machine is off; its index as the rule on it should read it. */
export class Lasting {
  #calm = new Calm();
  #over_s = 0;
  #on = false;

  /** At most the limit until it lasts, and not calm until it is over. */
  take(index: number, dt_s: number): number {
    if (index > LIMIT) this.#over_s = Math.min(BEGINS_s, this.#over_s + dt_s);
    else if (index <= LIMIT) this.#over_s = Math.max(0, this.#over_s - LEAK * dt_s);
    const well = this.#calm.take(index, dt_s);
    if (!this.#on && this.#over_s >= BEGINS_s) {
      this.#on = true;
      this.#calm = new Calm();
    } else if (this.#on && well) {
      this.#on = false;
      this.#over_s = 0;
    }
    if (Number.isNaN(index)) return index;
    return this.#on ? Math.max(index, CALM * LIMIT) : Math.min(index, LIMIT);
  }

  save(): unknown {
    return { over_s: this.#over_s, calm_s: this.#calm.save(), on: this.#on };
  }

  restore(kept: unknown): void {
    const found = (typeof kept === "object" && kept !== null ? kept : {}) as Record<
      string,
      unknown
    >;
    const { over_s, calm_s, on } = found;
    this.#over_s = typeof over_s === "number" && over_s >= 0 ? over_s : 0;
    this.#calm.restore(calm_s);
    this.#on = on === true;
  }
}
