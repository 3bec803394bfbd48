import type { AccelConfig } from "../../config/config.js";
import { loadConfig } from "../../config/load.js";
import { DEVICES_DEFAULT } from "../accel/registry.js";
import { OperatingError } from "../base/errors.js";
import { openCompute } from "../compute.js";
import { CONFIG_KINDS } from "../fitting.js";
import { loadNetwork } from "../models/network.js";
import { type Arguments, EXIT } from "./command.js";
import { readModel } from "./load.js";

const NO_LIMITS: Omit<AccelConfig, "backend"> = {
  checkShare: 0,
  allow: null,
  exact: true,
  prefer: "latency",
  latency_max_ms: null,
  power_max_W: null,
  power_W: {},
  ...DEVICES_DEFAULT,
  dense: "auto",
};

/** Times a model on every device here and prints where each part would run, and why. */
export async function plan({ positionals, values }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const accel =
    typeof values["config"] === "string"
      ? loadConfig(values["config"], CONFIG_KINDS, process.env).accel
      : NO_LIMITS;
  const compute = openCompute({ ...accel, backend: "plan" }, true);
  if (typeof compute === "string") throw new OperatingError("no-backend", compute);
  for (const why of compute.skipped) console.log(`absent: ${why}`);
  const network = loadNetwork(readModel(file), compute.backend);
  if (typeof network === "string") throw new OperatingError("model", `${file}: ${network}`);
  const [placed] = compute.placements;
  if (placed === undefined || typeof placed === "string") {
    console.error(`sterna plan: ${placed ?? "nothing to place"}`);
    return EXIT.failed;
  }
  for (const line of placed.why) console.log(line);
  const energy = placed.energy_uJ;
  console.log(
    `tier ${placed.tier}; energy ${
      energy === null ? "not known: state the draw under accel.power" : `${energy.toFixed(1)} uJ`
    } an inference`,
  );
  for (const { backend, when, why } of compute.outages) {
    console.log(`${backend} was taken out (${when}): ${why}`);
  }
  return EXIT.done;
}
