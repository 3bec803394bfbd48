//! The last ten minutes of every scalar, a point a second, for the trends of the page.
import type { View } from "./view.js";

const POINTS = 600;
const CHANNELS_MAX = 4_096;

export type Trend = { readonly t_s: readonly number[]; readonly v: readonly (number | null)[] };

/** One ring of times for all channels: a point of a thousand channels costs 4 KB. */
export class Trends {
  readonly #t_s = new Float64Array(POINTS);
  readonly #values = new Map<string, Float32Array>();
  #count = 0;

  note({ now_ms, assets }: View): void {
    const at = this.#count % POINTS;
    this.#t_s[at] = now_ms / 1_000;
    this.#count += 1;
    for (const ring of this.#values.values()) ring[at] = Number.NaN;
    for (const { id, channels, derived } of assets) {
      for (const list of [channels, derived]) {
        for (const { name, value } of list) this.#write(`${id}/${name}`, at, value);
      }
    }
  }

  /** Oldest first; null for a channel that nobody knows. */
  get(asset: string, channel: string): Trend | null {
    const ring = this.#values.get(`${asset}/${channel}`);
    if (ring === undefined) return null;
    const length = Math.min(this.#count, POINTS);
    const first = this.#count - length;
    const places = Array.from({ length }, (_, i) => (first + i) % POINTS);
    return {
      t_s: places.map((i) => this.#t_s[i] as number),
      v: places.map((i) => {
        const value = ring[i] as number;
        return Number.isNaN(value) ? null : value;
      }),
    };
  }

  #write(key: string, at: number, value: number | null): void {
    let ring = this.#values.get(key);
    if (ring === undefined) {
      if (this.#values.size >= CHANNELS_MAX) return;
      ring = new Float32Array(POINTS).fill(Number.NaN);
      this.#values.set(key, ring);
    }
    ring[at] = value ?? Number.NaN;
  }
}
