//! A store in a directory of its own, for the tests of this folder.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Message } from "../../agent/alerts/alarm.js";
import type { Queued } from "../../agent/alerts/outbox.js";
import { openStore, type Store, type StoreOptions } from "../../agent/alerts/store.js";
import { NOW_ms } from "./sample.js";

export let dir: string;
let open: Store[] = [];

/** Call at the top of a file of tests. `done` runs before the directory goes. */
export function eachWithDirectory(done: () => void = () => {}): void {
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sterna-store-"));
  });
  afterEach(() => {
    for (const store of open) store.close(NOW_ms);
    open = [];
    done();
    rmSync(dir, { recursive: true });
  });
}

export function begin(
  options: StoreOptions = {},
  at = dir,
): { store: Store; moved: string | null } {
  const opened = openStore(at, options, NOW_ms);
  open.push(opened.store);
  return opened;
}

let serial = 0;
export function message(more: Partial<Message> = {}): Message {
  serial += 1;
  const fixed = { topic: "t", retain: false, priority: 1, time_ms: NOW_ms };
  return { ...fixed, payload: "x".repeat(800), id: `m${serial}`, ...more };
}
export const only = (...messages: Message[]) => ({ alarms: [], latches: [], messages });
export const ids = (rows: readonly Queued[]) => rows.map(({ id }) => id);
export const all = (store: Store) => store.peek(0, 100_000);
