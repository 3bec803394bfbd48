//! The shell that every machine's monitor shares: time and steps, belief in readings, ports, what is
//! off. A machine's own file states its equations; what it withholds or cannot tell is NaN, and a
//! rule on NaN neither raises nor clears.
import type { Block, Tier } from "../base/telemetry.js";
import { type Balance, findingOf, type Known } from "./balance.js";
import { Correction } from "./chain/correction.js";
import { type PortRow, sizedTo } from "./chain/port.js";
import { SUSPICIONS, Validity } from "./chain/validity.js";
import { doubtedBy, doubtOf } from "./doubt.js";
import type { Finding, Frame, Memory, Monitor, Port, Spectrum } from "./monitor.js";
import { Shifts } from "./monitor-shift.js";
import { Recall, type Recalled } from "./recall.js";
import { type Learnt, learnt, type NameplateRow, plateValue, type Setup } from "./setup.js";

/** What a machine's equations see of its channels, by name; SI. */
export type Readings = {
  /** The reading while it is believed, else NaN. */
  value(name: string): number;
  /** Also while only a balance speaks against it: that balance needs to hear on. */
  heard(name: string): number;
  /** What the channel says, believed or not: for the tests that decide about it. */
  raw(name: string): number;
  believed(name: string): boolean;
  /** By its usual pace its next reading is not overdue. */
  current(name: string): boolean;
  /** Why not: an index of SUSPICIONS. */
  code(name: string): number;
  /** A balance names this channel as the one that does not fit. */
  accuse(name: string): void;
  /** Accuses once `off` has held for longer than `after_s`. */
  suspect(name: string, off: boolean, after_s: number, dt_s: number): void;
  /** Forgets what `suspect` has counted so far. */
  pardon(): void;
  /** A model of the channel says whether it is what it should be: that ends a step that pends. */
  agree(name: string, agrees: boolean): void;
  /** The machine is at rest: nothing moves its readings, and knocks are no spikes. */
  rest(resting: boolean): void;
  /** What commissioning learnt of this name for the present operating state, as adapted since. */
  normal(name: string, otherwise: number): number;
};

/** Output by name to its value now, in SI. */
export type Said = Readonly<Record<string, () => number>>;

/** The equations of one machine. */
export type Physics = {
  /** Holds what is believed against the balances of the machine. */
  step(dt_s: number, t_ms: number): void;
  /** Nothing came for longer than the machine's `gap_s`. */
  pause?(): void;
  /** The machine works and has settled, so that a shift of this output may count. */
  steady?(output: string): boolean;
  /** Code of the operating state, NaN where not known. */
  state(): number;
  /** Every output but those that only a block moves. */
  readonly says: Said;
  /** What a block changes, written after each that `onBlock` took. */
  readonly saysOfBlocks?: Said;
  /** False: the block told nothing. */
  onBlock?(block: Block): boolean;
  /** A reading of a `plain` port came, which stands for a block. False: it told nothing. */
  onRecord?(name: string): boolean;
  explain(output: string): Finding | null;
  spectrum?(): Spectrum | null;
  /** What a channel should read, SI. */
  expects?(channel: string): number;
  /** The model behind the answers; equations alone where absent. */
  readonly network?: { readonly hash: string; readonly tier: Tier } | null;
  readonly off?: readonly string[];
  /** What the equations must know again after a restart. */
  readonly recalled?: Recalled;
  /** A memory of its own instead. */
  readonly memory?: Memory;
};

export type Machine = {
  readonly name: string;
  readonly ports: readonly PortRow[];
  readonly plate: readonly NameplateRow[];
  /** Of `machineOutputs`. */
  readonly outputs: readonly Port[];
  readonly step_ms: number;
  /** Each instant is a step of its own, whole before anything of the next is heard. */
  readonly instants?: boolean;
  /** Longer without data is no step but a pause. */
  readonly gap_s: number;
  /** What is off without a key of the nameplate, and without a baseline. */
  readonly needs: readonly { readonly key: string; readonly what: string }[];
  readonly learns: string;
  /** What its alarms tell of its other readings. */
  readonly balances?: readonly Balance[];
  /** What is explained by drivers and tested for shifts. */
  readonly learnt?: readonly Learnt[];
  physics(readings: Readings, setup: Setup): Physics;
};

export const output = (name: string, unit: string, about: string): Port => ({
  name,
  unit,
  point: false,
  about,
});

/** The output that says in which operating state the machine is. */
export const STATE_OUTPUT = "operating.state";

/** The outputs of a machine: the health of each channel, its own, and its state. */
export function machineOutputs(ports: readonly PortRow[], own: readonly Port[]): readonly Port[] {
  const codes = `0 well, else ${SUSPICIONS.slice(1).join(", ")}`;
  const doubts = ports.map(({ name }) => output(`${name}.fault`, "1", codes));
  return [...doubts, ...own, output(STATE_OUTPUT, "1", "code of the operating state")];
}

export function createMachineMonitor(machine: Machine, setup: Setup): Monitor {
  const shell = new Shell(machine, setup);
  const { physics } = shell;
  const model = physics.network ?? setup.learned;
  return {
    name: machine.name,
    inputs: machine.ports.map((port) => port.name),
    outputs: machine.outputs,
    model: model?.hash ?? "physics@1",
    get tier() {
      return model?.tier ?? "exact";
    },
    off: [...whatIsOff(machine, setup), ...shell.shifts.off, ...(physics.off ?? [])],
    onSample: (frame, input, t_ms) => shell.onSample(frame, input, t_ms),
    onBlock: (frame, input, block) => shell.onBlock(frame, input, block),
    explain: (index) => shell.explain(machine.outputs[index]?.name ?? ""),
    spectrum: () => physics.spectrum?.() ?? null,
    memory: physics.memory ?? shell.recall,
  };
}

function whatIsOff({ plate, needs, learns }: Machine, setup: Setup): string[] {
  const off = needs
    .filter(({ key }) => Number.isNaN(plateValue(setup, plate, key)))
    .map(({ key, what }) => `${what}: no nameplate ${key}`);
  return setup.baseline === null ? [...off, `${learns}: no baseline (uncommissioned)`] : off;
}

class Shell {
  readonly physics: Physics;
  readonly shifts: Shifts;
  readonly recall: Recall;
  readonly #machine: Machine;
  readonly #at: ReadonlyMap<string, number>;
  readonly #validity: Validity;
  readonly #present: boolean[];
  readonly #held = new Map<string, number>();
  readonly #scalars: readonly number[];
  readonly #readings: Readings;
  readonly #correction: Correction;
  readonly #known: Known;
  #step_ms = Number.NaN;
  #instant_ms = Number.NEGATIVE_INFINITY;
  #block_ms = Number.NEGATIVE_INFINITY;

  constructor(machine: Machine, setup: Setup) {
    const { ports } = machine;
    this.#machine = machine;
    this.#at = new Map(ports.map((port, index) => [port.name, index]));
    const plate = (key: string): number => plateValue(setup, machine.plate, key);
    const sized = ports.map((port) => sizedTo(port, plate));
    this.#validity = new Validity(sized, (name) => learnt(setup, `noise.${name}`, Number.NaN));
    this.#present = ports.map(() => false);
    this.#scalars = ports.flatMap((port, i) => (port.shape === "scalar" ? [i] : []));
    this.#correction = new Correction(setup.learned ?? null);
    this.shifts = new Shifts(machine.learnt ?? [], setup);
    this.#readings = this.#makeReadings(setup);
    this.#known = {
      said: (of) => this.#told(of),
      learnt: (of) => this.#readings.normal(of, Number.NaN),
      expects: (channel) => this.physics.expects?.(channel) ?? Number.NaN,
      code: (channel) => this.#validity.code(this.#at.get(channel) ?? -1),
      raw: (channel) => this.#validity.raw(this.#at.get(channel) ?? -1),
      outputs: machine.outputs,
      ports,
    };
    this.physics = machine.physics(this.#readings, setup);
    const { recalled } = this.physics;
    const parts = recalled === undefined ? [this.shifts] : [this.shifts, recalled];
    this.recall = new Recall(parts, () => Math.max(this.#block_ms, this.#validity.now_ms));
  }

  onSample(frame: Frame, input: number, t_ms: number): void {
    const { step_ms, instants, ports } = this.#machine;
    if (ports[input]?.shape !== "scalar") return;
    const before_ms = this.#validity.now_ms;
    if (instants === true && t_ms > before_ms && before_ms > this.#instant_ms) {
      this.#step(frame, before_ms);
    }
    this.#validity.take(input, frame.get(input), t_ms);
    if (ports[input]?.plain === true && this.physics.onRecord?.(ports[input].name) === true) {
      this.#write(frame, this.physics.saysOfBlocks ?? {});
    }
    if (instants === true) return;
    // A step falls due when time moves on, so that it sees every channel of its instant.
    if (!(this.#validity.now_ms > before_ms)) return;
    if (Number.isNaN(this.#step_ms)) this.#begin(this.#validity.now_ms);
    if (before_ms - this.#step_ms < step_ms) return;
    this.#step(frame, before_ms);
  }

  #begin(t_ms: number): void {
    this.#step_ms = t_ms;
    this.recall.begin(t_ms);
  }

  #step(frame: Frame, before_ms: number): void {
    const { gap_s } = this.#machine;
    if (Number.isNaN(this.#step_ms)) this.#begin(before_ms);
    this.#instant_ms = before_ms;
    const dt_s = (before_ms - this.#step_ms) / 1000;
    this.#step_ms = before_ms;
    for (const i of this.#scalars) this.#present[i] = !Number.isNaN(frame.get(i));
    if (dt_s <= gap_s) {
      this.#correction.step(this.#readings.value, dt_s);
      this.physics.step(dt_s, before_ms);
      const steady = (of: string): boolean =>
        this.#correction.tells(of) && (this.physics.steady?.(of) ?? true);
      this.shifts.step(dt_s, steady, (of) => this.#said(of));
    } else this.physics.pause?.();
    for (const i of this.#scalars) frame.set(i, this.#validity.code(i));
    this.#write(frame, this.physics.says);
    frame.set(this.#machine.outputs.length - 1, this.physics.state());
  }

  onBlock(frame: Frame, input: number, block: Block): void {
    if (this.#machine.ports[input]?.shape !== "block") return;
    this.recall.begin(block.t_ms);
    this.#block_ms = block.t_ms;
    if (this.physics.onBlock?.(block)) this.#write(frame, this.physics.saysOfBlocks ?? {});
  }

  explain(name: string): Finding | null {
    return findingOf(this.#machine.balances ?? [], name, this.#own(name), this.#known);
  }

  #own(name: string): Finding | null {
    const at = this.#at.get(doubtedBy(name) ?? "");
    const port = this.#machine.ports[at ?? -1];
    const doubt = port === undefined ? null : doubtOf(this.#validity, at ?? -1, port);
    if (doubt !== null) return doubt;
    const inner = (of: string): Finding | null => this.#withLearned(of, this.physics.explain(of));
    return this.shifts.explain(name, inner) ?? inner(name);
  }

  /** An expectation that the network moved says by how much. */
  #withLearned(name: string, found: Finding | null): Finding | null {
    const part = this.#correction.of(name);
    if (found === null || part === 0) return found;
    const { evidence, unit } = found;
    return {
      ...found,
      evidence: [...evidence, `a network explains ${part.toFixed(2)} ${unit} of it`],
    };
  }

  #write(frame: Frame, said: Said): void {
    const { outputs } = this.#machine;
    for (let i = 0; i < outputs.length; i++) {
      const name = outputs[i]?.name ?? "";
      const evidence = this.shifts.evidence(name) !== undefined;
      if (evidence || said[name] !== undefined) frame.set(i, this.#told(name));
    }
  }

  /** As it is written to the frame. */
  #told(name: string): number {
    return this.shifts.evidence(name) ?? this.#said(name) - this.shifts.of(name);
  }

  /** Behind the prior and the trained network, before what this machine's own fit explains. */
  #said(name: string): number {
    const { says, saysOfBlocks } = this.physics;
    const value = says[name] ?? saysOfBlocks?.[name];
    return value === undefined ? Number.NaN : value() - this.#correction.of(name);
  }

  #makeReadings(setup: Setup): Readings {
    const validity = this.#validity;
    const at = (name: string): number => this.#at.get(name) ?? -1;
    const here = (i: number, read: (i: number) => number): number =>
      this.#present[i] ? read(i) : Number.NaN;
    return {
      value: (name) => here(at(name), (i) => validity.value(i)),
      heard: (name) => here(at(name), (i) => validity.heard(i)),
      raw: (name) => validity.raw(at(name)),
      code: (name) => validity.code(at(name)),
      current: (name) => here(at(name), (i) => (validity.current(i) ? 1 : 0)) === 1,
      believed: (name) => validity.code(at(name)) === 0,
      accuse: (name) => validity.accuse(at(name)),
      suspect: (name, off, after_s, dt_s) => {
        const held_s = off ? (this.#held.get(name) ?? 0) + dt_s : 0;
        this.#held.set(name, held_s);
        if (held_s > after_s) validity.accuse(at(name));
      },
      pardon: () => this.#held.clear(),
      rest: (resting) => validity.rest(resting),
      agree: (name, agrees) => validity.agree(at(name), agrees),
      normal: (name, otherwise) => learnt(setup, name, otherwise, String(this.physics.state())),
    };
  }
}
