//! An SPI master on the pins of the simulated chip, in place of spidev.
import type { Rtl } from "../../agent/accel/fpga/rtl.js";
import type { Spi } from "../../agent/accel/fpga/spidev.js";
import { MESSAGE_BYTES } from "../../agent/accel/fpga/spidev.js";

/** `half`: half a period of sck in 1/256 of the chip's clock. */
export function pinsOf({ bytes, chip }: Rtl, half: number): Spi {
  const buffer = new Uint8Array(MESSAGE_BYTES);
  return {
    buffer,
    exchange(count): void {
      bytes.set(buffer.subarray(0, count));
      chip.spi(count, half);
      buffer.set(bytes.subarray(0, count));
    },
    mode: () => {},
    close: () => {},
  };
}
