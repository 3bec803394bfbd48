//! The .tflite that is written, in LiteRT, the successor of TensorFlow Lite: each layer within one
//! step of the emulator, as an Edge TPU is held to.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { emulate } from "../../agent/accel/edgetpu/emulator.js";
import { writeTflite } from "../../agent/accel/edgetpu/tflite.js";
import { prng } from "../../agent/base/prng.js";
import { programFor, tpuNetwork } from "./edgetpu-nets.js";

const OUTPUTS = 20_000;
const ROUNDS = 6;
const PEER = join(import.meta.dirname, "edgetpu-litert.js");

/** Whether npm has installed it; a development dependency, nothing is fetched here. */
function present(): boolean {
  try {
    createRequire(import.meta.url).resolve("@litertjs/core");
    return true;
  } catch {
    console.warn("skipped: @litertjs/core is not installed (npm ci)");
    return false;
  }
}

const base64 = (steps: Int8Array | Uint8Array): string =>
  Buffer.from(steps.buffer, steps.byteOffset, steps.byteLength).toString("base64");

test.skipIf(!present())("LiteRT computes every single layer within one step", () => {
  const cases = [];
  for (let [seed, outputs] = [0, 0]; outputs < OUTPUTS; seed++) {
    const program = programFor(tpuNetwork(seed));
    const [layer] = program.layers;
    if (program.layers.length !== 1 || layer === undefined) continue;
    const random = prng(seed, "litert");
    const inputs = Array.from({ length: ROUNDS }, (_, round) =>
      Int8Array.from({ length: program.bytesIn }, () =>
        round === 0 ? 127 : round === 1 ? -127 : Math.floor(random.next() * 255) - 127,
      ),
    );
    cases.push({ program, layer, inputs });
    outputs += ROUNDS * program.bytesOut;
  }
  const asked = cases.map(({ program, layer, inputs }) => ({
    model: base64(writeTflite(program)),
    shape: [1, 1, layer.length, layer.channels],
    inputs: inputs.map(base64),
  }));
  const input = JSON.stringify(asked);
  const peer = spawnSync(process.execPath, [PEER], { input, maxBuffer: 2 ** 28 });
  expect(peer.status, String(peer.stderr).slice(-500)).toBe(0);
  const answers = JSON.parse(String(peer.stdout)) as string[][];
  let [compared, off] = [0, 0];
  for (const [i, { program, inputs }] of cases.entries()) {
    const run = emulate(program);
    for (const [k, x] of inputs.entries()) {
      const found = Int8Array.from(Buffer.from(answers[i]?.[k] ?? "", "base64"));
      const expected = run(x);
      expect(found.length).toBe(expected.length);
      for (const [at, step] of found.entries()) {
        const apart = Math.abs(step - (expected[at] as number));
        if (apart > 1) expect.fail(`network ${i}, output ${at}: ${step}, not ${expected[at]}`);
        off += apart;
      }
      compared += found.length;
    }
  }
  expect(compared).toBeGreaterThanOrEqual(OUTPUTS);
  // Its rounding is another, so some are one off: else nothing was compared.
  expect(off).toBeGreaterThan(0);
  expect(off / compared).toBeLessThan(0.2);
});
