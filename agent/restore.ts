//! What the last run stored, taken into this one: levels that have an alarm are open again, latches
//! go on, and an alarm that has no rule any more ends.
import type { Alarms } from "./alarms.js";
import type { Applied } from "./alerts/apply.js";
import type { LatchRow } from "./alerts/store.js";
import type { Assembly } from "./assembly.js";

/** `gateway` is the id under which the agent alarms about itself, without rules. */
export function restore(
  latches: readonly LatchRow[],
  assembly: Assembly,
  alarms: Alarms,
  gateway: string,
  now_ms: number,
): Applied[] {
  const active = [...alarms.all()].filter((alarm) => alarm.active && alarm.asset !== gateway);
  const ruleOf = (asset: string, rule: string) => assembly.memberOf(asset)?.watch.rule(rule);
  for (const { asset, rule } of active) {
    if (ruleOf(asset, rule) === undefined) assembly.reopen(asset, rule);
  }
  for (const { asset, rule: id, latch } of latches) {
    const rule = ruleOf(asset, id);
    if (rule !== undefined) assembly.memberOf(asset)?.watch.latches.resume(rule, latch);
  }
  agree(assembly, alarms);
  return active.flatMap((alarm) => {
    if (ruleOf(alarm.asset, alarm.rule) !== undefined) return [];
    return alarms.retire(alarm, now_ms) ?? [];
  });
}

/**
 * Alarm and latch are stored together, yet a disk may have bent one row of the two: the alarm counts,
 * or one that is active would never end, and one that is not never come again.
 */
function agree(assembly: Assembly, alarms: Alarms): void {
  for (const { watch } of assembly.members) {
    for (const rule of watch.rules()) {
      const alarm = alarms.get(watch.id, rule.id);
      const raised = alarm?.active ?? false;
      if (watch.latches.of(rule).raised === raised) continue;
      const onset_ms = raised ? (alarm?.onset_ms ?? null) : null;
      watch.latches.settle(rule, { raised, since_ms: null, onset_ms }, true);
    }
  }
}
