//! Opens the one SQLite file of the agent: WAL, synchronous=FULL, locked to this process. A file
//! that is damaged or somebody else's is moved aside and never deleted; a newer one is refused.
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { OperatingError } from "../base/errors.js";

export type Connection = Database.Database;

const FILE = "sterna.db";
const APPLICATION_ID = 0x53_54_52_4e; // "STRN"
const SCHEMA_VERSION = 3;
const BUSY_ms = 500;

const SCHEMA = `
  CREATE TABLE alarms (asset TEXT, rule TEXT, body TEXT NOT NULL,
    PRIMARY KEY (asset, rule)) WITHOUT ROWID;
  CREATE TABLE latches (asset TEXT, rule TEXT, body TEXT NOT NULL,
    PRIMARY KEY (asset, rule)) WITHOUT ROWID;
  CREATE TABLE outbox (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL,
    payload TEXT NOT NULL, retain INTEGER NOT NULL, priority INTEGER NOT NULL,
    time_ms REAL NOT NULL, queued_ms REAL NOT NULL, bytes INTEGER NOT NULL);
  CREATE INDEX outbox_rank ON outbox (priority, retain, row);
  CREATE INDEX outbox_age ON outbox (retain, queued_ms);
  CREATE INDEX outbox_state ON outbox (topic) WHERE retain = 1;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

export type Opened = { readonly db: Connection; readonly moved: string | null };

/** Throws OperatingError; `moved` names where a file that could not be used now lies. */
export function openDatabase(dir: string, now_ms: number): Opened {
  const file = join(dir, FILE);
  try {
    mkdirSync(dir, { recursive: true });
    const found = existsSync(file) ? openOurs(file) : null;
    if (found !== null) return { db: found, moved: null };
    const moved = existsSync(file) ? moveAside(file, now_ms) : null;
    return { db: create(file), moved };
  } catch (error) {
    throw storeError(`cannot open ${file}`, error, dir);
  }
}

/**
 * Hands `read` a throw-away copy: where the directory is read-only SQLite cannot open a WAL file at
 * all, yet what stands in it is the state to go on from. Null where even that fails.
 */
export function readCopy<T>(dir: string, read: (db: Connection) => T): T | null {
  const file = join(dir, FILE);
  if (!existsSync(file)) return null;
  let copy: string | null = null;
  try {
    copy = mkdtempSync(join(tmpdir(), "sterna-copy-"));
    for (const part of ["", "-wal"]) {
      if (existsSync(file + part)) copyFileSync(file + part, join(copy, FILE + part));
    }
    const db = openOurs(join(copy, FILE));
    if (db === null) return null;
    const found = read(db);
    db.close();
    return found;
  } catch {
    return null; // the caller reports why the original cannot be used; this was the second best
  } finally {
    if (copy !== null) rmSync(copy, { recursive: true, force: true });
  }
}

/** Null when the file is damaged, not ours, or from before there was a release. */
function openOurs(file: string): Connection | null {
  const db = new Database(file, { timeout: BUSY_ms });
  try {
    // One agent a directory; the lock also spares the shared-memory file, which read-only
    // directories could not hold.
    db.pragma("locking_mode = EXCLUSIVE");
    const id = db.pragma("application_id", { simple: true });
    const version = Number(db.pragma("user_version", { simple: true }));
    const tables = Number(db.prepare("SELECT count(*) FROM sqlite_master").pluck().get());
    // A crash of the very first start leaves an empty file, which is as good as none.
    if (id === 0 && tables === 0) return prepare(db);
    if (id === APPLICATION_ID && version > SCHEMA_VERSION) {
      throw new OperatingError(
        "store-newer",
        `${file} was written by a newer sterna (schema ${version}, this one reads ` +
          `${SCHEMA_VERSION}); install that version again, or move the file away`,
      );
    }
    const ours = id === APPLICATION_ID && version === SCHEMA_VERSION;
    if (ours && db.pragma("quick_check(1)", { simple: true }) === "ok") {
      return settle(db);
    }
  } catch (error) {
    if (!isDamage(error)) {
      db.close();
      throw error;
    }
  }
  db.close();
  return null;
}

function create(file: string): Connection {
  const db = new Database(file, { timeout: BUSY_ms });
  db.pragma("locking_mode = EXCLUSIVE");
  return prepare(db);
}

/** All or nothing, before WAL begins: a crash in between leaves an empty file. */
function prepare(db: Connection): Connection {
  try {
    db.transaction(() => {
      db.exec(SCHEMA);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${SCHEMA_VERSION}`);
    })();
    return settle(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function settle(db: Connection): Connection {
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.pragma("cache_size = -2000");
  // The store does this between alarms; here only where ticks without one never come.
  db.pragma("wal_autocheckpoint = 4000");
  db.pragma("journal_size_limit = 4194304");
  return db;
}

function moveAside(file: string, now_ms: number): string {
  const stamp = new Date(now_ms).toISOString().replace(/[-:.]/g, "");
  let to = `${file}.corrupt-${stamp}`;
  for (let i = 1; existsSync(to); i++) to = `${file}.corrupt-${stamp}-${i}`;
  for (const part of ["-wal", "-shm", "-journal", ""]) {
    if (existsSync(file + part)) renameSync(file + part, to + part);
  }
  return to;
}

function isDamage(error: unknown): boolean {
  return /^SQLITE_(NOTADB|CORRUPT)/.test(codeOf(error));
}

/**
 * The codes that the documentation lists: full, readonly, busy, corrupt, else io. An error without
 * a code is a mistake of ours and goes on up.
 */
export function storeError(what: string, error: unknown, dir: string): OperatingError {
  if (error instanceof OperatingError) return error;
  const own = codeOf(error);
  if (own === "") throw error;
  // On a read-only file system SQLite fails at whichever call comes first, a lock for instance.
  const code = /^SQLITE_(IOERR|ERROR)/.test(own) ? (unwritable(dir) ?? own) : own;
  const reason = error instanceof Error ? error.message : String(error);
  const row = CODES.find(([pattern]) => pattern.test(code));
  const [, name, advice] = row ?? [null, "store-io", "check the disk"];
  return new OperatingError(name, `${what}: ${reason}; ${advice}`, error);
}

const CODES: readonly (readonly [RegExp, string, string])[] = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, "store-full", "free space on this file system"],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)/, "store-busy", "another sterna uses it; stop that one"],
  [/^SQLITE_(CORRUPT|NOTADB)/, "store-corrupt", "restart: the file is then moved aside"],
  [
    /^(SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EROFS|EACCES|EPERM|ENOTDIR|EEXIST)/,
    "store-readonly",
    "make store.dir a directory that this user may write",
  ],
];

function unwritable(dir: string): string | null {
  try {
    accessSync(dir, constants.W_OK);
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
