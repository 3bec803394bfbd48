/** A queue that cannot grow. When full it drops the oldest and counts the loss. */
export class Ring<T> {
  readonly #slots: (T | undefined)[];
  #head = 0;
  #count = 0;
  dropped = 0;

  constructor(capacity: number) {
    this.#slots = new Array<T | undefined>(capacity).fill(undefined);
  }

  get length(): number {
    return this.#count;
  }

  push(item: T): void {
    const capacity = this.#slots.length;
    if (this.#count === capacity) {
      this.#head = (this.#head + 1) % capacity;
      this.#count -= 1;
      this.dropped += 1;
    }
    this.#slots[(this.#head + this.#count) % capacity] = item;
    this.#count += 1;
  }

  take(count_max: number): T[] {
    const count = Math.min(count_max, this.#count);
    const taken: T[] = [];
    for (let i = 0; i < count; i++) {
      taken.push(this.#slots[this.#head] as T);
      this.#slots[this.#head] = undefined; // lets the garbage collector have it
      this.#head = (this.#head + 1) % this.#slots.length;
    }
    this.#count -= count;
    return taken;
  }
}
