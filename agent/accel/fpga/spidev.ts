//! The SPI pins of the core through /dev/spidevB.C (linux/spi/spidev.h). Frames are those of
//! agent/accel/rtl/spi_slave.v: command, 24 bits of address, words least significant byte first.
import type { Gpio } from "./gpio.js";
import type { Libc } from "./libc.js";
import { REGISTER, STATUS } from "./registers.js";
import { gone, type Transport } from "./transport.js";

// _IOW('k', ...) of linux/spi/spidev.h; a test compares them with the header.
export const SPI_IOC_WR_BITS_PER_WORD = 0x4001_6b03;
export const SPI_IOC_WR_MAX_SPEED_HZ = 0x4004_6b04;
export const SPI_IOC_WR_MODE32 = 0x4004_6b05;
/** SPI_IOC_MESSAGE(1). */
export const SPI_IOC_MESSAGE = 0x4020_6b00;
/** struct spi_ioc_transfer: where its fields lie. */
export const TRANSFER = { bytes: 32, tx: 0, rx: 8, len: 16, speed: 20, bits: 26 } as const;
const SPI_NO_CS = 0x40;

/** What the kernel's driver takes in one message (its parameter bufsiz). */
export const MESSAGE_BYTES = 4096;
const HEAD_BYTES = 4;
const COMMAND = { write: 2, read: 3 } as const;

export type SpiOptions = {
  readonly device: string;
  readonly speed_Hz: number;
  /** The line that selects the chip, where the SPI driver must leave that to us. */
  readonly gpio: Gpio | null;
};

/** An open spidev: whole frames, chip select around each. */
export type Spi = {
  /** As many bytes come back as go out, in place of them. At most MESSAGE_BYTES. */
  exchange(bytes: number): void;
  /** What `exchange` sends and receives. */
  readonly buffer: Uint8Array;
  /** Clock polarity and phase, 0 or 3; chip select stays as it is when `quiet`. */
  mode(mode: 0 | 3, quiet: boolean): void;
  close(): void;
};

export function openSpi(sys: Libc, { device, speed_Hz, gpio }: SpiOptions): Spi {
  const fd = sys.open(device);
  const { view: buffer, address } = sys.allocate(MESSAGE_BYTES);
  const transfer = new Uint8Array(TRANSFER.bytes);
  const fields = new DataView(transfer.buffer);
  let framed = true;
  const set = (request: number, value: number, what: string): void => {
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, value, true);
    sys.ioctl(fd, request, word, `${device}: ${what}`);
  };
  const mode = (clock: 0 | 3, quiet: boolean): void => {
    set(SPI_IOC_WR_MODE32, clock | (gpio === null ? 0 : SPI_NO_CS), "its mode");
    framed = !quiet;
  };
  try {
    sys.lock(fd, device);
    mode(0, false);
    set(SPI_IOC_WR_BITS_PER_WORD, 8, "8 bits a word");
    set(SPI_IOC_WR_MAX_SPEED_HZ, speed_Hz, "its clock");
  } catch (error) {
    sys.close(fd);
    throw error;
  }
  return {
    buffer,
    mode,
    exchange(bytes): void {
      fields.setBigUint64(TRANSFER.tx, address, true);
      fields.setBigUint64(TRANSFER.rx, address, true);
      fields.setUint32(TRANSFER.len, bytes, true);
      fields.setUint32(TRANSFER.speed, speed_Hz, true);
      fields.setUint8(TRANSFER.bits, 8);
      if (framed) gpio?.select(true);
      try {
        const moved = sys.ioctl(fd, SPI_IOC_MESSAGE, transfer, `${device}: a transfer`);
        if (moved !== bytes) throw gone(device, `${moved} of ${bytes} bytes were transferred`);
      } finally {
        if (framed) gpio?.select(false);
      }
    },
    close: () => sys.close(fd),
  };
}

export function spiTransport(name: string, spi: Spi, gpio: Gpio | null): Transport {
  const { buffer } = spi;
  const words = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  const head = (command: number, addr: number): void => words.setUint32(0, (command << 24) | addr);
  const status = new Uint32Array(1);
  const transport: Transport = {
    name,
    write(addr, from): void {
      const most = (MESSAGE_BYTES - HEAD_BYTES) / 4;
      for (let at = 0; at < from.length; at += most) {
        const count = Math.min(most, from.length - at);
        head(COMMAND.write, addr + at);
        for (let i = 0; i < count; i++) {
          words.setUint32(HEAD_BYTES + 4 * i, from[at + i] as number, true);
        }
        spi.exchange(HEAD_BYTES + 4 * count);
      }
    },
    read(addr, to): void {
      const first = HEAD_BYTES + 1; // a byte of pause, in which the core fetches
      const most = Math.floor((MESSAGE_BYTES - first) / 4);
      for (let at = 0; at < to.length; at += most) {
        const count = Math.min(most, to.length - at);
        buffer.fill(0, 0, first + 4 * count);
        head(COMMAND.read, addr + at);
        spi.exchange(first + 4 * count);
        for (let i = 0; i < count; i++) to[at + i] = words.getUint32(first + 4 * i, true);
      }
    },
    waitIrq(timeout_ms): boolean {
      // spidev has no interrupts: the status is asked for, over and over.
      const isDone = (): boolean => {
        transport.read(REGISTER.status, status);
        return status[0] === STATUS.done;
      };
      const until = performance.now() + timeout_ms;
      do if (isDone()) return true;
      while (performance.now() <= until);
      // Once more: it may be this process that was held up, not the core.
      return isDone();
    },
    close(): void {
      spi.close();
      gpio?.close();
    },
  };
  return transport;
}
