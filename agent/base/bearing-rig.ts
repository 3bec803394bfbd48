//! A deep-groove ball bearing on a test rig: friction and heat, shared by plant and monitor.
import { BEARING_6205, type ThermalNode } from "./physics.js";

/** Heat of the housing, time constant 8 min; a 6205 under 3.5 kN at 1500 rpm. */
export const BEARING_RIG = {
  capacity_JpK: 600,
  conductance_WpK: 1.25,
  heatMax_W: 40,
  ratedLoad_N: 4000,
} as const satisfies ThermalNode & { readonly ratedLoad_N: number };

const LOAD_COEFFICIENT = 0.0015; // deep groove, of load times half the mean diameter
const VISCOUS_Nms = 1.2e-4; // grease, grows with speed

/** Friction torque in N m: a part that grows with load, one that grows with speed (Palmgren). */
export function frictionTorque(load_N: number, speed_radps: number): number {
  if (!(speed_radps > 0)) return 0;
  const lever_m = BEARING_6205.pitch_m / 2;
  return LOAD_COEFFICIENT * load_N * lever_m + VISCOUS_Nms * speed_radps;
}
