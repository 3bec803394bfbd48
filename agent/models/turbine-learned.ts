//! ThermalNBM behind the seam of chain/correction.ts: what the textbook's nodes leave of four
//! temperatures as load and air move, at most 10 K of each.
import { readFileSync } from "node:fs";
import type { Backend } from "../accel/backend.js";
import { packageFile } from "../base/files.js";
import { NACELLE } from "../base/physics.js";
import type { Learned } from "./chain/correction.js";
import { openLearned } from "./learned.js";
import { plateValue, type Setup } from "./setup.js";
import { THERMAL_COLUMNS, ThermalFeatures, type ThermalPlate } from "./turbine-features.js";
import { COMPONENTS } from "./turbine-outputs.js";
import { TURBINE_PLATE } from "./turbine-ports.js";

export const THERMAL_FILE = "agent/models/thermalnbm.onnx";
/** Most that the network may explain of a temperature. */
export const THERMAL_MOST_K = 10;

export function openThermal(
  bytes: Uint8Array,
  backend: Backend,
  plate: ThermalPlate,
): Learned | string {
  const classes = COMPONENTS.map(({ name }) => name);
  const corrects = classes.map((name) => ({ output: `${name}.residual`, most: THERMAL_MOST_K }));
  const features = new ThermalFeatures(plate);
  const row = { columns: THERMAL_COLUMNS, features, classes, corrects };
  const learned = openLearned(bytes, backend, row);
  if (typeof learned === "string") return learned;
  return {
    ...learned,
    get tier() {
      return learned.tier;
    },
    infer: (value, dt_s, g) => learned.infer((name) => known(value, name), dt_s, g),
  };
}

/** The air outside from that in the nacelle, where only its own sensor is wrong. */
function known(value: (channel: string) => number, name: string): number {
  const own = value(name);
  return name === "ambientTemp" && Number.isNaN(own) ? value("nacelleTemp") - NACELLE.rise_K : own;
}

/** The shipped network for the machine of this nameplate; null where that says too little. */
export function shippedThermal(setup: Setup): Learned | string | null {
  const plate = (key: string): number => plateValue(setup, TURBINE_PLATE, key);
  const found = {
    rated_W: plate("ratedPower"),
    ratedSpeed_radps: plate("ratedSpeed"),
    gearRatio: plate("gearRatio"),
    efficiency: plate("generatorEfficiency"),
  };
  if (Number.isNaN(found.rated_W)) return null;
  return openThermal(readFileSync(packageFile(THERMAL_FILE)), setup.backend, found);
}
