import type { Config } from "../../config/config.js";
import { loadConfig } from "../../config/load.js";
import { faultsOf } from "../assembly.js";
import { OperatingError } from "../base/errors.js";
import { CONFIG_KINDS } from "../fitting.js";
import { readModelFile } from "../models/model-file.js";
import { type Arguments, EXIT } from "./command.js";

/** The config that `--config` names, or the exit code after saying what is missing. */
export function configOf(command: string, { values }: Arguments): Config | number {
  const file = values["config"];
  if (typeof file === "string") return loadConfig(file, CONFIG_KINDS, process.env, faultsOf);
  console.error(`sterna ${command}: --config FILE is missing`);
  return EXIT.usage;
}

/** The bytes of a model file. @throws OperatingError `model` */
export function readModel(file: string): Uint8Array {
  const bytes = readModelFile(file);
  if (typeof bytes === "string") throw new OperatingError("model", `${file}: ${bytes}`);
  return bytes;
}
