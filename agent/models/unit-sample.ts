//! A sample of what the channels of an asset read, instant by instant, small whatever the recording:
//! from it physics judges the units that were declared. A value holds until the next one.
import type { Channel, Item } from "../base/telemetry.js";
import { median } from "./chain/robust.js";
import type { Declared } from "./suspect.js";

const ROWS_MAX = 2048;
const STEP_ms = 1000;
/** A value that is older, or that missed this many of its own periods, is none of this instant. */
const HOLD_ms = 60_000;
const PERIODS = 3;

type Reading = { value: number; at_ms: number; period_ms: number; shortest_ms: number };

export class UnitSample {
  readonly #channels: readonly Channel[];
  readonly #latest = new Map<number, Reading>();
  /** One row an instant, in the order of the channels; NaN: nothing then. */
  #rows: number[][] = [];
  #step_ms = STEP_ms;
  #row_ms = Number.NEGATIVE_INFINITY;
  #now_ms = Number.NEGATIVE_INFINITY;

  constructor(channels: readonly Channel[]) {
    this.#channels = channels;
  }

  /** Takes an item in order of arrival. Of a waveform the rms is kept. */
  take(item: Item): void {
    const { channel, r_ms } = item;
    if (r_ms > this.#now_ms) {
      // The instant before is complete only now, when time moves on.
      if (this.#now_ms - this.#row_ms >= this.#step_ms) this.#row();
      this.#now_ms = r_ms;
    }
    const value = item.kind === "block" ? rms(item.values) : item.value;
    const known = item.kind === "sample" && item.quality === "bad" ? Number.NaN : value;
    const before = this.#latest.get(channel);
    const period_ms = before === undefined ? 0 : r_ms - before.at_ms;
    // Of two intervals, so that one silence is not taken for the pace.
    const shortest_ms = Math.min(period_ms, before?.period_ms || period_ms);
    this.#latest.set(channel, { value: known, at_ms: r_ms, period_ms, shortest_ms });
  }

  /** The readings as declared; channels that never read are left out. */
  declared(): Declared[] {
    if (this.#latest.size > 0) this.#row();
    return this.#channels.flatMap(({ id, name, unit, point }, i) => {
      if (!this.#latest.has(id)) return [];
      return [{ name, unit, point, values: this.#rows.map((row) => row[i] ?? Number.NaN) }];
    });
  }

  /** The middle of the channels' latest intervals; NaN of none. */
  get period_ms(): number {
    const known = [...this.#latest.values()].map(({ shortest_ms }) => shortest_ms);
    return median(known.filter((p) => p > 0));
  }

  #row(): void {
    this.#row_ms = this.#now_ms;
    this.#rows.push(this.#channels.map(({ id }) => this.#held(id)));
    if (this.#rows.length < ROWS_MAX) return;
    this.#rows = this.#rows.filter((_, i) => i % 2 === 0);
    this.#step_ms *= 2;
  }

  #held(channel: number): number {
    const found = this.#latest.get(channel);
    if (found === undefined) return Number.NaN;
    const age_ms = this.#now_ms - found.at_ms;
    return age_ms <= Math.max(HOLD_ms, PERIODS * found.period_ms) ? found.value : Number.NaN;
  }
}

function rms(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares / values.length);
}
