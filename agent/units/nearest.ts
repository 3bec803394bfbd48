//! "Did you mean": the nearest known word by edit distance, for units, signals and functions.

const WORD_CHARS_MAX = 64;

/** The nearest of `known`, quoted by `quote`; null when none is near enough to be meant. */
export function nearest(
  word: string,
  known: Iterable<string>,
  quote: (s: string) => string = (s) => s,
): string | null {
  if (word.length > WORD_CHARS_MAX) return null;
  let best: string | null = null;
  // In a word of one or two letters only the case can be a slip: everything is near it.
  let least = word.length < 3 ? 1 : Math.max(1, Math.floor(word.length / 3)) + 0.5;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > least) continue;
    // A slip of the shift key is likelier than a wrong letter.
    const same = candidate.toLowerCase() === word.toLowerCase();
    const away = same ? 0.5 : distance(word, candidate);
    if (away < least) {
      least = away;
      best = candidate;
    }
  }
  return best === null ? null : quote(best);
}

/** Levenshtein distance, one row at a time; two letters in the wrong order are one slip. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const turned = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const turn = turned ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(swap, turn, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
