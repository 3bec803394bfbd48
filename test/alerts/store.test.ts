import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Occurrence } from "../../agent/alerts/alarm.js";
import { move } from "../../agent/alerts/lifecycle.js";
import { messagesOf, transitionDocument } from "../../agent/alerts/message.js";
import { openStore, type Store } from "../../agent/alerts/store.js";

const PLACE = { root: "sterna/v1", site: "north" };
const LIMITS = { outboxBytes_max: 20_000, outboxAge_max_ms: 1e9 };
const NOW_ms = Date.UTC(2026, 10, 23, 14, 58, 6, 123);

const HOT: Occurrence = {
  asset: "wt07",
  rule: "oil-hot",
  ruleVersion: 1,
  class: "process",
  severity: "warning",
  text: "Gear oil hot",
  action: "Check the cooler",
  quality: "good",
  tier: "exact",
  marks: [],
  value: { v: 81.234567, u: "Cel" },
  limit: { v: 80, u: "Cel", source: "config" },
  expected: null,
  model: null,
  evidence: [],
  onset_ms: NOW_ms - 60_000,
  detected_ms: NOW_ms,
  source_ms: NOW_ms - 5,
};

let dir: string;
let store: Store | null = null;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sterna-"));
});
afterEach(() => {
  store?.close();
  store = null;
  rmSync(dir, { recursive: true });
});

const open = () => {
  const opened = openStore(dir, LIMITS, NOW_ms);
  store = opened.store;
  return opened;
};

test("the transition document", () => {
  const moved = move(undefined, "raise", HOT);
  if (moved === null) throw new Error("not raised");
  const document = transitionDocument(moved.alarm, moved.transition, PLACE);
  expect(JSON.stringify(JSON.parse(document), null, 2)).toMatchSnapshot();
  expect(move(moved.alarm, "raise", HOT)).toBeNull();
  expect(move(undefined, "clear", HOT)).toBeNull();
  const cleared = move(moved.alarm, "clear", HOT);
  expect(cleared?.alarm).toMatchObject({ active: false, seq: 2, onset_ms: HOT.onset_ms });
  expect(cleared?.alarm.id).not.toBe(moved.alarm.id);
});

test("what was committed is there after opening again, and goes once acknowledged", () => {
  const { alarm, transition } = move(undefined, "raise", HOT) as NonNullable<
    ReturnType<typeof move>
  >;
  const messages = messagesOf(alarm, transition, PLACE);
  open().store.commit({ alarms: [alarm], latches: [], messages }, NOW_ms);
  store?.close();
  const again = open().store;
  expect(again.load().alarms).toEqual([alarm]);
  const waiting = again.peek(0, 10);
  expect(waiting.map((m) => m.topic)).toEqual([
    "sterna/v1/north/wt07/alarm/oil-hot/event",
    "sterna/v1/north/wt07/alarm/oil-hot/state",
  ]);
  again.commit({ alarms: [], latches: [], messages }, NOW_ms);
  expect(again.waiting()).toBe(2); // the same ids: the same messages
  for (const { row } of waiting) again.acknowledge(row);
  expect(again.waiting()).toBe(0);
});

test("a full outbox gives up the lowest priority first and counts it", () => {
  const outbox = open().store;
  const message = (i: number, priority: number) => ({
    id: `m${i}`,
    topic: "t",
    payload: "x".repeat(999),
    retain: false,
    priority,
    time_ms: NOW_ms,
  });
  for (let i = 0; i < 30; i++) {
    outbox.commit({ alarms: [], latches: [], messages: [message(i, i % 3)] }, NOW_ms);
  }
  expect(outbox.waiting()).toBe(20);
  expect(outbox.dropped).toBe(10);
  expect(outbox.peek(0, 99).filter((m) => m.priority === 0)).toEqual([]);
});

test.each([
  [
    "text",
    (file: string) => writeFileSync(file, "not a database, but somebody's notes ".repeat(99)),
  ],
  [
    "a foreign database",
    (file: string) => {
      const db = new Database(file);
      db.exec("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
      db.close();
    },
  ],
])("%s in the place of the state is moved aside, not lost", (_, write) => {
  write(join(dir, "sterna.db"));
  const { moved } = open();
  expect(moved).not.toBeNull();
  expect(readdirSync(dir).filter((name) => name.includes("damaged"))).not.toEqual([]);
  expect(store?.load().alarms).toEqual([]);
});

test("a newer schema and an unusable directory are refused plainly", () => {
  open().store.close();
  store = null;
  const db = new Database(join(dir, "sterna.db"));
  db.pragma("user_version = 99");
  db.close();
  expect(() => openStore(dir, LIMITS, NOW_ms)).toThrow(/newer sterna/);
  writeFileSync(join(dir, "file"), "");
  expect(() => openStore(join(dir, "file"), LIMITS, NOW_ms)).toThrow(/cannot open the state/);
});
