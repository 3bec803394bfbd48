import { expect, test } from "vitest";
import type { Monitor } from "../agent/models/monitor.js";
import { advance } from "../agent/pipeline.js";
import { compileRules } from "../agent/rules/compile.js";
import type { RuleRow, Signal } from "../agent/rules/rule.js";
import { type Noted, Watch } from "../agent/watch.js";
import { channelOf as current, LIMITS, sampleOf as sample } from "./watch-fixture.js";

/** Writes the double of its input; what it cannot know it says so. */
const doubler: Monitor = {
  name: "doubler",
  inputs: ["current"],
  outputs: [{ name: "twice", unit: "A", point: false, about: "" }],
  model: "physics@1",
  tier: "exact",
  off: [],
  onSample: (frame, input) => frame.set(0, 2 * frame.get(input)),
  onBlock() {},
  explain: () => null,
  spectrum: () => null,
};

test("a silence learnt from the arrivals reaches the monitors that read the channel", () => {
  const watch = new Watch("a", 3, 2);
  watch.addChannel(current(0), 0);
  watch.addMonitor(doubler, [0], [1]);
  const changes: Noted[] = [];
  for (let i = 0; i < 15; i++) watch.accept(sample(i * 1_000, i), LIMITS, changes);
  expect(watch.next_ms()).toBe(3_600_000); // too few to know its rhythm: an hour
  for (let i = 15; i < 20; i++) watch.accept(sample(i * 1_000, i), LIMITS, changes);
  expect([...watch.frame]).toEqual([19, 38, 0]);
  advance([watch], 24_000, changes); // what comes at that moment is in time
  expect([...watch.frame]).toEqual([19, 38, 0]);
  advance([watch], 24_001, changes);
  expect([...watch.frame]).toEqual([Number.NaN, Number.NaN, 1]);
  watch.accept(sample(30_000, 5), LIMITS, changes);
  expect([...watch.frame]).toEqual([5, 10, 0]);
});

test("a hold time ends by itself, and one that a healthy sample broke does not", () => {
  const signal: Signal = { name: "current", index: 0, dim: "A", kind: "", point: false };
  const row: RuleRow = {
    id: "over",
    when: "current > 16 A",
    clear: null,
    for_ms: 1_000,
    clearFor_ms: 0,
    severity: "warning",
    class: "process",
    text: "",
    action: "",
    source: "test",
    foldedInto: [],
    version: 1,
  };
  const watch = new Watch("a", 1, -1);
  watch.addChannel(current(0), 0);
  watch.addRules(compileRules([row], "a", new Map([["current", signal]])).rules);
  const changes: Noted[] = [];
  watch.accept(sample(0, 17), LIMITS, changes);
  expect(watch.next_ms()).toBe(1_000);
  watch.accept(sample(500, 15), LIMITS, changes);
  expect(watch.next_ms()).toBe(3_600_000); // no hold time, only the silence
  watch.accept(sample(600, 17), LIMITS, changes);
  advance([watch], 5_000, changes);
  expect(changes.map((c) => [c.to, c.onset_ms, c.detected_ms])).toEqual([["raise", 600, 1_600]]);
});

test("after a restart a channel that is still dead does not end the silence of before", () => {
  const watch = new Watch("a", 3, 2);
  watch.addChannel(current(0), 0);
  watch.addChannel({ ...current(1), name: "other" }, 1);
  const signals = new Map<string, Signal>([
    ["staleChannels", { name: "staleChannels", index: 2, dim: "1", kind: "", point: false }],
  ]);
  watch.addRules(compileRules([{ ...row("staleChannels > 0"), id: "stale" }], "a", signals).rules);
  const stale = watch.rule("stale");
  if (stale === undefined) throw new Error("no rule");
  watch.latches.settle(stale, { raised: true, since_ms: null, onset_ms: 0 }, false);
  const changes: Noted[] = [];
  watch.begin(0);
  watch.accept(sample(1_000, 5), LIMITS, changes);
  expect(changes).toEqual([]);
  watch.accept({ ...sample(2_000, 5), channel: 1 }, LIMITS, changes);
  expect(changes.map((c) => c.to)).toEqual(["clear"]);
});

test("a rule keeps the clock of its own channels, whatever another channel's is", () => {
  const watch = new Watch("a", 3, -1);
  watch.addChannel({ ...current(0), staleAfter_ms: 600_000 }, 0);
  watch.addChannel({ ...current(1), name: "live", staleAfter_ms: 600_000 }, 1);
  const signals = new Map<string, Signal>([
    ["current", { name: "current", index: 0, dim: "A", kind: "", point: false }],
  ]);
  const late = { ...row("current > 16 A"), for_ms: 60_000 };
  watch.addRules(compileRules([late], "a", signals).rules);
  const changes: Noted[] = [];
  // Its stamps are two minutes old on arrival; the other channel's are not.
  for (let s = 0; s < 50; s++) {
    const r_ms = 200_000 + s * 1_000;
    advance([watch], r_ms, changes);
    watch.accept({ ...sample(r_ms - 120_000, 20 + s), r_ms }, LIMITS, changes);
    watch.accept({ ...sample(r_ms, s), channel: 1 }, LIMITS, changes);
  }
  expect(changes).toEqual([]);
  advance([watch], 261_000, changes);
  expect(changes.map((c) => [c.to, c.detected_ms])).toEqual([["raise", 260_000]]);
});

test("a silent block channel takes what was read out of it along", () => {
  const watch = new Watch("a", 3, 2);
  watch.addChannel({ ...current(0), shape: "block", staleAfter_ms: 10_000 }, 0);
  const reader: Monitor = { ...doubler, onBlock: (frame) => frame.set(0, 7) };
  watch.addMonitor(reader, [0], [1]);
  const changes: Noted[] = [];
  const block = { values: new Float32Array(4), fs_hz: 100, speed_radps: null };
  watch.accept({ kind: "block", channel: 0, t_ms: 0, r_ms: 0, ...block }, LIMITS, changes);
  expect(watch.frame[1]).toBe(7);
  advance([watch], 20_000, changes);
  expect(watch.frame[1]).toBeNaN();
});

const SILENCE = new Map<string, Signal>([
  ["staleChannels", { name: "staleChannels", index: 2, dim: "1", kind: "", point: false }],
]);

/** Two channels, and the rule on their silence; each has a minute. */
function pair(): Watch {
  const watch = new Watch("a", 3, 2);
  watch.addChannel({ ...current(0), staleAfter_ms: 60_000 }, 0);
  watch.addChannel({ ...current(1), name: "other", staleAfter_ms: 60_000 }, 1);
  watch.addRules(compileRules([{ ...row("staleChannels > 0"), id: "stale" }], "a", SILENCE).rules);
  return watch;
}

test("a second channel that falls silent is told by an update, each of them once", () => {
  const watch = pair();
  const changes: Noted[] = [];
  watch.begin(0);
  const other = (t_ms: number): void => {
    advance([watch], t_ms, changes);
    watch.accept({ ...sample(t_ms, t_ms), channel: 1 }, LIMITS, changes);
  };
  for (let t_ms = 1_000; t_ms < 100_000; t_ms += 1_000) other(t_ms);
  advance([watch], 300_000, changes);
  other(300_000); // it comes back, and falls silent again: nothing new
  advance([watch], 500_000, changes);
  expect(changes.map((c) => [c.to, c.detected_ms, c.stale])).toEqual([
    ["raise", 60_000, ["current"]],
    ["update", 159_000, ["current", "other"]],
  ]);
  other(500_000);
  watch.accept(sample(500_000, 1), LIMITS, changes);
  expect(changes.map((c) => c.to)).toEqual(["raise", "update", "clear"]);
});

test("what arrives at the very end of the time of silence is in time, on every channel", () => {
  const watch = pair();
  const changes: Noted[] = [];
  for (let t_ms = 0; t_ms <= 600_000; t_ms += 60_000) {
    for (const channel of [0, 1]) {
      advance([watch], t_ms, changes);
      watch.accept({ ...sample(t_ms, t_ms), channel }, LIMITS, changes);
    }
  }
  expect(changes).toEqual([]);
  advance([watch], 660_001, changes);
  expect(changes.map((c) => [c.to, c.detected_ms])).toEqual([["raise", 660_000]]);
});

test("a declared channel that a model writes is never silent by itself", () => {
  const watch = pair();
  watch.addMonitor(doubler, [0], [1]);
  const changes: Noted[] = [];
  watch.begin(0);
  for (let t_ms = 0; t_ms < 300_000; t_ms += 10_000) {
    advance([watch], t_ms, changes);
    watch.accept(sample(t_ms, t_ms), LIMITS, changes);
  }
  expect(changes).toEqual([]);
  expect([...watch.frame]).toEqual([290_000, 580_000, 0]);
  advance([watch], 400_000, changes);
  expect(changes.map((c) => [c.to, c.stale])).toEqual([["raise", ["current"]]]);
  expect(watch.frame[1]).toBeNaN();
});

function row(when: string): RuleRow {
  const fixed = { clear: null, for_ms: 0, clearFor_ms: 0, text: "", action: "", version: 1 };
  const more = { severity: "warning", class: "process", source: "test" } as const;
  return { id: "r", when, ...fixed, ...more, foldedInto: [] };
}
