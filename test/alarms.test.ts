import { expect, test } from "vitest";
import { Alarms } from "../agent/alarms.js";
import { compileRules } from "../agent/rules/compile.js";
import type { Rule, RuleRow, Signal } from "../agent/rules/rule.js";
import type { Noted } from "../agent/watch.js";

const SIGNALS = new Map<string, Signal>([
  ["x", { name: "x", index: 0, dim: "1", kind: "", point: false }],
]);

function rules(...rows: (readonly [id: string, ...causes: string[]])[]): Map<string, Rule> {
  const full = rows.map(([id, ...foldedInto]): RuleRow => {
    const fixed = { clear: null, for_ms: 0, clearFor_ms: 0, version: 1, text: id, action: "" };
    const more = { severity: "warning", class: "machine", source: "test" } as const;
    return { id, when: "x > 1", ...fixed, ...more, foldedInto };
  });
  const compiled = compileRules(full, "a", SIGNALS);
  expect(compiled.faults).toEqual([]);
  return new Map(compiled.rules.map((rule) => [rule.id, rule]));
}

let now_ms = 1_700_000_000_000;
function change(rule: Rule | undefined, to: "raise" | "clear"): Noted {
  if (rule === undefined) throw new Error("no such rule");
  now_ms += 1_000;
  const times = { onset_ms: now_ms, detected_ms: now_ms, source_ms: now_ms };
  const found = { stale: [], finding: null, monitor: null, quality: "good" } as const;
  return { asset: "a", rule, to, value: 2, limit: 1, ...times, ...found };
}

/** bearing <- warm <- hot: each is explained by the one before it. */
function three() {
  const table = rules(["bearing"], ["warm", "bearing"], ["hot", "warm"], ["other"]);
  const ruleOf = (_: string, id: string) => table.get(id);
  const place = { root: "r", site: "s" };
  const folded = () => [...table.values()].filter((rule) => rule.foldedInto.length > 0);
  const always = () => true;
  const alarms = new Alarms({ place, ruleOf, folded, knows: always, commissioned: always });
  const apply = (id: string, to: "raise" | "clear") =>
    alarms
      .apply(change(table.get(id), to))
      .map(({ alarm, transition }) => [alarm.rule, transition, alarm.suppressedBy]);
  return { apply };
}

test("a consequence is raised folded into its cause, also through one that is silent", () => {
  const { apply } = three();
  expect(apply("bearing", "raise")).toEqual([["bearing", "raise", null]]);
  expect(apply("other", "raise")).toEqual([["other", "raise", null]]);
  expect(apply("hot", "raise")).toEqual([["hot", "raise", "bearing"]]);
});

test("a cause found later folds what is active already, and unfolds it when it ends", () => {
  const { apply } = three();
  expect(apply("hot", "raise")).toEqual([["hot", "raise", null]]);
  expect(apply("bearing", "raise")).toEqual([
    ["bearing", "raise", null],
    ["hot", "update", "bearing"],
  ]);
  expect(apply("warm", "raise")).toEqual([
    ["warm", "raise", "bearing"],
    ["hot", "update", "warm"],
  ]);
  expect(apply("bearing", "clear")).toEqual([
    ["bearing", "clear", null],
    ["warm", "update", null],
  ]);
  expect(apply("warm", "clear")).toEqual([
    ["warm", "clear", null],
    ["hot", "update", null],
  ]);
});

test("what is said already is not said again", () => {
  const { apply } = three();
  apply("bearing", "raise");
  expect(apply("bearing", "raise")).toEqual([]);
  apply("bearing", "clear");
  expect(apply("bearing", "clear")).toEqual([]);
});
