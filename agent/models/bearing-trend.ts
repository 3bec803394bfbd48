//! How loud one sensor hears a bearing, and how much louder than in its healthy period, steadied
//! over blocks: for damage that no fault order shows, and for sensors that deliver figures alone.

/** Memory in blocks, and the most that one of them counts: alone none reaches ln 2, two may. */
const BLOCKS = 6;
const CLIP = 4;
const QUIET = -1.5; // ln: a fifth of the usual; no bearing mends itself

export class Loudness {
  #steady = 0;
  #level = Number.NaN;
  #known = false;

  /** What was steadied, for a restart; told with the next one taken. */
  get kept(): number {
    return this.#steady;
  }

  resume(steady: number | undefined): void {
    this.#steady = steady ?? 0;
  }

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
    this.#level = rms > 0 ? Math.log(rms) : Number.NaN;
    const step = Math.log(rms) - usual;
    const quiet = step < QUIET;
    this.#known = Number.isFinite(step) && !quiet;
    if (this.#known) this.#steady += (Math.min(CLIP, step) - this.#steady) / BLOCKS;
    return !quiet;
  }

  /** The sensor was in doubt: what it said is not to be told on. */
  doubt(): void {
    this.#known = false;
    this.#level = Number.NaN;
  }
}
