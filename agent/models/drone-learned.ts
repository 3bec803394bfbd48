//! The drone's network behind the seam of chain/correction.ts: what flight and weather leave of
//! height, thrust and power beside the equations, each within a hard bound.
import { readFileSync } from "node:fs";
import type { Backend } from "../accel/backend.js";
import { packageFile } from "../base/files.js";
import type { Learned } from "./chain/correction.js";
import { DRONE_COLUMNS, DroneFeatures } from "./drone-features.js";
import { openLearned } from "./learned.js";

export const DRONE_FILE = "agent/models/dronenbm.onnx";

/** Outputs in the order of the network, with the most that it may explain, SI. */
export const DRONE_CORRECTS = [
  { output: "altitude.residual", most: 10 },
  { output: "thrust.residual", most: 1.5 },
  { output: "power.residual", most: 40 },
] as const;

/** A text says what is wrong with the file. */
export function openDrone(bytes: Uint8Array, backend: Backend): Learned | string {
  return openLearned(bytes, backend, {
    columns: DRONE_COLUMNS,
    features: new DroneFeatures(),
    classes: DRONE_CORRECTS.map(({ output }) => output),
    corrects: DRONE_CORRECTS,
  });
}

/** The network that ships. */
export function shippedDrone(backend: Backend): Learned {
  const found = openDrone(readFileSync(packageFile(DRONE_FILE)), backend);
  if (typeof found === "string") throw new Error(`${DRONE_FILE}: ${found}`);
  return found;
}
