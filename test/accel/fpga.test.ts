//! One set of integers: the reference, the emulator, the Verilog as WebAssembly and by Verilator, at
//! the register bus, at the SPI pins, through AXI4-Lite and through the kernel's interfaces.
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openEmulator } from "../../agent/accel/fpga/emulator.js";
import { FPGA_DEFAULT, openFpga, openTransport } from "../../agent/accel/fpga/fpga.js";
import * as gpio from "../../agent/accel/fpga/gpio.js";
import { libc, openLibc } from "../../agent/accel/fpga/libc.js";
import { openRtl, rtlTransport } from "../../agent/accel/fpga/rtl.js";
import * as spidev from "../../agent/accel/fpga/spidev.js";
import type { Transport } from "../../agent/accel/fpga/transport.js";
import { openUio, uioTransport, windowOf } from "../../agent/accel/fpga/uio.js";
import { reference } from "../../agent/accel/reference.js";
import { hashes, PRODUCTS } from "../../agent/accel/rtl/build.js";
import { packageFile } from "../../agent/base/files.js";
import { compareAll, outputOf, truthOf } from "./fpga-compare.js";
import { pinsOf } from "./fpga-pins.js";
import { coreNetwork } from "./fpga-plans.js";
import { buildChip, type Chip, shippedBitstream, whyNoVerilator } from "./fpga-verilator.js";

/** Of each pair that is compared. */
const OUTPUTS = Number(process.env["STERNA_FPGA_OUTPUTS"] ?? 100_000);

for (const [name, product] of Object.entries(PRODUCTS)) {
  test(`the ${name} is the one built from the sources beside it`, () => {
    // A mismatch: `npm run bitstream` or `npm run rtl:wasm`, and commit what it writes.
    const noted = readFileSync(packageFile(`agent/accel/rtl/${product.file}.sha256`), "utf8");
    expect(hashes(product)).toBe(noted);
  });
}

test("reference = emulator = Verilog as WebAssembly", () => {
  const both = [openEmulator(), rtlTransport(openRtl())];
  expect(compareAll(both, OUTPUTS)).toBeGreaterThanOrEqual(OUTPUTS);
}, 120_000);

test.each([
  ["clk / 4, its limit", 512, 320],
  ["clk / 4.3, so that edges drift", 550, 320],
  ["clk / 10", 1280, 100],
])("at the SPI pins, sck = %s", (_, half, outputs) => {
  const pins = spidev.spiTransport("pins", pinsOf(openRtl(), half), null);
  expect(compareAll([pins], outputs)).toBeGreaterThanOrEqual(outputs);
});

test("at the SPI pins a word cut short, and a command that is none, change nothing", () => {
  const rtl = openRtl();
  const frame = (...bytes: number[]): number[] => {
    rtl.bytes.set(bytes);
    rtl.chip.spi(bytes.length, 512);
    return [...rtl.bytes.subarray(0, bytes.length)];
  };
  const checkA = (): number[] => frame(3, 0, 0, 7, 0, 0, 0, 0, 0).slice(5);
  frame(2, 0, 0x40, 0, 9, 8, 7);
  frame(9, 0, 0x40, 0, 9, 8, 7, 6);
  frame(2, 0, 0x40);
  expect(checkA()).toEqual([0, 0, 0, 0]);
  frame(2, 0, 0x40, 0, 9, 8, 7, 6, 1, 1, 1);
  expect(checkA()).toEqual([9, 8, 7, 6]);
  expect(frame(3, 0, 0x40, 0, 0, 0, 0, 0, 0).slice(5)).toEqual([9, 8, 7, 6]);
});

test("through AXI4-Lite and an interrupt", () => {
  const { chip } = openRtl();
  const window = {
    load: (addr: number) => chip.axiRead(4 * addr) >>> 0,
    store: (addr: number, word: number) => chip.axiWrite(4 * addr, word),
  };
  const irq = {
    arm: () => {},
    wait: (ms: number) => chip.wait(24_000 * ms) >= 0 && chip.irq() > 0,
  };
  const uio = uioTransport("uio", window, irq, () => {});
  expect(compareAll([uio], 8_000)).toBeGreaterThanOrEqual(8_000);
});

test("libc maps a device's registers and waits for its interrupt", () => {
  const folder = mkdtempSync(join(tmpdir(), "sterna-uio-"));
  const file = join(folder, "uio7");
  writeFileSync(file, new Uint8Array(2 ** 20));
  mkdirSync(join(folder, "sys/uio7/maps/map0"), { recursive: true });
  writeFileSync(join(folder, "sys/uio7/maps/map0/size"), "0x00100000\n");
  const uio = openUio(libc(), file, join(folder, "sys"));
  uio.write(0x2_0000, Uint32Array.of(1, 2, 0xffff_ffff));
  expect(new Uint32Array(readFileSync(file).buffer, 0x8_0000, 3)).toEqual(
    Uint32Array.of(1, 2, 0xffff_ffff),
  );
  const sees = windowOf(libc().map(openSync(file, "r+"), 2 ** 20));
  sees.store(5, 2);
  expect(uio.waitIrq(100)).toBe(true);
  expect(() => openUio(libc(), file, join(folder, "sys"))).toThrow("in use by another process");
  uio.close();
  expect(() => uio.read(0, new Uint32Array(1))).toThrow("it is closed");
  writeFileSync(join(folder, "sys/uio7/maps/map0/size"), "0x1000\n");
  expect(() => openUio(libc(), file, join(folder, "sys"))).toThrow("1 MiB in the device tree");
});

test("libc says which call failed, by the name of the error", () => {
  expect(() => libc().open("/nonexistent")).toThrow("/nonexistent: ENOENT");
  const fd = openSync("/dev/null", "r+");
  expect(() => libc().ioctl(fd, spidev.SPI_IOC_MESSAGE, new Uint8Array(32), "x")).toThrow(
    "x: ENOTTY",
  );
  expect(() => libc().map(fd, 4096)).toThrow("mmap: ENODEV");
  closeSync(fd);
});

const absent = whyNoVerilator();
if (absent !== null) process.stdout.write(`skipped: the core by Verilator: ${absent}\n`);

describe.runIf(absent === null)("by Verilator", () => {
  let chip: Chip;
  beforeAll(() => {
    chip = buildChip();
  }, 180_000);

  test("the same integers", () => {
    expect(compareAll([chip.transport], OUTPUTS)).toBeGreaterThanOrEqual(OUTPUTS);
  }, 120_000);

  test("structures and numbers are those of the kernel's headers", () => {
    const { TRANSFER, ...spi } = spidev;
    const { REQUEST, ...lines } = gpio;
    const numbers = [
      ...[spi.SPI_IOC_WR_BITS_PER_WORD, spi.SPI_IOC_WR_MAX_SPEED_HZ, spi.SPI_IOC_WR_MODE32],
      ...[spi.SPI_IOC_MESSAGE, TRANSFER.bytes, TRANSFER.tx, TRANSFER.rx, TRANSFER.len],
      ...[TRANSFER.speed, TRANSFER.bits, lines.GPIO_V2_GET_LINE, lines.GPIO_V2_LINE_GET_VALUES],
      ...[lines.GPIO_V2_LINE_SET_VALUES, REQUEST.bytes, REQUEST.offsets, REQUEST.consumer],
      ...[REQUEST.flags, REQUEST.lines, REQUEST.fd],
    ];
    expect([...chip.numbers()]).toEqual(numbers);
  });

  const options = {
    ...FPGA_DEFAULT,
    device: "/dev/spidev0.0",
    gpio: { chip: "/dev/gpiochip0", reset: 24, select: 8, done: 25 },
  };
  const open = (bitstream: string | null = null): Transport =>
    openTransport({ ...options, bitstream }, () => openLibc(chip.library));

  test("the whole driver: configure, verify, self-test, infer, over the kernel's interfaces", () => {
    chip.open();
    chip.board(shippedBitstream());
    const backend = openFpga(reference, open);
    for (let seed = 0; seed < 6; seed++) {
      const { plan, x } = coreNetwork(seed);
      const loaded = backend.load(plan, 1);
      const y = outputOf(plan);
      loaded.infer(x, y, 1);
      expect(y).toEqual(truthOf(plan, x));
    }
  });

  test.each([
    ["one with a bent bit", 50_000, "the FPGA has refused the bitstream"],
    ["no bitstream at all", 0, "this is no bitstream of an iCE40"],
  ])("a wrong bitstream: %s", (_, at, why) => {
    const bytes = shippedBitstream().slice();
    if (at === 0) bytes.fill(0);
    else bytes[at] = (bytes[at] ?? 0) ^ 4;
    const file = join(mkdtempSync(join(tmpdir(), "sterna-bin-")), "wrong.bin");
    writeFileSync(file, bytes);
    chip.board(shippedBitstream());
    const backend = openFpga(reference, () => open(file));
    expect(() => backend.load(coreNetwork(0).plan, 1)).toThrow(why);
  });

  test("a bitstream of something else", () => {
    // What the board takes for ours differs from what is sent, which is sound in itself.
    const other = shippedBitstream().slice();
    other[60_000] = (other[60_000] ?? 0) ^ 1;
    chip.board(other);
    const backend = openFpga(reference, open);
    const why = "no core of Sterna answers: 0xffffffff";
    expect(() => backend.load(coreNetwork(0).plan, 1)).toThrow(why);
  });
});
