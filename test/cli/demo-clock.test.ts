import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lagsBehind, worldClock } from "../../agent/cli/demo/clock.js";
import { view } from "../status/view.js";

const TICK_ms = 50;
const SPEED = 60;
let steady_ms = 0;
let lags = false;

beforeEach(() => {
  steady_ms = 0;
  lags = false;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

function started() {
  const clock = worldClock(SPEED, () => steady_ms);
  clock.start(() => lags);
  /** The timer comes after this wall time, late or not. */
  const tick = (after_ms = TICK_ms): number => {
    const before_ms = clock.now();
    steady_ms += after_ms;
    vi.advanceTimersByTime(TICK_ms);
    return clock.now() - before_ms;
  };
  return { clock, tick };
}

test("it runs as fast as it should, and stands before its start", () => {
  const clock = worldClock(SPEED, () => steady_ms);
  steady_ms += 1_000;
  expect(clock.elapsed_ms()).toBe(0);
  const { clock: running, tick } = started();
  for (let i = 0; i < 40; i++) expect(tick()).toBeCloseTo(TICK_ms * SPEED, 3);
  expect(running.elapsed_ms()).toBeCloseTo(2_000, 3);
  running.stop();
});

test("a process that stood still for ten seconds leaps over none of them", () => {
  const { clock, tick } = started();
  tick();
  expect(tick(10_000)).toBeCloseTo(70 * SPEED, 3);
  expect(tick()).toBeCloseTo(TICK_ms * SPEED, 3);
  clock.stop();
});

test("it waits for what has not arrived, but not for ever", () => {
  const { clock, tick } = started();
  lags = true;
  for (let i = 0; i < 10; i++) tick();
  expect(tick()).toBeCloseTo(TICK_ms * SPEED * 0.01, 3);
  // What has not come after 20 s is dead, and its silence is one.
  for (let i = 0; i < 400; i++) tick();
  expect(tick()).toBeCloseTo(TICK_ms * SPEED, 3);
  lags = false;
  for (let i = 0; i < 10; i++) tick();
  expect(tick()).toBeCloseTo(TICK_ms * SPEED, 3);
  clock.stop();
});

test("one way in that is silent counts, however lively the others are", () => {
  const base = view();
  const [asset] = base.assets;
  if (asset === undefined) throw new Error("no asset");
  const [channel] = asset.channels;
  if (channel === undefined) throw new Error("no channel");
  const heard = (shape: "scalar" | "block", ago_ms: number | null) => ({
    ...channel,
    shape,
    r_ms: ago_ms === null ? null : base.now_ms - ago_ms,
  });
  const of = (kind: string, ...channels: ReturnType<typeof heard>[]) => ({
    ...base,
    started_ms: base.now_ms - 1_000_000,
    assets: [{ ...asset, kind, channels }],
  });
  const turbine = "wind-turbine";
  expect(lagsBehind(of(turbine, heard("scalar", 100), heard("scalar", 90_000)), 60)).toBe(false);
  expect(lagsBehind(of(turbine, heard("scalar", 30_001)), 60)).toBe(true);
  expect(lagsBehind(of(turbine, heard("scalar", 100), heard("block", 300_001)), 60)).toBe(true);
  expect(lagsBehind(of(turbine, heard("scalar", null)), 60)).toBe(true);
  // 80 ms of the wall, which is less than its shortest hold time.
  expect(lagsBehind(of("quadrotor", heard("scalar", 4_800)), 60)).toBe(false);
  expect(lagsBehind(of("quadrotor", heard("scalar", 4_801)), 60)).toBe(true);
  // Slow plants send more rarely than that.
  expect(lagsBehind(of("quadrotor", heard("scalar", 599)), 1)).toBe(false);
  expect(lagsBehind(of(turbine, heard("scalar", 2_999)), 1)).toBe(false);
});
