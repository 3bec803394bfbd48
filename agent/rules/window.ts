//! The last seconds of a value, for avg, rms, min, max and rate. A value holds until the next one,
//! so a sample seen twice changes nothing. Exact while at most SLOTS_MAX changes fall into the
//! window; beyond that its far edge is off by at most one part in SLOTS_MAX: memory is bounded.

const SLOTS_MAX = 512;

type Slot = {
  readonly start_ms: number;
  /** Integrals of the value and its square over the closed stretches of the slot. */
  sum: number;
  squares: number;
  min: number;
  max: number;
};

export class Window {
  readonly #span_ms: number;
  readonly #quantum_ms: number;
  #slots: Slot[] = [];
  /** The value that holds now, since when, and the time it was last seen. */
  #value = Number.NaN;
  #changed_ms = 0;
  #now_ms = Number.NEGATIVE_INFINITY;
  #since_ms = Number.POSITIVE_INFINITY;

  constructor(span_ms: number) {
    this.#span_ms = span_ms;
    this.#quantum_ms = span_ms / SLOTS_MAX;
  }

  /** An unknown value (NaN) empties the window: it knows nothing until it is full again. */
  observe(value: number, t_ms: number): void {
    // Source times of different channels may cross; a window never goes back.
    const now_ms = Math.max(t_ms, this.#now_ms);
    this.#now_ms = now_ms;
    if (Number.isNaN(value)) {
      this.#slots = [];
      this.#value = Number.NaN;
      this.#since_ms = Number.POSITIVE_INFINITY;
      return;
    }
    if (this.#slots.length === 0) {
      this.#since_ms = now_ms;
      this.#open(value, now_ms);
    } else {
      this.#closeMixed(now_ms);
      if (value !== this.#value) this.#change(value, now_ms);
    }
    while ((this.#slots[1]?.start_ms ?? Number.POSITIVE_INFINITY) <= now_ms - this.#span_ms) {
      this.#slots.shift();
    }
  }

  avg(): number {
    return this.#integral(false) / this.#span_ms;
  }

  rms(): number {
    return Math.sqrt(Math.max(0, this.#integral(true) / this.#span_ms));
  }

  min(): number {
    if (!this.#full()) return Number.NaN;
    return this.#slots.reduce((least, slot) => Math.min(least, slot.min), Number.POSITIVE_INFINITY);
  }

  max(): number {
    if (!this.#full()) return Number.NaN;
    return this.#slots.reduce((most, slot) => Math.max(most, slot.max), Number.NEGATIVE_INFINITY);
  }

  /** Change per second over the whole window. */
  rate(): number {
    const first = this.#slots[0];
    if (first === undefined || !this.#full()) return Number.NaN;
    const end_ms = this.#slots[1]?.start_ms ?? this.#now_ms;
    const held = first.min === first.max;
    const before = held ? first.min : this.#sumOf(first, false) / (end_ms - first.start_ms);
    return (this.#value - before) / (this.#span_ms / 1000);
  }

  #full(): boolean {
    return this.#now_ms - this.#since_ms >= this.#span_ms;
  }

  #open(value: number, at_ms: number): void {
    this.#slots.push({ start_ms: at_ms, sum: 0, squares: 0, min: value, max: value });
    this.#value = value;
    this.#changed_ms = at_ms;
  }

  #last(): Slot {
    return this.#slots[this.#slots.length - 1] as Slot; // called with at least one slot
  }

  #accrue(to_ms: number): void {
    const slot = this.#last();
    slot.sum += this.#value * (to_ms - this.#changed_ms);
    slot.squares += this.#value ** 2 * (to_ms - this.#changed_ms);
    this.#changed_ms = to_ms;
  }

  /** A slot of several values ends after its quantum, lest its extremes outlive the window. */
  #closeMixed(now_ms: number): void {
    const slot = this.#last();
    const end_ms = Math.max(slot.start_ms + this.#quantum_ms, this.#changed_ms);
    if (slot.min === slot.max || now_ms <= end_ms) return;
    this.#accrue(end_ms);
    this.#open(this.#value, end_ms);
  }

  #change(value: number, now_ms: number): void {
    this.#accrue(now_ms);
    const slot = this.#last();
    if (now_ms - slot.start_ms >= this.#quantum_ms) {
      this.#open(value, now_ms);
      return;
    }
    // A value that held for no time is overwritten, not remembered.
    const instant = now_ms === slot.start_ms;
    slot.min = instant ? value : Math.min(slot.min, value);
    slot.max = instant ? value : Math.max(slot.max, value);
    this.#value = value;
  }

  #sumOf(slot: Slot, squared: boolean): number {
    const closed = squared ? slot.squares : slot.sum;
    if (slot !== this.#last()) return closed;
    const value = squared ? this.#value ** 2 : this.#value;
    return closed + value * (this.#now_ms - this.#changed_ms);
  }

  #integral(squared: boolean): number {
    const first = this.#slots[0];
    if (first === undefined || !this.#full()) return Number.NaN;
    let sum = 0;
    for (const slot of this.#slots) sum += this.#sumOf(slot, squared);
    // The first slot began before the window: take off its share.
    const end_ms = this.#slots[1]?.start_ms ?? this.#now_ms;
    const before_ms = this.#now_ms - this.#span_ms - first.start_ms;
    return sum - (this.#sumOf(first, squared) * before_ms) / (end_ms - first.start_ms);
  }
}
