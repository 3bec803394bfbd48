//! The monitors of one asset, bound to the frame: which index each reads and writes, in the order
//! in which they were added, so that a later one may read what an earlier one writes.
import type { Block } from "./base/telemetry.js";
import type { Finding, Frame, Monitor } from "./models/monitor.js";

type Bound = {
  readonly monitor: Monitor;
  readonly inputs: readonly number[];
  readonly frame: Frame;
};

export class BoundMonitors {
  readonly #values: () => Float64Array;
  readonly #bound: Bound[] = [];
  /** Frame index to the monitor that writes it, and which of its outputs that is. */
  readonly #writers = new Map<number, { readonly monitor: Monitor; readonly output: number }>();
  /** What the last run wrote. */
  readonly #touched = new Set<number>();

  /** `values` gives the frame of the asset, which is another one once it has grown. */
  constructor(values: () => Float64Array) {
    this.#values = values;
  }

  add(monitor: Monitor, inputs: readonly number[], outputs: readonly number[]): void {
    outputs.forEach((index, output) => {
      this.#writers.set(index, { monitor, output });
    });
    const frame: Frame = {
      get: (input) => {
        const index = inputs[input] ?? -1;
        return index < 0 ? Number.NaN : (this.#values()[index] as number);
      },
      set: (output, value) => {
        const index = outputs[output] as number;
        this.#values()[index] = value;
        this.#touched.add(index);
      },
    };
    this.#bound.push({ monitor, inputs, frame });
  }

  get monitors(): readonly Monitor[] {
    return this.#bound.map((bound) => bound.monitor);
  }

  /** Runs every one that reads this index, or what another one just wrote; true if any ran. */
  run(index: number, t_ms: number, block: Block | null): boolean {
    let ran = false;
    if (this.#touched.size > 0) this.#touched.clear(); // it makes a new table each time
    for (const { monitor, inputs, frame } of this.#bound) {
      const input = inputs.indexOf(index);
      if (input >= 0) {
        if (block === null) monitor.onSample(frame, input, t_ms);
        else monitor.onBlock(frame, input, block);
        ran = true;
      }
      if (this.#touched.size === 0) continue;
      inputs.forEach((read, at) => {
        if (this.#touched.has(read)) monitor.onSample(frame, at, t_ms);
      });
    }
    return ran;
  }

  /** Whether the last run wrote anything. */
  get wrote(): boolean {
    return this.#touched.size > 0;
  }

  writerOf(index: number): Monitor | null {
    return this.#writers.get(index)?.monitor ?? null;
  }

  /** What the monitor that writes this index expected; null where there is none, or nothing yet. */
  explain(index: number): Finding | null {
    const writer = this.#writers.get(index);
    return writer === undefined ? null : writer.monitor.explain(writer.output);
  }

  /** Indexes that the monitor which writes this one reads. */
  inputsFor(index: number): readonly number[] {
    const writer = this.writerOf(index);
    return this.#bound.find(({ monitor }) => monitor === writer)?.inputs ?? [];
  }

  /** Indexes written by those that read this one. */
  writtenFrom(index: number): number[] {
    const readers = this.#bound.filter(({ inputs }) => inputs.includes(index));
    return [...this.#writers].flatMap(([written, { monitor }]) =>
      readers.some((bound) => bound.monitor === monitor) ? written : [],
    );
  }
}
