//! What the monitor of a machine knows again after a restart, or an alarm would clear because nothing
//! has been seen yet: sums of evidence, and temperatures that run free. Numbers by name, with the
//! time that they are of; what is too old is forgotten.
import type { Memory } from "./monitor.js";

export type Recalled = {
  /** Numbers by name; NaN: not known. */
  recollect(): Readonly<Record<string, number>>;
  /** `kept`: as `recollect` gave them, `gap_s` ago; any may be missing. */
  recall(kept: Readonly<Record<string, number>>, gap_s: number): void;
};

/** Evidence of a machine that stood for longer is of another one: it may have been mended. */
const GAP_MAX_s = 3 * 86_400;

type Kept = { readonly t_ms: number; readonly values: Readonly<Record<string, number>> };

export class Recall implements Memory {
  readonly #parts: readonly Recalled[];
  readonly #now_ms: () => number;
  #kept: Kept | null = null;

  constructor(parts: readonly Recalled[], now_ms: () => number) {
    this.#parts = parts;
    this.#now_ms = now_ms;
  }

  save(): unknown {
    // Nothing came since the last start.
    if (this.#kept !== null) return this.#kept;
    const found = Object.assign({}, ...this.#parts.map((part) => part.recollect()));
    const known = Object.entries(found).filter(([, value]) => Number.isFinite(value));
    const t_ms = this.#now_ms();
    return known.length === 0 || !Number.isFinite(t_ms)
      ? null
      : { t_ms, values: Object.fromEntries(known) };
  }

  restore(kept: unknown): void {
    const { t_ms, values } = Object(kept) as Partial<Kept>;
    if (typeof t_ms !== "number" || typeof values !== "object" || values === null) return;
    const known = Object.entries(values).filter(([, value]) => Number.isFinite(value));
    this.#kept = { t_ms, values: Object.fromEntries(known) };
  }

  /** The first instant after the start. */
  begin(t_ms: number): void {
    const kept = this.#kept;
    this.#kept = null;
    const gap_s = (t_ms - (kept?.t_ms ?? Number.NaN)) / 1000;
    if (kept === null || !(gap_s >= 0 && gap_s <= GAP_MAX_s)) return;
    for (const part of this.#parts) part.recall(kept.values, gap_s);
  }
}
