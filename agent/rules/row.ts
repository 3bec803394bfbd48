//! How the rules of the asset kinds are written: a short row with the usual values filled in.
import type { AlarmClass, Severity } from "../base/telemetry.js";
import type { RuleRow } from "./rule.js";

type Short = {
  readonly id: string;
  readonly when: string;
  readonly clear?: string;
  readonly for_min?: number;
  readonly severity?: Severity;
  readonly class?: AlarmClass;
  readonly text: string;
  readonly action: string;
  readonly source: string;
  readonly foldedInto?: readonly string[];
};

export function ruleRow(short: Short): RuleRow {
  return {
    id: short.id,
    when: short.when,
    clear: short.clear ?? null,
    for_ms: (short.for_min ?? 0) * 60_000,
    clearFor_ms: 60_000,
    severity: short.severity ?? "warning",
    class: short.class ?? "machine",
    text: short.text,
    action: short.action,
    source: short.source,
    foldedInto: short.foldedInto ?? [],
    version: 1,
  };
}

/** One rule a channel: a fault of its instrument, never of the machine. */
export function sensorRules(
  ports: readonly { readonly name: string }[],
  foldedInto: readonly string[],
): RuleRow[] {
  return ports.map(({ name: channel }) => ({
    ...ruleRow({
      id: `sensor-${channel}`,
      when: `${channel}.fault > 0`,
      class: "sensor",
      text: `The readings of ${channel} cannot be believed`,
      action: "Check the sensor, its wiring and its scaling",
      source: "validity tests",
      foldedInto,
    }),
    for_ms: 2000,
  }));
}
