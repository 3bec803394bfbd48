//! Operators' commands over MQTT: read, bounded, answered. They change nothing here: the pipeline
//! applies them within its tick and says what came of it.
import type { Command } from "./alarm.js";
import type { Applied } from "./apply.js";
import { stateOf } from "./lifecycle.js";
import type { Link } from "./link.js";
import { isoTime } from "./message.js";
import { parseRecord, readTime } from "./read.js";
import {
  answerTopic,
  commandFilter,
  type Place,
  parseTopic,
  type Target,
  VERBS,
} from "./topics.js";

const PAYLOAD_BYTES_MAX = 4_096;
const ID_max = 64;
const WHO_max = 64;
const WHY_max = 256;
/** Answers remembered, so that a command sent twice is done once and answered alike. */
const ANSWERS_MAX = 1_024;
const WAITING_MAX = 256;
const KEYS = ["id", "who", "why", "until"];

export type Refused = Target & { readonly id: string | null; readonly refused: string };

export type Commands = {
  /** What came of a command, once it is committed: the answer is sent and remembered. */
  answer(command: Command, outcome: Applied | string, now_ms: number): void;
};

/** Call before `link.start()`. `take` gets each good command once; answer every one of them. */
export function startCommands(
  link: Link,
  place: Place,
  assets: readonly string[],
  now: () => number,
  take: (command: Command) => void,
): Commands {
  const ours = new Set(assets);
  /** By command; null while it is being applied. Oldest first. */
  const answers = new Map<string, string | null>();
  let waiting = 0;

  const say = ({ asset, rule }: Target, payload: string): void => {
    const topic = answerTopic(place, asset, rule);
    link.publish([{ topic, payload, retain: false, historical: false }], () => {});
  };
  const refuse = (target: Target, id: string | null, reason: string): void => {
    say(target, answerDocument(id, null, reason, now()));
  };

  link.whenUp(() =>
    link.subscribe(
      assets.map((asset) => commandFilter(place, asset)),
      () => {},
    ),
  );
  link.whenMessage((topic, payload, retained) => {
    const read = readCommand(place, topic, payload, retained);
    if (read === null || !ours.has(read.asset)) return;
    if ("refused" in read) return refuse(read, read.id, read.refused);
    const known = answers.get(keyOf(read));
    if (known === null) return; // being applied: its answer comes
    if (known !== undefined) return say(read, known);
    if (waiting >= WAITING_MAX) return refuse(read, read.id, "too many commands wait; try again");
    waiting += 1;
    remember(answers, keyOf(read), null);
    take(read);
  });

  return {
    answer(command, outcome, now_ms) {
      waiting = Math.max(0, waiting - 1);
      const document = answerDocument(command.id, command.verb, outcome, now_ms);
      remember(answers, keyOf(command), document);
      say(command, document);
    },
  };
}

/** Null for a topic that carries no command. */
export function readCommand(
  place: Place,
  topic: string,
  payload: Buffer,
  retained: boolean,
): Command | Refused | null {
  const parsed = parseTopic(place, topic);
  if (parsed?.leaf !== "command") return null;
  const { asset, rule, verb } = parsed;
  const refuse = (refused: string, id: string | null = null): Refused => ({
    asset,
    rule,
    id,
    refused,
  });
  if (verb === null) return refuse(`no such command; one of ${VERBS.join(", ")}`);
  if (payload.length > PAYLOAD_BYTES_MAX) return refuse(`longer than ${PAYLOAD_BYTES_MAX} bytes`);
  const said = parseRecord(payload.toString());
  if (said === null) return refuse('no JSON object; write {"id":"...","who":"..."}');
  const id = bounded(said["id"], ID_max);
  if (id === null) return refuse(`"id" must be a text of 1 to ${ID_max} characters`);
  // Retained it would come again with every connection, long after it was meant.
  if (retained) return refuse("a command must not be retained", id);
  const unknown = Object.keys(said).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return refuse(`unknown key; known are ${KEYS.join(", ")}`, id);
  const who = bounded(said["who"], WHO_max);
  if (who === null) return refuse(`"who" must be a text of 1 to ${WHO_max} characters`, id);
  const why = said["why"] === undefined || said["why"] === "" ? "" : bounded(said["why"], WHY_max);
  if (why === null) return refuse(`"why" must be a text of at most ${WHY_max} characters`, id);
  const until_ms = readTime(said["until"]);
  if (until_ms === null && (said["until"] ?? null) !== null) {
    return refuse('"until" must be a time such as 2026-11-23T15:00:00Z', id);
  }
  return { verb, asset, rule, id, who, why, until_ms };
}

function answerDocument(
  id: string | null,
  verb: Command["verb"] | null,
  outcome: Applied | string,
  now_ms: number,
): string {
  const refused = typeof outcome === "string";
  return JSON.stringify({
    id,
    verb,
    ok: !refused,
    reason: refused ? outcome : null,
    state: refused ? null : stateOf(outcome.alarm),
    seq: refused ? null : outcome.alarm.seq,
    time: isoTime(now_ms),
  });
}

function remember(answers: Map<string, string | null>, key: string, answer: string | null): void {
  answers.delete(key);
  answers.set(key, answer);
  for (const oldest of answers.keys()) {
    if (answers.size <= ANSWERS_MAX) return;
    answers.delete(oldest);
  }
}

const keyOf = ({ asset, rule, id }: Command): string => `${asset}/${rule}/${id}`;

function bounded(value: unknown, length_max: number): string | null {
  if (typeof value !== "string" || value.length === 0 || value.length > length_max) return null;
  return value;
}
