import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Alarm, Command } from "../../agent/alerts/alarm.js";
import {
  clear,
  command,
  dormant,
  expire,
  nextExpiry_ms,
  raise,
  SHELVE_ms_max,
  stateOf,
  update,
} from "../../agent/alerts/lifecycle.js";
import { alarmOf, HSS, NOW_ms } from "./sample.js";

const wish = (verb: Command["verb"], until_ms: number | null = null): Command => ({
  verb,
  asset: HSS.asset,
  rule: HSS.rule,
  id: "c1",
  who: "ann",
  why: "",
  until_ms,
});

describe("ISA-18.2", () => {
  test("raise, acknowledge, clear is normal again", () => {
    const raised = alarmOf(raise(undefined, HSS, NOW_ms));
    expect(stateOf(undefined)).toBe("normal");
    expect(stateOf(raised)).toBe("unacknowledged");
    const acked = alarmOf(command(raised, wish("ack"), NOW_ms + 1));
    expect(stateOf(acked)).toBe("acknowledged");
    const cleared = alarmOf(clear(acked, HSS, NOW_ms + 2));
    expect(stateOf(cleared)).toBe("normal");
    expect([raised.seq, acked.seq, cleared.seq]).toEqual([1, 2, 3]);
  });

  test("clear before acknowledging waits for it; a new raise goes on with seq", () => {
    const raised = alarmOf(raise(undefined, HSS, NOW_ms));
    const cleared = alarmOf(clear(raised, { ...HSS, onset_ms: 7 }, NOW_ms + 1));
    expect(stateOf(cleared)).toBe("returned-unacknowledged");
    expect(cleared.onset_ms).toBe(HSS.onset_ms);
    const again = alarmOf(raise(cleared, { ...HSS, onset_ms: NOW_ms }, NOW_ms + 2));
    expect(again).toMatchObject({ seq: 3, active: true, acked: false, onset_ms: NOW_ms });
    expect(stateOf(alarmOf(command(cleared, wish("ack"), NOW_ms + 2)))).toBe("normal");
  });

  test("a new value alone is no update, a new severity is", () => {
    const raised = alarmOf(raise(undefined, HSS, NOW_ms));
    expect(update(raised, { ...HSS, value: { v: 99, u: "m/s2" } }, NOW_ms)).toMatch(/unchanged/);
    const folded = alarmOf(update(raised, { ...HSS, marks: ["folded:oil-hot"] }, NOW_ms + 1));
    expect(folded.suppressedBy).toBe("oil-hot");
    expect(stateOf(folded)).toBe("suppressed");
    const free = alarmOf(update(folded, HSS, NOW_ms + 2));
    expect(stateOf(free)).toBe("unacknowledged");
  });

  test("shelving ends by itself at its deadline, however late the tick", () => {
    const raised = alarmOf(raise(undefined, HSS, NOW_ms));
    const until_ms = NOW_ms + 1_000;
    const shelved = alarmOf(command(raised, wish("shelve", until_ms), NOW_ms));
    expect(stateOf(shelved)).toBe("shelved");
    expect(nextExpiry_ms([raised, shelved])).toBe(until_ms);
    expect(nextExpiry_ms([raised])).toBe(Number.POSITIVE_INFINITY);
    expect(expire(shelved, until_ms - 1)).toBeNull();
    expect(expire(shelved, until_ms + 5_000)).toMatchObject({
      transition: "unshelve",
      alarm: { shelvedUntil_ms: null, time_ms: until_ms, seq: 3 },
    });
  });

  test.each([
    [null, /needs "until"/],
    [NOW_ms, /past/],
    [Number.NaN, /past/],
    [NOW_ms + SHELVE_ms_max + 1, /out-of-service/],
  ])("shelving until %s is refused", (until_ms, reason) => {
    const raised = alarmOf(raise(undefined, HSS, NOW_ms));
    expect(command(raised, wish("shelve", until_ms), NOW_ms)).toMatch(reason);
    expect(typeof command(raised, wish("shelve", NOW_ms + SHELVE_ms_max), NOW_ms)).toBe("object");
  });

  test("a rule that never fired can be taken out of service beforehand", () => {
    expect(command(undefined, wish("out-of-service"), NOW_ms)).toMatch(/never raised/);
    const out = alarmOf(command(dormant(HSS), wish("out-of-service"), NOW_ms));
    expect(stateOf(out)).toBe("out-of-service");
    const raised = alarmOf(raise(out, HSS, NOW_ms + 1));
    expect(raised).toMatchObject({ active: true, outOfService: true, seq: 2 });
  });
});

// The model: the flags alone, with the rules of the standard written down a second time.
type Model = {
  active: boolean;
  acked: boolean;
  shelvedUntil_ms: number | null;
  out: boolean;
  seq: number;
};
type Act = "raise" | "clear" | "update" | "expire" | Command["verb"];

/** Whether the act is allowed; changes the model when it is. */
function allowed(model: Model, act: Act, until_ms: number, now_ms: number): boolean {
  const shelved = model.shelvedUntil_ms !== null;
  const born = model.seq > 0;
  const may: Record<Act, boolean> = {
    raise: !model.active,
    clear: model.active,
    update: model.active,
    expire: shelved && now_ms >= (model.shelvedUntil_ms ?? 0),
    ack: born && !model.acked,
    shelve: born && until_ms > now_ms && until_ms - now_ms <= SHELVE_ms_max,
    unshelve: born && shelved,
    "out-of-service": born && !model.out,
    "in-service": born && model.out,
  };
  if (!may[act]) return false;
  model.seq += 1;
  if (act === "raise") Object.assign(model, { active: true, acked: false });
  if (act === "clear") model.active = false;
  if (act === "ack") model.acked = true;
  if (act === "shelve") model.shelvedUntil_ms = until_ms;
  if (act === "unshelve" || act === "expire") model.shelvedUntil_ms = null;
  if (act === "out-of-service") model.out = true;
  if (act === "in-service") model.out = false;
  return true;
}

const ACTS: readonly Act[] = [
  "raise",
  "clear",
  "update",
  "expire",
  "ack",
  "shelve",
  "unshelve",
  "out-of-service",
  "in-service",
];

function perform(alarm: Alarm | undefined, act: Act, until_ms: number, now_ms: number, i: number) {
  if (act === "raise") return raise(alarm, HSS, now_ms);
  if (act === "clear") return clear(alarm, HSS, now_ms);
  if (act === "update") return update(alarm, { ...HSS, text: `text ${i}` }, now_ms);
  if (act === "expire") return (alarm && expire(alarm, now_ms)) ?? "nothing to expire";
  return command(alarm, wish(act, until_ms), now_ms);
}

test("every sequence of acts agrees with the model, counts seq by one and never repeats an id", () => {
  const step = fc.record({
    act: fc.constantFrom(...ACTS),
    wait_ms: fc.constantFrom(0, 1, 500, 1_000, 90_000),
    shelve_ms: fc.constantFrom(-1, 0, 1, 1_000, SHELVE_ms_max, SHELVE_ms_max + 1),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model: Model = {
        active: false,
        acked: true,
        shelvedUntil_ms: null,
        out: false,
        seq: 0,
      };
      const ids = new Set<string>();
      let alarm: Alarm | undefined;
      let now_ms = NOW_ms;
      for (const [i, { act, wait_ms, shelve_ms }] of steps.entries()) {
        now_ms += wait_ms;
        const until_ms = now_ms + shelve_ms;
        const outcome = perform(alarm, act, until_ms, now_ms, i);
        expect(typeof outcome === "object").toBe(allowed(model, act, until_ms, now_ms));
        if (typeof outcome === "string") continue;
        alarm = outcome.alarm;
        expect(outcome.transition).toBe(act === "expire" ? "unshelve" : act);
        expect(alarm.seq).toBe(model.seq);
        expect(alarm.active).toBe(model.active);
        expect(alarm.acked).toBe(model.acked);
        expect(alarm.shelvedUntil_ms).toBe(model.shelvedUntil_ms);
        expect(alarm.outOfService).toBe(model.out);
        expect(ids.has(alarm.id)).toBe(false);
        ids.add(alarm.id);
      }
    }),
    { numRuns: 500 },
  );
});
