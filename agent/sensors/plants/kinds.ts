//! The simulated machines that can be named in a config or on the command line.
import type { Plant, PlantKind, PlantOptions } from "./plant.js";
import { createQuadrotor } from "./quadrotor.js";
import { createWindTurbine } from "./wind-turbine.js";

type Options = Partial<PlantOptions> & { readonly asset: string; readonly seed: number };

export const PLANT_KINDS: readonly PlantKind[] = ["wind-turbine", "quadrotor"];

export function isPlantKind(kind: string): kind is PlantKind {
  return PLANT_KINDS.some((known) => known === kind);
}

export function createPlant(kind: PlantKind, options: Options): Plant {
  return kind === "wind-turbine" ? createWindTurbine(options) : createQuadrotor(options);
}
