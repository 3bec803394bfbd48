//! MQTT topic filters: matching and the level name that a match gives ([MQTT-4.7]).

export const isPattern = (filter: string): boolean => /[+#]/.test(filter);

/** The level a topic has under a filter: the wildcards' texts joined by "-"; null: no match. */
export function levelOf(filter: string, topic: string): string | null {
  const wanted = filter.split("/");
  const found = topic.split("/");
  const parts: string[] = [];
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === "#") {
      parts.push(...found.slice(i));
      return name(parts);
    }
    const text = found[i];
    if (text === undefined) return null;
    if (wanted[i] === "+") parts.push(text);
    else if (wanted[i] !== text) return null;
  }
  return found.length === wanted.length ? name(parts) : null;
}

// A byte outside the topic alphabet becomes _hh, so that two levels never share a name.
function name(parts: readonly string[]): string {
  const text = parts
    .join("-")
    .replace(/[^A-Za-z0-9_-]/gu, (c) => `_${c.codePointAt(0)?.toString(16)}`);
  return text === "" ? "_" : text;
}
