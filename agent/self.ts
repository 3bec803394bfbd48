//! Alarms of the agent about itself, under the id of the gateway: an operator must hear of a full
//! disk from the gateway that has it, and not from its journal.
import type { Outage } from "./accel/guard.js";
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
  "backend-out": {
    severity: "warning",
    text: "A compute device gave a wrong answer or failed: it is out of use, the reference goes on",
    action: "See the evidence; check the device, then restart the agent to use it again",
  },
} as const satisfies Readonly<Record<string, Row>>;

export type OwnChange = { readonly to: "raise" | "clear"; readonly what: Occurrence };

/** What store and devices say of themselves; looked at each tick, silent while that is the same. */
export function ownAlarms(
  gateway: string,
  store: { readonly trouble: Error | null; readonly moved: string | null },
  outages: readonly Outage[],
): (now_ms: number) => readonly OwnChange[] {
  let trouble: Error | null | undefined;
  let moved: string | null | undefined;
  let out = 0;
  return (now_ms) => {
    const same = (store.trouble === null) === (trouble === null) && store.moved === moved;
    if (same && trouble !== undefined && out === outages.length) return [];
    trouble = store.trouble;
    moved = store.moved;
    out = outages.length;
    return [
      own(gateway, "backend-out", wordsOf(outages), now_ms),
      own(gateway, "disk-refused", trouble?.message ?? null, now_ms),
      own(gateway, "state-lost", moved === null ? null : `moved to ${moved}`, now_ms),
    ];
  };
}

function wordsOf(outages: readonly Outage[]): string | null {
  const words = outages.map(({ backend, when, why }) => `${backend}, ${when}: ${why}`);
  return words.length === 0 ? null : words.join("; ");
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
