//! A device that fails in every way it can: each ends on the CPU, with a reason that names it, and
//! not one answer is wrong, even where the CPU compares none (a share of 0).
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Backend } from "../../agent/accel/backend.js";
import { openEmulator } from "../../agent/accel/fpga/emulator.js";
import {
  FPGA_DEFAULT,
  type FpgaOptions,
  openDevice,
  openFpga,
  openTransport,
  probeFpga,
} from "../../agent/accel/fpga/fpga.js";
import { openLibc } from "../../agent/accel/fpga/libc.js";
import { AT, REGISTER, STATUS } from "../../agent/accel/fpga/registers.js";
import { openRtl, type Rtl } from "../../agent/accel/fpga/rtl.js";
import { type Spi, spiTransport } from "../../agent/accel/fpga/spidev.js";
import type { Transport } from "../../agent/accel/fpga/transport.js";
import { guard, type Outage } from "../../agent/accel/guard.js";
import { reference } from "../../agent/accel/reference.js";
import { OperatingError } from "../../agent/base/errors.js";
import { prng } from "../../agent/base/prng.js";
import { openCompute } from "../../agent/compute.js";
import { NO_LIMITS } from "../../agent/models/plan.js";
import { outputOf, truthOf } from "./fpga-compare.js";
import { pinsOf } from "./fpga-pins.js";
import { inputFor, planFrom } from "./plans.js";

const PLAN = planFrom(prng(1, "faults"), {
  channels: 24,
  length: 1,
  shapes: [
    { kind: "dense", rows: 40 },
    { kind: "dense", rows: 9 },
  ],
  sums: false,
  ternary: () => true,
});

type Guarded = { readonly backend: Backend; readonly outages: readonly Outage[] };

/** As the agent has it: `share` of the answers are compared. */
function guarded(open: () => Transport, share: number): Guarded {
  const outages: Outage[] = [];
  const report = (outage: Outage): void => void outages.push(outage);
  return { backend: guard(openFpga(reference, open), reference, { share, report }), outages };
}

/** Sound until `strike` is called; then each exchange is what `fault` makes of it. */
type Fault = (spi: Spi, bytes: number, rtl: Rtl) => void;

function failing(fault: Fault): Guarded & { strike(): void } {
  const rtl = openRtl();
  const pins = pinsOf(rtl, 512);
  let struck = false;
  const spi: Spi = {
    ...pins,
    exchange: (bytes) => (struck ? fault(pins, bytes, rtl) : pins.exchange(bytes)),
  };
  const open = (): Transport => spiTransport("/dev/spidev0.0", spi, null);
  const strike = (): void => {
    struck = true;
  };
  return { ...guarded(open, 0), strike };
}

/** Every answer, before, at and after the fault, is the true one. */
function runs(backend: Backend, strike: () => void): void {
  const loaded = backend.load(PLAN, 1);
  const y = outputOf(PLAN);
  for (let i = 0; i < 6; i++) {
    if (i === 3) strike();
    const x = inputFor(i, PLAN, 1, false);
    y.fill(77);
    loaded.infer(x, y, 1);
    expect(y, `inference ${i}`).toEqual(truthOf(PLAN, x));
  }
}

const random = prng(7, "garbage");
/** Exchanges since the fault. */
let since = 0;

test.each<[string, Fault, string]>([
  [
    "answers garbage",
    (spi, bytes) => {
      spi.exchange(bytes);
      for (let i = 0; i < bytes; i++) spi.buffer[i] = Math.floor(random.next() * 256);
    },
    "not done after",
  ],
  [
    "answers garbage now and then",
    (spi, bytes) => {
      const data = spi.buffer[0] === 3 && spi.buffer[2] === AT.data >> 8;
      spi.exchange(bytes);
      if (data) spi.buffer[bytes - 4] = (spi.buffer[bytes - 4] ?? 0) ^ 1;
    },
    "check sums differ from ours: words were lost or bent",
  ],
  [
    "loses a bit of what is sent",
    (spi, bytes) => {
      if (spi.buffer[0] === 2 && spi.buffer[2] === AT.data >> 8) spi.buffer[9] = 0;
      spi.exchange(bytes);
    },
    "check sums differ from ours: words were lost or bent",
  ],
  ["is unplugged, the bus reads 1s", (spi, bytes) => spi.buffer.fill(0xff, 0, bytes), "not done"],
  ["is held in reset, the bus reads 0s", (spi, bytes) => spi.buffer.fill(0, 0, bytes), "not done"],
  [
    "hangs",
    (spi, bytes) => {
      const [command, at] = [spi.buffer[0], spi.buffer[2] === 0 ? spi.buffer[3] : -1];
      if (command === 2 && at === REGISTER.control) return;
      spi.exchange(bytes);
      if (command === 3 && at === REGISTER.status) spi.buffer[5] = STATUS.busy;
    },
    "not done after",
  ],
  [
    "resets in mid-transfer",
    (spi, bytes, rtl) => {
      if (since++ > 0) return spi.exchange(bytes);
      spi.exchange(bytes >> 1);
      rtl.chip.reset();
    },
    "check sums differ from ours",
  ],
  [
    "resets between two inferences",
    (spi, bytes, rtl) => {
      if (since++ === 0) rtl.chip.reset();
      spi.exchange(bytes);
    },
    "check sums differ from ours",
  ],
  [
    "disappears",
    () => {
      throw new OperatingError("ESHUTDOWN", "/dev/spidev0.0: a transfer: ESHUTDOWN");
    },
    "/dev/spidev0.0: a transfer: ESHUTDOWN",
  ],
])("a device that %s", (_, fault, why) => {
  since = 0;
  const { backend, outages, strike } = failing(fault);
  runs(backend, strike);
  expect(outages).toMatchObject([{ backend: "fpga", when: "operation" }]);
  expect(outages[0]?.why).toContain(why);
  expect(outages[0]?.why).toContain("/dev/spidev0.0: ");
});

test("a process that is held up for longer than the core may take is no core that hangs", () => {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const { backend, outages, strike } = failing((spi, bytes) => {
    const asked = spi.buffer[0] === 3 && spi.buffer[2] === 0 && spi.buffer[3] === REGISTER.status;
    spi.exchange(bytes);
    if (asked) Atomics.wait(pause, 0, 0, 120);
  });
  runs(backend, strike);
  expect(outages).toEqual([]);
});

/** A core that computes its last output wrong, and states check sums that agree with that. */
function lying(): { readonly transport: Transport; strike(): void } {
  const core = openEmulator();
  let by = 0;
  const transport: Transport = {
    ...core,
    name: "liar",
    write: (addr, words) => core.write(addr, words),
    read(addr, words): void {
      core.read(addr, words);
      const end = words.length - 1;
      if (by > 0 && addr >= AT.data) {
        const bytes = new Int8Array(words.buffer, words.byteOffset);
        const at = (9 - 1) % 4; // the last of nine outputs in the last word
        bytes[4 * end + at] = (bytes[4 * end + at] ?? 0) ^ 1;
        by = (bytes[4 * end + at] ?? 0) & 1 ? 1 : -1;
      } else if (by !== 0 && addr === REGISTER.status) {
        words[2] = (words[2] ?? 0) + by;
      }
    },
    waitIrq: (ms) => core.waitIrq(ms),
    close: () => core.close(),
  };
  const strike = (): void => {
    by = 1;
  };
  return { transport, strike };
}

test("a wrong answer that the link cannot show is corrected before it is given out", () => {
  const { transport, strike } = lying();
  const { backend, outages } = guarded(() => transport, 1);
  runs(backend, strike);
  expect(outages).toMatchObject([
    { when: "operation", why: expect.stringMatching(/^output 8 is /) },
  ]);
});

test("the self-test refuses a core that computes anything else", () => {
  const { transport, strike } = lying();
  strike();
  const { backend, outages } = guarded(() => transport, 0);
  runs(backend, () => {});
  expect(outages).toMatchObject([{ when: "self-test", why: expect.stringMatching(/^liar: /) }]);
});

test.each<[string, readonly number[], string]>([
  ["something else", [0x1234_5678, 0, 0, 0], "no core of Sterna answers: 0x12345678"],
  ["nothing", [0, 0, 0, 0], "no core of Sterna answers: 0x00000000"],
  ["a core of another version", [0x5445_524e, 0x0002_0000, 0, 0], "has version 2, this driver"],
  ["a core of no size", [0x5445_524e, 0x0001_0000, 7, 0], "the core states no size we know"],
])("at the start: %s", (_, answer, why) => {
  const core = openEmulator();
  const read = (_addr: number, words: Uint32Array): void => words.set(answer);
  const transport = { name: "x", write() {}, read, waitIrq: () => true, close: () => core.close() };
  const { backend, outages } = guarded(() => transport, 0);
  runs(backend, () => {});
  expect(outages).toMatchObject([{ when: "self-test", why: expect.stringContaining(why) }]);
});

test("what the path alone tells", () => {
  const probe = (device: string): string | null => probeFpga({ ...FPGA_DEFAULT, device });
  expect(probe("emulator")).toBe(null);
  expect(probe("rtl")).toBe(null);
  expect(probe("/dev/spidev9.9")).toMatch(/^\/dev\/spidev9\.9: no such device; .*drop-in/);
  const file = join(mkdtempSync(join(tmpdir(), "sterna-dev-")), "spidev0.0");
  writeFileSync(file, "");
  expect(probe(file)).toBe(null);
  chmodSync(file, 0);
  // root may read what nobody else may.
  if (process.getuid?.() !== 0) expect(probe(file)).toMatch(/no right .*EACCES.*group/);
});

test.each<[string, (options: FpgaOptions) => Transport, string]>([
  ["by its path", openDevice, "/dev/spidev9.9: no such device; "],
  ["by the kernel", (o) => openTransport(o, () => openLibc(null)), "/dev/spidev9.9: ENOENT"],
])("a device that is absent as it is opened, %s, leaves the CPU", (_, open, why) => {
  const options = { ...FPGA_DEFAULT, device: "/dev/spidev9.9" };
  const { backend, outages } = guarded(() => open(options), 0);
  runs(backend, () => {});
  expect(outages).toMatchObject([{ when: "self-test", why: expect.stringContaining(why) }]);
});

test("the config's device, absent: the agent's backend computes on the CPU, and says why once", () => {
  const fpga = { ...FPGA_DEFAULT, device: "/dev/spidev9.9" };
  const rest = { checkShare: 0, power_W: {}, edgetpu: null, dense: "auto" } as const;
  const accel = { ...NO_LIMITS, ...rest, backend: "fpga", fpga };
  const compute = openCompute(accel, true);
  if (typeof compute === "string") throw new Error(compute);
  runs(compute.backend, () => {});
  runs(compute.backend, () => {});
  expect(compute.outages).toMatchObject([{ backend: "fpga", when: "self-test" }]);
  // check and replay never touch it, so they have nothing to say of it.
  const offline = openCompute(accel, false);
  if (typeof offline === "string") throw new Error(offline);
  runs(offline.backend, () => {});
  expect(offline.outages).toEqual([]);
});
