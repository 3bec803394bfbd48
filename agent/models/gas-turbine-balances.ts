//! The balances of a gas turbine, as its alarms tell them.
import type { Balance } from "./balance.js";
import { DRIVERS, FLOOR, MEASURES, WEAR } from "./gas-turbine-bank.js";
import { NODES, REFERENCES, ratios } from "./gas-turbine-outputs.js";

const OTHERWISE: Readonly<Record<(typeof WEAR)[number], string>> = {
  compressor: "icing of the inlet, or bleed air that nothing measures",
  turbine: "another fuel, whose heating value differs",
  combustor: "another fuel, or a thermocouple that drifts with the spread",
  filter: "the gauge across the filter reads high",
};
const WHERE = { oil: "lubricating oil", bearing1: "bearing 1", bearing2: "bearing 2" } as const;

export const GAS_TURBINE_BALANCES: readonly Balance[] = [
  ...WEAR.map(
    (part): Balance => ({
      name: `${part} without wear`,
      output: `${part}.wear`,
      beyond: 0.4,
      reads: [...MEASURES, ...DRIVERS],
      otherwise: OTHERWISE[part],
    }),
  ),
  ...MEASURES.map(
    (measure, i): Balance => ({
      name: `${measure} against the healthy cycle`,
      output: `${measure}.gap`,
      about: `${measure}.gap.middle`,
      sigma: `${measure}.gap.sigma`,
      beyond: 3 * (FLOOR[i] as number),
      reads: [measure, ...DRIVERS],
      otherwise: "the machine has worn, or its surroundings are misread",
    }),
  ),
  ...NODES.map(
    ({ node, channel }): Balance => ({
      name: `heat of ${WHERE[node]}`,
      output: `${node}.residual`,
      beyond: `${node}.limit`,
      sigma: `${node}.residual.sigma`,
      reads: [channel, "power", "shaftSpeed", REFERENCES[node]],
      otherwise: `${channel} reads high, or ${REFERENCES[node]} reads low`,
    }),
  ),
  ...ratios.map(
    (name, i): Balance => ({
      name: `vibration of end ${i + 1}`,
      output: name,
      also: i === 0 ? ["rotor.imbalance"] : [],
      about: `${name}.middle`,
      sigma: `${name}.sigma`,
      beyond: 0.6,
      reads: [`vibration${i + 1}`, `vibration${2 - i}`, "power", "shaftSpeed"],
      otherwise: "a loose foundation or coupling, or work beside the machine",
    }),
  ),
];
