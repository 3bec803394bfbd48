import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCondition } from "../../agent/rules/compile.js";
import { FALSE, type Signal, TRUE, UNKNOWN } from "../../agent/rules/rule.js";
import { Window } from "../../agent/rules/window.js";

test("a window knows nothing until it is full, and again after a gap", () => {
  const window = new Window(1_000);
  window.observe(1, 0);
  window.observe(3, 500);
  window.observe(3, 999);
  expect(window.avg()).toBeNaN();
  window.observe(3, 1_000);
  expect(window.avg()).toBe(2);
  expect([window.min(), window.max(), window.rate()]).toEqual([1, 3, 2]);
  expect(window.rms()).toBeCloseTo(Math.sqrt(5), 12);
  window.observe(3, 1_500);
  expect([window.avg(), window.min(), window.rate()]).toEqual([3, 3, 0]);
  window.observe(Number.NaN, 1_600);
  window.observe(5, 1_700);
  window.observe(5, 2_699);
  expect(window.avg()).toBeNaN();
  window.observe(5, 2_700);
  expect(window.avg()).toBe(5);
});

/** The same by brute force on a 1 ms grid. */
function naive(values: readonly (readonly [number, number])[], span: number, now: number) {
  const held: number[] = [];
  for (let t = now - span; t < now; t++) {
    held.push(values.filter(([at]) => at <= t).at(-1)?.[1] ?? Number.NaN);
  }
  return held.reduce((a, b) => a + b, 0) / span;
}

test("the average is that of a value that holds until the next", () => {
  const wait = fc.integer({ min: 1, max: 40 });
  const steps = fc.array(fc.tuple(wait, fc.integer({ min: -9, max: 9 })));
  fc.assert(
    fc.property(steps, (given) => {
      const window = new Window(100);
      const values: [number, number][] = [];
      let t = 0;
      for (const [wait, value] of [[1, 0] as const, ...given]) {
        t += wait;
        values.push([t, value]);
        window.observe(value, t);
        if (t - 1 < 100) expect(window.avg()).toBeNaN();
        else expect(window.avg()).toBeCloseTo(naive(values, 100, t), 9);
      }
    }),
  );
});

test("seeing a sample twice changes nothing", () => {
  const once = new Window(100);
  const twice = new Window(100);
  for (let t = 0; t <= 300; t += 7) {
    const value = Math.sin(t);
    once.observe(value, t);
    twice.observe(value, t);
    twice.observe(value, t + 3);
  }
  once.observe(Math.sin(294), 297);
  expect(twice.avg()).toBeCloseTo(once.avg(), 12);
  expect(twice.max()).toBe(once.max());
});

test("a million fast samples stay within bounded memory and within one part in 512", () => {
  const window = new Window(10_000);
  for (let i = 0; i < 200_000; i++) window.observe(i % 2 === 0 ? i : i + 1, i / 10);
  expect(window.avg()).toBeCloseTo(150_000, -3);
  expect(Math.abs(window.avg() - 150_000)).toBeLessThan(100_000 / 512);
  expect(window.max()).toBe(200_000);
  expect(Math.abs(window.rate() - 10_000)).toBeLessThan(10_000 / 256);
});

const SIGNALS = new Map<string, Signal>([
  ["t", { name: "t", index: 0, dim: "K", kind: "", point: true }],
  ["x", { name: "x", index: 1, dim: "A", kind: "", point: false }],
]);

function last(text: string, samples: readonly (readonly number[])[]): number {
  const condition = compileCondition(text, SIGNALS);
  if ("fault" in condition) throw new Error(condition.fault);
  let verdict = UNKNOWN as number;
  samples.forEach((values, i) => {
    const frame = new Float64Array(values);
    condition.observe(frame, i * 1_000);
    verdict = condition.judge(frame);
  });
  return verdict;
}

/** x once a second, t cold. */
const series = (...x: number[]): number[][] => x.map((value) => [0, value]);

test.each([
  [
    "rate(t, 2 s) > 4.9 K/s",
    [
      [290, 0],
      [295, 0],
      [300, 0],
    ],
    TRUE,
  ],
  [
    "rate(t, 2 s) > 5 K/s",
    [
      [290, 0],
      [295, 0],
      [300, 0],
    ],
    FALSE,
  ],
  [
    "rate(t, 2 s) > 290 Cel/min",
    [
      [290, 0],
      [295, 0],
      [300, 0],
    ],
    TRUE,
  ],
  [
    "avg(t, 2 s) > 20 Cel",
    [
      [293, 0],
      [294, 0],
      [0, 0],
    ],
    TRUE,
  ],
  [
    "avg(t, 3 s) > 20 Cel",
    [
      [293, 0],
      [294, 0],
      [0, 0],
    ],
    UNKNOWN,
  ],
  [
    "max(x, 2 s) - min(x, 2 s) > 3 A",
    [
      [0, 1],
      [0, 5],
      [0, 3],
    ],
    TRUE,
  ],
  [
    "max(x, 2 s) - min(x, 2 s) > 4 A",
    [
      [0, 1],
      [0, 5],
      [0, 3],
    ],
    FALSE,
  ],
  [
    "rms(x - 1 A, 2 s) > 2.8 A",
    [
      [0, 1],
      [0, 5],
      [0, 3],
    ],
    TRUE,
  ],
  [
    "avg(max(x, 1 s), 1 s) >= 5 A",
    [
      [0, 1],
      [0, 5],
      [0, 3],
      [0, 3],
    ],
    TRUE,
  ],
  ["min(x, 2 A) < 2 A", [[0, 1]], TRUE],
  ["held(x > 2 A, 2 s)", series(1, 3, 4, 3), TRUE],
  ["held(x > 2 A, 2 s)", series(3, 1, 4, 3), FALSE],
  ["held(x > 2 A, 2 s)", series(3, 3, 3, 1), FALSE],
  ["held(x > 2 A, 2 s)", series(3, 3), UNKNOWN],
  ["held(x > 2 A, 2 s)", series(3, Number.NaN, 3), UNKNOWN],
  ["held(x > 2 A, 2 s)", series(3, 3, 3, Number.NaN), UNKNOWN],
  ["not held(x > 2 A, 2 s)", series(3, 3, 3, 1), TRUE],
  ["held(avg(x, 1 s) > 2 A && t < 80 Cel, 2 s)", series(3, 3, 3, 3), TRUE],
  ["held(avg(x, 1 s) > 2 A && t < 80 Cel, 2 s)", series(3, 3, 3), UNKNOWN],
  ["held(held(x > 2 A, 1 s), 1 s)", series(3, 3, 3), TRUE],
])("%s", (text, samples, expected) => {
  expect(last(text, samples)).toBe(expected);
});

test("what an alarm of a held condition shows is the value within it", () => {
  const condition = compileCondition("held(x > 2 A, 2 s)", SIGNALS);
  if ("fault" in condition) throw new Error(condition.fault);
  expect(condition.shown).toMatchObject({ signal: 1, unit: "A" });
  expect(condition.reads).toEqual([1]);
});
