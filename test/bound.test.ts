//! A monitored asset judges at each sample only what that sample may have moved.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Monitor } from "../agent/models/monitor.js";
import { advance } from "../agent/pipeline.js";
import { compileRules } from "../agent/rules/compile.js";
import type { Condition, Rule, Signal } from "../agent/rules/rule.js";
import { type Noted, Watch } from "../agent/watch.js";
import { channelOf, LIMITS, sampleOf } from "./watch-fixture.js";

/** Steps as those of machines do: at the first sample of a second, from all that came before. */
function summing(): Monitor {
  let step_ms = Number.NEGATIVE_INFINITY;
  return {
    name: "sum",
    inputs: ["a", "b"],
    outputs: [{ name: "sum", unit: "A", point: false, about: "" }],
    model: "physics@1",
    tier: "exact",
    off: [],
    onSample(frame, _, t_ms) {
      if (t_ms - step_ms < 1_000) return;
      step_ms = t_ms;
      frame.set(0, frame.get(0) + frame.get(1));
    },
    onBlock() {},
    explain: () => null,
    spectrum: () => null,
  };
}

const SIGNALS = new Map<string, Signal>(
  ["a", "b", "sum", "staleChannels"].map((name, index) => {
    const dim = name === "staleChannels" ? "1" : "A";
    return [name, { name, index, dim, kind: "", point: false }];
  }),
);

const CONDITIONS = [
  ["a > 5 A", null],
  ["sum > 9 A", "sum < 7 A"],
  ["sum > 9 A && b > 3 A", null],
  ["avg(a, 600 ms) > 5 A", null],
  ["a > 5 A", "held(sum < 9 A, 900 ms)"],
  ["staleChannels > 0", null],
] as const;

const ROWS = CONDITIONS.flatMap(([when, clear], i) =>
  [0, 1_500].map((hold_ms) => ({
    id: `r${i}-${hold_ms}`,
    when,
    clear,
    for_ms: hold_ms,
    clearFor_ms: hold_ms,
    severity: "warning" as const,
    class: "process" as const,
    text: "",
    action: "",
    source: "test",
    foldedInto: [],
    version: 1,
  })),
);

type Step = { readonly channel: number; readonly value: number; readonly after_ms: number };

function changesOf(rules: readonly Rule[], steps: readonly Step[]): string[] {
  const watch = new Watch("a", 4, 3);
  watch.addChannel({ ...channelOf(0), staleAfter_ms: 6_000 }, 0);
  watch.addChannel({ ...channelOf(1), name: "b", staleAfter_ms: 6_000 }, 1);
  watch.addMonitor(summing(), [0, 1], [2]);
  watch.addRules(rules);
  const changes: Noted[] = [];
  let now_ms = 0;
  for (const { channel, value, after_ms } of steps) {
    now_ms += after_ms;
    advance([watch], now_ms, changes);
    watch.accept({ ...sampleOf(now_ms, value), channel }, LIMITS, changes);
  }
  advance([watch], now_ms + 20_000, changes);
  return changes.map(({ rule, to, onset_ms, source_ms, detected_ms, value }) =>
    [rule.id, to, onset_ms, source_ms, detected_ms, value].join(" "),
  );
}

const STEP = fc.record({
  channel: fc.constantFrom(0, 1),
  value: fc.integer({ min: 0, max: 10 }),
  after_ms: fc.constantFrom(0, 0, 300, 700, 1_000, 2_500, 9_000),
});

test("what it leaves out would have changed nothing: as if all rules were judged at all samples", () => {
  // A condition that says that time moves it is judged at each sample.
  const always = (condition: Condition): Condition => ({ ...condition, timed: true });
  let raised = 0;
  fc.assert(
    fc.property(fc.array(STEP, { minLength: 5, maxLength: 60 }), (steps) => {
      // Twice: windows are of one run.
      const some = compileRules(ROWS, "a", SIGNALS).rules;
      const all = compileRules(ROWS, "a", SIGNALS).rules.map((rule) => ({
        ...rule,
        on: always(rule.on),
        off: rule.off === null ? null : always(rule.off),
      }));
      const found = changesOf(some, steps);
      expect(found).toEqual(changesOf(all, steps));
      raised += found.length;
    }),
    { numRuns: 300 },
  );
  expect(raised).toBeGreaterThan(1_000);
});

test("a rule without a window is not judged at samples that move nothing it reads", () => {
  const [rule] = compileRules(ROWS.slice(2, 3), "a", SIGNALS).rules as [Rule];
  let judged = 0;
  const judge: Condition["judge"] = (frame) => {
    judged += 1;
    return rule.on.judge(frame);
  };
  const step = (channel: number, after_ms: number): Step => ({ channel, value: 1, after_ms });
  const tenth = Array.from({ length: 9 }, () => step(0, 100));
  changesOf([{ ...rule, on: { ...rule.on, judge } }], [step(0, 0), ...tenth, step(1, 100)]);
  expect(judged).toBeLessThanOrEqual(4); // two seconds, and the two silences at the end
});
