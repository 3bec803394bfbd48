//! Recorded waveforms of which somebody knows the condition: a folder with an `index.csv` and the
//! files that it names. docs/training.md has the format.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Bearing } from "../../base/physics.js";
import { parseUnit } from "../../units/parse.js";

/** One recording of one condition. */
export type Labelled = {
  readonly name: string;
  readonly label: string;
  /** What must not stand on both sides of a test: a load, a machine, a day. */
  readonly group: string;
  readonly fs_hz: number;
  /** NaN where the index states none. */
  readonly speed_radps: number;
  readonly bearing: Bearing | null;
  /** Waveforms of equal length, SI. */
  readonly channels: readonly Float32Array[];
};

type Cells = {
  /** Text of a column, "" where the index has none. */
  text(column: string): string;
  /** Above 0, or what is `otherwise`; a fault without one. */
  positive(column: string, otherwise?: number): number;
};

const NEEDED = ["file", "label", "group", "fs_hz", "scale", "unit"] as const;

/** The records of a folder; throws an Error that says which line of the index is wrong and how. */
export function readLabelled(folder: string): Labelled[] {
  const index = join(folder, "index.csv");
  if (!existsSync(index)) throw new Error(`${folder} has no index.csv: see docs/training.md`);
  const [head = "", ...lines] = readFileSync(index, "utf8").trim().split(/\r?\n/);
  const columns = head.split(",").map((name) => name.trim());
  const missing = NEEDED.filter((name) => !columns.includes(name));
  if (missing.length > 0) throw new Error(`${index}: add the columns ${missing.join(", ")}`);
  const records = lines.map((line, i) => {
    const parts = line.split(",").map((part) => part.trim());
    return readRecord(folder, cellsOf(columns, parts, `${index} line ${i + 2}`), `line ${i + 2}`);
  });
  if (records.length === 0) throw new Error(`${index} lists no recording`);
  return records;
}

function cellsOf(columns: readonly string[], parts: readonly string[], where: string): Cells {
  const text = (column: string): string => parts[columns.indexOf(column)] ?? "";
  return {
    text,
    positive(column, otherwise) {
      const cell = text(column);
      if (cell === "" && otherwise !== undefined) return otherwise;
      const value = Number(cell);
      if (cell !== "" && value > 0 && Number.isFinite(value)) return value;
      throw new Error(`${where}: ${column} is "${cell}", write a number above 0`);
    },
  };
}

function readRecord(folder: string, { text, positive }: Cells, line: string): Labelled {
  const name = text("file");
  const unit = parseUnit(text("unit"));
  if ("fault" in unit) throw new Error(`${name}: unit "${text("unit")}": ${unit.fault}`);
  if (text("label") === "") throw new Error(`index.csv ${line}: ${name} has no label`);
  if (!existsSync(join(folder, name))) throw new Error(`index.csv ${line}: no file ${name}`);
  const bytes = readFileSync(join(folder, name));
  const plain = name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  const count = positive("channels", 1);
  const scale = positive("scale") * unit.factor;
  const frames = Math.floor(plain.byteLength / 2 / count);
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const channels = Array.from({ length: count }, (_, channel) =>
    Float32Array.from({ length: frames }, (__, i) => {
      return scale * view.getInt16(2 * (i * count + channel), true);
    }),
  );
  return {
    name,
    label: text("label"),
    group: text("group"),
    fs_hz: positive("fs_hz"),
    speed_radps: (positive("rpm", Number.NaN) * Math.PI) / 30,
    bearing: bearingOf({ text, positive }),
    channels,
  };
}

function bearingOf({ text, positive }: Cells): Bearing | null {
  if (text("rollers") === "") return null;
  return {
    rollers: positive("rollers"),
    ball_m: positive("ball_mm") / 1000,
    pitch_m: positive("pitch_mm") / 1000,
    contact_rad: (positive("contact_deg", 0) * Math.PI) / 180,
  };
}
