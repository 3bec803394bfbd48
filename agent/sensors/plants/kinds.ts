//! The simulated machines that can be named in a config or on the command line.
import { createBearing } from "./bearing.js";
import { createGasTurbine } from "./gas-turbine.js";
import type { Plant, PlantKind, PlantOptions } from "./plant.js";
import { createQuadrotor } from "./quadrotor.js";
import { createWindTurbine } from "./wind-turbine.js";

type Options = Partial<PlantOptions> & { readonly asset: string; readonly seed: number };

export const PLANT_KINDS: readonly PlantKind[] = [
  "wind-turbine",
  "gas-turbine",
  "quadrotor",
  "bearing",
];

export function isPlantKind(kind: string): kind is PlantKind {
  return PLANT_KINDS.some((known) => known === kind);
}

const MAKERS: Readonly<Record<PlantKind, (options: Options) => Plant>> = {
  "wind-turbine": createWindTurbine,
  "gas-turbine": createGasTurbine,
  quadrotor: createQuadrotor,
  bearing: createBearing,
};

export function createPlant(kind: PlantKind, options: Options): Plant {
  return MAKERS[kind](options);
}
