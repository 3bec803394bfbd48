//! The two models of the turbine whose roles are typed by units: thermal stress from a temperature
//! rise, and electrical power held to the wind's. Equations today, learned corrections later: the
//! roles stay. A column is computed in place, value by value.
import { BETZ, thermalStress } from "../base/physics.js";
import type { Law, PhysicsAwareModel, TernaryModel } from "../units/model.js";
import { type Qty, scale, sub, unit } from "../units/quantity.js";

const pascal = unit("Pa");
const kelvin = unit("K");
const watt = unit("W");
const STEEL = { young_Pa: 207e9, expansion_pK: 11.7e-6, poisson: 0.3 } as const;
const perKelvin_Pa = thermalStress(1, STEEL.young_Pa, STEEL.expansion_pK, STEEL.poisson);

/** Stress of a fully constrained steel part that is warmer than what holds it. */
export const stressModel: TernaryModel<"K", "Pa"> = {
  inUnits: "K",
  outUnits: "Pa",
  infer: (rise) => pascal(kelvin.of(rise) * perKelvin_Pa),
  inferBatch(rises, stresses) {
    for (let i = 0; i < rises.length; i++) {
      const rise = rises[i];
      if (rise !== undefined) stresses[i] = pascal(kelvin.of(rise) * perKelvin_Pa);
    }
  },
};

/**
 * Electrical power of a healthy rotor below rated wind, from the power of the wind through its
 * disc. It cannot promise more than Betz allows, whatever the efficiency it was given.
 */
export function powerModel(efficiency: number): PhysicsAwareModel<"W", "W", "W"> {
  const infer = (wind: Qty<"W">): Qty<"W"> => scale(wind, efficiency);
  const betz: Law<"W", "W", "W"> = {
    name: "Betz: no rotor takes more than 16/27 of the wind",
    margin: (wind, power) => sub(scale(wind, BETZ), power),
  };
  return {
    inUnits: "W",
    outUnits: "W",
    laws: [betz],
    infer,
    inferBatch(winds, powers) {
      for (let i = 0; i < winds.length; i++) {
        const wind = winds[i];
        if (wind !== undefined) powers[i] = infer(wind);
      }
    },
    inferChecked(wind) {
      const output = infer(wind);
      return { output, broken: betz.margin(wind, output) < watt(0) ? [betz] : [] };
    },
  };
}
