import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCondition, compileRules } from "../../agent/rules/compile.js";
import { deadline_ms, evaluate, expire, type Outcome } from "../../agent/rules/evaluate.js";
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
      ["speed", "rad/s", "", false],
      ["altitude", "m", "AMSL", true],
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
  ["oilTemp > -5 Cel", { oilTemp: 268.15 }, FALSE],
  ["oilTemp > -5 Cel", { oilTemp: 268.16 }, TRUE],
  ["80 Cel < oilTemp", { oilTemp: 353.16 }, TRUE],
  ["oilTemp - 20 K > 60 Cel", { oilTemp: 353.16 }, TRUE],
  ["353.15 K - oilTemp < 0 K", { oilTemp: 353.16 }, TRUE],
  ["current / 2 >= 50 %", { current: 1 }, "fault"],
  ["current / 2 A >= 50 %", { current: 1 }, TRUE],
  ["voltage / current > 10 V/A", { voltage: 21, current: 2 }, TRUE],
  ["current*voltage>1.5kW", { current: 8, voltage: 200 }, TRUE],
  ["voltage > 1 kg.m2/(s3.A)", { voltage: 1 }, FALSE],
  ["!(current > 16 A)", { current: 16 }, TRUE],
  ["not current > 16 A and true", { current: 16 }, TRUE],
  ["false || current == 16 A", { current: 16 }, TRUE],
  ["current != 16 A", { current: 16 }, FALSE],
  ["current != 16 A", {}, UNKNOWN],
  ["-current > 16 A", { current: -17 }, TRUE],
  ["voltage > 1 V or current > 2 A and current < 3 A", { voltage: 2 }, TRUE],
] as const)("%s with %j is %d", (text, values, expected) => {
  if (expected === "fault") expect(() => verdict(text, values)).toThrow("compare");
  else expect(verdict(text, values)).toBe(expected);
});

test("of a channel that is itself a time, only min and max with a time are no windows", () => {
  const time = { name: "cycle", index: 0, dim: "s", kind: "", point: false };
  const typed = (text: string): string => {
    const found = compileCondition(text, new Map([["cycle", time]]));
    return "fault" in found ? found.fault : "accepted";
  };
  expect(typed("avg(cycle, 1 min) > 5 s")).toBe("accepted");
  expect(typed("rms(cycle, 1 min) > 5 s")).toBe("accepted");
  expect(typed("rate(cycle, 1 min) > 1 ms/s")).toBe("accepted");
  const condition = compileCondition("max(cycle, 9 s) > 8 s", new Map([["cycle", time]]));
  if ("fault" in condition) throw new Error(condition.fault);
  expect(condition.judge(Float64Array.of(1))).toBe(TRUE); // 9 s is the greater
});

test("the first comparison is what an alarm shows", () => {
  const condition = compileCondition("current > 1 A && 80 degC < oilTemp", SIGNALS);
  const turned = compileCondition("80 degC < oilTemp", SIGNALS);
  if ("fault" in condition || "fault" in turned) throw new Error("refused");
  expect(condition.shown).toMatchObject({ signal: SIGNALS.get("current")?.index, unit: "A" });
  expect(turned.shown).toMatchObject({ signal: SIGNALS.get("oilTemp")?.index, unit: "Cel" });
  expect(turned.shown?.limit(new Float64Array())).toBeCloseTo(353.15, 9);
  expect(condition.reads.length).toBe(2);
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
  "current > 16",
  "vibration.peak > 3 g",
  "current * voltage > 5 kWh",
  "1 A < current < 3 A",
  "!current > 16 A",
  "avg(current) > 16 A",
  "avg(current, 0 s) > 16 A",
  "rate(oilTemp, 10 s) > 5 Cel",
  "rms(oilTemp, 10 s) > 5 K",
  "current-voltage > 1 A",
  "abs(current, 10 s) > 1 A",
  "current > 1e999 A",
  "current > 16 °A",
  `${"(".repeat(65)}current > 16 A${")".repeat(65)}`,
  "> 5 A",
  "-oilTemp > 3 K",
  "abs(current > 16 A) > 1",
  "abs(oilTemp) > 300 K",
  "avg(current, 10 A) > 16 A",
  "min(current, voltage) > 16 A",
  "min(oilTemp, oilTemp - ambientTemp) > 3 K",
  "rate(current / 1 s8, 10 s) > 1 A",
  "current && voltage > 1 V",
  "(oilTemp - ambientTemp) - oilTemp > 3 K",
  "altitude > altitude - altitude",
  "altitude > 80 m{AGL}",
  "current > true",
  "current / 1 m8 / 1 m > 1 A",
  "current + voltage > 3 A",
  "current - voltage > 3 A",
  "speed > 25 Hz",
  "current * voltage * 1 h > 5 kW",
  "held(current, 10 s)",
  "held(current > 16 A, 10 A)",
  "held(current > 16 A, 0 s)",
  "held(current > 16 A)",
  "held(current > 16 A, 10 s) > 1",
  "current > 16 kρ",
  "current > 16 м/s",
  `${"(".repeat(70)}current`,
  "abs(current > 1 A) > 2 A",
  "(current - voltage) > 1 A",
  "current - oilTemp > 1 A",
  "(oilTemp - ambientTemp) - oilTemp > 1 K",
  "current < (voltage > 1 V)",
  "rate(current, voltage) > 1 A/s",
  "avg(current, 1 A) > 1 A",
  "max(current, voltage) > 1 A",
  "rate(current, 10 s) > 1 A",
  "rate(current * voltage > 1 W, 10 s) > 1 W/s",
  "current > 1 A{",
  "frobnicate(current) > 1 A",
  "current @ 3 A",
])("%s is refused", (text) => {
  const condition = compileCondition(text, SIGNALS);
  if (!("fault" in condition)) throw new Error("accepted");
  const caret = `${" ".repeat(condition.at)}${"^".repeat(condition.length)}`;
  expect(condition.fault).not.toContain("\n");
  expect(`${condition.fault}\n${text}\n${caret}`).toMatchSnapshot();
});

test("a text too long is refused before it is read", () => {
  const condition = compileCondition(`current > 16 A ${" ".repeat(2_000)}`, SIGNALS);
  expect(condition).toEqual({ fault: "a rule has at most 2000 characters", at: 0, length: 1 });
});

test("no text crashes the rule parser", () => {
  const pieces = ["current", ">", "16 A", "&&", "(", ")", "!", "80 Cel", "-", "abs(", "avg("];
  const piece = fc.constantFrom(...pieces, "held(", ", 10 s)", "*", "/", "not", "true", "9 m/s^2");
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

/** Samples every 100 ms. A tick fires what is due; `lazy` leaves it all to the next sample. */
function run(values: readonly number[], ticks: readonly number[] | "lazy", row = ROW): string[] {
  const rule = compileRules([row], "a", SIGNALS).rules[0];
  if (rule === undefined) throw new Error("no rule");
  const frame = new Float64Array(SIGNALS.size).fill(Number.NaN);
  let latch: Latch = { raised: false, since_ms: null, onset_ms: null };
  const said: string[] = [];
  const take = ({ latch: next, change }: Outcome): void => {
    latch = next;
    if (change !== null) said.push(`${change.to}@${change.source_ms} onset ${change.onset_ms}`);
  };
  const fire = (to_ms: number): void => {
    for (let due = deadline_ms(rule, latch); due !== null && due <= to_ms; ) {
      take(expire(rule, latch, frame, due, due));
      due = deadline_ms(rule, latch);
    }
  };
  values.forEach((value, i) => {
    const t_ms = i * 100;
    if (ticks !== "lazy") {
      for (const tick of ticks) if (tick > t_ms - 100 && tick < t_ms) fire(tick);
      fire(t_ms);
    }
    frame[SIGNALS.get("current")?.index as number] = value;
    take(evaluate(rule, latch, frame, t_ms, t_ms));
    // A change that follows at the same instant needs no new sample and no tick.
    fire(t_ms);
  });
  return said;
}

test("hold and clear times at both sides of their limits", () => {
  const breach = (n: number) => Array.from({ length: n }, () => 17);
  // A value holds until the next: ten breaching samples of 100 ms are 1,000 ms of breach.
  expect(run([...breach(9), 16, 16], [])).toEqual([]);
  expect(run([...breach(10), 16], [])).toEqual(["raise@1000 onset 0"]);
  expect(run(breach(11), [])).toEqual(["raise@1000 onset 0"]);
  expect(run([...breach(11), 15.5, 14, 14, 14, 14, 14, 14], [])).toEqual([
    "raise@1000 onset 0",
    "clear@1700 onset 0",
  ]);
  expect(run([...breach(11), 15, 14.9, 14.9, 14.9, 14.9, 15, 14.9], [])).toHaveLength(1);
  expect(run([...breach(5), Number.NaN, ...breach(9), 16], [])).toEqual([]);
  expect(run([...breach(5), Number.NaN, ...breach(11)], [])).toEqual(["raise@1600 onset 600"]);
});

test("without hold times the first sample decides, and without `clear` its negation ends it", () => {
  const at_once = { ...ROW, for_ms: 0, clearFor_ms: 0, clear: null };
  expect(run([16, 16.1, 16.1, Number.NaN, 16], [], at_once)).toEqual([
    "raise@100 onset 100",
    "clear@400 onset 100",
  ]);
  expect(run([Number.NaN, 17], [], at_once)).toEqual(["raise@100 onset 100"]);
});

test("a hold that was over before a healthy sample still raises, and clears at once if it may", () => {
  const row = { ...ROW, for_ms: 50, clearFor_ms: 0 };
  expect(run([17, 14], "lazy", row)).toEqual(["raise@50 onset 0", "clear@100 onset 0"]);
});

test("a hold restored after a restart is dropped: an empty frame proves nothing", () => {
  const rule = compileRules([ROW], "a", SIGNALS).rules[0];
  if (rule === undefined) throw new Error("no rule");
  const blank = new Float64Array(SIGNALS.size).fill(Number.NaN);
  const latch: Latch = { raised: false, since_ms: 0, onset_ms: null };
  expect(expire(rule, latch, blank, 1_000, 9_000)).toEqual({
    latch: { raised: false, since_ms: null, onset_ms: null },
    change: null,
  });
});

test("where ticks fall never changes what is raised", () => {
  const values = fc.array(fc.constantFrom(14, 15.5, 17, Number.NaN), { maxLength: 60 });
  const hold = fc.constantFrom(0, 50, 100, 250, 1_000);
  const ticks = fc.oneof(fc.constant("lazy" as const), fc.array(fc.integer({ max: 6_000 })));
  fc.assert(
    fc.property(values, ticks, hold, hold, (v, t, for_ms, clearFor_ms) => {
      const row = { ...ROW, for_ms, clearFor_ms };
      expect(run(v, t, row)).toEqual(run(v, [], row));
    }),
    { numRuns: 500 },
  );
});
