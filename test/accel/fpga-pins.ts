//! An SPI master on the pins of the simulated chip, in place of spidev.
import { REGISTER, STATUS } from "../../agent/accel/fpga/registers.js";
import type { Rtl } from "../../agent/accel/fpga/rtl.js";
import type { Spi } from "../../agent/accel/fpga/spidev.js";
import { MESSAGE_BYTES } from "../../agent/accel/fpga/spidev.js";

/** More than any run of the tests takes. */
const RUN_CLOCKS = 20_000;

/** `half`: half a period of sck in 1/256 of the chip's clock. */
export function pinsOf({ bytes, chip }: Rtl, half: number): Spi {
  const buffer = new Uint8Array(MESSAGE_BYTES);
  return {
    buffer,
    exchange(count): void {
      bytes.set(buffer.subarray(0, count));
      const asked = bytes[0] === 3 && bytes[2] === 0 && bytes[3] === REGISTER.status;
      chip.spi(count, half);
      // A real core goes on between two looks: here to its end, or a test would depend on the time
      // that this machine takes for a look.
      if (asked && ((bytes[5] ?? 0) & STATUS.busy) !== 0) chip.wait(RUN_CLOCKS);
      buffer.set(bytes.subarray(0, count));
    },
    mode: () => {},
    close: () => {},
  };
}
