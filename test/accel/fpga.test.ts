//! One set of integers: the reference, the emulator, and the Verilog as WebAssembly, on whole
//! networks through the driver.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Plan } from "../../agent/accel/backend.js";
import { Core } from "../../agent/accel/fpga/core.js";
import { openEmulator } from "../../agent/accel/fpga/emulator.js";
import { openRtl, rtlTransport } from "../../agent/accel/fpga/rtl.js";
import { loadHybrid } from "../../agent/accel/fpga/hybrid.js";
import type { Transport } from "../../agent/accel/fpga/transport.js";
import { reference } from "../../agent/accel/reference.js";
import { hashes, PRODUCTS } from "../../agent/accel/rtl/build.js";
import { packageFile } from "../../agent/base/files.js";
import { coreLayers } from "./fpga-plans.js";

/** More with STERNA_FPGA_OUTPUTS; half of them from each of both. */
const OUTPUTS = Number(process.env["STERNA_FPGA_OUTPUTS"] ?? 100_000);

for (const { file, ...product } of Object.values(PRODUCTS)) {
  test(`${file} is the one built from the sources beside it`, () => {
    // A mismatch: `npm run bitstream` or `npm run rtl:wasm`, and commit what it writes.
    const noted = readFileSync(join(packageFile("agent/accel/rtl"), `${file}.sha256`), "utf8");
    expect(hashes({ file, ...product })).toBe(noted);
  });
}

/** Outputs compared, on single layers that fit the core, extremes often among them. */
function compare(open: () => Transport, outputs: number): number {
  const core = Core.open(open());
  let compared = 0;
  for (let seed = 0; compared < outputs; seed++) {
    const { plan, x } = coreLayers(seed);
    core.reset();
    const hybrid = loadHybrid(plan, core, reference);
    expect(hybrid.why, `seed ${seed}`).toEqual([]);
    const y = outputOf(plan);
    hybrid.infer(x, y, 1);
    const expected = outputOf(plan);
    reference.load(plan, 1).infer(x, expected, 1);
    expect(y, `seed ${seed}`).toEqual(expected);
    compared += y.length;
  }
  return compared;
}

const outputOf = ({ output }: Plan): Float32Array =>
  new Float32Array(output.channels * output.places);

test.each([
  ["emulator", () => openEmulator()],
  ["Verilog", () => rtlTransport(openRtl())],
])("reference = %s", (_, open) => {
  expect(compare(open, OUTPUTS)).toBeGreaterThanOrEqual(OUTPUTS);
});
