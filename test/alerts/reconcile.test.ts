import { expect, test } from "vitest";
import type { Alarm } from "../../agent/alerts/alarm.js";
import {
  type Alarms,
  applyChange,
  applyCommand,
  applyDeadlines,
} from "../../agent/alerts/apply.js";
import { stateDocument } from "../../agent/alerts/message.js";
import { type Retained, reconcile } from "../../agent/alerts/reconcile.js";
import { alarmOf, HSS, NOW_ms, PLACE } from "./sample.js";

const DAY_ms = 24 * 3_600_000;
const KEY = "wt07/gearbox-hss";
const OPERATOR = { asset: "wt07", rule: "gearbox-hss", id: "c", who: "ann", why: "" };

/** Raised, acknowledged and cleared at NOW_ms. */
function normal(): { alarms: Alarms; alarm: Alarm } {
  const alarms: Alarms = new Map();
  alarmOf(applyChange(PLACE, alarms, "raise", HSS, NOW_ms));
  alarmOf(applyCommand(PLACE, alarms, { ...OPERATOR, verb: "ack", until_ms: null }, NOW_ms));
  return { alarms, alarm: alarmOf(applyChange(PLACE, alarms, "clear", HSS, NOW_ms)) };
}
const held = (alarm: Alarm) => [
  { asset: alarm.asset, rule: alarm.rule, payload: stateDocument(alarm, PLACE) },
];
const agree = (alarms: Alarms, states: readonly Retained[], now_ms: number, known = true) =>
  reconcile(PLACE, alarms, { states, beyond: 0 }, now_ms, () => known);

test("a normal state is deleted when it is older than 7 days, and its seq stays with us", () => {
  const { alarms, alarm } = normal();
  expect(agree(alarms, held(alarm), NOW_ms + 7 * DAY_ms).messages).toEqual([]);
  const { messages } = agree(alarms, held(alarm), NOW_ms + 7 * DAY_ms + 1);
  expect(messages).toMatchObject([{ payload: "", retain: true }]);
  expect(alarms.get(KEY)?.seq).toBe(3);
  expect(agree(alarms, [], NOW_ms + 8 * DAY_ms).messages).toEqual([]);
});

test("a cleared state that waits for its acknowledgement, or is shelved, is never deleted", () => {
  const alarms: Alarms = new Map();
  alarmOf(applyChange(PLACE, alarms, "raise", HSS, NOW_ms));
  const waiting = alarmOf(applyChange(PLACE, alarms, "clear", HSS, NOW_ms));
  expect(agree(alarms, held(waiting), NOW_ms + 30 * DAY_ms).messages).toEqual([]);
  const other = normal();
  const wish = { ...OPERATOR, verb: "shelve", until_ms: NOW_ms + 7 * DAY_ms } as const;
  const shelved = alarmOf(applyCommand(PLACE, other.alarms, wish, NOW_ms));
  const later_ms = NOW_ms + 30 * DAY_ms;
  expect(agree(other.alarms, held(shelved), later_ms).messages).toEqual([]);
});

test("an inactive state that a lost store knew is taken over: seq goes on, it can be acked", () => {
  const alarms: Alarms = new Map();
  const before: Alarms = new Map();
  alarmOf(applyChange(PLACE, before, "raise", HSS, NOW_ms));
  const returned = alarmOf(applyChange(PLACE, before, "clear", HSS, NOW_ms));
  expect(agree(alarms, held(returned), NOW_ms + 1).messages).toEqual([]);
  const acked = applyCommand(PLACE, alarms, { ...OPERATOR, verb: "ack", until_ms: null }, NOW_ms);
  expect(alarmOf(acked).seq).toBe(3);
});

test("a clear at the broker's word is a transition, and says why instead of a value", () => {
  const before: Alarms = new Map();
  const raised = alarmOf(applyChange(PLACE, before, "raise", HSS, NOW_ms));
  const alarms: Alarms = new Map();
  const { applied, messages } = agree(alarms, held(raised), NOW_ms + 1);
  expect(messages).toEqual([]);
  expect(applied.map(({ transition }) => transition)).toEqual(["clear"]);
  expect(applied[0]?.alarm).toMatchObject({
    seq: 2,
    value: null,
    limit: null,
    marks: ["reconciled"],
  });
  expect(applied[0]?.alarm.evidence).toEqual([
    "it was active at the broker and unknown to this gateway",
  ]);
  expect(applied[0]?.messages).toHaveLength(2);
  expect(alarms.get(KEY)).toBe(applied[0]?.alarm);
});

test("nothing is kept of an alarm that no rule can give: anybody can invent them", () => {
  const before: Alarms = new Map();
  const raised = alarmOf(applyChange(PLACE, before, "raise", HSS, NOW_ms));
  const returned = alarmOf(applyChange(PLACE, before, "clear", HSS, NOW_ms + 1));
  const alarms: Alarms = new Map();
  expect(agree(alarms, held(raised), NOW_ms + 2, false).applied).toHaveLength(1);
  expect(agree(alarms, held(returned), NOW_ms + 3, false)).toEqual({
    applied: [],
    adopted: [],
    messages: [],
    notes: [],
  });
  // Nobody can acknowledge it, so it goes when it is old.
  const later_ms = NOW_ms + 8 * DAY_ms;
  expect(agree(alarms, held(returned), later_ms, false).messages).toMatchObject([{ payload: "" }]);
  expect(alarms.size).toBe(0);
});

test("what agrees is left alone, and agreeing once more changes nothing", () => {
  const alarms: Alarms = new Map();
  const raised = alarmOf(applyChange(PLACE, alarms, "raise", HSS, NOW_ms));
  const outcome = agree(alarms, held(raised), NOW_ms + 1);
  expect(outcome).toEqual({ applied: [], adopted: [], messages: [], notes: [] });
  expect(alarms.get(KEY)).toBe(raised);
});

test("deadlines come in their order, each at its own time; a refusal changes nothing", () => {
  const alarms: Alarms = new Map();
  for (const [asset, after_ms] of [
    ["a", 2_000],
    ["b", 1_000],
    ["c", 9_000],
  ] as const) {
    alarmOf(applyChange(PLACE, alarms, "raise", { ...HSS, asset }, NOW_ms));
    const until_ms = NOW_ms + after_ms;
    alarmOf(applyCommand(PLACE, alarms, { ...OPERATOR, asset, verb: "shelve", until_ms }, NOW_ms));
  }
  const due = applyDeadlines(PLACE, alarms, NOW_ms + 5_000);
  expect(due.map(({ alarm }) => [alarm.asset, alarm.time_ms - NOW_ms])).toEqual([
    ["b", 1_000],
    ["a", 2_000],
  ]);
  const before = alarms.get("c/gearbox-hss");
  expect(applyChange(PLACE, alarms, "raise", { ...HSS, asset: "c" }, NOW_ms)).toMatch(/active/);
  expect(alarms.get("c/gearbox-hss")).toBe(before);
});
