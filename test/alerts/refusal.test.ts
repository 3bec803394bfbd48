import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { applyChange } from "../../agent/alerts/apply.js";
import { all, begin, dir, eachWithDirectory, ids, message, only } from "./directory.js";
import { HSS, NOW_ms, PLACE } from "./sample.js";

const mounts: string[] = [];
eachWithDirectory(() => {
  for (const mount of mounts.splice(0)) spawnSync("umount", [mount]);
});

/** A file system of our own, which we can fill and make read-only; null without the right to. */
function smallDisk(size: string): string | null {
  const at = join(dir, "disk");
  mkdirSync(at);
  const done = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at]);
  if (done.status !== 0) return null;
  mounts.push(at);
  return at;
}

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
