//! Makes the broker's retained states agree with ours: after each connect, and now and then. We
//! are the truth of our own assets; what the broker holds may be older, or from a lost store.
import type { Alarm, Message } from "./alarm.js";
import { type Alarms, alarmKey } from "./apply.js";
import { clear, stateOf, step } from "./lifecycle.js";
import type { Link } from "./link.js";
import { messagesOf, removal, stateMessage } from "./message.js";
import { PAYLOAD_BYTES_MAX, parseState } from "./read.js";
import { type Place, parseTopic, stateFilter } from "./topics.js";

/** MQTT does not say which retained message is the last: quiet for this long is taken for it. */
const QUIET_ms = 500;
const COLLECT_ms_max = 10_000;
const RETAINED_MAX = 20_000;
const AGAIN_ms = 6 * 3_600_000;
/** A cleared and acknowledged state stays for those who look later, then it is deleted. */
const CLEARED_KEEP_ms = 7 * 24 * 3_600_000;

export type Retained = { readonly asset: string; readonly rule: string; readonly payload: string };

export type Reconciled = {
  readonly alarms: readonly Alarm[];
  readonly messages: readonly Message[];
  /** What a person should know: one line each. */
  readonly notes: readonly string[];
};

/**
 * Compares and repairs; writes `alarms` as the other apply functions do. What cannot be read is
 * replaced where we hold that alarm, and else left alone and named: it may be a newer agent's.
 */
export function reconcile(
  place: Place,
  alarms: Alarms,
  retained: readonly Retained[],
  now_ms: number,
): Reconciled {
  const changed: Alarm[] = [];
  const messages: Message[] = [];
  const notes: string[] = [];
  const seen = new Set<string>();
  for (const { asset, rule, payload } of retained) {
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
    const verdict = compare(ours, theirs, now_ms);
    if (verdict.keep !== null) {
      alarms.set(key, verdict.keep);
      changed.push(verdict.keep);
    }
    messages.push(...verdict.messages(place));
    if (verdict.note !== "") notes.push(`${key}: ${verdict.note}`);
  }
  for (const [key, alarm] of alarms) {
    if (seen.has(key) || stateOf(alarm) === "normal") continue;
    messages.push(stateMessage(alarm, place));
    notes.push(`${key}: the broker held no state; sent again`);
  }
  return { alarms: changed, messages, notes };
}

type Verdict = {
  /** The row that from now on is ours, null where it stays. */
  readonly keep: Alarm | null;
  readonly messages: (place: Place) => readonly Message[];
  readonly note: string;
};

const AGREED: Verdict = { keep: null, messages: () => [], note: "" };

function compare(ours: Alarm | undefined, theirs: Alarm, now_ms: number): Verdict {
  if (ours === undefined) return adopt(theirs, now_ms);
  if (ours.id === theirs.id) return isSpent(ours, now_ms) ? remove(ours) : AGREED;
  if (ours.seq > theirs.seq) {
    const messages = (place: Place) => [stateMessage(ours, place)];
    return { keep: null, messages, note: "the broker held an older state; sent again" };
  }
  // Our store lost transitions that the broker has: go on above its seq, or readers would not heed.
  const same = ours.active === theirs.active;
  const transition = same ? "update" : ours.active ? "raise" : "clear";
  const { alarm } = step({ ...ours, seq: theirs.seq }, {}, transition, now_ms);
  const messages = (place: Place) => messagesOf(alarm, transition, place);
  return { keep: alarm, messages, note: `the broker held seq ${theirs.seq}, beyond ours` };
}

/** An alarm of ours that the store does not know: from before a store was lost or replaced. */
function adopt(theirs: Alarm, now_ms: number): Verdict {
  if (!theirs.active) {
    if (isSpent(theirs, now_ms)) return { ...remove(theirs), keep: theirs };
    return { keep: theirs, messages: () => [], note: "" };
  }
  const times = { detected_ms: now_ms, source_ms: now_ms };
  const cleared = clear(theirs, { ...theirs, ...times, marks: ["reconciled"] }, now_ms);
  if (typeof cleared === "string") return AGREED;
  const { alarm } = cleared;
  const messages = (place: Place) => messagesOf(alarm, "clear", place);
  return { keep: alarm, messages, note: "active at the broker but not here; cleared" };
}

function remove(alarm: Alarm): Verdict {
  return { keep: null, messages: (place) => [removal(alarm, place)], note: "" };
}

function isSpent(alarm: Alarm, now_ms: number): boolean {
  return stateOf(alarm) === "normal" && now_ms - alarm.time_ms > CLEARED_KEEP_ms;
}

/**
 * Gathers what the broker retains for our assets after each connect and every few hours, and hands
 * it over. Call before `link.start()`; the returned function ends it.
 */
export function collectRetained(
  link: Link,
  place: Place,
  assets: readonly string[],
  settled: (retained: readonly Retained[]) => void,
): () => void {
  const filters = assets.map((asset) => stateFilter(place, asset));
  const ours = new Set(assets);
  let found: Map<string, Retained> | null = null;
  let quiet: NodeJS.Timeout | null = null;
  let limit: NodeJS.Timeout | null = null;

  const stopTimers = (): void => {
    if (quiet !== null) clearTimeout(quiet);
    if (limit !== null) clearTimeout(limit);
  };
  const finish = (): void => {
    stopTimers();
    const all = found;
    found = null;
    if (all === null || !link.up) return;
    link.unsubscribe(filters);
    settled([...all.values()]);
  };
  const wait = (): void => {
    if (quiet !== null) clearTimeout(quiet);
    quiet = setTimeout(finish, QUIET_ms);
  };
  const collect = (): void => {
    stopTimers();
    found = new Map();
    link.subscribe(filters, () => {
      limit = setTimeout(finish, COLLECT_ms_max);
      wait();
    });
  };
  link.whenUp(collect);
  // Live states count too: what we send meanwhile is newer than what was retained.
  link.whenMessage((topic, payload) => {
    if (found === null) return;
    const parsed = parseTopic(place, topic);
    if (parsed?.leaf !== "state" || !ours.has(parsed.asset)) return;
    if (found.size >= RETAINED_MAX && !found.has(topic)) return;
    const short = payload.length <= PAYLOAD_BYTES_MAX ? payload.toString() : "too long";
    found.set(topic, { asset: parsed.asset, rule: parsed.rule, payload: short });
    if (quiet !== null) wait();
  });
  const again = setInterval(() => {
    if (link.up && found === null) collect();
  }, AGAIN_ms).unref();
  return () => {
    clearInterval(again);
    stopTimers();
    found = null;
  };
}
