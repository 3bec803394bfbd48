import { expect, test } from "vitest";
import type { Channel, Item } from "../agent/base/telemetry.js";
import type { Monitor } from "../agent/models/monitor.js";
import { advance } from "../agent/pipeline.js";
import { compileRules } from "../agent/rules/compile.js";
import type { RuleRow, Signal } from "../agent/rules/rule.js";
import { type Noted, Watch } from "../agent/watch.js";

const LIMITS = { ahead_max_ms: 1_000, behind_max_ms: 1_000_000 };

function current(id: number): Channel {
  return {
    id,
    asset: "a",
    name: "current",
    shape: "scalar",
    dim: "A",
    unitKind: "",
    point: false,
    unit: "A",
    factor: 1,
    offset: 0,
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    staleAfter_ms: null,
    codes: null,
    pattern: false,
  };
}

const sample = (t_ms: number, value: number): Item => ({
  kind: "sample",
  channel: 0,
  t_ms,
  r_ms: t_ms,
  value,
  quality: "good",
});

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
  expect(watch.next_ms()).toBe(Number.POSITIVE_INFINITY); // too few to know its rhythm
  for (let i = 15; i < 20; i++) watch.accept(sample(i * 1_000, i), LIMITS, changes);
  expect([...watch.frame]).toEqual([19, 38, 0]);
  advance([watch], 23_999, changes);
  expect([...watch.frame]).toEqual([19, 38, 0]);
  advance([watch], 24_000, changes);
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
  expect(watch.next_ms()).toBe(Number.POSITIVE_INFINITY);
  watch.accept(sample(600, 17), LIMITS, changes);
  advance([watch], 5_000, changes);
  expect(changes.map((c) => [c.to, c.onset_ms, c.detected_ms])).toEqual([["raise", 600, 1_600]]);
});
