//! Alarms of the agent about itself, under the id of the gateway: an operator must hear of a full
//! disk from the gateway that has it, and not from its journal.
import type { Occurrence } from "./alerts/alarm.js";
import type { Severity } from "./base/telemetry.js";

type Row = { readonly severity: Severity; readonly text: string; readonly action: string };

export const OWN_ALARMS = {
  "disk-refused": {
    severity: "critical",
    text: "The gateway cannot write its state: alarms go on from memory, a power cut loses them",
    action: "Free space in the state directory, or mend its rights",
  },
  "state-lost": {
    severity: "warning",
    text: "The stored state was damaged or not ours and was moved aside",
    action: "Check the disk of the gateway; alarms from before were cleared or start anew",
  },
} as const satisfies Readonly<Record<string, Row>>;

export type OwnChange = { readonly to: "raise" | "clear"; readonly what: Occurrence };

/** What the store says of itself; looked at each tick, and silent until it says something else. */
export function ownAlarms(
  gateway: string,
  store: { readonly trouble: Error | null; readonly moved: string | null },
): (now_ms: number) => readonly OwnChange[] {
  let trouble: Error | null | undefined;
  let moved: string | null | undefined;
  return (now_ms) => {
    const same = (store.trouble === null) === (trouble === null) && store.moved === moved;
    if (same && trouble !== undefined) return [];
    trouble = store.trouble;
    moved = store.moved;
    return [
      own(gateway, "disk-refused", trouble?.message ?? null, now_ms),
      own(gateway, "state-lost", moved === null ? null : `moved to ${moved}`, now_ms),
    ];
  };
}

/** `why` is null while there is nothing to alarm about. */
function own(
  gateway: string,
  rule: keyof typeof OWN_ALARMS,
  why: string | null,
  now_ms: number,
): OwnChange {
  return {
    to: why === null ? "clear" : "raise",
    what: {
      asset: gateway,
      rule,
      ruleVersion: 1,
      class: "agent",
      ...OWN_ALARMS[rule],
      quality: "good",
      tier: "exact",
      marks: [],
      value: null,
      limit: null,
      expected: null,
      model: null,
      evidence: [why ?? "no longer so"],
      onset_ms: now_ms,
      detected_ms: now_ms,
      source_ms: now_ms,
    },
  };
}
