//! How much louder a bearing is than it was in its healthy period, steadied over blocks: for damage
//! that no fault order shows, and for sensors that deliver figures instead of waveforms.
const BLOCKS = 8; // memory; one bad block moves the level by an eighth of its height
const CLIP = 2; // no single block counts for more than e^2

export class TrendWatch {
  readonly #usual: number;
  #rise = 0;

  /** `usual`: middle of ln(rms) in the healthy period; NaN before commissioning. */
  constructor(usual: number) {
    this.#usual = usual;
  }

  /** Takes the rms of a block; ln of how much louder it is than usual: 0.69 is twice. */
  add(rms: number): number {
    const step = Math.log(rms) - this.#usual;
    if (Number.isNaN(step)) return Number.NaN;
    this.#rise += (Math.max(-CLIP, Math.min(CLIP, step)) - this.#rise) / BLOCKS;
    return this.#rise;
  }
}
