//! The queue of messages for the broker: rows on disk, and behind them those that wait in memory
//! for the next write. Bounded by size and age; what is given up is counted, lowest priority first.
import type { Message } from "./alarm.js";
import type { Connection } from "./database.js";

export type Queued = Message & { readonly row: number };
/** Counts by priority: info, warning, critical. */
export type Counts = readonly [number, number, number];
export type Bounds = {
  readonly bytes_max: number;
  readonly age_max_ms: number;
  readonly waitingBytes_max: number;
};

type Waiting = Queued & { readonly bytes: number; readonly queued_ms: number };
type Gone = { readonly row: number; readonly bytes: number; readonly priority: number };

type After = {
  swept: boolean;
  rows: number;
  bytes: number;
  readonly dropped: [number, number, number];
  readonly gone: number[];
};

/** Row numbers begin at the time of the start: above all that an earlier run can have given. */
const ROWS_PER_ms = 1_000;
/** What SQLite needs for a row beside its text, about. */
const ROW_BYTES = 100;
/** Stored rows that are also kept in memory until acknowledged: a burst of one tick. */
const RECENT_MAX = 256;

export class Outbox {
  readonly #bounds: Bounds;
  // Replaced where they empty, never cleared: V8 leaves the old table as it was, and what it names
  // moves to the old generation with it, every alarm of the last seconds.
  #waiting = new Map<number, Waiting>();
  #acknowledged = new Set<number>();
  /** Every stored row beyond `#recentAfter`: what was just written need not be read back. */
  #recent = new Map<number, Queued>();
  #recentAfter = 0;
  #waitingBytes = 0;
  #diskRows = 0;
  #diskBytes = 0;
  #row = 0;
  #select: Select | null = null;
  /** The outcome of the transaction under way; counts only once it is committed. */
  #after: After = { swept: false, rows: 0, bytes: 0, dropped: [0, 0, 0], gone: [] };
  dropped: Counts = [0, 0, 0];
  generation = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  get bytes(): number {
    return this.#diskBytes + this.#waitingBytes;
  }

  count(): number {
    return Math.max(0, this.#diskRows - this.#acknowledged.size) + this.#waiting.size;
  }

  pending(): number {
    return this.#waiting.size;
  }

  acknowledged(): number {
    return this.#acknowledged.size;
  }

  append(messages: readonly Message[], now_ms: number): void {
    for (const message of messages) {
      this.#row = Math.max(this.#row + 1, Math.floor(now_ms) * ROWS_PER_ms);
      const bytes = Buffer.byteLength(message.payload) + message.topic.length + ROW_BYTES;
      this.#waiting.set(this.#row, { ...message, row: this.#row, bytes, queued_ms: now_ms });
      this.#waitingBytes += bytes;
    }
  }

  peek(after: number, count_max: number): Queued[] {
    if (count_max <= 0) return [];
    const found = this.#stored(after, count_max);
    for (const waiting of this.#waiting.values()) {
      if (found.length >= count_max) break;
      if (waiting.row > after) found.push(waiting);
    }
    return found.slice(0, count_max);
  }

  #stored(after: number, count_max: number): Queued[] {
    if (after >= this.#recentAfter) {
      return [...this.#recent.values()].filter(({ row }) => row > after);
    }
    // Acknowledged rows may still lie on the disk, in front of what is wanted.
    let gone = 0;
    for (const row of this.#acknowledged) if (row > after) gone += 1;
    const stored = this.#select?.(after, count_max + gone) ?? [];
    return stored.filter(({ row }) => !this.#acknowledged.has(row));
  }

  acknowledge(row: number): void {
    if (this.#forget(row)) return;
    const stored = this.#recent.delete(row) || row <= this.#recentAfter;
    if (this.#recent.size === 0) this.#recent = new Map();
    if (stored) this.#acknowledged.add(row); // else it was superseded or given up meanwhile
  }

  /** Takes a database into use and returns what writes into it, inside the caller's transaction. */
  attach(db: Connection, now_ms: number): Write {
    const found = db
      .prepare("SELECT count(*) AS n, total(bytes) AS bytes, max(row) AS row FROM outbox")
      .get() as { n: number; bytes: number; row: number | null };
    this.#diskRows = found.n;
    this.#diskBytes = found.bytes;
    this.#row = Math.max(this.#row, found.row ?? 0, Math.floor(now_ms) * ROWS_PER_ms);
    this.#renumber(found.row ?? 0);
    this.#recent = new Map();
    this.#recentAfter = found.row ?? 0;
    this.generation += 1;
    this.#select = selectQueued(db);
    return this.#writer(db);
  }

  detach(): void {
    this.#select = null;
  }

  /** The transaction is durable: what waited is on disk, what was swept is gone. */
  written(): void {
    for (const message of this.#waiting.values()) this.#recent.set(message.row, message);
    for (const row of this.#after.gone) this.#recent.delete(row);
    for (const row of this.#recent.keys()) {
      if (this.#recent.size <= RECENT_MAX) break;
      this.#recent.delete(row);
      this.#recentAfter = row;
    }
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    if (this.#after.swept) this.#acknowledged = new Set();
    this.#diskRows = this.#after.rows;
    this.#diskBytes = this.#after.bytes;
    this.dropped = add(this.dropped, this.#after.dropped);
  }

  /** While the disk refuses: superseded states go first, then the lowest priority, the oldest. */
  boundWaiting(): void {
    if (this.#waitingBytes <= this.#bounds.waitingBytes_max) return;
    const newest = new Map<string, number>();
    for (const { topic, retain, row } of this.#waiting.values()) if (retain) newest.set(topic, row);
    for (const { topic, retain, row } of [...this.#waiting.values()]) {
      if (retain && newest.get(topic) !== row) this.#forget(row);
    }
    const byRank = [...this.#waiting.values()].sort(
      (a, b) => a.priority - b.priority || Number(a.retain) - Number(b.retain) || a.row - b.row,
    );
    const dropped = [0, 0, 0];
    for (const { row, priority } of byRank) {
      if (this.#waitingBytes <= this.#bounds.waitingBytes_max) break;
      this.#forget(row);
      dropped[priority] = (dropped[priority] ?? 0) + 1;
    }
    this.dropped = add(this.dropped, dropped);
  }

  /** A file opened late, under a clock that went back, may hold numbers that are in use here. */
  #renumber(taken: number): void {
    const clash = [...this.#waiting.values()];
    if (clash.every(({ row }) => row > taken)) return;
    this.#waiting.clear();
    for (const message of clash) {
      this.#row += 1;
      this.#waiting.set(this.#row, { ...message, row: this.#row });
    }
  }

  #forget(row: number): boolean {
    const waiting = this.#waiting.get(row);
    if (waiting === undefined) return false;
    this.#waiting.delete(row);
    this.#waitingBytes -= waiting.bytes;
    return true;
  }

  #writer(db: Connection): Write {
    const insert = db.prepare(
      "INSERT OR IGNORE INTO outbox " +
        "(row, id, topic, payload, retain, priority, time_ms, queued_ms, bytes) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    const take = (where: string) => {
      const statement = db.prepare(
        `DELETE FROM outbox WHERE ${where} RETURNING row, bytes, priority`,
      );
      return (...values: unknown[]) => this.#gone(statement.all(...values) as Gone[]);
    };
    const delivered = take("row = ?");
    // Only the newest state of an alarm is worth sending; its events all are.
    const supersede = take("topic = ? AND retain = 1 AND id <> ?");
    // States never age out: there is one an alarm, and without it the broker would go on lying.
    const aged = take("retain = 0 AND queued_ms < ?");
    const least = take("row = (SELECT row FROM outbox ORDER BY priority, retain, row LIMIT 1)");
    const clean = (): void => {
      for (const row of this.#acknowledged) delivered(row);
      this.#after.swept = true;
    };
    return (now_ms, sweep) => {
      const [rows, bytes] = [this.#diskRows, this.#diskBytes];
      this.#after = { swept: false, rows, bytes, dropped: [0, 0, 0], gone: [] };
      // Where the broker has all that is stored, no older state waits to be superseded.
      let open = rows > this.#acknowledged.size;
      if (sweep) clean();
      for (const m of this.#waiting.values()) {
        if (m.retain && open) supersede(m.topic, m.id);
        open ||= m.retain;
        const { row, id, topic, payload, priority, time_ms, queued_ms, bytes } = m;
        const flag = m.retain ? 1 : 0;
        const done = insert.run(row, id, topic, payload, flag, priority, time_ms, queued_ms, bytes);
        this.#after.rows += done.changes;
        this.#after.bytes += done.changes * bytes;
        if (done.changes === 0) this.#after.gone.push(row); // stored already, under another row
      }
      if (sweep) this.#drop(aged(now_ms - this.#bounds.age_max_ms));
      const { bytes_max } = this.#bounds;
      if (this.#after.bytes > bytes_max && !sweep) clean();
      while (this.#after.bytes > bytes_max && this.#after.rows > 0) this.#drop(least());
    };
  }

  #gone(rows: readonly Gone[]): readonly Gone[] {
    for (const { row, bytes } of rows) {
      this.#after.bytes -= bytes;
      this.#after.gone.push(row);
    }
    this.#after.rows -= rows.length;
    return rows;
  }

  #drop(rows: readonly Gone[]): void {
    const { dropped } = this.#after;
    for (const { priority } of rows) dropped[priority] = (dropped[priority] ?? 0) + 1;
  }
}

/** `sweep`: what was delivered or is too old is deleted as well. */
type Write = (now_ms: number, sweep: boolean) => void;
type Select = (after: number, count_max: number) => Queued[];

/** Reads the stored queue in order. */
export function selectQueued(db: Connection): Select {
  const select = db.prepare(
    "SELECT row, id, topic, payload, retain, priority, time_ms FROM outbox " +
      "WHERE row > ? ORDER BY row LIMIT ?",
  );
  return (after, count_max) => {
    const rows = select.all(after, count_max) as (Omit<Queued, "retain"> & { retain: number })[];
    return rows.map((row) => ({ ...row, retain: row.retain === 1 }));
  };
}

function add(a: Counts, b: readonly number[]): Counts {
  return [a[0] + (b[0] ?? 0), a[1] + (b[1] ?? 0), a[2] + (b[2] ?? 0)];
}
