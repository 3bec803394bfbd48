import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TIME_ms_max, transitionId } from "../../agent/alerts/id.js";
import { clear, raise } from "../../agent/alerts/lifecycle.js";
import { messagesOf, stateDocument, transitionDocument } from "../../agent/alerts/message.js";
import { parseState, readTime } from "../../agent/alerts/read.js";
import {
  commandFilter,
  isLevel,
  levelFault,
  parseTopic,
  rootFault,
  stateTopic,
} from "../../agent/alerts/topics.js";
import { alarmOf, HSS, NOW_ms, PLACE } from "./sample.js";

const GOLDEN = join(import.meta.dirname, "../golden/alarm.json");
const raised = alarmOf(raise(undefined, HSS, NOW_ms));

test("both documents are these bytes", () => {
  const text = `[\n${stateDocument(raised, PLACE)},\n${transitionDocument(raised, "raise", PLACE)}\n]\n`;
  expect(text).toBe(readFileSync(GOLDEN, "utf8"));
});

test("the event comes before the state, and only the state is retained", () => {
  const [event, state] = messagesOf(raised, "raise", PLACE);
  expect(event).toMatchObject({
    topic: "sterna/v1/site-a/wt07/alarm/gearbox-hss/event",
    retain: false,
    priority: 2,
  });
  expect(state).toMatchObject({
    topic: "sterna/v1/site-a/wt07/alarm/gearbox-hss/state",
    retain: true,
  });
  expect(event?.id).not.toBe(state?.id);
});

test("a value that is no number is null, never 0", () => {
  const odd = alarmOf(raise(undefined, { ...HSS, value: { v: Number.NaN, u: "Cel" } }, NOW_ms));
  expect(JSON.parse(stateDocument(odd, PLACE)).data.value).toEqual({ v: null, u: "Cel" });
});

describe("the id", () => {
  test("has the shape of a ULID, sorts by time and depends on each part", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: TIME_ms_max - 1 }),
        fc.nat(),
        fc.nat(),
        (time_ms, onset_ms, seq) => {
          const id = transitionId(time_ms, "a", "r", onset_ms, seq);
          expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
          expect(transitionId(time_ms, "a", "r", onset_ms, seq)).toBe(id);
          expect(transitionId(time_ms + 1, "a", "r", onset_ms, seq) > id).toBe(true);
          expect(transitionId(time_ms, "b", "r", onset_ms, seq)).not.toBe(id);
          expect(transitionId(time_ms, "a", "s", onset_ms, seq)).not.toBe(id);
          expect(transitionId(time_ms, "a", "r", onset_ms + 1, seq)).not.toBe(id);
          expect(transitionId(time_ms, "a", "r", onset_ms, seq + 1)).not.toBe(id);
        },
      ),
    );
  });

  test.each([Number.NaN, -1, 1e300, Number.POSITIVE_INFINITY])(
    "a wild time %s does not throw",
    (t) => {
      const wild = { ...HSS, onset_ms: t, detected_ms: t, source_ms: t };
      const alarm = alarmOf(raise(undefined, wild, t));
      expect(() => JSON.parse(stateDocument(alarm, PLACE))).not.toThrow();
    },
  );
});

describe("reading back", () => {
  test("a state document gives the alarm, its measured values aside", () => {
    const bare = { value: null, limit: null, expected: null };
    expect(parseState("wt07", "gearbox-hss", stateDocument(raised, PLACE))).toEqual({
      ...raised,
      ...bare,
    });
    const cleared = alarmOf(clear(raised, HSS, NOW_ms + 1));
    expect(parseState("wt07", "gearbox-hss", stateDocument(cleared, PLACE))?.active).toBe(false);
  });

  test.each([
    "",
    "null",
    "[]",
    "{",
    '{"type":"sterna.alarm.v2"}',
    transitionDocument(raised, "raise", PLACE),
    stateDocument(raised, PLACE).replace('"seq":1', '"seq":-1'),
    stateDocument(raised, PLACE).replace('"seq":1', '"seq":9007199254740991'),
    stateDocument(raised, PLACE).replace('"active":true', '"active":"true"'),
    `${" ".repeat(70_000)}${stateDocument(raised, PLACE)}`,
  ])("what is no state is null (%#)", (payload) => {
    expect(parseState("wt07", "gearbox-hss", payload)).toBeNull();
  });

  test("any text and any JSON is read without throwing", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseState("a", "r", text)));
    fc.assert(fc.property(fc.json(), (text) => void parseState("a", "r", text)));
  });

  test("a time needs its zone", () => {
    expect(readTime("2026-11-23T14:58:06.123Z")).toBe(NOW_ms);
    expect(readTime("2026-11-23T15:58:06.123+01:00")).toBe(NOW_ms);
    for (const bad of ["2026-11-23T14:58:06", "2026", "x", "2026-99-99T00:00:00Z", 5, null]) {
      expect(readTime(bad)).toBeNull();
    }
  });
});

describe("topics", () => {
  test.each(["wt07", "A_b-9", "x".repeat(64)])("%s is a level", (level) => {
    expect(isLevel(level)).toBe(true);
    expect(levelFault("asset", level)).toBeNull();
  });

  test.each(["", "a b", "a.b", "a/b", "+", "#", "é", "x".repeat(65), "a\n"])(
    "%j is none",
    (level) => {
      expect(isLevel(level)).toBe(false);
      expect(levelFault("asset", level)).toMatch(/no topic level/);
    },
  );

  test("a fault says what to write instead", () => {
    expect(levelFault("asset", "wt 07.a")).toMatch(/write "wt-07-a"/);
    expect(rootFault("sterna/v1")).toBeNull();
    expect(rootFault("sterna//v1")).toMatch(/root/);
    expect(rootFault("")).toMatch(/root/);
  });

  test("what is built is read back; what is foreign is not", () => {
    const state = stateTopic(PLACE, "wt07", "oil-hot");
    expect(parseTopic(PLACE, state)).toEqual({ asset: "wt07", rule: "oil-hot", leaf: "state" });
    const prefix = commandFilter(PLACE, "wt07").replace("/+/cmd/+", "/oil-hot/cmd");
    expect(parseTopic(PLACE, `${prefix}/ack`)).toMatchObject({ leaf: "command", verb: "ack" });
    expect(parseTopic(PLACE, `${prefix}/akc`)).toMatchObject({ leaf: "command", verb: null });
    for (const foreign of [
      `${prefix}/answer`,
      `${prefix}/ack/x`,
      "x",
      `y/${state}`,
      `${state}/x`,
    ]) {
      expect(parseTopic(PLACE, foreign)).toBeNull();
    }
  });
});
