//! Makes the broker's retained states agree with ours: after each connect, and now and then. We
//! are the truth of our own assets; what the broker holds may be older, or from a lost store.
import type { Alarm, Message } from "./alarm.js";
import { type Alarms, type Applied, alarmKey } from "./apply.js";
import { clear, endOf, type Step, stateOf, step } from "./lifecycle.js";
import type { Link } from "./link.js";
import { messagesOf, removal, stateMessage } from "./message.js";
import { PAYLOAD_BYTES_MAX, parseState } from "./read.js";
import { type Place, parseTopic, stateFilter } from "./topics.js";

/** MQTT does not say which retained message is the last: quiet for this long is taken for it. */
const QUIET_ms = 500;
const COLLECT_ms_max = 10_000;
/** Of what anybody may have put there; far beyond what a gateway's own alarms need. */
const RETAINED_MAX = 10_000;
const RETAINED_BYTES_MAX = 8 * 1_048_576;
const AGAIN_ms = 6 * 3_600_000;
/** A cleared and acknowledged state stays for those who look later, then it is deleted. */
const CLEARED_KEEP_ms = 7 * 24 * 3_600_000;
const LOST = "it was active at the broker and unknown to this gateway";

export type Retained = { readonly asset: string; readonly rule: string; readonly payload: string };

/** What was collected, and how many more there were than are held. */
export type Collected = { readonly states: readonly Retained[]; readonly beyond: number };

export type Reconciled = {
  readonly applied: readonly Applied[];
  /** Rows taken over from the broker as they are. */
  readonly adopted: readonly Alarm[];
  /** States sent again, and removals: no transition. */
  readonly messages: readonly Message[];
  /** What a person should know: one line each. */
  readonly notes: readonly string[];
};

/**
 * Compares and repairs; writes `alarms` as the other apply functions do. What cannot be read is
 * replaced where we hold that alarm, and else left alone and named: it may be a newer agent's. Of
 * what we hold no alarm of, only that of a rule that `knows` is kept: anybody can invent the others.
 */
export function reconcile(
  place: Place,
  alarms: Alarms,
  { states, beyond }: Collected,
  now_ms: number,
  knows: (asset: string, rule: string) => boolean,
): Reconciled {
  const applied: Applied[] = [];
  const adopted: Alarm[] = [];
  const messages: Message[] = [];
  const notes: string[] = [];
  const seen = new Set<string>();
  for (const { asset, rule, payload } of states) {
    const key = alarmKey(asset, rule);
    const ours = alarms.get(key);
    if (payload === "") continue;
    seen.add(key);
    const theirs = parseState(asset, rule, payload);
    if (theirs === null) {
      if (ours !== undefined) messages.push(stateMessage(ours, place));
      notes.push(`${key}: the retained state cannot be read; ${ours ? "replaced" : "left"}`);
      continue;
    }
    const known = ours !== undefined || knows(asset, rule);
    const verdict =
      ours === undefined ? unknown(theirs, known, now_ms) : compare(ours, theirs, now_ms);
    const { moved, adopt, message, note } = verdict;
    if (moved !== null) {
      if (known) alarms.set(key, moved.alarm);
      applied.push({ ...moved, messages: messagesOf(moved.alarm, moved.transition, place) });
    }
    if (adopt !== null) {
      alarms.set(key, adopt);
      adopted.push(adopt);
    }
    if (message !== null) messages.push(message(place));
    if (note !== "") notes.push(`${key}: ${note}`);
  }
  if (beyond > 0) notes.push(`${beyond} more retained states than can be compared: left`);
  for (const [key, alarm] of alarms) {
    if (seen.has(key) || stateOf(alarm) === "normal") continue;
    messages.push(stateMessage(alarm, place));
    notes.push(`${key}: the broker held no state; sent again`);
  }
  return { applied, adopted, messages, notes };
}

type Verdict = {
  /** A transition of ours. */
  readonly moved: Step | null;
  /** Their row, where from now on it is ours. */
  readonly adopt: Alarm | null;
  readonly message: ((place: Place) => Message) | null;
  readonly note: string;
};

const AGREED: Verdict = { moved: null, adopt: null, message: null, note: "" };

function compare(ours: Alarm, theirs: Alarm, now_ms: number): Verdict {
  if (ours.id === theirs.id) {
    return stateOf(ours) === "normal" && isOld(ours, now_ms) ? remove(ours) : AGREED;
  }
  if (ours.seq > theirs.seq) {
    const message = (place: Place) => stateMessage(ours, place);
    return { ...AGREED, message, note: "the broker held an older state; sent again" };
  }
  // Our store lost transitions that the broker has: go on above its seq, or readers would not heed.
  const same = ours.active === theirs.active;
  const transition = same ? "update" : ours.active ? "raise" : "clear";
  const moved = step({ ...ours, seq: theirs.seq }, {}, transition, now_ms);
  return { ...AGREED, moved, note: `the broker held seq ${theirs.seq}, beyond ours` };
}

/** A state that the store does not know: from before it was lost or replaced, or of a stranger. */
function unknown(theirs: Alarm, known: boolean, now_ms: number): Verdict {
  if (theirs.active) {
    const moved = clear(theirs, endOf(theirs, ["reconciled"], LOST, now_ms), now_ms);
    if (typeof moved === "string") return AGREED;
    return { ...AGREED, moved, note: "active at the broker but not here; cleared" };
  }
  // Without a rule nobody could acknowledge it.
  const spent = isOld(theirs, now_ms) && (stateOf(theirs) === "normal" || !known);
  const adopt = known ? theirs : null;
  return spent ? { ...remove(theirs), adopt } : { ...AGREED, adopt };
}

function remove(alarm: Alarm): Verdict {
  return { ...AGREED, message: (place) => removal(alarm, place) };
}

function isOld(alarm: Alarm, now_ms: number): boolean {
  return now_ms - alarm.time_ms > CLEARED_KEEP_ms;
}

/**
 * Gathers what the broker retains for our assets after each connect and every few hours, and hands
 * it over. Call before `link.start()`; the returned function ends it.
 */
export function collectRetained(
  link: Link,
  place: Place,
  assets: readonly string[],
  settled: (retained: Collected) => void,
): () => void {
  const filters = assets.map((asset) => stateFilter(place, asset));
  const ours = new Set(assets);
  let found: Map<string, Retained> | null = null;
  let bytes = 0;
  let beyond = 0;
  let quiet: NodeJS.Timeout | null = null;
  let limit: NodeJS.Timeout | null = null;
  /** The subscriptions are granted. */
  let collecting = false;
  let ended = false;

  const stopTimers = (): void => {
    if (quiet !== null) clearTimeout(quiet);
    if (limit !== null) clearTimeout(limit);
  };
  const finish = (): void => {
    stopTimers();
    collecting = false;
    const all = found;
    found = null;
    if (all === null || !link.up) return;
    link.unsubscribe(filters);
    settled({ states: [...all.values()], beyond });
  };
  const wait = (): void => {
    if (quiet !== null) clearTimeout(quiet);
    // On a busy machine the time may be over before what has arrived is read: read first.
    quiet = setTimeout(() => {
      quiet = null;
      setImmediate(() => {
        if (quiet === null && collecting) finish();
      });
    }, QUIET_ms);
  };
  const collect = (): void => {
    if (ended) return;
    stopTimers();
    collecting = false;
    found = new Map();
    bytes = 0;
    beyond = 0;
    link.subscribe(filters, () => {
      if (ended) return; // granted too late: a timer would keep the process alive
      collecting = true;
      limit = setTimeout(finish, COLLECT_ms_max);
      wait();
    });
  };
  link.whenUp(collect);
  // Live states count too: what we send meanwhile is newer than what was retained. But only what
  // was retained makes the end wait, or a plant that alarms all the time would never come to it.
  link.whenMessage((topic, payload, retained) => {
    if (found === null) return;
    const parsed = parseTopic(place, topic);
    if (parsed?.leaf !== "state" || !ours.has(parsed.asset)) return;
    const short = payload.length <= PAYLOAD_BYTES_MAX ? payload.toString() : "too long";
    const known = found.get(topic);
    const grown = bytes + short.length - (known?.payload.length ?? 0);
    if (grown > RETAINED_BYTES_MAX || (known === undefined && found.size >= RETAINED_MAX)) {
      beyond += 1;
    } else {
      bytes = grown;
      found.set(topic, { asset: parsed.asset, rule: parsed.rule, payload: short });
    }
    if (collecting && retained) wait();
  });
  const again = setInterval(() => {
    if (link.up && found === null) collect();
  }, AGAIN_ms).unref();
  return () => {
    ended = true;
    clearInterval(again);
    stopTimers();
    found = null;
  };
}
