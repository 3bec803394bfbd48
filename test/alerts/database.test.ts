import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openStore } from "../../agent/alerts/store.js";
import { begin, dir, eachWithDirectory, message, only } from "./directory.js";
import { NOW_ms } from "./sample.js";

eachWithDirectory();

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
