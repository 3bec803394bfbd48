//! A channel between two sides that share memory: a ring of slots, one sender, one receiver, no
//! lock and no copy. The sender writes into the slot that the receiver reads. What is in a slot is
//! typed by its unit (`Column<D>`), and the two sides must agree on it. A side that dies is noticed
//! and can be replaced: an unfinished frame was never seen, an unreleased one is seen again.
import type { Column, StaticUnit } from "../units/quantity.js";
import { assert } from "./errors.js";
import { type Identity, identify, type SharedBuffer } from "./shared-buffer.js";

const MAGIC = 0x53544131; // "STA1"
/** Words of the header. Each counter has a cache line of its own. */
const AT = {
  magic: 0,
  slots: 1,
  slot_bytes: 2,
  unit: 4,
  head: 32,
  tail: 48,
  sender: 64,
  receiver: 80,
  senderSleeps: 96,
  receiverSleeps: 112,
} as const;
const HEADER_BYTES = 512;
const UNIT_BYTES = 64;
/** Before the values of a slot: their count, a tag, and seven numbers that go with them. */
const META_BYTES = 64;
const META_NUMBERS = 7;
const ALIGN = 64;
/** A side is looked for at least this often while the other waits for it. */
const LOOK_ms = 50;

export type Shape = {
  readonly slots: number;
  /** Bytes of the values of one slot. */
  readonly frame_bytes: number;
};

/** One frame where it lies in shared memory. It changes hands with `publish` and `release`. */
export type Slot<D> = {
  readonly bytes: Uint8Array;
  readonly floats: Float32Array;
  /** The same floats, typed. */
  readonly column: Column<D>;
  /** Up to seven numbers that go with the frame (time, rate, speed). */
  readonly meta: Float64Array;
  /** Bytes in use, as the sender said; and what the frame is, for the two sides to agree on. */
  readonly size: () => { readonly bytes: number; readonly tag: number };
};

/** `absent`: never opened. `gone`: opened, and its process or thread ended without closing. */
export type Side = "absent" | "open" | "closed" | "gone";
const SIDES: readonly Side[] = ["absent", "open", "closed", "gone"];

export type Sender<D> = {
  /** The next free slot to write into; null when the receiver has released none. */
  claim(): Slot<D> | null;
  /** Hands the claimed slot over. */
  publish(bytes: number, tag?: number): void;
  /** Spins, then sleeps, until a slot is free; false when the time is over or the peer is gone. */
  wait(timeout_ms: number): boolean;
  peer(): Side;
  close(): void;
};

export type Receiver<D> = {
  /** The oldest frame not yet released; null when there is none. */
  front(): Slot<D> | null;
  /** Gives the slot of `front` back. */
  release(): void;
  wait(timeout_ms: number): boolean;
  /** `wait` without blocking the thread and without spinning. */
  watch(timeout_ms: number): Promise<boolean>;
  peer(): Side;
  close(): void;
};

export type Ends = { readonly spin_us: number };

/** Bytes of shared memory that a ring of this shape takes. */
export function arenaBytes({ slots, frame_bytes }: Shape): number {
  return HEADER_BYTES + slots * slotBytes(frame_bytes);
}

const slotBytes = (frame_bytes: number): number =>
  META_BYTES + Math.ceil(frame_bytes / ALIGN) * ALIGN;

/** A text says why not: another shape or unit is in use, or another sender lives. */
export function openSender<D>(
  shared: SharedBuffer,
  shape: Shape,
  unit: StaticUnit<D>,
  { spin_us }: Ends,
): Sender<D> | string {
  const fault = agree(shared, shape, unit.text) ?? enter(shared, AT.sender, "sender");
  if (fault !== null) return fault;
  const { words } = shared;
  const slots = slotsOf(shared, shape, unit);
  let head = Atomics.load(words, AT.head);
  const free = (): boolean => ((head - Atomics.load(words, AT.tail)) | 0) < shape.slots;
  const peer = (): Side => sideOf(shared, AT.receiver);
  return {
    claim: () => (free() ? (slots[(head >>> 0) % shape.slots] as Slot<D>) : null),
    publish(bytes, tag = 0): void {
      assert(free(), "publish: claim a slot first");
      assert(bytes >= 0 && bytes <= shape.frame_bytes, "publish: the frame is longer than a slot");
      const at = wordOf(shape, head);
      words[at] = bytes;
      words[at + 1] = tag;
      head = (head + 1) | 0;
      Atomics.store(words, AT.head, head);
      // Both sides store first and look second, so one of them sees the other.
      if (Atomics.load(words, AT.receiverSleeps) !== 0) shared.wake(AT.head);
    },
    wait(timeout_ms): boolean {
      const wanted = { ready: free, flag: AT.senderSleeps, on: AT.tail, peer };
      return waitFor(shared, wanted, timeout_ms, spin_us);
    },
    peer,
    close: () => leave(shared, AT.sender, AT.head),
  };
}

/** A text says why not, as for the sender. */
export function openReceiver<D>(
  shared: SharedBuffer,
  shape: Shape,
  unit: StaticUnit<D>,
  { spin_us }: Ends,
): Receiver<D> | string {
  const fault = agree(shared, shape, unit.text) ?? enter(shared, AT.receiver, "receiver");
  if (fault !== null) return fault;
  const { words } = shared;
  const slots = slotsOf(shared, shape, unit);
  let tail = Atomics.load(words, AT.tail);
  const some = (): boolean => Atomics.load(words, AT.head) !== tail;
  const peer = (): Side => sideOf(shared, AT.sender);
  return {
    front: () => (some() ? (slots[(tail >>> 0) % shape.slots] as Slot<D>) : null),
    release(): void {
      assert(some(), "release: there is no frame");
      tail = (tail + 1) | 0;
      Atomics.store(words, AT.tail, tail);
      if (Atomics.load(words, AT.senderSleeps) !== 0) shared.wake(AT.tail);
    },
    wait(timeout_ms): boolean {
      const wanted = { ready: some, flag: AT.receiverSleeps, on: AT.head, peer };
      return waitFor(shared, wanted, timeout_ms, spin_us);
    },
    async watch(timeout_ms): Promise<boolean> {
      if (some()) return true;
      Atomics.store(words, AT.receiverSleeps, 1);
      if (!some()) await shared.watch(AT.head, tail, timeout_ms);
      Atomics.store(words, AT.receiverSleeps, 0);
      return some();
    },
    peer,
    close: () => leave(shared, AT.receiver, AT.tail),
  };
}

/** What the thread that watches a worker says when that worker ended without closing its end. */
export function markGone(shared: SharedBuffer, end: "sender" | "receiver"): void {
  Atomics.compareExchange(shared.words, AT[end], 1, SIDES.indexOf("gone"));
  shared.wake(end === "sender" ? AT.head : AT.tail);
}

const wordOf = ({ slots, frame_bytes }: Shape, count: number): number =>
  (HEADER_BYTES + ((count >>> 0) % slots) * slotBytes(frame_bytes)) / 4;

type Wanted = {
  readonly ready: () => boolean;
  readonly flag: number;
  /** The counter that the other side moves. */
  readonly on: number;
  readonly peer: () => Side;
};

function waitFor(
  shared: SharedBuffer,
  { ready, flag, on, peer }: Wanted,
  timeout_ms: number,
  spin_us: number,
): boolean {
  const begin_ms = performance.now();
  // A look at the clock costs more than one at memory.
  for (let spins = 0; !ready(); spins++) {
    if ((spins & 63) === 63 && (performance.now() - begin_ms) * 1000 > spin_us) break;
  }
  const { words } = shared;
  for (;;) {
    if (ready()) return true;
    const left_ms = timeout_ms - (performance.now() - begin_ms);
    if (!(left_ms > 0)) return false;
    const seen = Atomics.load(words, on);
    Atomics.store(words, flag, 1);
    if (!ready()) shared.sleep(on, seen, Math.min(left_ms, LOOK_ms));
    Atomics.store(words, flag, 0);
    if (ready()) return true;
    const side = peer();
    if (side === "gone" || side === "closed") return false;
  }
}

function slotsOf<D>(shared: SharedBuffer, shape: Shape, unit: StaticUnit<D>): Slot<D>[] {
  assert(unit.factor === 1 && unit.offset === 0, `a ring carries SI, not ${unit.text}`);
  const { memory, words } = shared;
  return Array.from({ length: shape.slots }, (_, i) => {
    const from = HEADER_BYTES + i * slotBytes(shape.frame_bytes);
    const floats = new Float32Array(
      memory,
      from + META_BYTES,
      Math.floor(shape.frame_bytes / Float32Array.BYTES_PER_ELEMENT),
    );
    return {
      bytes: new Uint8Array(memory, from + META_BYTES, shape.frame_bytes),
      floats,
      column: unit.column(floats),
      meta: new Float64Array(memory, from + 8, META_NUMBERS),
      // What the other process wrote is checked: a wild length must not read beyond the slot.
      size: () => ({
        bytes: Math.max(0, Math.min(words[from / 4] as number, shape.frame_bytes)),
        tag: words[from / 4 + 1] as number,
      }),
    };
  });
}

/** Both sides write the same header, or the second is told what the first wrote. */
function agree({ memory, words }: SharedBuffer, shape: Shape, unit: string): string | null {
  const { slots, frame_bytes } = shape;
  assert(Number.isInteger(slots) && slots >= 1 && slots <= 65_536, "arena: slots");
  assert(Number.isInteger(frame_bytes) && frame_bytes >= 1, "arena: bytes of a frame");
  if (memory.byteLength < arenaBytes(shape)) {
    return `the shared buffer has ${memory.byteLength} bytes; this ring takes ${arenaBytes(shape)}`;
  }
  const text = new TextEncoder().encode(unit);
  assert(text.length < UNIT_BYTES, "arena: the unit is too long");
  const written = new Uint8Array(memory, 4 * AT.unit, UNIT_BYTES);
  if (Atomics.load(words, AT.magic) !== MAGIC) {
    words[AT.slots] = slots;
    words[AT.slot_bytes] = slotBytes(frame_bytes);
    written.fill(0);
    written.set(text);
    Atomics.store(words, AT.magic, MAGIC);
    return null;
  }
  const end = written.indexOf(0);
  const carried = new TextDecoder().decode(written.slice(0, end < 0 ? UNIT_BYTES : end));
  if (carried !== unit) return `the ring carries ${carried}, not ${unit}`;
  if (words[AT.slots] !== slots || words[AT.slot_bytes] !== slotBytes(frame_bytes)) {
    const other = `${words[AT.slots]} slots of ${words[AT.slot_bytes]} bytes`;
    return `the ring has ${other}, not ${slots} of ${slotBytes(frame_bytes)}`;
  }
  return null;
}

function enter(shared: SharedBuffer, at: number, what: string): string | null {
  const { words } = shared;
  if (sideOf(shared, at) === "open") return `the ring has a ${what} already`;
  const own = identify(process.pid);
  Atomics.store(words, at + 1, own?.pid ?? 0);
  Atomics.store(words, at + 2, own?.started ?? 0);
  Atomics.store(words, at, SIDES.indexOf("open"));
  return null;
}

function leave(shared: SharedBuffer, at: number, counter: number): void {
  Atomics.store(shared.words, at, SIDES.indexOf("closed"));
  shared.wake(counter);
}

/** Between threads a dead side is said by `markGone`; between processes it is looked up. */
function sideOf({ domain, words }: SharedBuffer, at: number): Side {
  const side = SIDES[Atomics.load(words, at)] ?? "absent";
  if (side !== "open" || domain === "threads") return side;
  const noted: Identity = {
    pid: Atomics.load(words, at + 1),
    started: Atomics.load(words, at + 2),
  };
  const found = identify(noted.pid);
  return found !== null && found.started === noted.started ? "open" : "gone";
}
