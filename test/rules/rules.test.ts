import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCondition, compileRules } from "../../agent/rules/compile.js";
import { deadline_ms, evaluate, expire } from "../../agent/rules/evaluate.js";
import {
  FALSE,
  type Latch,
  type RuleRow,
  type Signal,
  TRUE,
  UNKNOWN,
} from "../../agent/rules/rule.js";

const SIGNALS = new Map<string, Signal>(
  (
    [
      ["oilTemp", "K", "", true],
      ["ambientTemp", "K", "", true],
      ["vibration.peak", "m/s2", "peak", false],
      ["velocity", "m/s", "rms", false],
      ["current", "A", "", false],
      ["voltage", "V", "", false],
    ] as const
  ).map(([name, dim, kind, point], index) => [name, { name, index, dim, kind, point }]),
);

function verdict(text: string, values: Record<string, number>): number {
  const condition = compileCondition(text, SIGNALS);
  if ("fault" in condition) throw new Error(condition.fault);
  const frame = new Float64Array(SIGNALS.size).fill(Number.NaN);
  for (const [name, value] of Object.entries(values)) {
    frame[SIGNALS.get(name)?.index as number] = value;
  }
  return condition.judge(frame);
}

test.each([
  ["oilTemp > 80 Cel", { oilTemp: 353.15 }, FALSE],
  ["oilTemp > 80 Cel", { oilTemp: 353.16 }, TRUE],
  ["oilTemp > 350 K", { oilTemp: 353 }, TRUE],
  ["oilTemp - ambientTemp > 40 K", { oilTemp: 341, ambientTemp: 300 }, TRUE],
  ["vibration.peak > 9.8 m/s^2", { "vibration.peak": 9.8 }, FALSE],
  ["vibration.peak>=1[g]", { "vibration.peak": 9.80665 }, TRUE],
  ["velocity > 4.5 mm/s{rms}", { velocity: 0.0046 }, TRUE],
  ["current * voltage > 1.5 kW", { current: 8, voltage: 200 }, TRUE],
  ["current > 16 A && voltage < 190 V", { current: 17, voltage: 200 }, FALSE],
  ["not (current > 16 A) or voltage < -2 V", { current: 17, voltage: 200 }, FALSE],
  ["abs(current) > 16 A", { current: -17 }, TRUE],
  ["max(oilTemp, ambientTemp) > 20 Cel", { oilTemp: 290, ambientTemp: 294 }, TRUE],
  ["current > 16 A", {}, UNKNOWN],
  ["current > 16 A || voltage > 1 V", { current: 17 }, TRUE],
  ["current > 16 A && voltage > 1 V", { current: 15 }, FALSE],
  ["current > 16 A && voltage > 1 V", { current: 17 }, UNKNOWN],
] as const)("%s with %j is %d", (text, values, expected) => {
  expect(verdict(text, values)).toBe(expected);
});

test.each([
  "oilTemp > 80 bar",
  "oilTemp > 80 V",
  "oilTmp > 80 Cel",
  "oilTemp + ambientTemp > 3 K",
  "oilTemp - ambientTemp > 40 Cel",
  "velocity > 3 mm/s{peak}",
  "oilTemp * 2 > 80 Cel",
  "current",
  "current > 16 Q",
  "current > ",
  "current > 16 A &&",
  "current > 16 A) || (",
  "__proto__ > 1",
  "constructor(1) > 1",
])("%s is refused", (text) => {
  const condition = compileCondition(text, SIGNALS);
  if (!("fault" in condition)) throw new Error("accepted");
  const caret = `${" ".repeat(condition.at)}${"^".repeat(condition.length)}`;
  expect(`${condition.fault}\n${text}\n${caret}`).toMatchSnapshot();
});

test("no text crashes the rule parser", () => {
  const piece = fc.constantFrom("current", ">", "16 A", "&&", "(", ")", "!", "80 Cel", "-", "abs(");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((p) => p.join(" ")),
      ),
      (text) => {
        compileCondition(text, SIGNALS);
      },
    ),
    { numRuns: 2_000 },
  );
});

const ROW: RuleRow = {
  id: "over",
  when: "current > 16 A",
  clear: "current < 15 A",
  for_ms: 1_000,
  clearFor_ms: 500,
  severity: "warning",
  class: "process",
  text: "",
  action: "",
  source: "test",
  foldedInto: [],
  version: 1,
};

/** Feeds samples at 100 ms and fires deadlines at every extra tick; returns what changed when. */
function run(values: readonly number[], ticks: readonly number[]): string[] {
  const rule = compileRules([ROW], "a", SIGNALS).rules[0];
  if (rule === undefined) throw new Error("no rule");
  const frame = new Float64Array(SIGNALS.size).fill(Number.NaN);
  let latch: Latch = { raised: false, since_ms: null, onset_ms: null };
  const said: string[] = [];
  const fire = (to_ms: number): void => {
    const due = deadline_ms(rule, latch);
    if (due === null || due > to_ms) return;
    const outcome = expire(rule, latch, frame, due, due);
    latch = outcome.latch;
    if (outcome.change !== null) said.push(`${outcome.change.to}@${outcome.change.source_ms}`);
  };
  values.forEach((value, i) => {
    const t_ms = i * 100;
    for (const tick of ticks) if (tick > t_ms - 100 && tick < t_ms) fire(tick);
    fire(t_ms - 1e-6);
    frame[SIGNALS.get("current")?.index as number] = value;
    const outcome = evaluate(rule, latch, frame, t_ms, t_ms);
    latch = outcome.latch;
    if (outcome.change !== null) said.push(`${outcome.change.to}@${outcome.change.source_ms}`);
  });
  return said;
}

test("hold and clear times at both sides of their limits", () => {
  const breach = (n: number) => Array.from({ length: n }, () => 17);
  expect(run([...breach(10), 16], [])).toEqual([]);
  expect(run(breach(11), [])).toEqual(["raise@1000"]);
  expect(run([...breach(11), 15.5, 14, 14, 14, 14, 14, 14], [])).toEqual([
    "raise@1000",
    "clear@1700",
  ]);
  expect(run([...breach(5), Number.NaN, ...breach(10)], [])).toEqual([]);
});

test("where ticks fall never changes what is raised", () => {
  const values = fc.array(fc.constantFrom(14, 15.5, 17, Number.NaN), { maxLength: 60 });
  fc.assert(
    fc.property(values, fc.array(fc.integer({ min: 0, max: 6_000 })), (v, ticks) => {
      expect(run(v, ticks)).toEqual(run(v, []));
    }),
  );
});
