import type { AccelConfig } from "../../config/config.js";
import { loadConfig } from "../../config/load.js";
import { DEVICES_DEFAULT } from "../accel/registry.js";
import { OperatingError } from "../base/errors.js";
import { type Compute, openCompute } from "../compute.js";
import { CONFIG_KINDS } from "../fitting.js";
import type { Model, ModelPart } from "../models/model.js";
import type { Placement } from "../models/plan.js";
import { openUserModel } from "../models/user-model.js";
import { type Arguments, EXIT } from "./command.js";

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
/** Inferences that are timed: the best of some, for at most so long. */
const RUNS = 20;
const TIME_ms = 1_000;

/** Times a model on every device here and prints what of it would run where, and why. */
export async function plan({ positionals, values }: Arguments): Promise<number> {
  const file = positionals[0] as string;
  const accel =
    typeof values["config"] === "string"
      ? loadConfig(values["config"], CONFIG_KINDS, process.env).accel
      : NO_LIMITS;
  const compute = openCompute({ ...accel, backend: "plan" }, true);
  if (typeof compute === "string") throw new OperatingError("no-backend", compute);
  const model = openUserModel(file, compute.backend, compute.dense);
  // A fault of the file stands alone.
  if (typeof model === "string") throw new OperatingError("model", model);
  for (const why of compute.skipped) console.log(`absent: ${why}`);
  console.log(compute.why);
  const unplaced = compute.placements.find((placed) => typeof placed === "string");
  if (unplaced !== undefined) {
    console.error(`sterna plan: ${unplaced}`);
    return EXIT.failed;
  }
  if (model.parts === undefined) sayPlacement(compute);
  else sayParts(model.parts, compute);
  console.log(`${model.engine}: ${timeOf(model)} measured as a whole`);
  for (const why of compute.passed) console.log(`passed by: ${why}`);
  for (const { backend, when, why } of compute.outages) {
    console.log(`${backend} was taken out (${when}): ${why}`);
  }
  console.log(`tier ${model.tier}; energy ${energyOf(model, compute)}`);
  return EXIT.done;
}

function sayPlacement({ placements }: Compute): void {
  for (const placed of placements) sayOne(placed);
  if (placements.length === 0) console.log("in one piece, on the CPU: nothing of it is placed");
}

function sayOne(placed: Placement | string | undefined): void {
  if (typeof placed === "object") for (const line of placed.why) console.log(line);
}

/** Each part with the time of its call, in which its values cross; they were placed in this order. */
function sayParts(parts: readonly ModelPart[], { placements }: Compute): void {
  const placed = [...placements];
  for (const [i, { model, about }] of parts.entries()) {
    const size = (ports: Model["inputs"]): number =>
      ports.reduce((sum, port) => sum + port.size, 0);
    const values = `${size(model.inputs)} values in, ${size(model.outputs)} out`;
    const time = `${timeOf(model)}, the crossing with it`;
    console.log(`part ${i + 1} of ${parts.length}: ${about}, ${values}, ${model.engine}: ${time}`);
    if (model.engine.startsWith("ternary")) sayOne(placed.shift());
  }
}

function energyOf({ parts }: Model, { placements }: Compute): string {
  if (parts !== undefined) return "not known: that of ONNX Runtime is not measured";
  const [placed] = placements;
  const energy_uJ = typeof placed === "object" ? placed.energy_uJ : null;
  if (energy_uJ === null) return "not known: state the draw under accel.power";
  return `${energy_uJ.toFixed(1)} uJ an inference`;
}

/** One inference of the whole model, as the agent runs it. */
function timeOf({ inputs, outputs, run }: Model): string {
  const x = inputs.map(({ size }) => new Float32Array(size));
  const y = outputs.map(({ size }) => new Float32Array(size));
  const begin = performance.now();
  let best_ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS && performance.now() - begin < TIME_ms; i++) {
    const start = performance.now();
    const fault = run(x, y);
    if (fault !== null) return fault;
    best_ms = Math.min(best_ms, performance.now() - start);
  }
  return `${(1000 * best_ms).toFixed(1)} us an inference`;
}
