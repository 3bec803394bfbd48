//! Listens to what a machine's monitors read and say, and cuts it into slices. It changes nothing of
//! what they say.
import type { Block } from "../base/telemetry.js";
import { Thinned } from "./chain/robust.js";
import { COVER, type Commissioning, NOISE } from "./commission.js";
import { type Row, Slices } from "./commission-slices.js";
import { doubtedBy } from "./doubt.js";
import type { Frame, Monitor } from "./monitor.js";
import { STATE_OUTPUT } from "./monitor-machine.js";
import type { Learnt } from "./setup.js";
import type { Declared } from "./suspect.js";

type Role = "state" | "doubt" | "learnt" | "none";

/** Instants of all channels kept to judge their units by. */
const INSTANTS_MAX = 512;

export type Listener = {
  /** Readings are wanted, too: commissioning is not over. */
  readonly learning: boolean;
  take(rows: readonly Row[]): void;
};

export class Tap {
  readonly #by: Commissioning["slice"]["by"];
  readonly #records: ReadonlySet<string>;
  readonly #slices: Slices;
  readonly #learnt: ReadonlySet<string>;
  readonly #covered: ReadonlySet<string>;
  readonly #listener: Listener;
  readonly #instants = new Thinned<ReadonlyMap<string, number>>(INSTANTS_MAX);
  readonly #before = new Map<string, { readonly value: number; readonly t_ms: number }>();
  #state = Number.NaN;
  #t_ms = Number.NaN;
  #counted_ms = Number.NaN;

  constructor(learns: readonly Learnt[], commissioning: Commissioning, listener: Listener) {
    const { slice } = commissioning;
    this.#by = slice.by;
    this.#records = new Set(slice.by === "blocks" ? slice.records : []);
    this.#slices = new Slices(commissioning.slice);
    this.#learnt = new Set(
      learns.flatMap(({ output, explained }) => [output, ...(explained?.by ?? [])]),
    );
    this.#covered = new Set(commissioning.covers.map(({ channel }) => channel));
    this.#listener = listener;
  }

  /** Ends the open slice. */
  cut(): Row[] {
    return this.#slices.cut();
  }

  /** Readings of instants all over the time, of each channel. */
  declared(channels: readonly Omit<Declared, "values">[]): Declared[] {
    const { values } = this.#instants;
    return channels.map(({ name, unit, point }) => {
      return { name, unit, point, values: values.map((row) => row.get(name) ?? Number.NaN) };
    });
  }

  /** The monitor that `inner` gives now, heard; its ports never change. */
  wrap(inner: () => Monitor): Monitor {
    const { name, inputs, outputs } = inner();
    const roles = outputs.map((port) => this.#roleOf(port.name));
    let frame: Frame;
    const heard: Frame = {
      get: (input) => frame.get(input),
      set: (output, value) => {
        frame.set(output, value);
        const role = roles[output] ?? "none";
        if (role !== "none") this.#hear(role, outputs[output]?.name ?? "", value, inputs, frame);
      },
    };
    return {
      name,
      inputs,
      outputs,
      get off() {
        return inner().off;
      },
      get model() {
        return inner().model;
      },
      get tier() {
        return inner().tier;
      },
      onSample: (own, input, t_ms) => {
        frame = own;
        this.#t_ms = t_ms;
        if (this.#listener.learning) this.#read(inputs[input] ?? "", own.get(input));
        if (this.#records.has(inputs[input] ?? "")) this.#countBlock(t_ms);
        inner().onSample(heard, input, t_ms);
      },
      onBlock: (own: Frame, input: number, block: Block) => {
        frame = own;
        this.#t_ms = block.t_ms;
        if (this.#by === "blocks") this.#countBlock(block.t_ms);
        inner().onBlock(heard, input, block);
      },
      explain: (output) => inner().explain(output),
      spectrum: () => inner().spectrum(),
    };
  }

  #countBlock(t_ms: number): void {
    if (t_ms === this.#counted_ms) return;
    this.#counted_ms = t_ms;
    this.#slices.countBlock();
    this.#listener.take(this.#slices.at(t_ms, this.#state));
  }

  #roleOf(name: string): Role {
    if (name === STATE_OUTPUT) return "state";
    if (this.#by === "itself") return "none";
    return doubtedBy(name) !== null ? "doubt" : this.#learnt.has(name) ? "learnt" : "none";
  }

  /** A raw reading, for the noise of its channel and for what was covered. */
  #read(channel: string, value: number): void {
    if (Number.isNaN(value) || this.#by === "itself") return;
    const before = this.#before.get(channel);
    // Two monitors may read one channel.
    if (before?.t_ms === this.#t_ms) return;
    this.#before.set(channel, { value, t_ms: this.#t_ms });
    if (this.#covered.has(channel)) this.#slices.add(COVER + channel, value);
    if (before === undefined || value === 0) return;
    this.#slices.count(NOISE + channel, Math.abs(value - before.value));
  }

  #hear(role: Role, name: string, value: number, inputs: readonly string[], frame: Frame): void {
    if (role === "learnt") this.#slices.add(name, value);
    else if (role === "doubt") {
      if (value > 0) this.#slices.doubt(doubtedBy(name) ?? "");
    } else {
      this.#state = value;
      // The monitor's own steps are the time that its channels agree on.
      const cuts = this.#by === "time" || this.#by === "flight";
      if (cuts) this.#listener.take(this.#slices.at(this.#t_ms, value));
      if (this.#listener.learning) {
        this.#instants.offer(() => new Map(inputs.map((input, i) => [input, frame.get(i)])));
      }
    }
  }
}
