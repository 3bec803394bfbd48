import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Backend, Plan } from "../accel/backend.js";
import { type Fit, nameOf, programOf } from "../accel/edgetpu/program.js";
import { writeTflite } from "../accel/edgetpu/tflite.js";
import { reference } from "../accel/reference.js";
import { OperatingError } from "../base/errors.js";
import { loadNetwork } from "../models/network.js";
import { quantiseModel } from "../models/quantise.js";
import { type Arguments, EXIT } from "./command.js";
import { readModel } from "./load.js";

const TARGETS = ["int8", "ternary", "edgetpu"];
/** Of the spread of the answers: above it the file is written, and said to be poor. */
const POOR = 0.1;

/** Writes a model for the kernels or for the compiler of a device, and says what to run next. */
export async function convert({ positionals, values }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const { target, rows, out } = values;
  if (typeof target !== "string" || !TARGETS.includes(target)) {
    console.error(`sterna convert: write --target ${TARGETS.join(" or ")}`);
    return EXIT.usage;
  }
  const to = typeof out === "string" ? out : null;
  if (target === "edgetpu") return forDevice(file, to ?? `${stemOf(file)}.tflite`);
  if (typeof rows !== "string") {
    const what = "a CSV of inputs, one row a line, in the units of training";
    console.error(`sterna convert: write --rows FILE: ${what}`);
    return EXIT.usage;
  }
  return forKernels(file, rows, target, to ?? `${stemOf(file)}-${target}.onnx`);
}

function forKernels(file: string, csv: string, target: string, out: string): number {
  const rows = readRows(csv);
  const made = quantiseModel(readModel(file), rows, target === "ternary");
  if (typeof made === "string") throw new OperatingError("model", `${file}: ${made}`);
  const { bytes, model, error } = made;
  write(out, bytes);
  const off = (100 * error).toPrecision(2);
  const engine = model.engine.replaceAll("reference", "the kernels");
  console.log(`${out}: ${bytes.length} bytes; runs as ${engine}`);
  if (model.outside !== undefined) console.log(`in ONNX Runtime, because ${model.outside}`);
  console.log(`answers differ by ${off} % of their spread (rms over your rows)`);
  if (!(error <= POOR)) {
    const advice =
      target === "ternary" ? "train it ternary, or try --target int8" : "try more rows";
    console.log(`that is much; ${advice}`);
  }
  console.log("next:");
  console.log(`  sterna bench ${out}`);
  const [input] = model.inputs;
  const [output] = model.outputs;
  console.log("models:");
  console.log(`  own:\n    file: ${out}\n    asset: ASSET`);
  console.log(`    in: { ${input?.name}: { channels: [CHANNEL, ...], unit: [UNIT, ...] } }`);
  console.log(`    out: { ${output?.name}: { channel: NEW-CHANNEL, unit: UNIT } }`);
  return EXIT.done;
}

/** A first line of words is a header. @throws OperatingError `rows` */
function readRows(file: string): readonly Float32Array[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new OperatingError("rows", error instanceof Error ? error.message : String(error), error);
  }
  const lines = text.split(/\r?\n/);
  const rows = lines.flatMap((line, i): Float32Array[] => {
    if (line.trim() === "") return [];
    const cells = line.split(",").map((cell) => (cell.trim() === "" ? Number.NaN : Number(cell)));
    const odd = cells.findIndex((value) => !Number.isFinite(value));
    if (odd < 0) return [Float32Array.from(cells)];
    if (i === 0) return [];
    const what = `${file}:${i + 1}: column ${odd + 1} is no number`;
    throw new OperatingError("rows", `${what}; write numbers with a point, commas between`);
  });
  if (rows.length > 0) return rows;
  throw new OperatingError("rows", `${file}: it has no row of numbers`);
}

function forDevice(file: string, out: string): number {
  const { program, stages, why } = fitOf(file);
  if (program === null) throw new OperatingError("model", `${file}: ${why}`);
  write(out, writeTflite(program));
  console.log(`${out}: ${stages} layer(s), ${nameOf(program)}`);
  if (why !== null) console.log(`left to the CPU from there: ${why}`);
  console.log("next, on an x86-64 Linux PC with Google's compiler:");
  console.log(`  edgetpu_compiler -s -o ${dirname(out)} ${out}`);
  const compiled = `${stemOf(basename(out))}_edgetpu.tflite`;
  console.log(`then copy ${compiled} into the folder accel.edgetpuModels of the gateway`);
  return EXIT.done;
}

function write(out: string, bytes: Uint8Array): void {
  try {
    writeFileSync(out, bytes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new OperatingError("output", text, error);
  }
}

const stemOf = (file: string): string =>
  join(dirname(file), basename(file).replace(/\.(onnx|tflite)$/, ""));

/** The plan that a backend would get, as a program of the Edge TPU. */
function fitOf(file: string): Fit {
  let plan: Plan | null = null;
  const noting: Backend = {
    ...reference,
    load(own, batch) {
      plan = own;
      return reference.load(own, batch);
    },
  };
  const network = loadNetwork(readModel(file), noting);
  if (typeof network === "string") throw new OperatingError("model", `${file}: ${network}`);
  if (plan === null) throw new OperatingError("model", `${file}: it has no layers`);
  return programOf(plan);
}
