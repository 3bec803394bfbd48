//! The backend `fpga`: the ternary core behind SPI, AXI4-Lite or in an emulator. It gives the same
//! integers as the CPU, and ends on the CPU at the first sign that the device is not sound.
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { assert, OperatingError } from "../../base/errors.js";
import { packageFile } from "../../base/files.js";
import type { Backend, DeviceState, Loaded, Plan } from "../backend.js";
import { configure, readBitstream } from "./configure.js";
import { Core } from "./core.js";
import { openEmulator } from "./emulator.js";
import { type Gpio, type GpioOptions, openGpio } from "./gpio.js";
import { type Hybrid, loadHybrid } from "./hybrid.js";
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
  /** Share of the inferences that the CPU computes too, before their result is given out. */
  readonly check: number;
};

export const FPGA_DEFAULT: FpgaOptions = {
  device: "emulator",
  clock_Hz: 6_000_000,
  bitstream: null,
  gpio: null,
  check: 1,
};

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

/** `open` gives what is behind the options; `cpu` computes what the core lacks, and all else fails. */
export function openFpga(
  { check }: Pick<FpgaOptions, "check">,
  cpu: Backend,
  open: () => Transport,
): Backend {
  const device = new Device(open);
  return {
    name: "fpga",
    tier: "exact",
    cols_max: cpu.cols_max,
    device,
    load(plan: Plan, batch: number): Loaded {
      const onCpu = cpu.load(plan, batch);
      const hybrid = device.load(plan, cpu);
      if (hybrid === null) return onCpu;
      const expected = new Float32Array(batch * plan.output.channels * plan.output.places);
      let due = 0;
      return {
        infer(x, y, count): void {
          assert(count >= 1 && count <= batch, "infer: more assets than it was loaded for");
          if (!device.infer(hybrid, x, y, count)) return onCpu.infer(x, y, count);
          due += check;
          if (due < 1) return;
          due -= 1;
          const truth = expected.subarray(0, y.length);
          onCpu.infer(x, truth, count);
          device.compare(y, truth);
        },
      };
    },
  };
}

/** The core for as long as it is sound, and the record of what it did. */
class Device implements DeviceState {
  name = "fpga";
  fault: string | null = null;
  inferences = 0;
  checked = 0;
  readonly onCpu: string[] = [];
  #core: Core | null = null;

  constructor(open: () => Transport) {
    let transport: Transport | null = null;
    try {
      transport = open();
      this.name = transport.name;
      const core = Core.open(transport);
      selfTest(core);
      this.#core = core;
    } catch (error) {
      transport?.close();
      this.#fail(error);
    }
  }

  /** Null when the network, or all that is left of the device, runs on the CPU. */
  load(plan: Plan, cpu: Backend): Hybrid | null {
    if (this.#core === null) return null;
    try {
      const hybrid = loadHybrid(plan, this.#core, cpu);
      this.onCpu.push(...hybrid.why);
      return hybrid.onCore ? hybrid : null;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  /** False when the core did not, or can no more. */
  infer(hybrid: Hybrid, x: Float32Array, y: Float32Array, count: number): boolean {
    if (this.#core === null) return false;
    try {
      hybrid.infer(x, y, count);
      this.inferences += count;
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** A wrong y becomes the true one, and was the last. */
  compare(y: Float32Array, truth: Float32Array): void {
    this.checked += 1;
    const at = y.findIndex((value, i) => !Object.is(value, truth[i]));
    if (at < 0) return;
    const what = `output ${at} is ${y[at]}, the CPU has ${truth[at]}`;
    y.set(truth);
    this.#fail(new OperatingError("fpga-wrong", `${this.name}: a wrong answer: ${what}`));
  }

  /** Only the world may fail here; a mistake of ours ends the process as anywhere else. */
  #fail(error: unknown): void {
    if (!(error instanceof OperatingError)) throw error;
    this.#core?.close();
    this.#core = null;
    this.fault = error.message;
  }
}
