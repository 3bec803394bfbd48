import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Backend, Plan } from "../accel/backend.js";
import { type Fit, nameOf, programOf } from "../accel/edgetpu/program.js";
import { writeTflite } from "../accel/edgetpu/tflite.js";
import { reference } from "../accel/reference.js";
import { OperatingError } from "../base/errors.js";
import { loadNetwork } from "../models/network.js";
import { type Arguments, EXIT } from "./command.js";
import { readModel } from "./load.js";

const TARGETS = ["edgetpu"];

/** Writes a model for the compiler of a device, and says what to run next. */
export async function convert({ positionals, values }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const { target } = values;
  if (typeof target !== "string" || !TARGETS.includes(target)) {
    console.error(`sterna convert: write --target ${TARGETS.join(" or ")}`);
    return EXIT.usage;
  }
  const { program, stages, why } = fitOf(file);
  if (program === null) throw new OperatingError("model", `${file}: ${why}`);
  const out = typeof values["out"] === "string" ? values["out"] : `${stemOf(file)}.tflite`;
  try {
    writeFileSync(out, writeTflite(program));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new OperatingError("output", text, error);
  }
  console.log(`${out}: ${stages} layer(s), ${nameOf(program)}`);
  if (why !== null) console.log(`left to the CPU from there: ${why}`);
  console.log("next, on an x86-64 Linux PC with Google's compiler:");
  console.log(`  edgetpu_compiler -s -o ${dirname(out)} ${out}`);
  const compiled = `${stemOf(basename(out))}_edgetpu.tflite`;
  console.log(`then copy ${compiled} into the folder accel.edgetpuModels of the gateway`);
  return EXIT.done;
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
