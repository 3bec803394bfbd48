//! The durable state: alarms, latches and the outbox in one SQLite file (WAL, synchronous=FULL).
//! What `commit` returned from is on disk. The file of somebody else is moved aside, never deleted.
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { OperatingError } from "../base/errors.js";
import type { Alarm, Message } from "./alarm.js";

const APPLICATION_ID = 0x53_54_52_4e; // "STRN"
const SCHEMA_VERSION = 1;
const FILE = "sterna.db";

export type Limits = { readonly outboxBytes_max: number; readonly outboxAge_max_ms: number };
export type LatchRow = { readonly asset: string; readonly rule: string; readonly latch: string };
export type Batch = {
  readonly alarms: readonly Alarm[];
  readonly latches: readonly LatchRow[];
  readonly messages: readonly Message[];
};

export class Store {
  readonly #db: Database.Database;
  readonly #limits: Limits;
  readonly #put: Record<"alarm" | "latch" | "message", Database.Statement>;
  readonly #peek: Database.Statement;
  readonly #forget: Database.Statement;
  readonly #commit: (batch: Batch, now_ms: number) => void;
  #bytes: number;
  /** Messages given up because the outbox was full or they were too old. */
  dropped = 0;

  constructor(db: Database.Database, limits: Limits) {
    this.#db = db;
    this.#limits = limits;
    this.#put = {
      alarm: db.prepare("INSERT OR REPLACE INTO alarms (asset, rule, body) VALUES (?, ?, ?)"),
      latch: db.prepare("INSERT OR REPLACE INTO latches (asset, rule, body) VALUES (?, ?, ?)"),
      message: db.prepare(
        "INSERT OR IGNORE INTO outbox (id, topic, payload, retain, priority, time_ms) " +
          "VALUES (?, ?, ?, ?, ?, ?)",
      ),
    };
    this.#peek = db.prepare(
      "SELECT rowid AS row, id, topic, payload, retain, priority, time_ms FROM outbox " +
        "WHERE rowid > ? ORDER BY rowid LIMIT ?",
    );
    this.#forget = db.prepare(
      "DELETE FROM outbox WHERE rowid = ? RETURNING length(payload) + length(topic) AS size",
    );
    this.#bytes = this.#count();
    this.#commit = db.transaction((batch: Batch, now_ms: number) => this.#write(batch, now_ms));
  }

  /** Alarms, latches and outbox rows in ONE transaction, all or none; throws OperatingError. */
  commit(batch: Batch, now_ms: number): void {
    const { alarms, latches, messages } = batch;
    if (alarms.length + latches.length + messages.length === 0) return;
    try {
      this.#commit(batch, now_ms);
    } catch (error) {
      this.#bytes = this.#count();
      throw worldError("cannot write the alarm state", error);
    }
  }

  /** The oldest messages not yet acknowledged, beyond row `after`. */
  peek(after: number, count_max: number): (Message & { readonly row: number })[] {
    const rows = this.#peek.all(after, count_max) as (Omit<Message, "retain"> & {
      row: number;
      retain: number;
    })[];
    return rows.map((row) => ({ ...row, retain: row.retain === 1 }));
  }

  /** The broker has it: forget the message. */
  acknowledge(row: number): void {
    const gone = this.#forget.get(row) as { size: number } | undefined;
    this.#bytes -= gone?.size ?? 0;
  }

  waiting(): number {
    const row = this.#db.prepare("SELECT count(*) AS n FROM outbox").get() as { n: number };
    return row.n;
  }

  load(): { readonly alarms: Alarm[]; readonly latches: LatchRow[] } {
    const bodies = this.#db.prepare("SELECT body FROM alarms").all() as { body: string }[];
    const latches = this.#db.prepare("SELECT asset, rule, body AS latch FROM latches").all();
    return {
      alarms: bodies.map(({ body }) => JSON.parse(body) as Alarm),
      latches: latches as LatchRow[],
    };
  }

  close(): void {
    this.#db.close();
  }

  #write({ alarms, latches, messages }: Batch, now_ms: number): void {
    for (const alarm of alarms) {
      this.#put.alarm.run(alarm.asset, alarm.rule, JSON.stringify(alarm));
    }
    for (const { asset, rule, latch } of latches) this.#put.latch.run(asset, rule, latch);
    for (const m of messages) {
      this.#put.message.run(m.id, m.topic, m.payload, m.retain ? 1 : 0, m.priority, m.time_ms);
      this.#bytes += m.payload.length + m.topic.length;
    }
    if (messages.length > 0) this.#bound(now_ms);
  }

  /** Age first, then size: the lowest priority goes first, and of one priority the oldest. */
  #bound(now_ms: number): void {
    const old = now_ms - this.#limits.outboxAge_max_ms;
    this.dropped += this.#db.prepare("DELETE FROM outbox WHERE time_ms < ?").run(old).changes;
    if (this.#bytes <= this.#limits.outboxBytes_max) return;
    this.#bytes = this.#count();
    const next = this.#db.prepare(
      "SELECT rowid AS row, length(payload) + length(topic) AS size FROM outbox " +
        "ORDER BY priority, rowid LIMIT 1",
    );
    while (this.#bytes > this.#limits.outboxBytes_max) {
      const victim = next.get() as { row: number; size: number } | undefined;
      if (victim === undefined) return;
      this.#db.prepare("DELETE FROM outbox WHERE rowid = ?").run(victim.row);
      this.#bytes -= victim.size;
      this.dropped += 1;
    }
  }

  #count(): number {
    const row = this.#db
      .prepare("SELECT coalesce(sum(length(payload) + length(topic)), 0) AS n FROM outbox")
      .get() as { n: number };
    return row.n;
  }
}

/**
 * Opens the state of a directory. A file that is damaged or not ours is moved aside and named in
 * `moved`; a newer schema, or a directory that cannot be written, is an OperatingError.
 */
export function openStore(
  dir: string,
  limits: Limits,
  now_ms: number,
): { readonly store: Store; readonly moved: string | null } {
  const file = join(dir, FILE);
  try {
    mkdirSync(dir, { recursive: true });
    const existed = existsSync(file);
    const db = existed ? tryOpen(file) : create(file);
    if (db !== null) return { store: new Store(db, limits), moved: null };
    const moved = `${file}.damaged-${Math.floor(now_ms)}`;
    for (const part of ["", "-wal", "-shm"]) {
      if (existsSync(file + part)) renameSync(file + part, moved + part);
    }
    return { store: new Store(create(file), limits), moved };
  } catch (error) {
    throw worldError(`cannot open the state in ${dir}`, error);
  }
}

/** The database when it is sound and ours, null when it is damaged or foreign. */
function tryOpen(file: string): Database.Database | null {
  const db = new Database(file);
  try {
    const ours = db.pragma("application_id", { simple: true }) === APPLICATION_ID;
    const sound = ours && db.pragma("quick_check", { simple: true }) === "ok";
    if (sound) {
      const version = db.pragma("user_version", { simple: true }) as number;
      if (version > SCHEMA_VERSION) {
        throw new OperatingError(
          "store-newer",
          `${file} was written by a newer sterna (schema ${version}); install that version`,
        );
      }
      durable(db);
      return db;
    }
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const damaged = code === "SQLITE_NOTADB" || code === "SQLITE_CORRUPT";
    if (!damaged) {
      db.close();
      throw error;
    }
  }
  db.close();
  return null;
}

function create(file: string): Database.Database {
  const db = new Database(file);
  durable(db);
  db.exec(
    "CREATE TABLE alarms (asset TEXT, rule TEXT, body TEXT, PRIMARY KEY (asset, rule));" +
      "CREATE TABLE latches (asset TEXT, rule TEXT, body TEXT, PRIMARY KEY (asset, rule));" +
      "CREATE TABLE outbox (row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, " +
      "topic TEXT, payload TEXT, retain INTEGER, priority INTEGER, time_ms REAL);",
  );
  db.pragma(`user_version = ${SCHEMA_VERSION}`);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  return db;
}

function durable(db: Database.Database): void {
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
}

function worldError(what: string, error: unknown): OperatingError {
  if (error instanceof OperatingError) return error;
  const code = String((error as { code?: unknown }).code ?? "");
  const message = error instanceof Error ? error.message : String(error);
  const full = code === "SQLITE_FULL" || code === "ENOSPC";
  const name = full
    ? "store-full"
    : /READONLY|EACCES|EROFS/.test(code)
      ? "store-readonly"
      : "store";
  return new OperatingError(name, `${what}: ${message}`, error);
}
