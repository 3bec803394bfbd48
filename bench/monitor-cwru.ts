//! Fault classes of the CWRU bearings by the network that ships, which never saw them: blocks of
//! 16,384 samples, each judged alone, the most likely of healthy, outer, inner, ball.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { reference } from "../agent/accel/reference.js";
import { BEARING_6205, GRAVITY_mps2 } from "../agent/base/physics.js";
import { BlockWatch, PARTS } from "../agent/models/vibration-block.js";
import { SHARED } from "../test/models/generic-rig.js";
import { hasSet } from "./monitor-sets.js";
import { failedRow, type Row } from "./result.js";

const COUNT = 16_384;
const SMOOTH = 0.3; // what BlockWatch takes of a first block's shares
const CLASSES = ["none", "OR", "IR", "B"] as const;
type Class = (typeof CLASSES)[number];
const PLATE: Readonly<Record<string, number>> = {
  rollers: BEARING_6205.rollers,
  ballDiameter: BEARING_6205.ball_m,
  pitchDiameter: BEARING_6205.pitch_m,
  contactAngle: 0,
};

export function cwruRow(): Row {
  const name = "cwru-f1-shipped";
  const bound = {};
  if (!hasSet("cwru")) return failedRow(name, "1", bound, "no data");
  const folder = join(SHARED, "cwru");
  const [, ...lines] = readFileSync(join(folder, "index.csv"), "utf8").trim().split("\n");
  const judged: { readonly true: Class; readonly said: Class }[] = [];
  for (const line of lines) {
    const cells = line.split(",");
    const [rpm = 0, fs_hz = 0, , scale = 0] = cells.slice(7).map(Number);
    const found = CLASSES.find((one) => one === cells[1]);
    if (found === undefined) continue;
    const bytes = gunzipSync(readFileSync(join(folder, cells[0] ?? "")));
    const counts = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
    for (let at = 0; at + COUNT <= counts.length; at += COUNT) {
      const part = counts.subarray(at, at + COUNT);
      const values = Float32Array.from(part, (count) => count * scale * GRAVITY_mps2);
      judged.push({ true: found, said: classify(values, fs_hz, (rpm * Math.PI) / 30) });
    }
  }
  const scores = CLASSES.map((one) => {
    const both = judged.filter((j) => j.true === one && j.said === one).length;
    return (
      (2 * both) /
      (judged.filter((j) => j.true === one).length + judged.filter((j) => j.said === one).length)
    );
  });
  const value = scores.reduce((a, b) => a + b, 0) / scores.length;
  const each = CLASSES.map((one, i) => `${one} ${(scores[i] ?? 0).toFixed(2)}`).join(", ");
  const false_ = judged.filter((j) => j.true === "none" && j.said !== "none").length;
  const note = `macro-F1 of ${judged.length} blocks, no CWRU record in training; ${each}; ${false_} healthy blocks called faulty`;
  return { name, value, unit: "1", ...bound, note };
}

function classify(values: Float32Array, fs_hz: number, speed_radps: number): Class {
  const setup = { id: "cwru", nameplate: {}, baseline: null, backend: reference };
  const watch = new BlockWatch("accel", (key) => PLATE[key] ?? Number.NaN, "geometry", setup);
  const block = {
    kind: "block",
    channel: 0,
    t_ms: 0,
    r_ms: 0,
    fs_hz,
    speed_radps,
    values,
  } as const;
  watch.figures(block);
  watch.judge(block, speed_radps);
  const shares = PARTS.map((_, i) => watch.share(i) / SMOOTH);
  const chances = [1 - shares.reduce((a, b) => a + b, 0), ...shares];
  return CLASSES[chances.indexOf(Math.max(...chances))] ?? "none";
}
