import { expect, test } from "vitest";
import { wallClock } from "../../agent/base/clock.js";

function faked() {
  const time = { wall: 1_000_000, steady: 0 };
  const clock = wallClock({ wall: () => time.wall, steady: () => time.steady });
  const pass = (ms: number): number => {
    time.wall += ms;
    time.steady += ms;
    return clock.now();
  };
  return { time, pass };
}

test("it follows the wall, and a clock set forward at once", () => {
  const { time, pass } = faked();
  expect(pass(1_000)).toBe(1_001_000);
  time.wall += 3_600_000;
  expect(pass(10)).toBe(time.wall);
});

test("a clock set back neither takes it back nor stops it; it nears the wall slowly", () => {
  const { time, pass } = faked();
  let last = pass(1_000);
  time.wall -= 3_600_000;
  for (let s = 0; s < 60; s++) {
    const now = pass(1_000);
    expect(now - last).toBeCloseTo(900);
    last = now;
  }
  for (let minute = 0; minute < 601; minute++) last = pass(60_000);
  expect(Math.abs(last - time.wall)).toBeLessThanOrEqual(6_050);
});
