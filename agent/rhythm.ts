//! The longest gap that is usual between the arrivals of a channel: how long its silence may last
//! before it is one. An outage must not become usual, or it hides the next one.

/** Gaps before the rhythm is known. */
const LEARN_GAPS = 15;
/** What has come so often, lately, is usual: the operator was told of the times before. */
const USUAL_TIMES = 3;
/** "Lately" is the last one to two windows of so many gaps: seconds of an hour, ten-minute weeks. */
const WINDOW_GAPS = 4_096;

/** In bounded memory: the longest gaps of this window, and what was usual in the one before. */
export class Rhythm {
  /** The longest of this window, descending. */
  #longest: number[] = [];
  #before_ms = 0;
  #count = 0;
  /** Whether a second window has begun. */
  #full = false;

  get known(): boolean {
    return this.#full || this.#count >= LEARN_GAPS;
  }

  /** Longest usual gap; while the rhythm is not known, the longest of all. */
  get gap_ms(): number {
    const own_ms = this.#longest[this.known ? USUAL_TIMES - 1 : 0] ?? 0;
    return Math.max(this.#before_ms, own_ms);
  }

  take(gap_ms: number): void {
    if (this.#count === WINDOW_GAPS) this.#turn();
    this.#count += 1;
    const longest = this.#longest;
    if (longest.length === USUAL_TIMES && !(gap_ms > (longest[USUAL_TIMES - 1] as number))) return;
    longest.push(gap_ms);
    longest.sort((a, b) => b - a);
    if (longest.length > USUAL_TIMES) longest.pop();
  }

  #turn(): void {
    this.#before_ms = this.#longest[USUAL_TIMES - 1] ?? 0;
    this.#longest.length = 0;
    this.#count = 0;
    this.#full = true;
  }
}
