//! The backend `fpga`: the ternary core behind SPI, AXI4-Lite or in an emulator. It gives the same
//! integers as the CPU, and fails at the first sign that the device is not sound.
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { assert, OperatingError } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import type { Backend, Loaded, Plan } from "../backend.js";
import { configure, readBitstream } from "./configure.js";
import { Core } from "./core.js";
import { openEmulator } from "./emulator.js";
import { type Gpio, type GpioOptions, openGpio } from "./gpio.js";
import { loadHybrid } from "./hybrid.js";
import { type Libc, libc } from "./libc.js";
import { openRtl, probeRtl, rtlTransport } from "./rtl.js";
import { selfTest } from "./self-test.js";
import { openSpi, spiTransport } from "./spidev.js";
import type { Transport } from "./transport.js";
import { openUio } from "./uio.js";

export type FpgaOptions = {
  /** `/dev/spidevB.C`, `/dev/uioN`, `emulator`, or `rtl` for the cycle-accurate one. */
  readonly device: string;
  readonly clock_Hz: number;
  /** Loaded at the start where `gpio` says how; null: the one of the package. */
  readonly bitstream: string | null;
  /** Null: the FPGA configures itself, or something else does. */
  readonly gpio: GpioOptions | null;
};

export const FPGA_DEFAULT: FpgaOptions = {
  device: "emulator",
  clock_Hz: 6_000_000,
  bitstream: null,
  gpio: null,
};

/** Of weights, at two bits each: the UP5K's. A network beyond it runs on the CPU in part. */
const MEMORY_BYTES = 2 ** 17;
const BITSTREAM = "agent/accel/rtl/sterna_up5k.bin";

export const isEmulated = ({ device }: FpgaOptions): boolean =>
  device === "emulator" || device === "rtl";

/** Why the device cannot be used, from its path alone; null when nothing speaks against it. */
export function probeFpga({ device }: FpgaOptions): string | null {
  if (device === "emulator") return null;
  if (device === "rtl") return probeRtl();
  let gid: number;
  try {
    gid = statSync(device).gid;
  } catch (error) {
    const code = codeOf(error);
    const hidden = "in the service its drop-in must be installed (docs/fpga.md)";
    return `${device}: ${code === "ENOENT" ? `no such device; ${hidden}` : code}`;
  }
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    const who = `the group ${groupName(gid)} may; add this user to it (docs/fpga.md)`;
    return `${device}: no right to read and write it (${codeOf(error)}); ${who}`;
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

function groupName(gid: number): string {
  try {
    const groups = readFileSync("/etc/group", "utf8").split("\n");
    const line = groups.find((group) => group.split(":")[2] === String(gid));
    return line?.split(":")[0] ?? String(gid);
  } catch {
    return String(gid);
  }
}

/** Opens what the options name, configured where they say how. */
export function openTransport(options: FpgaOptions, sys: () => Libc = libc): Transport {
  const { device, clock_Hz: speed_Hz } = options;
  if (device === "emulator") return openEmulator();
  if (device === "rtl") return rtlTransport(openRtl());
  if (!/spidev/.test(device)) return openUio(sys(), device);
  const bitstream =
    options.gpio === null ? null : readBitstream(options.bitstream ?? packageFile(BITSTREAM));
  const gpio: Gpio | null = options.gpio === null ? null : openGpio(sys(), options.gpio);
  try {
    const spi = openSpi(sys(), { device, speed_Hz, gpio });
    const transport = spiTransport(device, spi, gpio);
    try {
      if (bitstream !== null && gpio !== null) configure(device, bitstream, spi, gpio);
      return transport;
    } catch (error) {
      spi.close();
      throw error;
    }
  } catch (error) {
    gpio?.close();
    throw error;
  }
}

/** The same after a look at the path, which says more than an errno does. */
export function openDevice(options: FpgaOptions): Transport {
  const absent = probeFpga(options);
  if (absent !== null) throw new OperatingError("fpga-gone", absent);
  return openTransport(options);
}

/**
 * `open` gives what is behind the options; `cpu` computes what the core lacks. A device that is
 * absent or no core of ours throws its OperatingError when a network is loaded, one that fails when
 * it infers, and ever after: whoever guards it goes on without it.
 */
export function openFpga(cpu: Backend, open: () => Transport): Backend {
  const device = new Device(open);
  return {
    name: "fpga",
    tier: "exact",
    cols_max: cpu.cols_max,
    memory_bytes: MEMORY_BYTES,
    encoders: cpu.name,
    lack: (plan) => device.lack(plan),
    loadEncoder: (plan, batch) => cpu.loadEncoder(plan, batch),
    load(plan: Plan, batch: number): Loaded {
      const hybrid = device.use((core) => loadHybrid(plan, core, cpu));
      // Nothing of it is on the core: whole networks keep their batch and their state.
      if (!hybrid.onCore) return cpu.load(plan, batch);
      return {
        infer(x, y, count): void {
          assert(count >= 1 && count <= batch, "infer: more assets than it was loaded for");
          device.use(() => hybrid.infer(x, y, count));
        },
        // A network with state is never on the core.
        reset: (): void => assert(plan.state.length === 0, "fpga: no state"),
        close: () => hybrid.close(),
      };
    },
  };
}

/** The core for as long as it is sound. */
class Device {
  #core: Core | null = null;
  #fault: OperatingError | null = null;

  constructor(open: () => Transport) {
    let transport: Transport | null = null;
    try {
      transport = open();
      const core = Core.open(transport);
      selfTest(core);
      this.#core = core;
    } catch (error) {
      transport?.close();
      this.#fail(error);
    }
  }

  /** Null where there is no core: who uses it then is told why. */
  lack(plan: Plan): string | null {
    return this.#core?.lack(plan) ?? null;
  }

  use<T>(work: (core: Core) => T): T {
    if (this.#core === null) throw this.#fault;
    try {
      return work(this.#core);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Only the world may fail here; what a mistake of ours throws ends the process. */
  #fail(error: unknown): void {
    if (!(error instanceof OperatingError)) throw error;
    this.#core?.close();
    this.#core = null;
    this.#fault = error;
  }
}
