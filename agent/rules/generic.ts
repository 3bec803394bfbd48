//! The default rules of a machine without equations, once commissioning has learnt its normal.
import { ruleRow } from "./row.js";
import type { RuleRow } from "./rule.js";

export const GENERIC_RULES: readonly RuleRow[] = [
  ruleRow({
    id: "unusual",
    when: "health.index > health.limit",
    clear: "health.index < 0.6 * health.limit",
    text: "This machine has left the normal that it was commissioned with",
    action: "Look at the channels in the evidence; compare with the last service",
    source: "commissioning baseline",
  }),
];
