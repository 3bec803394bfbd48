//! The default rules of a rolling bearing.
import { ruleRow } from "./row.js";
import type { RuleRow } from "./rule.js";

export const BEARING_RULES: readonly RuleRow[] = [
  ruleRow({
    id: "bearing-damage",
    when: "bearing.damage > 8",
    clear: "bearing.damage < 2",
    severity: "critical",
    text: "Damage of a race or a rolling element",
    action: "Plan the change of the bearing; look for debris in the grease",
    source: "VibNet over several blocks",
  }),
  ruleRow({
    id: "lubrication",
    when: "friction.excess > 0.7 && heat.residual > 4 K",
    clear: "friction.excess < 0.4",
    for_min: 5,
    text: "Friction beyond what load and speed explain, by torque and by heat",
    action: "Grease the bearing; check the seals",
    source: "friction law and commissioning baseline",
    foldedInto: ["bearing-damage"],
  }),
  ruleRow({
    id: "vibration-rise",
    when: "vibration.rise > 0.69",
    clear: "vibration.rise < 0.4",
    text: "Twice as loud as in the healthy period",
    action: "Listen to the bearing and its surroundings; plan an inspection",
    source: "commissioning baseline, eight blocks",
    foldedInto: ["bearing-damage", "lubrication"],
  }),
];
