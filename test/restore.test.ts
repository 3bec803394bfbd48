//! What a start makes of what the last run stored.
import { expect, test } from "vitest";
import { alarmsOf } from "../agent/agent.js";
import type { Alarm } from "../agent/alerts/alarm.js";
import { clear, raise } from "../agent/alerts/lifecycle.js";
import { assemble } from "../agent/assembly.js";
import { CONFIG_KINDS } from "../agent/fitting.js";
import { restore } from "../agent/restore.js";
import { parseConfig } from "../config/load.js";
import { alarmOf, HSS, NOW_ms } from "./alerts/sample.js";

const TEXT = `
gateway: { id: gw, site: s }
mqtt: { url: "mqtt://localhost" }
intake: { levelsMax: 2 }
assets:
  - id: line3
    channels:
      current: { mqtt: plant/current, unit: A }
      phase: { mqtt: plant/+/phase, unit: A }
    rules:
      - { id: over, when: "current > 16 A", severity: critical }
      - { id: phase-over, when: "phase > 1 kA", severity: warning }
`;

const active = (rule: string): Alarm =>
  alarmOf(raise(undefined, { ...HSS, asset: "line3", rule }, NOW_ms));

function restored(known: readonly Alarm[], latches: readonly (readonly [string, string])[] = []) {
  const config = parseConfig(TEXT, "a.yaml", CONFIG_KINDS, {});
  const assembly = assemble(config);
  const alarms = alarmsOf(config, assembly, known);
  const rows = latches.map(([rule, latch]) => ({ asset: "line3", rule, latch }));
  const ended = restore(rows, assembly, alarms, "gw", NOW_ms);
  const watch = assembly.memberOf("line3")?.watch;
  const latchOf = (id: string) => {
    const rule = watch?.rule(id);
    return rule === undefined ? null : watch?.latches.of(rule);
  };
  return { assembly, ended, latchOf };
}

test("the level of an active alarm is open before its topic is heard, within the bound", () => {
  const { assembly, ended, latchOf } = restored(
    ["L1", "L2", "L3"].map((l) => active(`phase-over-${l}`)),
  );
  expect(assembly.find("line3", "phase.L1")).not.toBeNull();
  expect(latchOf("phase-over-L2")).toMatchObject({ raised: true });
  // The third is beyond levelsMax: nobody would judge it any more, so it ends.
  expect(ended.map(({ alarm, transition }) => [alarm.rule, transition])).toEqual([
    ["phase-over-L3", "clear"],
  ]);
  expect(ended[0]?.alarm).toMatchObject({
    value: null,
    limit: null,
    evidence: ["the config has no such rule any more"],
  });
});

test("a cleared level is not opened", () => {
  const cleared = alarmOf(clear(active("phase-over-L1"), HSS, NOW_ms + 1));
  const { assembly } = restored([{ ...cleared, asset: "line3", rule: "phase-over-L1" }]);
  expect(assembly.find("line3", "phase.L1")).toBeNull();
});

test("where latch and alarm disagree the alarm counts", () => {
  const raised = '{"raised":true,"since_ms":null,"onset_ms":5}';
  expect(restored([], [["over", raised]]).latchOf("over")).toMatchObject({ raised: false });
  const { latchOf } = restored([active("over")]);
  expect(latchOf("over")).toEqual({ raised: true, since_ms: null, onset_ms: HSS.onset_ms });
  expect(restored([active("over")], [["over", raised]]).latchOf("over")?.onset_ms).toBe(5);
});
