//! One turbine of the fleet through its months: the real monitors and rules on what its instruments
//! said, and ten-minute means of what the monitors said, from which other limits and ablations are
//! judged without running them again.
import { TURBINE_LEARNT } from "../agent/models/turbine-outputs.js";
import type { Block } from "../agent/base/telemetry.js";
import type { Baseline } from "../agent/models/setup.js";
import { evaluate } from "../agent/rules/evaluate.js";
import { IDLE } from "../agent/latches.js";
import type { Change, Latch, Rule } from "../agent/rules/rule.js";
import { collect, type Raised, rangesOf, wire } from "../test/models/rig.js";
import { MEAN_s } from "./fleet-means.js";
import { type FleetPlan, LEARN_days } from "./fleet-plan.js";
import { PERIOD_s, plantOf, type Readings, START_ms } from "./fleet-readings.js";

const HOLD_s = 60;

export type TurbineRun = {
  readonly plan: FleetPlan;
  /** What it learnt of itself; null: it never did. */
  readonly baseline: Baseline | null;
  readonly raised: readonly Raised[];
  /** Ten-minute means of outputs of the monitors, NaN where they knew nothing; i ends at (i + 1) * MEAN_s. */
  readonly said: Readonly<Record<string, readonly number[]>>;
};

/** What is kept of a monitor's outputs. */
const KEPT: readonly string[] = [
  ...new Set(
    TURBINE_LEARNT.flatMap(({ output, explained, shift }) => {
      return [output, ...(explained?.by ?? []), ...(shift === undefined ? [] : [shift.evidence])];
    }),
  ),
  ...["power", "nacelleTemp", "oilTemp", "windSpeed"].map((channel) => `${channel}.fault`),
  "hssBearing.damage",
  "yaw.misalignment",
  "pitch.error",
  "pitch.slip",
  "tower.imbalance",
  "operating.state",
];

export function runTurbine(plan: FleetPlan, { scalars, blocks }: Readings): TurbineRun {
  const plant = plantOf(plan);
  const want = { amount: LEARN_days, by: "itself" } as const;
  const { watch, changes, signals, stage, rules } = wire(plant, {
    baseline: null,
    want,
    unruled: true,
  });
  const limits = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };
  const ranges = rangesOf(plant);
  const waveform = plant.channels.findIndex(({ shape }) => shape === "block");
  const width = plant.channels.length;
  const kept = KEPT.map((name) => ({ name, index: signals.get(name)?.index ?? -1 }));
  const means = new Means(kept.length);
  const judge = new Judge(rules);
  let told = 0;
  for (let instant = 0; instant * width < scalars.length; instant++) {
    const t_s = (instant + 1) * PERIOD_s;
    const t_ms = START_ms + 1000 * t_s;
    for (let channel = 0; channel < width; channel++) {
      const value = scalars[instant * width + channel] as number;
      const range = ranges[channel];
      if (Number.isNaN(value)) continue;
      if (range != null && !(value >= range.low && value <= range.high)) continue;
      const sample = { kind: "sample", channel, t_ms, r_ms: t_ms, value } as const;
      watch.accept({ ...sample, quality: "good" }, limits, changes);
    }
    for (; blocks[told]?.instant === instant; told++) {
      const { instant: _, ...block } = blocks[told] as (typeof blocks)[number];
      const whole: Block = { kind: "block", channel: waveform, r_ms: t_ms, ...block };
      watch.accept(whole, limits, changes);
    }
    if (watch.next_ms() <= t_ms) watch.advance(t_ms, changes);
    judge.all(watch.frame, t_ms);
    means.add(kept.map(({ index }) => watch.frame[index] ?? Number.NaN));
    if (t_s % MEAN_s === 0) means.close();
    if (t_s % HOLD_s === 0 && judge.active > 0) stage.hold();
  }
  const said = Object.fromEntries(kept.map(({ name }, i) => [name, means.rows[i] ?? []]));
  return { plan, baseline: stage.baseline, raised: collect(judge.changes, START_ms), said };
}

/** The product's rules once an instant: all readings of one come at the same time here. */
class Judge {
  readonly changes: Change[] = [];
  readonly #rules: readonly Rule[];
  readonly #latches: Latch[];
  active = 0;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#latches = rules.map(() => IDLE);
  }

  all(frame: Float64Array, t_ms: number): void {
    this.#rules.forEach((rule, i) => {
      const latch = this.#latches[i] as Latch;
      rule.on.observe(frame, t_ms);
      rule.off?.observe(frame, t_ms);
      const { latch: next, change } = evaluate(rule, latch, frame, t_ms, t_ms);
      this.#latches[i] = next;
      if (change === null) return;
      this.changes.push(change);
      this.active += change.to === "raise" ? 1 : -1;
    });
  }
}

class Means {
  readonly rows: number[][];
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;

  constructor(width: number) {
    this.rows = Array.from({ length: width }, () => []);
    this.#sums = new Float64Array(width);
    this.#counts = new Float64Array(width);
  }

  add(values: readonly number[]): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (Number.isNaN(value)) continue;
      this.#sums[i] = (this.#sums[i] as number) + value;
      this.#counts[i] = (this.#counts[i] as number) + 1;
    }
  }

  /** NaN where less than half of the time was known. */
  close(): void {
    const half = MEAN_s / PERIOD_s / 2;
    this.rows.forEach((row, i) => {
      const count = this.#counts[i] as number;
      const mean = (this.#sums[i] as number) / count;
      row.push(count >= half ? Number(mean.toPrecision(6)) : Number.NaN);
    });
    this.#sums.fill(0);
    this.#counts.fill(0);
  }
}
