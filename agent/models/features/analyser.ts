//! Features of one vibration block: time-domain figures, velocity by integration in the frequency
//! domain, and the envelope spectrum that shows a rolling bearing's damage long before velocity
//! moves. Owns its work buffers, so a block costs three transforms and no allocation.
import FFT from "fft.js";
import type { Block, BlockAnalysis } from "../../base/telemetry.js";
import { type OrderAxis, resample } from "./orders.js";

/** Damage of a bearing rings the housing here; a lower sampling rate narrows the band. */
const BAND_HZ = [2000, 6000] as const;
const VELOCITY_HZ = [10, 1000] as const;
/** Envelope lines above this serve no order of interest and are not kept. */
const LINES_HZ_MAX = 1600;
export const BLOCK_SAMPLES_MIN = 4096;
const COUNT_MAX = 32_768;

/** An analyser for each length of block that comes; longer blocks are read up to a power of two. */
export class Analysers {
  readonly #byCount = new Map<number, BlockAnalyser>();

  /** Null for a block that is too short to say anything. */
  for(values: Float32Array): BlockAnalyser | null {
    const count = 2 ** Math.floor(Math.log2(Math.min(values.length, COUNT_MAX)));
    if (!(count >= BLOCK_SAMPLES_MIN)) return null;
    const analyser = this.#byCount.get(count) ?? new BlockAnalyser(count);
    this.#byCount.set(count, analyser);
    return analyser;
  }
}

export class BlockAnalyser {
  readonly count: number;
  readonly #whole: FFT;
  readonly #zoom: FFT;
  readonly #input: number[];
  readonly #bins: number[];
  readonly #band: number[];
  readonly #analytic: number[];
  readonly #envelope: number[];
  readonly #lines: number[];
  readonly #amplitudes: Float32Array;
  #shown: Pick<BlockAnalysis, "lines" | "lineStep_hz">;

  /** `count`: samples of a block, a power of two; the envelope is formed at half that rate. */
  constructor(count: number) {
    this.count = count;
    this.#whole = new FFT(count);
    this.#zoom = new FFT(count / 2);
    this.#input = new Array<number>(count).fill(0);
    this.#bins = this.#whole.createComplexArray();
    this.#band = this.#zoom.createComplexArray();
    this.#analytic = this.#zoom.createComplexArray();
    this.#envelope = new Array<number>(count / 2).fill(0);
    this.#lines = this.#zoom.createComplexArray();
    this.#amplitudes = new Float32Array(count / 4);
    this.#shown = { lines: this.#amplitudes, lineStep_hz: Number.NaN };
  }

  /** The analysis of a block: as its worker has made it, else made here. */
  of(block: Block): BlockAnalysis {
    if (block.analysis === undefined) return this.analyse(block.values, block.fs_hz);
    this.#shown = block.analysis;
    return block.analysis;
  }

  /** Takes the first `count` samples. The lines, here and below, are this block's until the next. */
  analyse(values: Float32Array, fs_hz: number): BlockAnalysis {
    const { count } = this;
    let mean = 0;
    for (let i = 0; i < count; i++) mean += values[i] as number;
    mean /= count;
    let m2 = 0;
    let m4 = 0;
    let peak = 0;
    for (let i = 0; i < count; i++) {
      const a = (values[i] as number) - mean;
      this.#input[i] = a;
      const square = a * a;
      m2 += square;
      m4 += square * square;
      if (square > peak) peak = square;
    }
    m2 /= count;
    peak = Math.sqrt(peak);
    const rms = Math.sqrt(m2);
    this.#whole.realTransform(this.#bins, this.#input);
    const lines = this.#formEnvelope(fs_hz);
    this.#shown = { lines, lineStep_hz: fs_hz / count };
    const kurtosis = m4 / count / (m2 * m2);
    const plain = { rms, peak, crest: peak / rms, kurtosis };
    return { ...plain, velocityRms: this.#velocity(fs_hz), ...this.#shown };
  }

  /** Envelope amplitudes over the cells of an order axis; NaN where the block cannot reach. */
  orders(axis: OrderAxis, speed_radps: number, into: Float32Array): void {
    const { lines, lineStep_hz } = this.#shown;
    resample(lines, speed_radps / (2 * Math.PI) / lineStep_hz, axis, into);
  }

  #velocity(fs_hz: number): number {
    const { count } = this;
    const step_hz = fs_hz / count;
    const last = Math.min(count / 2 - 2, Math.floor(VELOCITY_HZ[1] / step_hz));
    let sum = 0;
    for (let k = Math.max(1, Math.ceil(VELOCITY_HZ[0] / step_hz)); k <= last; k++) {
      // A Hann window as three taps: without it the leakage of one tone, over f, swamps the rest.
      const re = this.#hann(2 * k);
      const im = this.#hann(2 * k + 1);
      const w = 2 * Math.PI * k * step_hz;
      sum += (re * re + im * im) / (w * w);
    }
    return Math.sqrt((2 * sum) / 0.375) / count; // 0.375: energy that the window leaves
  }

  #hann(at: number): number {
    const bins = this.#bins;
    const beside = (bins[at - 2] as number) + (bins[at + 2] as number);
    return 0.5 * (bins[at] as number) - 0.25 * beside;
  }

  // Only the band's own lines go into the inverse transform, at half the rate and moved to zero:
  // its magnitude is the Hilbert envelope, filtered and decimated at once.
  #formEnvelope(fs_hz: number): Float32Array {
    const half = this.count / 2;
    const step_hz = fs_hz / this.count;
    const first = Math.ceil(Math.min(BAND_HZ[0], 0.1 * fs_hz) / step_hz);
    const last = Math.floor(Math.min(BAND_HZ[1], 0.45 * fs_hz) / step_hz);
    this.#band.fill(0);
    for (let k = first; k <= last; k++) {
      this.#band[2 * (k - first)] = this.#bins[2 * k] as number;
      this.#band[2 * (k - first) + 1] = this.#bins[2 * k + 1] as number;
    }
    this.#zoom.inverseTransform(this.#analytic, this.#band);
    let mean = 0;
    for (let i = 0; i < half; i++) {
      const re = this.#analytic[2 * i] as number;
      const im = this.#analytic[2 * i + 1] as number;
      // The inverse divides by half where the whole would by count; analytic doubles: both cancel.
      const magnitude = Math.sqrt(re * re + im * im);
      this.#envelope[i] = magnitude;
      mean += magnitude;
    }
    mean /= half;
    for (let i = 0; i < half; i++) {
      const window = 1 - Math.cos((2 * Math.PI * (i + 0.5)) / half);
      this.#envelope[i] = ((this.#envelope[i] as number) - mean) * window;
    }
    this.#zoom.realTransform(this.#lines, this.#envelope);
    const lineCount = Math.min(this.#amplitudes.length, Math.ceil(LINES_HZ_MAX / step_hz));
    for (let k = 0; k < lineCount; k++) {
      const re = this.#lines[2 * k] as number;
      const im = this.#lines[2 * k + 1] as number;
      this.#amplitudes[k] = (2 / half) * Math.sqrt(re * re + im * im);
    }
    return this.#amplitudes.subarray(0, lineCount);
  }
}
