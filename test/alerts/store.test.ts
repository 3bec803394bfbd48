import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { applyChange } from "../../agent/alerts/apply.js";
import { openStore } from "../../agent/alerts/store.js";
import { all, begin, dir, eachWithDirectory, ids, message, only } from "./directory.js";
import { HSS, NOW_ms, PLACE } from "./sample.js";

eachWithDirectory();

describe("on a sound disk", () => {
  test("what was committed is there after opening again, alarm, latch and messages alike", () => {
    const raised = applyChange(PLACE, new Map(), "raise", HSS, NOW_ms);
    if (typeof raised === "string") throw new Error(raised);
    const { store } = begin();
    const latch = { asset: "wt07", rule: "gearbox-hss", latch: '{"raised":true}' };
    const { alarm, messages } = raised;
    expect(store.commit({ alarms: [alarm], latches: [latch], messages }, NOW_ms)).toBeNull();
    expect(store.pending()).toBe(0);
    store.close(NOW_ms);
    const again = begin().store;
    expect(again.load()).toEqual({ alarms: [alarm], latches: [latch], unreadable: [] });
    expect(again.peek(0, 10).map(({ row, ...rest }) => rest)).toEqual(messages);
  });

  test("it is WAL, synchronous FULL and locked against a second agent", () => {
    const { store } = begin();
    store.commit(only(message()), NOW_ms);
    expect(existsSync(join(dir, "sterna.db-wal"))).toBe(true);
    expect(() => openStore(dir, {}, NOW_ms)).toThrow(/another sterna/);
    store.close(NOW_ms);
    const db = new Database(join(dir, "sterna.db"), { readonly: true });
    expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
    db.close();
  });

  test("an acknowledged message is not seen again, and its row goes with a later commit", () => {
    const { store } = begin();
    store.commit(only(message(), message(), message()), NOW_ms);
    const [first, second, third] = store.peek(0, 3);
    store.acknowledge(second?.row ?? 0);
    expect(ids(all(store))).toEqual([first?.id, third?.id]);
    expect(ids(store.peek(first?.row ?? 0, 1))).toEqual([third?.id]);
    expect(store.waiting()).toBe(2);
    store.commit(only(), NOW_ms + 5_000);
    store.close(NOW_ms);
    expect(ids(all(begin().store))).toEqual([first?.id, third?.id]);
  });

  test("what was just written is not read back, and is the same as what is on the disk", () => {
    const { store } = begin();
    store.commit(only(message(), message({ retain: true, topic: "s" })), NOW_ms);
    const before = all(store).at(-1)?.row ?? 0;
    const newer = message({ retain: true, topic: "s" });
    store.commit(only(message(), newer, message()), NOW_ms + 1);
    const [first] = store.peek(before, 1);
    store.acknowledge(first?.row ?? 0);
    store.commit(only(message({ retain: true, topic: "s" })), NOW_ms + 2);
    const held = store.peek(before, 100);
    expect(ids(held)).not.toContain(newer.id);
    expect(held.length).toBe(2);
    expect(ids(all(store)).slice(-2)).toEqual(ids(held));
    store.close(NOW_ms);
    expect(ids(all(begin().store)).slice(-2)).toEqual(ids(held));
  });

  test("a burst beyond what memory holds is read from the disk: all of it, in order", () => {
    const { store } = begin();
    const burst = Array.from({ length: 600 }, () => message());
    store.commit(only(...burst), NOW_ms);
    const found: string[] = [];
    for (let after = 0; ; ) {
      const rows = store.peek(after, 64);
      found.push(...ids(rows));
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.row;
    }
    expect(found).toEqual(burst.map(({ id }) => id));
  });

  test("the log is moved into the file in quiet ticks, so that it stays short", () => {
    const { store } = begin();
    for (let i = 0; i < 400; i++) {
      store.commit(only(message(), message(), message(), message()), NOW_ms + i);
      store.commit(only(), NOW_ms + i);
    }
    // 400 commits of some 30 kB each; never moved they would make 12 MB.
    expect(statSync(join(dir, "sterna.db-wal")).size).toBeLessThan(5_000_000);
    expect(statSync(join(dir, "sterna.db")).size).toBeGreaterThan(1_000_000);
  });

  test("equal ids are one message", () => {
    const { store } = begin();
    const twice = message();
    store.commit(only(twice), NOW_ms);
    store.commit(only(twice), NOW_ms);
    expect(store.waiting()).toBe(1);
  });

  test("of the states of a topic only the newest waits; events all do", () => {
    const { store } = begin();
    const states = [1, 2, 3].map(() => message({ topic: "s", retain: true }));
    const events = [1, 2, 3].map(() => message({ topic: "e" }));
    store.commit(only(...states.slice(0, 2), ...events), NOW_ms);
    store.commit(only(...states.slice(2)), NOW_ms);
    expect(ids(all(store))).toEqual([...events, states[2]].map((m) => m?.id));
    expect(store.waiting()).toBe(4);
  });

  test("a full outbox gives up the lowest priority first, then the oldest, and counts", () => {
    const { store } = begin({ outboxBytes_max: 20_000 });
    const sent = Array.from({ length: 60 }, (_, i) => message({ priority: i % 3 }));
    for (const one of sent) store.commit(only(one), NOW_ms);
    const left = all(store);
    expect(store.bytes()).toBeLessThanOrEqual(20_000);
    expect(left).toHaveLength(store.waiting());
    const [info, warning, critical] = store.dropped();
    expect([info, critical]).toEqual([20, 0]);
    expect(info + warning + critical + left.length).toBe(60);
    const kept = sent.filter((m) => m.priority === 2 || (m.priority === 1 && warning === 0));
    if (warning === 0) expect(ids(left)).toEqual(kept.map((m) => m.id));
    else expect(ids(left).slice(-1)).toEqual([sent[59]?.id]);
  });

  test("events age out and are counted; a state stays, or the broker would go on lying", () => {
    const { store } = begin({ outboxAge_max_ms: 1_000 });
    const state = message({ retain: true, topic: "s" });
    store.commit(only(message(), state), NOW_ms);
    store.commit(only(message({ priority: 2 })), NOW_ms + 1_000);
    expect(store.waiting()).toBe(3);
    // Looked for once a second.
    store.commit(only(message()), NOW_ms + 1_999);
    expect(store.dropped()).toEqual([0, 0, 0]);
    store.commit(only(message()), NOW_ms + 2_000);
    expect(store.dropped()).toEqual([0, 1, 0]);
    expect(ids(all(store))).toContain(state.id);
  });

  test("a row that the disk has bent is named, the others are used", () => {
    begin().store.close(NOW_ms);
    const db = new Database(join(dir, "sterna.db"));
    db.exec("INSERT INTO alarms VALUES ('wt07', 'bent', '{\"seq\":')");
    db.close();
    expect(begin().store.load().unreadable).toEqual(["wt07/bent"]);
  });
});
