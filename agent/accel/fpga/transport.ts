//! How the driver reaches a core, whatever lies between: SPI, memory-mapped registers, a simulator,
//! the emulator. A transport moves words and knows nothing of what they mean.
import { OperatingError } from "../../base/errors.js";

/** Every call throws an OperatingError when the device is gone or refuses; none waits for ever. */
export type Transport = {
  /** For people: `/dev/spidev0.0`, `emulator`. */
  readonly name: string;
  /** Words to addresses that count up. */
  write(addr: number, words: Uint32Array): void;
  /** Fills `words` from addresses that count up. */
  read(addr: number, words: Uint32Array): void;
  /** Until the core says that it is done; false when it did not within the time. */
  waitIrq(timeout_ms: number): boolean;
  /** Never throws; a call after it does. */
  close(): void;
};

export const gone = (name: string, what: string, cause?: unknown): OperatingError =>
  new OperatingError("fpga-gone", `${name}: ${what}`, cause);

/** The check sums of the core (docs/fpga.md): a += word, b += a of before. */
export class CheckSum {
  a = 0;
  b = 0;

  add(word: number): void {
    this.b = (this.b + this.a) >>> 0;
    this.a = (this.a + word) >>> 0;
  }

  addAll(words: Uint32Array): void {
    let { a, b } = this;
    for (let i = 0; i < words.length; i++) {
      b = (b + a) | 0;
      a = (a + (words[i] as number)) | 0;
    }
    this.a = a >>> 0;
    this.b = b >>> 0;
  }

  reset(): void {
    this.a = 0;
    this.b = 0;
  }
}
