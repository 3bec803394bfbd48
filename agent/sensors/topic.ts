//! MQTT topic filters ([MQTT-4.7]): matching, and the level name that a match gives.
import { createHash } from "node:crypto";

// The alarm of a level is `<rule>-<level>`, and both must fit a topic level of 64.
const LEVEL_CHARS_MAX = 40;
const HASH_CHARS = 8;

export const isPattern = (filter: string): boolean => /[+#]/.test(filter);

/** The filter that topics are held against: `$share/group/` only says who else gets them. */
export const bare = (filter: string): string => filter.replace(/^\$share\/[^/]*\//, "");

/** Whether everything that `other`, a topic or a narrower filter, can mean matches `filter`. */
export function covers(filter: string, other: string): boolean {
  const wanted = bare(filter).split("/");
  const found = bare(other).split("/");
  // [MQTT-4.7.2-1]: a leading wildcard does not match $SYS and its like.
  if (found[0]?.startsWith("$") && wanted[0] !== found[0]) return false;
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === "#") return true;
    const text = found[i];
    if (text === undefined) return false;
    if (wanted[i] === "+" ? text === "#" : wanted[i] !== text) return false;
  }
  return found.length === wanted.length;
}

/**
 * The level a topic has under a filter: the wildcards' texts joined by "-"; null: no match. Where
 * that is no name, or two topics could give it, a hash of the topic follows, so that the same topic
 * has the same level on every start, whatever came before.
 */
export function levelOf(filter: string, topic: string): string | null {
  if (!covers(filter, topic)) return null;
  const wanted = bare(filter).split("/");
  const found = topic.split("/");
  const parts = wanted.flatMap((step, i) =>
    step === "#" ? found.slice(i) : step === "+" ? [found[i] ?? ""] : [],
  );
  const joined = parts.join("-");
  const single = wanted.filter((step) => step === "+").length === 1 && !wanted.includes("#");
  const unique = single || (parts.length > 0 && !parts.some((part) => part.includes("-")));
  const named = /^[A-Za-z0-9_-]+$/.test(joined) && joined.length <= LEVEL_CHARS_MAX;
  return unique && named ? joined : hashed(joined, topic);
}

/** The level with a hash of the topic, for a name that something else already has. */
export function hashed(level: string, topic: string): string {
  const hash = createHash("sha256").update(topic).digest("hex").slice(0, HASH_CHARS);
  const name = level.replace(/[^A-Za-z0-9_-]/gu, "_").slice(0, LEVEL_CHARS_MAX - HASH_CHARS - 1);
  return name === "" ? hash : `${name}-${hash}`;
}
