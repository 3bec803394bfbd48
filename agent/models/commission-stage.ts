//! A machine's monitors through their life: learning while they run, switched over to what was
//! learnt, then following slowly. It taps what the monitors say and changes none of it.
import { Adaptation, type Adapted } from "./adapt.js";
import {
  amountOf,
  amountText,
  type Commissioning,
  type Finish,
  isRefused,
  type Period,
  type Refusal,
} from "./commission.js";
import type { Row } from "./commission-slices.js";
import { Tap } from "./commission-tap.js";
import type { Monitor } from "./monitor.js";
import { type Baseline, changedPlate, type Learnt, readBaseline, type Setup } from "./setup.js";
import { type Declared, suspects, type UnitLaw } from "./suspect.js";

/** What a stage needs to know of the kind of its machine. */
export type Plan = {
  readonly kind: string;
  readonly learns: readonly Learnt[];
  readonly commissioning: Commissioning;
  readonly laws: readonly UnitLaw[];
  readonly finish: Finish;
  /** `told` is for monitors that cut slices themselves. */
  readonly make: (setup: Setup, told: (rows: readonly Row[]) => void) => readonly Monitor[];
  /** Why a baseline of this kind is of another setup, in words; null: it is of this one. */
  readonly unlike?: (setup: Setup) => string | null;
  /** Channels with their units as declared. */
  readonly channels: readonly Omit<Declared, "values">[];
};

/** What happened, for whoever runs the stage to log. */
export type Event = { readonly level: "info" | "warn"; readonly text: string };

export type Progress = {
  readonly version: 1;
  readonly nameplate: Readonly<Record<string, number>>;
  readonly rows: readonly Row[];
};

/** What outlives a restart; null: nothing. */
export type Kept = {
  readonly progress: Progress | null;
  /** What was learnt here; one that the config names is not kept. */
  readonly baseline: Baseline | null;
  readonly adapted: Adapted | null;
  readonly memory: readonly unknown[];
};

/** `amount` in the plan's measure; `by`: learning ends and adapts by itself, or waits for `finish`. */
export type Want = { readonly amount: number; readonly by: "itself" | "hand" };

const ROWS_MAX = 10_000;
/** A refused period is tried again after so much more of it. */
const AGAIN = 1 / 14;

export class Stage {
  readonly monitors: readonly Monitor[];
  readonly #plan: Plan;
  readonly #setup: Setup;
  readonly #want: Want | null;
  readonly #version: string;
  readonly #adapts: boolean;
  readonly #events: Event[] = [];
  readonly #tap: Tap;
  #rows: Row[] = [];
  #inner: readonly Monitor[];
  #baseline: Baseline | null;
  #adaptation: Adaptation | null = null;
  #tryAt = 0;
  /** Grows with each change worth keeping. */
  changes = 0;

  constructor(plan: Plan, setup: Setup, want: Want | null, adapts: boolean, version: string) {
    this.#plan = plan;
    this.#setup = { ...setup, moved: (name) => this.#adaptation?.moved(name) ?? 0 };
    this.#want = want;
    this.#version = version;
    this.#tryAt = want?.amount ?? 0;
    this.#baseline = setup.baseline;
    this.#adapts = adapts;
    this.#inner = this.#make(setup.baseline);
    if (setup.baseline !== null) this.#startAdapting(setup.baseline);
    const stage = this;
    this.#tap = new Tap(plan.learns, plan.commissioning, {
      get learning() {
        return stage.learning;
      },
      take: (rows) => this.#take(rows),
    });
    const idle = want === null && this.#adaptation === null;
    this.monitors = idle
      ? this.#inner
      : this.#inner.map((_, i) => this.#tap.wrap(() => this.#inner[i] as Monitor));
  }

  get commissioned(): boolean {
    return this.#baseline !== null;
  }

  get learning(): boolean {
    return this.#baseline === null && this.#want !== null;
  }

  /** The baseline that was learnt here or given. */
  get baseline(): Baseline | null {
    return this.#baseline;
  }

  /** What its kind asks for at least, in its own measure. */
  get least(): number {
    return this.#plan.commissioning.least;
  }

  /** What the amounts by operating state are counted in. */
  get countedIn(): string {
    const { per, slice } = this.#plan.commissioning;
    if (slice.by === "blocks") return `slices of ${slice.blocks} blocks`;
    return per === "days" ? "hours" : per;
  }

  /** `3.2 of 14 days`. */
  get progress(): string {
    const { commissioning } = this.#plan;
    const done = amountText(amountOf(this.#rows, commissioning));
    return `${done} of ${this.#want?.amount ?? commissioning.usual} ${commissioning.per}`;
  }

  /** What happened since it was last asked. */
  events(): readonly Event[] {
    return this.#events.splice(0);
  }

  /** An alarm of the machine is active: nothing may be learnt from now. */
  hold(): void {
    this.#adaptation?.hold();
  }

  revert(): void {
    this.#adaptation?.revert();
    this.changes += 1;
  }

  /** What its monitors have seen is worth keeping, whatever is learnt. */
  get remembers(): boolean {
    return this.#inner.some(({ memory }) => memory !== undefined);
  }

  /** What to keep over a restart. */
  save(): Kept {
    const rows = this.#rows;
    const { nameplate } = this.#setup;
    return {
      progress: this.learning ? { version: 1, nameplate, rows } : null,
      baseline: this.#setup.baseline === null ? this.#baseline : null,
      adapted: this.#adaptation?.save() ?? null,
      memory: this.#inner.map((monitor) => monitor.memory?.save() ?? null),
    };
  }

  /** Takes up what `save` gave; what does not fit is said and left. */
  restore(kept: { readonly [K in keyof Kept]: unknown }): void {
    if (kept.baseline !== null && this.learning) {
      const read = readBaseline(kept.baseline, this.#plan.kind);
      const changed = typeof read === "string" ? null : changedPlate(read, this.#setup.nameplate);
      if (typeof read === "string") this.#say("warn", `what was learnt is not used: ${read}`);
      else if (changed !== null) {
        this.#say("warn", `what was learnt had another ${changed}: commissioning begins anew`);
      } else this.#switchOver(read);
    }
    if (kept.progress !== null && this.learning) this.#resume(kept.progress);
    const memories: readonly unknown[] = Array.isArray(kept.memory) ? kept.memory : [];
    this.#inner.forEach((monitor, i) => {
      monitor.memory?.restore(memories[i] ?? null);
    });
    if (kept.adapted === null || this.#adaptation === null) return;
    if (!this.#adaptation.restore(kept.adapted)) {
      this.#say("warn", "the adaptation is of another baseline, or damaged: it starts anew");
    }
  }

  #resume(kept: unknown): void {
    const found = (typeof kept === "object" && kept !== null ? kept : {}) as Partial<Progress>;
    const same = JSON.stringify(found.nameplate) === JSON.stringify(this.#setup.nameplate);
    if (found.version !== 1 || !Array.isArray(found.rows) || !same) {
      const why = same ? "is damaged or of another version" : "had another nameplate";
      this.#say("warn", `commissioning begins anew: what was kept ${why}`);
      return;
    }
    this.#rows = found.rows.filter(isRow);
    this.#say("info", `commissioning goes on: ${this.progress}`);
  }

  /**
   * Ends the learning with what there is; null where nothing is being learnt. `suspects`: what the
   * units were judged by from outside, with more than the monitors see.
   */
  finish(
    recording: string,
    hash: string | null,
    { least = this.least, suspects }: { least?: number; suspects?: readonly string[] } = {},
  ): Baseline | Refusal | null {
    if (!this.learning) return null;
    this.#take(this.#tap.cut()); // what is open counts, too
    const period: Period = {
      kind: this.#plan.kind,
      asset: this.#setup.id,
      recording,
      hash,
      agent: this.#version,
      suspects: suspects ?? this.suspects(),
      nameplate: this.#setup.nameplate,
      least,
    };
    if (this.#rows.length === 0) return { refused: ["too short: no data of this asset at all"] };
    return this.#plan.finish(this.#rows, this.#plan.commissioning, period);
  }

  /** Declarations of units that the readings speak against. */
  suspects(): string[] {
    const plate = new Map(Object.entries(this.#setup.nameplate));
    const declared = this.#tap.declared(this.#plan.channels);
    return suspects(declared, this.#plan.laws, plate).map(({ text }) => text);
  }

  #make(baseline: Baseline | null): readonly Monitor[] {
    return this.#plan.make({ ...this.#setup, baseline }, (rows) => this.#take(rows));
  }

  #take(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    this.changes += 1;
    if (this.#adaptation !== null) {
      for (const row of rows) {
        for (const { name, from, to } of this.#adaptation.take(row)) {
          const moved = `from ${from.toPrecision(3)} to ${to.toPrecision(3)}`;
          this.#say("info", `the normal of ${name} has moved ${moved} since commissioning`);
        }
      }
      return;
    }
    if (!this.learning) return;
    const { per } = this.#plan.commissioning;
    // The first cycles of each unit are its healthy ones.
    const young = (row: Row): boolean =>
      per !== "cycles" || (row.age ?? 0) <= (this.#want?.amount ?? 0);
    // By hand: what a recording holds beyond the amount may no longer be healthy.
    const most = per !== "cycles" && this.#want?.by === "hand" ? this.#want.amount : null;
    const full = most !== null && amountOf(this.#rows, this.#plan.commissioning) >= most;
    if (!full) this.#rows.push(...rows.filter(young));
    if (this.#rows.length > ROWS_MAX) this.#rows = this.#rows.slice(-ROWS_MAX);
    this.#tryToFinish();
  }

  #tryToFinish(): void {
    const want = this.#want;
    if (want === null || want.by === "hand") return;
    const { commissioning } = this.#plan;
    const amount = amountOf(this.#rows, commissioning);
    if (amount + 1e-9 < this.#tryAt) return;
    const least = Math.min(want.amount, commissioning.least);
    const outcome = this.finish("live", null, { least });
    if (outcome === null) return;
    if (!isRefused(outcome)) {
      this.#switchOver(outcome);
      return;
    }
    this.#tryAt = amount + want.amount * AGAIN;
    this.#say("warn", `commissioning goes on: ${outcome.refused.join("; ")}`);
    // Old hours make room, so that one bad stretch does not stand in the way for ever.
    if (amount < 2 * want.amount) return;
    this.#rows = this.#rows.slice(this.#rows.length >> 2);
    this.#tryAt = amountOf(this.#rows, commissioning) + want.amount * AGAIN;
  }

  #switchOver(baseline: Baseline): void {
    this.#baseline = baseline;
    this.#inner = this.#make(baseline);
    this.#startAdapting(baseline);
    this.#rows = [];
    this.#say("info", `commissioned: ${baseline.source}`);
    for (const text of baseline.provenance?.excluded ?? []) this.#say("info", `left out: ${text}`);
    for (const text of baseline.provenance?.advice ?? []) this.#say("info", text);
    for (const text of baseline.provenance?.suspects ?? [])
      this.#say("warn", `unit suspect: ${text}`);
  }

  #startAdapting(baseline: Baseline): void {
    if (!this.#adapts) return;
    const { learns, commissioning } = this.#plan;
    this.#adaptation = new Adaptation(learns, baseline, commissioning.memory);
  }

  #say(level: Event["level"], text: string): void {
    this.#events.push({ level, text });
  }
}

function isRow(row: unknown): row is Row {
  if (typeof row !== "object" || row === null) return false;
  const { t_ms, end_ms, state, cells, doubted } = row as Record<keyof Row, unknown>;
  const times = typeof t_ms === "number" && typeof end_ms === "number";
  const rest = typeof cells === "object" && cells !== null && Array.isArray(doubted);
  return times && typeof state === "string" && rest;
}
