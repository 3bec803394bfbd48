//! Which channels a topic feeds. A topic is looked up in a Map; only its first message is held
//! against the patterns. What is remembered is bounded by the config: plain topics and levels.
import type { Channel, Intake } from "../base/telemetry.js";
import { type MqttBinding, type Target, targetOf } from "./decode.js";
import { bare, covers, hashed, isPattern, levelOf } from "./topic.js";

export type MqttChannel = { readonly channel: Channel; readonly binding: MqttBinding };

export type Route = {
  readonly targets: readonly Target[];
  /** How many subscriptions the topic matches: a broker may send as many copies of a message. */
  readonly copies: number;
};

type Pattern = {
  readonly filter: string;
  readonly target: Target;
  /** The topic of every level opened so far. */
  readonly levels: Map<string, string>;
};

/** Topic filters to subscribe with their QoS: those that another one covers are left out. */
export function subscriptionsOf(channels: readonly MqttChannel[]): Map<string, 0 | 1> {
  const wanted = new Map<string, 0 | 1>();
  for (const { binding } of channels) {
    wanted.set(binding.topic, wanted.get(binding.topic) === 1 ? 1 : binding.qos);
  }
  const patterns = [...wanted.keys()].filter(isPattern);
  for (const [filter, qos] of wanted) {
    const wider = patterns.find((p) => p !== filter && wanted.has(p) && covers(p, filter));
    if (wider === undefined) continue;
    if (qos === 1) wanted.set(wider, 1);
    wanted.delete(filter);
  }
  return wanted;
}

/** Finds the route of a topic; null: nothing to feed, and what there was to say is counted. */
export function router(
  channels: readonly MqttChannel[],
  subscribed: ReadonlyMap<string, 0 | 1>,
): (topic: string, intake: Intake) => Route | null {
  const plain = new Map<string, Target[]>();
  const patterns: Pattern[] = [];
  for (const { channel, binding } of channels) {
    const target = targetOf(channel, binding);
    if (isPattern(binding.topic)) {
      patterns.push({ filter: binding.topic, target, levels: new Map() });
    } else {
      const topic = bare(binding.topic);
      plain.set(topic, [...(plain.get(topic) ?? []), target]);
    }
  }
  const filters = [...subscribed.keys()];
  const routes = new Map<string, Route>();

  const find = (topic: string, intake: Intake): Route | null => {
    const targets = [...(plain.get(topic) ?? [])];
    let matched = targets.length;
    for (const pattern of patterns) {
      const level = levelOf(pattern.filter, topic);
      if (level === null) continue;
      matched += 1;
      const target = openLevel(pattern, level, topic, intake);
      if (target !== null) targets.push(target);
    }
    if (matched === 0) intake.reject("unknown-topic", null, topic);
    if (targets.length === 0) return null;
    const copies = filters.filter((filter) => covers(filter, topic)).length;
    const route = { targets, copies };
    // A topic beyond the bound of a pattern is not remembered: there may be any number of them.
    if (targets.length === matched) routes.set(topic, route);
    return route;
  };

  return (topic, intake) => routes.get(topic) ?? find(topic, intake);
}

function openLevel(pattern: Pattern, level: string, topic: string, intake: Intake): Target | null {
  const { levels, target } = pattern;
  // Somebody's literal name may look like another topic's hash.
  const free = (levels.get(level) ?? topic) === topic;
  const name = free ? level : hashed(level, topic);
  const id = intake.level(target.channel.id, name);
  if (id === null) return null;
  levels.set(name, topic);
  return { ...target, channel: { ...target.channel, id, pattern: false } };
}
