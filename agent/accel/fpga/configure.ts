//! Loads a bitstream into an iCE40 over the SPI that the core answers on later: "slave SPI
//! configuration" of Lattice FPGA-TN-02001, 13.2. Not proven on a board (docs/fpga.md).
import { readFileSync } from "node:fs";
import { OperatingError } from "../../base/errors.js";
import type { Gpio } from "./gpio.js";
import { MESSAGE_BYTES, type Spi } from "./spidev.js";
import { gone } from "./transport.js";

/** Where a configuration begins, after comments. */
const SYNC = Uint8Array.of(0x7e, 0xaa, 0x99, 0x7e);
const SYNC_WITHIN_BYTES = 512;
/** UP5K, with room: CRESET_B low at least 200 ns, then 1.2 ms until it has cleared its memory. */
const RESET_ms = 1;
const CLEAR_ms = 2;
/** Clocks that wake it up: at least 49, then as many before its pins are its own. */
const WAKE_BYTES = 13;
const BITSTREAM_BYTES_MAX = 2 ** 20;

/** The file, or an OperatingError when it can't be one. */
export function readBitstream(file: string): Uint8Array {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new OperatingError("fpga-bitstream", `${file}: cannot be read (${code})`, error);
  }
  if (
    bytes.length > BITSTREAM_BYTES_MAX ||
    bytes.subarray(0, SYNC_WITHIN_BYTES).indexOf(SYNC) < 0
  ) {
    const what = `${file}: this is no bitstream of an iCE40`;
    throw new OperatingError("fpga-bitstream", `${what}; write the .bin that icepack makes`);
  }
  return bytes;
}

/** Blocks for some 40 ms to 150 ms, by the clock of the bus. */
export function configure(name: string, bitstream: Uint8Array, spi: Spi, gpio: Gpio): void {
  // The chip select it has as it leaves reset decides: low means that it is to be configured.
  spi.mode(3, true);
  gpio.select(true);
  gpio.reset(true);
  pause(RESET_ms);
  if (gpio.done() === true) throw gone(name, "CDONE stays high in reset; is it wired right?");
  gpio.reset(false);
  pause(CLEAR_ms);
  const send = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
      const part = bytes.subarray(at, at + MESSAGE_BYTES);
      spi.buffer.set(part);
      spi.exchange(part.length);
    }
  };
  send(bitstream);
  send(new Uint8Array(WAKE_BYTES));
  gpio.select(false);
  spi.mode(0, false);
  if (gpio.done() === false) {
    const what = "CDONE stays low, the FPGA has refused the bitstream";
    throw new OperatingError("fpga-bitstream", `${name}: ${what}; is it one for this chip?`);
  }
}

const never = new Int32Array(new SharedArrayBuffer(4));

function pause(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}
