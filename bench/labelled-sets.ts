//! The labelled vibration sets of ../shared/data as recordings in memory: bearings of the CWRU rig
//! and a gearbox with a whole and with a broken tooth.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { BEARING_6205, type Bearing, GRAVITY_mps2 } from "../agent/base/physics.js";
import type { Labelled } from "../agent/models/convert/labelled.js";
import { readGzip, SHARED } from "../test/models/generic-rig.js";

/** Fan end of the rig; the drive end has a 6205. */
const BEARING_6203: Bearing = {
  rollers: 8,
  ball_m: 0.0067462,
  pitch_m: 0.0284988,
  contact_rad: 0,
};
const LABELS: Readonly<Record<string, string>> = {
  none: "healthy",
  OR: "outer",
  IR: "inner",
  B: "ball",
};

export type CwruRecord = Labelled & { readonly size_mil: number };

/** Every record of the index, at its own rate; a group is a load. */
export function cwruRecords(): CwruRecord[] {
  const folder = join(SHARED, "cwru");
  const text = readFileSync(join(folder, "index.csv"), "utf8");
  const [head = "", ...lines] = text.trim().split("\n");
  const columns = head.split(",");
  return lines.flatMap((line) => {
    const cells = line.split(",");
    const text = (column: string): string => cells[columns.indexOf(column)] ?? "";
    const label = LABELS[text("fault")];
    if (label === undefined) return [];
    const bytes = gunzipSync(readFileSync(join(folder, text("file"))));
    const counts = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
    const scale = Number(text("scale_g_per_count")) * GRAVITY_mps2;
    return [
      {
        name: text("file"),
        label,
        group: text("load_hp"),
        size_mil: Number(text("dia_mil")),
        fs_hz: Number(text("fs_hz")),
        speed_radps: (Number(text("rpm")) * Math.PI) / 30,
        bearing: text("bearing_end") === "FE" ? BEARING_6203 : BEARING_6205,
        channels: [Float32Array.from(counts, (count) => count * scale)],
      },
    ];
  });
}

const LOW_Hz = 12_000;
const TAPS = 64;

/** The record at 12 kHz: a class must not be told by the rate that it was recorded with. */
export function atLowRate(record: CwruRecord): CwruRecord {
  const by = Math.round(record.fs_hz / LOW_Hz);
  if (by <= 1) return record;
  // A windowed sinc that ends at 0.92 of the new Nyquist frequency.
  const taps = Array.from({ length: 2 * TAPS + 1 }, (_, i) => {
    const x = (0.92 * Math.PI * (i - TAPS)) / by;
    return (x === 0 ? 1 : Math.sin(x) / x) * (0.5 + 0.5 * Math.cos((Math.PI * (i - TAPS)) / TAPS));
  });
  const sum = taps.reduce((a, b) => a + b, 0);
  const channels = record.channels.map((values) =>
    Float32Array.from({ length: Math.floor(values.length / by) }, (_, k) => {
      const at = by * k - TAPS;
      return taps.reduce((total, tap, i) => total + tap * (values[at + i] ?? 0), 0) / sum;
    }),
  );
  return { ...record, fs_hz: LOW_Hz, channels };
}

/** Four accelerometers, files by condition and load; rate and unit are not stated. */
export function gearboxRecords(): Labelled[] {
  const folder = "gearbox_spectraquest";
  const pattern = /^([hb])30hz(\d+)\.csv\.gz$/;
  return readdirSync(join(SHARED, folder)).flatMap((name) => {
    const [, condition, load = ""] = pattern.exec(name) ?? [];
    if (condition === undefined) return [];
    const [, ...lines] = readGzip(folder, name).trim().split("\n");
    const channels = [0, 1, 2, 3].map(() => new Float32Array(lines.length));
    lines.forEach((line, i) => {
      line.split(",").forEach((cell, channel) => {
        const values = channels[channel];
        if (values !== undefined) values[i] = Number(cell);
      });
    });
    const label = condition === "h" ? "healthy" : "broken";
    const unknown = { fs_hz: Number.NaN, speed_radps: 60 * Math.PI, bearing: null };
    return [{ name, label, group: load, ...unknown, channels }];
  });
}
