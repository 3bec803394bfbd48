//! The AXI4-Lite registers of the core through /dev/uioN: mapped memory and an interrupt.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { OperatingError } from "../../base/errors.js";
import type { Libc } from "./libc.js";
import { AT, CONTROL, REGISTER, STATUS } from "./registers.js";
import { gone, type Transport } from "./transport.js";

const SYSFS = "/sys/class/uio";
/** All of the register map, weights included. */
const MAP_BYTES = 8 * AT.weights;

/** Registers as 32-bit words: each access is one of the bus. */
export type Window = {
  load(addr: number): number;
  store(addr: number, word: number): void;
};

/** How an interrupt is awaited. */
export type Irq = {
  /** Lets the next one through. */
  arm(): void;
  wait(timeout_ms: number): boolean;
};

export function windowOf(memory: ArrayBuffer): Window {
  // Atomics are never merged, repeated or split: each is one 32-bit access.
  const words = new Uint32Array(memory);
  return {
    load: (addr) => Atomics.load(words, addr),
    store: (addr, word) => void Atomics.store(words, addr, word),
  };
}

export function openUio(sys: Libc, device: string, sysfs = SYSFS): Transport {
  const bytes = mapBytes(device, sysfs);
  const fd = sys.open(device);
  try {
    sys.lock(fd, device);
    const window = windowOf(sys.map(fd, bytes));
    const irq: Irq = {
      arm: () => sys.writeWord(fd, 1),
      wait(timeout_ms): boolean {
        if (!sys.poll(fd, timeout_ms)) return false;
        sys.readWord(fd);
        return true;
      },
    };
    return uioTransport(device, window, irq, () => sys.close(fd));
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

function mapBytes(device: string, sysfs: string): number {
  const file = `${sysfs}/${basename(device)}/maps/map0/size`;
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw gone(device, `${file} cannot be read: it has no registers to map`, error);
  }
  const bytes = Number(text);
  if (bytes >= MAP_BYTES) return MAP_BYTES;
  const what = `its registers have ${text} bytes, the core has ${MAP_BYTES}`;
  throw new OperatingError("fpga-foreign", `${device}: ${what}; give it 1 MiB in the device tree`);
}

export function uioTransport(name: string, window: Window, irq: Irq, close: () => void): Transport {
  let closed = false;
  const check = (): void => {
    if (closed) throw gone(name, "it is closed");
  };
  return {
    name,
    write(addr, words): void {
      check();
      for (let i = 0; i < words.length; i++) window.store(addr + i, words[i] as number);
    },
    read(addr, words): void {
      check();
      for (let i = 0; i < words.length; i++) words[i] = window.load(addr + i);
    },
    waitIrq(timeout_ms): boolean {
      check();
      const until = performance.now() + timeout_ms;
      // An interrupt of before may be counted still, so the status decides.
      for (;;) {
        irq.arm();
        if ((window.load(REGISTER.status) & STATUS.done) !== 0) break;
        const left_ms = until - performance.now();
        if (left_ms <= 0) return false;
        irq.wait(Math.ceil(left_ms));
      }
      window.store(REGISTER.control, CONTROL.acknowledge);
      return true;
    },
    close(): void {
      closed = true;
      close();
    },
  };
}
