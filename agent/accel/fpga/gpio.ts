//! The lines that a board's FPGA is configured by, through /dev/gpiochipN (linux/gpio.h, version 2).
import type { Libc } from "./libc.js";

// _IOWR(0xB4, ...) of linux/gpio.h; a test compares them with the header.
export const GPIO_V2_GET_LINE = 0xc250_b407;
export const GPIO_V2_LINE_GET_VALUES = 0xc010_b40e;
export const GPIO_V2_LINE_SET_VALUES = 0xc010_b40f;
/** struct gpio_v2_line_request: where its fields lie. */
export const REQUEST = {
  bytes: 592,
  offsets: 0,
  consumer: 256,
  flags: 288,
  lines: 560,
  fd: 588,
} as const;
const FLAG_INPUT = 4;
const FLAG_OUTPUT = 8;

export type GpioOptions = {
  readonly chip: string;
  /** Line of CRESET_B. */
  readonly reset: number;
  /** Line of SPI_SS_B. */
  readonly select: number;
  /** Line of CDONE; null where it is not wired. */
  readonly done: number | null;
};

export type Gpio = {
  /** Low resets the FPGA: it forgets its configuration. */
  reset(low: boolean): void;
  /** Drives SPI_SS_B; true is low. */
  select(low: boolean): void;
  /** Null where CDONE is not wired. */
  done(): boolean | null;
  close(): void;
};

export function openGpio(sys: Libc, { chip, reset, select, done }: GpioOptions): Gpio {
  const fd = sys.open(chip);
  const lines: number[] = [];
  const line = (offset: number, flags: number): number => {
    const request = new Uint8Array(REQUEST.bytes);
    const fields = new DataView(request.buffer);
    fields.setUint32(REQUEST.offsets, offset, true);
    request.set(new TextEncoder().encode("sterna"), REQUEST.consumer);
    fields.setBigUint64(REQUEST.flags, BigInt(flags), true);
    fields.setUint32(REQUEST.lines, 1, true);
    sys.ioctl(fd, GPIO_V2_GET_LINE, request, `${chip}: line ${offset}`);
    const found = fields.getInt32(REQUEST.fd, true);
    lines.push(found);
    return found;
  };
  // struct gpio_v2_line_values: u64 bits, u64 mask.
  const values = new Uint8Array(16);
  const fields = new DataView(values.buffer);
  const value = (of: number, request: number, high: boolean): boolean => {
    fields.setBigUint64(0, high ? 1n : 0n, true);
    fields.setBigUint64(8, 1n, true);
    sys.ioctl(of, request, values, `${chip}: a line`);
    return (fields.getUint8(0) & 1) === 1;
  };
  const closeAll = (): void => {
    for (const one of lines) sys.close(one);
    sys.close(fd);
  };
  try {
    const [resetLine, selectLine] = [line(reset, FLAG_OUTPUT), line(select, FLAG_OUTPUT)];
    const doneLine = done === null ? null : line(done, FLAG_INPUT);
    return {
      reset: (low) => void value(resetLine, GPIO_V2_LINE_SET_VALUES, !low),
      select: (low) => void value(selectLine, GPIO_V2_LINE_SET_VALUES, !low),
      done: () => (doneLine === null ? null : value(doneLine, GPIO_V2_LINE_GET_VALUES, false)),
      close: closeAll,
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}
