//! The durable state: alarms, latches and the outbox. What `commit` returned null for is on disk.
//! While the disk refuses, everything waits in memory, is still sent, and is written when it can.
import type { OperatingError } from "../base/errors.js";
import type { Alarm, Message } from "./alarm.js";
import { type Connection, openDatabase, readCopy, storeError } from "./database.js";
import { type Counts, Outbox, type Queued, selectQueued } from "./outbox.js";

/** After a refusal: writing megabytes again each tick would only keep a full disk busy. */
const RETRY_ms = 1_000;
/**
 * Delivered rows are deleted in a tick that has nothing to write, once there are so many or after
 * this long; with an alarm only where such a tick does not come. A crash before repeats them.
 */
const SWEEP_ms = 1_000;
const SWEEP_ROWS = 64;
const SWEEP_ROWS_MAX = 256;
/** Commits after which the next tick with nothing to write moves the log into the file. */
const CHECKPOINT_COMMITS = 100;
const WAITING_BYTES_MAX = 16 * 1_048_576;
const OUTBOX_BYTES_MAX = 200 * 1_000_000;
const OUTBOX_AGE_MAX_ms = 7 * 24 * 3_600_000;

export type StoreOptions = {
  readonly outboxBytes_max?: number;
  readonly outboxAge_max_ms?: number;
  /** Bound of what waits in memory while the disk refuses. */
  readonly waitingBytes_max?: number;
  readonly gateway?: string;
};
/** `latch` is text: what a latch means is the business of the rules. */
export type LatchRow = { readonly asset: string; readonly rule: string; readonly latch: string };
export type Batch = {
  readonly alarms: readonly Alarm[];
  readonly latches: readonly LatchRow[];
  readonly messages: readonly Message[];
};
export type Loaded = {
  readonly alarms: Alarm[];
  readonly latches: LatchRow[];
  /** `asset/rule` of alarms whose row cannot be read. */
  readonly unreadable: string[];
};

/**
 * Opens the state of a directory. Where that fails for now (full, read-only) the store begins in
 * memory, `trouble` says why, and every commit tries again. Throws OperatingError for what no
 * waiting mends: a newer schema, a second agent on the same directory.
 */
export function openStore(
  dir: string,
  options: StoreOptions,
  now_ms: number,
): { readonly store: Store; readonly moved: string | null } {
  const store = new Store(dir, options, now_ms);
  return { store, moved: store.moved };
}

export class Store {
  readonly #dir: string;
  readonly #options: StoreOptions;
  readonly #outbox: Outbox;
  // What waits for the disk. Replaced and not cleared: see outbox.ts.
  #alarms = new Map<string, Alarm>();
  #latches = new Map<string, LatchRow>();
  #db: Connection | null = null;
  #loaded: Loaded = { alarms: [], latches: [], unreadable: [] };
  #write: ((now_ms: number, sweep: boolean) => void) | null = null;
  #retry_ms = Number.NEGATIVE_INFINITY;
  #swept_ms = Number.NEGATIVE_INFINITY;
  /** Commits that stand in the log alone. */
  #unmoved = 0;
  /** Why the disk refuses at the moment; null when it does not. */
  trouble: OperatingError | null = null;
  /** Where the last unusable file was moved to. */
  moved: string | null = null;

  constructor(dir: string, options: StoreOptions, now_ms: number) {
    this.#dir = dir;
    this.#options = options;
    this.#outbox = new Outbox({
      bytes_max: options.outboxBytes_max ?? OUTBOX_BYTES_MAX,
      age_max_ms: options.outboxAge_max_ms ?? OUTBOX_AGE_MAX_ms,
      waitingBytes_max: options.waitingBytes_max ?? WAITING_BYTES_MAX,
    });
    try {
      this.#open(now_ms);
    } catch (error) {
      const trouble = storeError("cannot open the state", error, dir);
      if (trouble.code === "store-newer" || trouble.code === "store-busy") throw trouble;
      this.#recall(now_ms);
      this.#refuse(trouble, now_ms);
    }
  }

  /**
   * Alarm state, latches and outbox rows in ONE transaction. Null: durable. Else the reason; the
   * batch waits in memory and goes with the next commit that works, so never commit it twice. Call
   * it each tick, with nothing to say too: that is when it retries and deletes what was delivered.
   */
  commit(batch: Batch, now_ms: number): OperatingError | null {
    for (const alarm of batch.alarms) this.#alarms.set(`${alarm.asset}/${alarm.rule}`, alarm);
    for (const latch of batch.latches) this.#latches.set(`${latch.asset}/${latch.rule}`, latch);
    this.#outbox.append(batch.messages, now_ms);
    const fresh = this.#alarms.size > 0 || this.#latches.size > 0 || this.#outbox.pending() > 0;
    const sweep = this.#sweeps(fresh, now_ms);
    if (!fresh && !sweep && this.trouble === null) {
      this.#checkpoint();
      return null;
    }
    if (this.trouble !== null && now_ms < this.#retry_ms) return this.#refuse(this.trouble, null);
    try {
      if (this.#write === null) this.#open(now_ms);
      this.#write?.(now_ms, sweep);
    } catch (error) {
      const what = `cannot write the state in ${this.#dir}`;
      return this.#refuse(storeError(what, error, this.#dir), now_ms);
    }
    this.#alarms = new Map();
    this.#latches = new Map();
    this.#outbox.written();
    if (sweep) this.#swept_ms = now_ms;
    this.#unmoved += 1;
    this.trouble = null;
    return null;
  }

  /**
   * The oldest messages beyond `after` that nobody acknowledged, those in memory included. Empty
   * where the disk cannot be read: `trouble` then says why.
   */
  peek(after: number, count_max: number): Queued[] {
    try {
      return this.#outbox.peek(after, count_max);
    } catch (error) {
      this.trouble = storeError(`cannot read the outbox in ${this.#dir}`, error, this.#dir);
      return [];
    }
  }

  /** The broker has it. The row is deleted soon; a crash before that sends it again, same id. */
  acknowledge(row: number): void {
    this.#outbox.acknowledge(row);
  }

  /** Messages that the broker does not have yet, on disk and in memory. */
  waiting(): number {
    return this.#outbox.count();
  }

  /** Messages that no disk holds yet. */
  pending(): number {
    return this.#outbox.pending();
  }

  bytes(): number {
    return this.#outbox.bytes;
  }

  /** Messages given up for size or age, by priority. */
  dropped(): Counts {
    return this.#outbox.dropped;
  }

  /** Grows when rows appeared before those already peeked at: then start again from 0. */
  generation(): number {
    return this.#outbox.generation;
  }

  /** What the last run left; rows that cannot be read are skipped and named. */
  load(): Loaded {
    return this.#db === null ? this.#loaded : readRows(this.#db);
  }

  /** Tries a last time to write what waits, then closes. */
  close(now_ms: number): OperatingError | null {
    this.#retry_ms = Number.NEGATIVE_INFINITY;
    this.#swept_ms = Number.NEGATIVE_INFINITY;
    const error = this.commit({ alarms: [], latches: [], messages: [] }, now_ms);
    this.#outbox.detach();
    this.#db?.close();
    this.#db = null;
    this.#write = null;
    return error;
  }

  /** The state of a file that can be read but not written: go on from there. */
  #recall(now_ms: number): void {
    const found = readCopy(this.#dir, (db) => ({
      rows: readRows(db),
      messages: selectQueued(db)(0, Number.MAX_SAFE_INTEGER),
    }));
    if (found === null) return;
    this.#loaded = found.rows;
    this.#outbox.append(found.messages, now_ms);
  }

  #sweeps(fresh: boolean, now_ms: number): boolean {
    const acknowledged = this.#outbox.acknowledged();
    const late = Math.abs(now_ms - this.#swept_ms) >= SWEEP_ms; // a clock may go back
    if (fresh) return late || acknowledged >= SWEEP_ROWS_MAX;
    return acknowledged > 0 && (late || acknowledged >= SWEEP_ROWS);
  }

  /** In a quiet tick: left to SQLite it falls into the commit of some alarm, which then waits. */
  #checkpoint(): void {
    if (this.#unmoved < CHECKPOINT_COMMITS) return;
    this.#unmoved = 0;
    try {
      this.#db?.pragma("wal_checkpoint(PASSIVE)");
    } catch (error) {
      // A full disk: all is safe in the log, and the next commit says what is wrong.
      storeError("cannot shorten the log", error, this.#dir);
    }
  }

  #refuse(trouble: OperatingError, failed_ms: number | null): OperatingError {
    this.trouble = trouble;
    if (failed_ms !== null) this.#retry_ms = failed_ms + RETRY_ms;
    this.#outbox.boundWaiting();
    return trouble;
  }

  #open(now_ms: number): void {
    const { db, moved } = openDatabase(this.#dir, now_ms);
    this.moved = moved ?? this.moved;
    this.#db = db;
    const write = this.#outbox.attach(db, now_ms);
    const alarm = db.prepare("INSERT OR REPLACE INTO alarms (asset, rule, body) VALUES (?, ?, ?)");
    const latch = db.prepare("INSERT OR REPLACE INTO latches (asset, rule, body) VALUES (?, ?, ?)");
    const meta = db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('gateway', ?)");
    let named = false;
    const transaction = db.transaction((at_ms: number, sweep: boolean) => {
      if (!named) meta.run(this.#options.gateway ?? "");
      for (const row of this.#alarms.values()) alarm.run(row.asset, row.rule, JSON.stringify(row));
      for (const row of this.#latches.values()) latch.run(row.asset, row.rule, row.latch);
      write(at_ms, sweep);
    });
    this.#write = (at_ms, sweep) => {
      transaction.immediate(at_ms, sweep);
      named = true;
    };
  }
}

function readRows(db: Connection): Loaded {
  const alarms: Alarm[] = [];
  const unreadable: string[] = [];
  const bodies = db.prepare("SELECT asset, rule, body FROM alarms").all();
  for (const { asset, rule, body } of bodies as { asset: string; rule: string; body: string }[]) {
    const alarm = readAlarm(body);
    if (alarm === null) unreadable.push(`${asset}/${rule}`);
    else alarms.push(alarm);
  }
  const latches = db.prepare("SELECT asset, rule, body AS latch FROM latches").all();
  return { alarms, latches: latches as LatchRow[], unreadable };
}

/** Our own rows, yet a disk may have bent them: the few fields that everything rests on. */
function readAlarm(body: string): Alarm | null {
  try {
    const row = JSON.parse(body) as Alarm;
    const sound = typeof row.active === "boolean" && typeof row.rule === "string";
    return sound && Number.isSafeInteger(row.seq) ? row : null;
  } catch {
    return null;
  }
}
