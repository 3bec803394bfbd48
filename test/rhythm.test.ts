import fc from "fast-check";
import { expect, test } from "vitest";
import { advance } from "../agent/pipeline.js";
import { Rhythm } from "../agent/rhythm.js";
import { type Noted, Watch } from "../agent/watch.js";
import { channelOf, LIMITS, sampleOf } from "./watch-fixture.js";

const STALE = 1;

/** Which of these gaps of a channel are silences, and when one at their end is. */
function silences(gaps_ms: readonly number[]): { readonly at: number[]; readonly last_ms: number } {
  const watch = new Watch("a", 2, STALE);
  watch.addChannel(channelOf(0), 0);
  const changes: Noted[] = [];
  const at: number[] = [];
  let now_ms = 0;
  watch.accept(sampleOf(now_ms, 0), LIMITS, changes);
  gaps_ms.forEach((gap_ms, i) => {
    now_ms += gap_ms;
    advance([watch], now_ms, changes);
    if (watch.frame[STALE] === 1) at.push(i);
    watch.accept(sampleOf(now_ms, i + 1), LIMITS, changes);
  });
  let due_ms = now_ms;
  while (watch.frame[STALE] !== 1) {
    due_ms = watch.next_ms(); // may be too early: then it says when to look again
    advance([watch], due_ms + 1, changes);
  }
  return { at, last_ms: due_ms - now_ms };
}

const SECONDS = Array.from({ length: 100 }, () => 1_000);
const OUTAGE_ms = 3_600_000;

test("an outage does not delay the alarm of the next silence, nor does a second one", () => {
  expect(silences(SECONDS)).toEqual({ at: [], last_ms: 5_000 });
  const once = silences([...SECONDS, OUTAGE_ms, ...SECONDS]);
  expect(once).toEqual({ at: [100], last_ms: 5_000 });
  const twice = silences([...SECONDS, OUTAGE_ms, ...SECONDS, 20_000, ...SECONDS]);
  expect(twice).toEqual({ at: [100, 201], last_ms: 5_000 });
});

test("a channel that sends more slowly from now on is told of three times", () => {
  const minutes = Array.from({ length: 50 }, () => 60_000);
  expect(silences([...SECONDS, ...minutes])).toEqual({ at: [100, 101, 102], last_ms: 180_000 });
});

test("a channel that sends in bursts keeps the pauses between them as its rhythm", () => {
  const burst = [...SECONDS, ...SECONDS, 600_000];
  const { at, last_ms } = silences(Array.from({ length: 100 }, () => burst).flat());
  expect(at).toEqual([200, 401, 602]);
  expect(last_ms).toBe(1_800_000);
});

test("what has not come for two windows is no longer usual", () => {
  const minutes = Array.from({ length: 20 }, () => 60_000);
  const long = Array.from({ length: 8_193 }, () => 1_000);
  expect(silences([...minutes, ...long.slice(0, 4_096)]).last_ms).toBe(180_000);
  expect(silences([...minutes, ...long]).last_ms).toBe(5_000);
});

test("within a window it is the third longest gap, whatever their order", () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 15, maxLength: 300 });
  fc.assert(
    fc.property(gaps, (all) => {
      const rhythm = new Rhythm();
      for (const gap_ms of all) rhythm.take(gap_ms);
      expect(rhythm.gap_ms).toBe([...all].sort((a, b) => b - a)[2]);
    }),
  );
});
