//! The default rules of a gas turbine. Absolute limits are editable defaults with their source.
import { ruleRow } from "./row.js";
import type { RuleRow } from "./rule.js";

const CYCLE = "Brayton cycle against the commissioning baseline";
const HEAT = "thermal model and commissioning baseline";

const worn = (id: string, part: string, text: string, action: string): RuleRow =>
  ruleRow({
    id,
    when: `${part}.wear > 0.4`,
    clear: `${part}.wear < 0.2`,
    for_min: 10,
    text,
    action,
    source: CYCLE,
  });
const warm = (id: string, part: string, text: string, action: string): RuleRow =>
  ruleRow({
    id,
    when: `${part}.residual > ${part}.limit`,
    for_min: 15,
    text,
    action,
    source: HEAT,
  });
const shaking = (end: 1 | 2): RuleRow =>
  ruleRow({
    id: `housing-vibration-${end}`,
    when: `vibration${end} > 9.3 mm/s && vibration${end}.fault < 1`,
    clear: `vibration${end} < 8 mm/s`,
    for_min: 2,
    severity: "critical",
    text: "Housing vibration in zone C",
    action: "Reduce load; balance or align before the next start",
    source: "zone B/C after ISO 20816-4, recalled: check your copy",
    foldedInto: ["rotor-imbalance"],
  });

export const GAS_TURBINE_RULES: readonly RuleRow[] = [
  worn(
    "compressor-fouling",
    "compressor",
    "The compressor swallows less air and heats it more than it should",
    "Wash the compressor; inspect the blades at the next stop",
  ),
  worn(
    "turbine-performance",
    "turbine",
    "The turbine leaves more heat in the exhaust than it should",
    "Inspect blades and clearances with a borescope",
  ),
  worn(
    "combustor",
    "combustor",
    "Fuel burns incompletely, and the exhaust temperatures spread",
    "Check the burners and the fuel distribution",
  ),
  worn(
    "inlet-filter",
    "filter",
    "The inlet filter throttles the machine",
    "Change or clean the filter elements",
  ),
  warm("oil-cooler", "oil", "Oil hotter than its load explains", "Check cooler, fan and oil level"),
  warm(
    "bearing-1",
    "bearing1",
    "Compressor-end bearing hotter than its load explains",
    "Check the oil supply and the clearance of the bearing",
  ),
  warm(
    "bearing-2",
    "bearing2",
    "Turbine-end bearing hotter than its load explains",
    "Check the oil supply and the clearance of the bearing",
  ),
  ruleRow({
    id: "rotor-imbalance",
    when: "rotor.imbalance > 3 mm/s",
    clear: "rotor.imbalance < 2.5 mm/s",
    for_min: 1,
    text: "Both ends of the machine shake beyond the usual",
    action: "Look for deposits or a lost blade part; balance the rotor",
    source: "both housings against the commissioning baseline",
  }),
  shaking(1),
  shaking(2),
];
