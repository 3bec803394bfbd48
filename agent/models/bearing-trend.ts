//! How loud one sensor hears a bearing, and how much louder than in its healthy period, steadied
//! over blocks: for damage that no fault order shows, and for sensors that deliver figures alone.
import type { BlockAnalysis } from "../base/telemetry.js";

/** Memory in blocks, and the most that one of them counts: alone none reaches ln 2, two may. */
const BLOCKS = 6;
const CLIP = 4;
const QUIET = -1.5; // ln: a fifth of the usual; no bearing mends itself

export class Loudness {
  #steady = 0;
  #level = Number.NaN;
  #known = false;

  /** ln of the rms last taken, in m/s2. */
  get level(): number {
    return this.#level;
  }

  /** ln of how much louder than usual, 0.69 is twice; NaN while it cannot be told. */
  get rise(): number {
    return this.#known ? this.#steady : Number.NaN;
  }

  /** `usual`: middle of the level in the healthy period, or NaN. False: too quiet to be a bearing. */
  take(rms: number, usual: number): boolean {
    this.#level = Math.log(rms);
    const step = this.#level - usual;
    const quiet = step < QUIET;
    this.#known = Number.isFinite(step) && !quiet;
    if (this.#known) this.#steady += (Math.min(CLIP, step) - this.#steady) / BLOCKS;
    return !quiet;
  }

  /** The sensor was in doubt: what it said is not to be told on. */
  doubt(): void {
    this.#known = false;
  }
}

const GAIN_LEAST = 0.6; // ln: nearly twice
const GAIN_SAME = 0.2; // ln: a peak of 10,000 samples varies by a tenth

/**
 * True where a block differs from one that was believed by a factor on everything: rms, peak and
 * velocity alike. Damage rings high up and leaves velocity alone; a changed scale spares nothing.
 */
export function isGain(now: BlockAnalysis, before: BlockAnalysis): boolean {
  const gain = Math.log(now.rms / before.rms);
  const alike = (a: number, b: number): boolean => Math.abs(Math.log(a / b) - gain) < GAIN_SAME;
  return (
    Math.abs(gain) > GAIN_LEAST &&
    alike(now.peak, before.peak) &&
    alike(now.velocityRms, before.velocityRms)
  );
}
