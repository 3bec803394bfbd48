//! Every MQTT topic of the alarm side is built and read here. Levels are narrower than MQTT allows:
//! some brokers behind which a gateway may stand close the connection on "." or a blank.
import type { Command } from "./alarm.js";

/** Where alarms live: `<root>/<site>/...`. */
export type Place = { readonly root: string; readonly site: string };

export const VERBS = ["ack", "shelve", "unshelve", "out-of-service", "in-service"] as const;
export const TOPIC_ROOT = "sterna/v1";

const LEVEL = /^[A-Za-z0-9_-]+$/;
const LEVEL_max = 64;
const ROOT_LEVELS_max = 8;

export function isLevel(text: string): boolean {
  return text.length <= LEVEL_max && LEVEL.test(text);
}

/** Null, or what is wrong with an id that becomes a topic level, and what to write instead. */
export function levelFault(what: string, text: string): string | null {
  if (isLevel(text)) return null;
  const better = text.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, LEVEL_max);
  const hint = isLevel(better) && better !== "-" ? `; write "${better}"` : "";
  return `${what} "${text}" is no topic level: 1 to ${LEVEL_max} of A-Z a-z 0-9 _ -${hint}`;
}

/** Null, or what is wrong with a topic root such as `sterna/v1`. */
export function rootFault(root: string): string | null {
  const levels = root.split("/");
  if (levels.length > ROOT_LEVELS_max) return `topic root has more than ${ROOT_LEVELS_max} levels`;
  for (const level of levels) {
    const fault = levelFault("level of the topic root", level);
    if (fault !== null) return fault;
  }
  return null;
}

export function stateTopic(place: Place, asset: string, rule: string): string {
  return `${place.root}/${place.site}/${asset}/alarm/${rule}/state`;
}

export function eventTopic(place: Place, asset: string, rule: string): string {
  return `${place.root}/${place.site}/${asset}/alarm/${rule}/event`;
}

export function answerTopic(place: Place, asset: string, rule: string): string {
  return `${place.root}/${place.site}/${asset}/alarm/${rule}/cmd/answer`;
}

/** Retained, and the last will; shares its level with assets, so no gateway is named like one. */
export function statusTopic(place: Place, gateway: string): string {
  return `${place.root}/${place.site}/${gateway}/status`;
}

export function stateFilter(place: Place, asset: string): string {
  return `${place.root}/${place.site}/${asset}/alarm/+/state`;
}

export function commandFilter(place: Place, asset: string): string {
  return `${place.root}/${place.site}/${asset}/alarm/+/cmd/+`;
}

export type Target = { readonly asset: string; readonly rule: string };
export type Parsed =
  | (Target & { readonly leaf: "state" })
  | (Target & { readonly leaf: "command"; readonly verb: Command["verb"] | null });

/**
 * Reads a state or command topic of this place; null for any other, answers included.
 * An unknown command has the verb null: its sender deserves an answer.
 */
export function parseTopic(place: Place, topic: string): Parsed | null {
  const prefix = `${place.root}/${place.site}/`;
  if (!topic.startsWith(prefix)) return null;
  const [asset = "", alarm, rule = "", leaf, word, ...more] = topic.slice(prefix.length).split("/");
  if (alarm !== "alarm" || !isLevel(asset) || !isLevel(rule) || more.length > 0) return null;
  if (leaf === "state" && word === undefined) return { asset, rule, leaf };
  if (leaf !== "cmd" || word === undefined || word === "answer") return null;
  return { asset, rule, leaf: "command", verb: VERBS.find((known) => known === word) ?? null };
}
