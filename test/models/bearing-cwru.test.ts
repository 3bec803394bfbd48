//! The bearing monitor over recorded bearings of the CWRU rig, each record a machine of its own:
//! blocks of 16,384 samples in sequence, 6205 on the nameplate, nothing commissioned.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { reference } from "../../agent/accel/reference.js";
import { BEARING_6205, GRAVITY_mps2 } from "../../agent/base/physics.js";
import { createBearingMonitor } from "../../agent/models/bearing.js";

const FOLDER = process.env["STERNA_CWRU"] ?? join(import.meta.dirname, "../../../shared/data/cwru");
const COUNT = 16_384;
const here = existsSync(join(FOLDER, "index.csv"));

test.skipIf(!here)("CWRU by record (needs ../shared/data)", () => {
  const [, ...lines] = readFileSync(join(FOLDER, "index.csv"), "utf8").trim().split("\n");
  let [found, faulty, falsely] = [0, 0, 0];
  for (const line of lines) {
    const cells = line.split(",");
    const [file = "", fault = ""] = cells;
    const [rpm = 0, fs_hz = 0, , scale = 0] = cells.slice(7).map(Number);
    const evidence = judge(file, rpm, fs_hz, scale);
    const alarm = evidence > 8;
    if (fault === "none") falsely += alarm ? 1 : 0;
    else {
      faulty += 1;
      found += alarm ? 1 : 0;
    }
    process.stdout.write(`cwru ${file}: ${fault}, evidence ${evidence.toFixed(1)}\n`);
  }
  process.stdout.write(`cwru: ${found}/${faulty} found, ${falsely} false\n`);
  expect(falsely).toBe(0);
  expect(found / faulty).toBeGreaterThan(0.5);
});

/** Greatest evidence of damage over the record. */
function judge(file: string, rpm: number, fs_hz: number, scale: number): number {
  const monitor = createBearingMonitor({
    id: file,
    nameplate: {
      rollers: BEARING_6205.rollers,
      ballDiameter: BEARING_6205.ball_m,
      pitchDiameter: BEARING_6205.pitch_m,
      contactAngle: 0,
    },
    baseline: null,
    backend: reference,
  });
  const bytes = gunzipSync(readFileSync(join(FOLDER, file)));
  const counts = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
  const damage = monitor.outputs.findIndex(({ name }) => name === "bearing.damage");
  const input = monitor.inputs.indexOf("accel");
  let most = 0;
  const frame = {
    get: () => Number.NaN,
    set(output: number, value: number) {
      if (output === damage) most = Math.max(most, value);
    },
  };
  for (let at = 0; at + COUNT <= counts.length; at += COUNT) {
    const values = Float32Array.from(
      counts.subarray(at, at + COUNT),
      (count) => count * scale * GRAVITY_mps2,
    );
    const t_ms = (1000 * at) / fs_hz;
    const speed_radps = (rpm * Math.PI) / 30;
    monitor.onBlock(frame, input, {
      kind: "block",
      channel: 0,
      t_ms,
      r_ms: t_ms,
      fs_hz,
      speed_radps,
      values,
    });
  }
  return most;
}
