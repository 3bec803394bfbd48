import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Message } from "../../agent/alerts/alarm.js";
import { applyChange } from "../../agent/alerts/apply.js";
import type { Queued } from "../../agent/alerts/outbox.js";
import { openStore, type Store, type StoreOptions } from "../../agent/alerts/store.js";
import { HSS, NOW_ms, PLACE } from "./sample.js";

let dir: string;
let open: Store[] = [];
const mounts: string[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sterna-store-"));
});
afterEach(() => {
  for (const store of open) store.close(NOW_ms);
  open = [];
  for (const mount of mounts.splice(0)) spawnSync("umount", [mount]);
  rmSync(dir, { recursive: true });
});

function begin(options: StoreOptions = {}, at = dir): { store: Store; moved: string | null } {
  const opened = openStore(at, options, NOW_ms);
  open.push(opened.store);
  return opened;
}

let serial = 0;
function message(more: Partial<Message> = {}): Message {
  serial += 1;
  const fixed = { topic: "t", retain: false, priority: 1, time_ms: NOW_ms };
  return { ...fixed, payload: "x".repeat(800), id: `m${serial}`, ...more };
}
const only = (...messages: Message[]) => ({ alarms: [], latches: [], messages });
const ids = (rows: readonly Queued[]) => rows.map(({ id }) => id);
const all = (store: Store) => store.peek(0, 100_000);

/** A file system of our own, which we can fill and make read-only; null without the right to. */
function smallDisk(size: string): string | null {
  const at = join(dir, "disk");
  mkdirSync(at);
  const done = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at]);
  if (done.status !== 0) return null;
  mounts.push(at);
  return at;
}

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

describe("a file that cannot be used", () => {
  const foreign = (file: string, id: number): void => {
    const db = new Database(file);
    db.exec("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    db.pragma(`application_id = ${id}`);
    db.close();
  };
  const damage = (file: string): void => {
    const { store } = openStore(dir, {}, NOW_ms);
    for (let i = 0; i < 50; i++) store.commit(only(message()), NOW_ms);
    store.close(NOW_ms);
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4_096, Math.min(bytes.length, 40_000));
    writeFileSync(file, bytes);
  };

  test.each([
    ["text", (file: string) => writeFileSync(file, "somebody's notes, no database ".repeat(99))],
    ["a foreign database", (file: string) => foreign(file, 0)],
    ["one of another application", (file: string) => foreign(file, 0x47504b47)],
    ["a damaged one", damage],
    [
      "a truncated one",
      (file: string) => {
        damage(file);
        writeFileSync(file, readFileSync(file).subarray(0, 5_000));
      },
    ],
  ])("%s is moved aside whole, and a new one begun", (_, write) => {
    const file = join(dir, "sterna.db");
    write(file);
    const before = readFileSync(file);
    const { store, moved } = begin();
    expect(moved).toMatch(/sterna\.db\.corrupt-20261123T145806123Z$/);
    expect(readFileSync(moved ?? "").equals(before)).toBe(true);
    expect(store.load()).toEqual({ alarms: [], latches: [], unreadable: [] });
    expect(store.commit(only(message()), NOW_ms)).toBeNull();
  });

  test("a second one moved in the same ms does not overwrite the first", () => {
    for (let i = 0; i < 2; i++) {
      writeFileSync(join(dir, "sterna.db"), "not a database ".repeat(99));
      begin().store.close(NOW_ms);
      rmSync(join(dir, "sterna.db"));
    }
    expect(readdirSync(dir).filter((name) => name.includes("corrupt"))).toHaveLength(2);
  });

  test("an empty file, as a crash at the first start leaves it, is simply used", () => {
    writeFileSync(join(dir, "sterna.db"), "");
    expect(begin().moved).toBeNull();
  });

  test("one of a newer sterna is refused and left as it is", () => {
    begin().store.close(NOW_ms);
    const db = new Database(join(dir, "sterna.db"));
    db.pragma("user_version = 99");
    db.close();
    expect(() => openStore(dir, {}, NOW_ms)).toThrow(/newer sterna \(schema 99/);
    expect(readdirSync(dir).some((name) => name.includes("corrupt"))).toBe(false);
  });
});

describe("a disk that refuses", () => {
  test("full: it goes on in memory, is still sent, and is written once there is space", (context) => {
    const at = smallDisk("400k");
    if (at === null) return context.skip("cannot mount a tmpfs here");
    const { store } = begin({}, at);
    const filler = join(at, "filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"], { stdio: "ignore" });
    const sent = Array.from({ length: 200 }, () => message());
    let now_ms = NOW_ms;
    for (const one of sent) {
      now_ms += 1_001;
      store.commit(only(one), now_ms);
    }
    expect(store.trouble?.code).toBe("store-full");
    expect(store.trouble?.message).toMatch(/free space/);
    expect(store.pending()).toBeGreaterThan(0);
    expect(ids(all(store))).toEqual(sent.map((m) => m.id));
    for (const { row } of store.peek(0, 10)) store.acknowledge(row);
    rmSync(filler);
    expect(store.commit(only(), now_ms + 5_000)).toBeNull();
    expect([store.trouble, store.pending()]).toEqual([null, 0]);
    store.close(now_ms);
    expect(ids(all(begin({}, at).store))).toEqual(sent.slice(10).map((m) => m.id));
  });

  test("full already at the start: the same", (context) => {
    const at = smallDisk("64k");
    if (at === null) return context.skip("cannot mount a tmpfs here");
    spawnSync("dd", ["if=/dev/zero", `of=${join(at, "filler")}`, "bs=4k"], { stdio: "ignore" });
    const { store } = begin({}, at);
    expect(store.trouble?.code).toBe("store-full");
    const one = message();
    expect(store.commit(only(one), NOW_ms)?.code).toBe("store-full");
    expect(ids(all(store))).toEqual([one.id]);
    spawnSync("mount", ["-o", "remount,size=1m", at]);
    expect(store.commit(only(), NOW_ms + 5_000)).toBeNull();
    expect(ids(all(store))).toEqual([one.id]);
  });

  test("read-only with state in it: the state is not lost, nor overwritten later", (context) => {
    const at = smallDisk("1m");
    if (at === null) return context.skip("cannot mount a tmpfs here");
    const first = message();
    const raised = applyChange(PLACE, new Map(), "raise", HSS, NOW_ms);
    if (typeof raised === "string") throw new Error(raised);
    const before = begin({}, at).store;
    before.commit({ alarms: [raised.alarm], latches: [], messages: [first] }, NOW_ms);
    before.close(NOW_ms);
    spawnSync("mount", ["-o", "remount,ro", at]);
    const { store } = begin({}, at);
    expect(store.load().alarms).toEqual([raised.alarm]);
    const second = message();
    expect(store.commit(only(second), NOW_ms)?.code).toBe("store-readonly");
    expect(ids(all(store))).toEqual([first.id, second.id]);
    spawnSync("mount", ["-o", "remount,rw", at]);
    expect(store.commit(only(), NOW_ms + 5_000)).toBeNull();
    expect(ids(all(store))).toEqual([first.id, second.id]);
  });

  test("no directory to write into: it says so and goes on", () => {
    const file = join(dir, "file");
    writeFileSync(file, "");
    const { store } = begin({}, join(file, "state"));
    expect(store.trouble?.code).toBe("store-readonly");
    expect(store.commit(only(message()), NOW_ms)?.message).toMatch(/store\.dir/);
    rmSync(file);
    expect(store.commit(only(message()), NOW_ms + 5_000)).toBeNull();
    expect(store.waiting()).toBe(2);
    expect(statSync(join(file, "state", "sterna.db")).size).toBeGreaterThan(0);
  });

  test("an outbox that cannot be read any more is said, not thrown", () => {
    const { store } = begin();
    store.commit(only(...Array.from({ length: 5_000 }, () => message())), NOW_ms);
    for (const part of ["", "-wal"]) truncateSync(join(dir, `sterna.db${part}`));
    expect(store.peek(0, 5_000)).toEqual([]);
    expect(store.trouble?.code).toMatch(/^store-(io|corrupt)$/);
  });

  test("memory is bounded: superseded states go first, then the lowest priority", () => {
    const file = join(dir, "file");
    writeFileSync(file, "");
    const { store } = begin({ waitingBytes_max: 10_000 }, join(file, "state"));
    for (let i = 0; i < 50; i++) store.commit(only(message({ topic: "s", retain: true })), NOW_ms);
    expect(store.dropped()).toEqual([0, 0, 0]);
    for (let i = 0; i < 30; i++) store.commit(only(message({ priority: i % 3 })), NOW_ms);
    expect(store.bytes()).toBeLessThanOrEqual(10_000);
    const [info, , critical] = store.dropped();
    expect([info, critical]).toEqual([10, 0]);
  });
});
