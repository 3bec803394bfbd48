//! How loud a waveform is over 32 bands of its spectrum, against its own mean over them: gain and
//! mounting cancel, what remains is its colour. For machines of which no fault orders are known.
import FFT from "fft.js";

export const BANDS = 32;
/** Lines of the spectrum in a band: fewer would be one tone. */
const LINES_MIN = 4;
const COUNT_MIN = 2 * BANDS * LINES_MIN;
const COUNT_MAX = 32_768;
/** Mean square below which nothing was heard: the channel is dead, and its colour means nothing. */
const DEAD = 1e-12;

/** Keeps its work buffers by length of block; a longer one is read up to a power of two. */
export class BandAnalyser {
  readonly #byCount = new Map<number, Buffers>();

  /**
   * log2 of the amplitude in each band, less their mean, into `into` from `at`. NaN throughout for
   * a block that is too short, dead, or holds a sample that is no number.
   */
  levels(values: Float32Array, into: Float32Array, at: number): void {
    const count = 2 ** Math.floor(Math.log2(Math.min(values.length, COUNT_MAX)));
    const levels = into.subarray(at, at + BANDS);
    levels.fill(Number.NaN);
    if (!(count >= COUNT_MIN)) return;
    const { fft, input, bins } = this.#for(count);
    let mean = 0;
    for (let i = 0; i < count; i++) mean += (values[i] as number) / count;
    let square = 0;
    for (let i = 0; i < count; i++) {
      const away = (values[i] as number) - mean;
      square += (away * away) / count;
      input[i] = away * (1 - Math.cos((2 * Math.PI * (i + 0.5)) / count));
    }
    if (!(square > DEAD)) return;
    fft.realTransform(bins, input);
    const lines = count / 2 / BANDS;
    // What rounding to 16 bits leaves of a silent band.
    const floor = square * count * 1e-10;
    let sum = 0;
    for (let band = 0; band < BANDS; band++) {
      let power = 0;
      for (let k = band * lines; k < (band + 1) * lines; k++) {
        power += (bins[2 * k] as number) ** 2 + (bins[2 * k + 1] as number) ** 2;
      }
      const level = 0.5 * Math.log2(power / lines + floor);
      levels[band] = level;
      sum += level;
    }
    for (let band = 0; band < BANDS; band++) {
      levels[band] = (levels[band] as number) - sum / BANDS;
    }
  }

  #for(count: number): Buffers {
    const known = this.#byCount.get(count);
    if (known !== undefined) return known;
    const fft = new FFT(count);
    const made = { fft, input: new Array<number>(count).fill(0), bins: fft.createComplexArray() };
    this.#byCount.set(count, made);
    return made;
  }
}

type Buffers = { readonly fft: FFT; readonly input: number[]; readonly bins: number[] };
