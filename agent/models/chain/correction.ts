//! The seam for a trained network behind a physics prior: what it adds is bounded by construction,
//! y = prior + most tanh(g), so that no weights can hide a fault larger than `most`.
import type { Tier } from "../../base/telemetry.js";

export type Learned = {
  /** `sha256:...` of the model file. */
  readonly hash: string;
  readonly tier: Tier;
  /** Residual outputs of the machine that it explains, each with its hard bound in SI. */
  readonly corrects: readonly { readonly output: string; readonly most: number }[];
  /** Called each step; writes g by `corrects`. NaN: cannot tell, and nothing is corrected. */
  infer(value: (channel: string) => number, dt_s: number, g: Float64Array): void;
};

export function bounded(prior: number, g: number, most: number): number {
  return prior + most * Math.tanh(g);
}

export class Correction {
  readonly #learned: Learned | null;
  readonly #g: Float64Array;
  readonly #at: ReadonlyMap<string, number>;

  constructor(learned: Learned | null) {
    this.#learned = learned;
    this.#g = new Float64Array(learned?.corrects.length ?? 0).fill(Number.NaN);
    this.#at = new Map(learned?.corrects.map(({ output }, i) => [output, i]));
  }

  step(value: (channel: string) => number, dt_s: number): void {
    this.#learned?.infer(value, dt_s, this.#g);
  }

  /** False: the network corrects this output and cannot tell by how much now. */
  tells(output: string): boolean {
    const at = this.#at.get(output);
    return at === undefined || !Number.isNaN(this.#g[at]);
  }

  /** What the network explains of an output, SI; at most its bound, 0 where it says nothing. */
  of(output: string): number {
    const at = this.#at.get(output);
    if (at === undefined) return 0;
    const g = this.#g[at] as number;
    return Number.isNaN(g) ? 0 : bounded(0, g, this.#learned?.corrects[at]?.most ?? 0);
  }
}
