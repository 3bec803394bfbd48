//! One turbine of the fleet through its months: the simulator with another build than the monitors
//! know, the real chain, and ten-minute medians of the same readings for the plain methods.

import { prng } from "../agent/base/prng.js";
import type { Noted } from "../agent/noted.js";
import { parseInjection } from "../agent/sensors/plants/injection.js";
import type { Injection, Plant } from "../agent/sensors/plants/plant.js";
import { createWindTurbine } from "../agent/sensors/plants/wind-turbine.js";
import { parseUnit } from "../agent/units/parse.js";
import { collect, type Raised, rangesOf, wire } from "../test/models/rig.js";
import { type Episode, type FleetPlan, LEARN_days } from "./fleet-plan.js";
import { median } from "./result.js";

const START_ms = 1_800_000_000_000;
const PERIOD_s = 10;
export const MEAN_s = 600;
const BLOCK_ms = 6 * 3_600_000;
const HOLD_s = 60;
/** Mismatch: the build, a lag of the thermometers that the monitors' equations lack, the anemometer
 * and tails of the noise. */
const SPREAD = 0.05;
const LAG_s = 300;
const TAIL = { chance: 0.02, sigmas: 4 };

export type TurbineRun = {
  readonly plan: FleetPlan;
  readonly commissioned: boolean;
  readonly raised: readonly Raised[];
  /** Ten-minute medians by channel; NaN where nothing came. Row i ends at (i + 1) * MEAN_s. */
  readonly means: Readonly<Record<string, readonly number[]>>;
};

export function runTurbine(plan: FleetPlan): TurbineRun {
  const plant = createWindTurbine({
    asset: "fleet",
    seed: plan.seed,
    start_ms: START_ms,
    period_ms: 1000 * PERIOD_s,
    blockEvery_ms: BLOCK_ms,
    inner_s: 0.1,
    spread: SPREAD,
  });
  const want = { amount: LEARN_days, by: "itself" } as const;
  const { watch, changes, stage } = wire(plant, { baseline: null, want });
  const limits = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };
  const ranges = rangesOf(plant);
  const medians = new Medians(plant);
  const broken = new Set<number>();
  const distort = mismatch(plant, plan.seed, broken);
  const sides = edges(plan.episodes);
  const active = new Set<string>();
  let seen = 0;
  for (let t_s = PERIOD_s; t_s <= plan.end_s; t_s += PERIOD_s) {
    while ((sides[0]?.at_s ?? Number.POSITIVE_INFINITY) <= t_s) {
      const { injection, ends } = sides.shift() as Side;
      plant.inject(injection);
      if (injection.sensor === null) continue;
      if (ends) broken.delete(injection.sensor.channel);
      else broken.add(injection.sensor.channel);
    }
    const t_ms = START_ms + 1000 * t_s;
    plant.advance(t_ms, {
      scalar(channel, at_ms, reading) {
        const value = distort(channel, reading);
        const range = ranges[channel];
        if (range != null && !(value >= range.low && value <= range.high)) return;
        medians.add(channel, value);
        const sample = { kind: "sample", channel, t_ms: at_ms, r_ms: t_ms, value } as const;
        watch.accept({ ...sample, quality: "good" }, limits, changes);
      },
      block(channel, block) {
        medians.addBlock(block.values);
        watch.accept({ kind: "block", channel, r_ms: t_ms, ...block }, limits, changes);
      },
    });
    if (watch.next_ms() <= t_ms) watch.advance(t_ms, changes);
    if (t_s % MEAN_s === 0) medians.close();
    if (t_s % HOLD_s > 0) continue;
    seen = follow(changes, seen, active);
    if (active.size > 0) stage.hold();
  }
  const raised = collect(changes, START_ms);
  return { plan, commissioned: stage.commissioned, raised, means: medians.rows };
}

function follow(changes: readonly Noted[], from: number, active: Set<string>): number {
  for (const { rule, to } of changes.slice(from)) {
    if (to === "raise") active.add(rule.id);
    else active.delete(rule.id);
  }
  return changes.length;
}

type Side = { readonly at_s: number; readonly injection: Injection; readonly ends: boolean };

/** A plant's injections have no end: one of no severity takes the place of the one before. */
function edges(episodes: readonly Episode[]): Side[] {
  return episodes
    .flatMap(({ name, from_s, to_s, ramp_s, severity }): Side[] => {
      const injection = parseInjection(name);
      if ("fault" in injection) throw new Error(injection.fault);
      const begun = { ...injection, at_s: from_s, ramp_s, severity };
      const mended = { ...injection, at_s: to_s, ramp_s: 0, severity: 0 };
      return [
        { at_s: from_s, injection: begun, ends: false },
        { at_s: to_s, injection: mended, ends: true },
      ];
    })
    .sort((a, b) => a.at_s - b.at_s);
}

function mismatch({ channels }: Plant, seed: number, broken: ReadonlySet<number>) {
  const chance = prng(seed, "mismatch");
  const gain = 1 + SPREAD * (2 * chance.next() - 1);
  const lagged = new Float64Array(channels.length).fill(Number.NaN);
  const share = 1 - Math.exp(-PERIOD_s / LAG_s);
  const kinds = channels.map(({ name, unit, noise }) => {
    const parsed = parseUnit(unit);
    const factor = "fault" in parsed ? 1 : parsed.factor;
    const slow = /^(winding|oil|hssBearing|mainBearing)Temp$/.test(name);
    return { slow, wind: name === "windSpeed", sigma: noise * factor };
  });
  return (channel: number, reading: number): number => {
    const { slow, wind, sigma } = kinds[channel] ?? { slow: false, wind: false, sigma: 0 };
    const tail = chance.next() < TAIL.chance ? TAIL.sigmas * sigma * chance.normal() : 0;
    if (!slow) {
      if (broken.has(channel) || sigma === 0) return reading;
      return wind ? Math.max(0, gain * reading + tail) : reading + tail;
    }
    const before = lagged[channel] as number;
    // A sensor that lies is heard as it lies; its lag goes on from there.
    if (broken.has(channel)) return reading;
    const now = Number.isNaN(before) ? reading : before + share * (reading - before);
    lagged[channel] = now;
    return now + sigma * chance.normal() + tail;
  };
}

class Medians {
  readonly rows: Record<string, number[]> = { hssRms: [] };
  readonly #names: readonly string[];
  readonly #open: number[][];
  #rms = Number.NaN;

  constructor({ channels }: Plant) {
    this.#names = channels.map((c) => c.name);
    this.#open = channels.map(() => []);
    for (const { name, shape } of channels) if (shape === "scalar") this.rows[name] = [];
  }

  add(channel: number, value: number): void {
    this.#open[channel]?.push(value);
  }

  /** The last block's rms stands until the next one. */
  addBlock(values: Float32Array): void {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    this.#rms = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  }

  close(): void {
    this.#open.forEach((values, channel) => {
      this.rows[this.#names[channel] ?? ""]?.push(median(values));
      values.length = 0;
    });
    this.rows["hssRms"]?.push(this.#rms);
  }
}
