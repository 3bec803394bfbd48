//! A hold time over a restart: what is stored of it, and when it goes on.
import { expect, test } from "vitest";
import { Latches } from "../agent/latches.js";
import { advance } from "../agent/pipeline.js";
import { compileRules } from "../agent/rules/compile.js";
import type { RuleRow, Signal } from "../agent/rules/rule.js";
import { type Noted, Watch } from "../agent/watch.js";
import { channelOf, LIMITS, sampleOf } from "./watch-fixture.js";

const SIGNALS = new Map<string, Signal>([
  ["current", { name: "current", index: 0, dim: "A", kind: "", point: false }],
]);
const ROW: RuleRow = {
  id: "over",
  when: "current > 16 A",
  clear: null,
  for_ms: 60_000,
  clearFor_ms: 0,
  severity: "warning",
  class: "process",
  text: "over",
  action: "",
  source: "test",
  foldedInto: [],
  version: 1,
};

function watching(row: Partial<RuleRow> = {}): Watch {
  const watch = new Watch("a", 2, 1);
  watch.addChannel({ ...channelOf(0), staleAfter_ms: 30_000 }, 0);
  watch.addRules(compileRules([{ ...ROW, ...row }], "a", SIGNALS).rules);
  watch.begin(0);
  return watch;
}

/** The first life: `values` one a second from 0 on; then the texts of its latches. */
function stored(values: readonly number[]): readonly string[] {
  const watch = watching();
  values.forEach((value, s) => {
    watch.accept(sampleOf(s * 1_000, value), LIMITS, []);
  });
  return watch.unsaved(true).map(({ latch }) => latch);
}

/** The second life: what it says of samples at these seconds. */
function next(text: string, samples: readonly (readonly [s: number, value: number])[], row = {}) {
  const watch = watching(row);
  const rule = watch.rule("over");
  if (rule === undefined) throw new Error("no rule");
  watch.latches.resume(rule, text);
  const changes: Noted[] = [];
  for (const [s, value] of samples) {
    advance([watch], s * 1_000, changes);
    watch.accept(sampleOf(s * 1_000, value), LIMITS, changes);
  }
  advance([watch], 1_000_000, changes);
  return changes.map(({ to, onset_ms, source_ms }) => [to, onset_ms / 1_000, source_ms / 1_000]);
}

const fifty = Array<number>(51).fill(20);

test("50 of 60 s are behind it: the data say so, and it raises at its deadline", () => {
  const [text = ""] = stored(fifty);
  expect(JSON.parse(text)).toMatchObject({ since_ms: 0, until_ms: 80_000, raised: false });
  expect(next(text, [[55, 20]])).toEqual([["raise", 0, 60]]);
  // The deadline passed while nobody was there: the first sample after it decides.
  expect(next(text, [[70, 20]])).toEqual([["raise", 0, 60]]);
});

test.each([
  ["the breach had ended", [[55, 10]], {}, []],
  [
    "it had ended, and begins anew",
    [
      [55, 10],
      [56, 20],
      [70, 20],
    ],
    {},
    [["raise", 56, 116]],
  ],
  ["a silence lay between", [[81, 20]], {}, [["raise", 81, 141]]],
  ["nothing came", [], {}, []],
  [
    "the condition is another one now",
    [[55, 20]],
    { when: "current > 15 A" },
    [["raise", 55, 115]],
  ],
] as const)("it begins anew: %s", (_, samples, row, said) => {
  const [text = ""] = stored(fifty);
  // A hold that runs on past the last sample ends with it: the channel is stale 30 s later.
  const live = said.filter(([, , source]) => source <= (samples.at(-1)?.[0] ?? 0) + 30);
  expect(next(text, samples, row)).toEqual(live);
});

test("a hold that ended is not on the disk any more, and costs no write while it was not", () => {
  const watch = watching();
  const say = (s: number, value: number) => watch.accept(sampleOf(s * 1_000, value), LIMITS, []);
  say(0, 20);
  expect(watch.unsaved(false)).toEqual([]);
  say(1, 10);
  expect(watch.unsaved(true)).toEqual([]);
  say(2, 20);
  expect(watch.unsaved(true)).toHaveLength(1);
  say(3, 10);
  const [ended] = watch.unsaved(false);
  expect(JSON.parse(ended?.latch ?? "")).toMatchObject({ since_ms: null });
  say(4, 20);
  expect(watch.unsaved(false)).toEqual([]);
});

test("what is no latch, or one of an older version, holds nothing", () => {
  const watch = watching();
  const rule = watch.rule("over");
  if (rule === undefined) throw new Error("no rule");
  for (const text of ["", "{", "null", "[]", '{"raised":1}', '{"raised":false,"since_ms":5}']) {
    const latches = new Latches();
    latches.resume(rule, text);
    expect(latches.of(rule)).toMatchObject({ raised: false, since_ms: null });
  }
  const latches = new Latches();
  latches.resume(rule, '{"raised":true,"since_ms":null,"onset_ms":7}');
  expect(latches.of(rule)).toEqual({ raised: true, since_ms: null, onset_ms: 7 });
});
