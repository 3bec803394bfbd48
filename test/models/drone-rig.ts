//! The simulated quadrotor through monitors and rules, with what reaches them in the hands of a test:
//! which channels there are, which readings lie and which are lost.
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import type { PlantChannel } from "../../agent/sensors/plants/plant.js";
import { createQuadrotor } from "../../agent/sensors/plants/quadrotor.js";
import { collect, rangesOf, wire } from "./rig.js";

const START_ms = 1_800_000_000_000;
const LIMITS = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };

export type FlyOptions = {
  readonly seed: number;
  readonly duration_s: number;
  /** Null: it learns. */
  readonly baseline: unknown;
  /** Faults as the command line writes them. */
  readonly inject?: readonly string[];
  readonly period_ms?: number;
  /** Channels that it has; all where absent. */
  readonly heard?: ReadonlySet<string>;
  /** What a reading of time `t_s` says instead, SI. */
  readonly lie?: (name: string, value: number, t_s: number) => number;
  /** Whether a reading never arrives. */
  readonly lost?: (name: string, t_s: number) => boolean;
  /** Milliseconds that the clock of the drone is off. */
  readonly clock_ms?: (t_s: number) => number;
};

export function fly(options: FlyOptions) {
  const { seed, baseline, heard, period_ms = 200 } = options;
  const { lie = (_name, value) => value, lost = () => false, clock_ms = () => 0 } = options;
  const plant = createQuadrotor({ asset: "test", seed, start_ms: START_ms, period_ms });
  for (const text of options.inject ?? []) {
    const injection = parseInjection(text);
    if ("fault" in injection) throw new Error(injection.fault);
    plant.inject(injection);
  }
  const channels = plant.channels.filter(({ name }) => heard?.has(name) ?? true);
  const at = plant.channels.map((channel) => channels.indexOf(channel));
  const ranges = rangesOf(plant);
  const want = { amount: Number.POSITIVE_INFINITY, by: "hand" } as const;
  const learn = baseline === null ? { baseline, want } : { baseline };
  const wires = wire({ kind: "quadrotor", channels }, learn);
  const { watch, changes } = wires;
  let now_ms = START_ms;
  const scalar = (channel: number, t_ms: number, value: number): void => {
    const id = at[channel] ?? -1;
    const { name } = plant.channels[channel] as PlantChannel;
    const t_s = (t_ms - START_ms) / 1000;
    if (id < 0 || lost(name, t_s)) return;
    const told = lie(name, value, t_s);
    const range = ranges[channel];
    if (range && !(told >= range.low && told <= range.high)) return;
    const own_ms = t_ms + clock_ms(t_s);
    const sample = { channel: id, t_ms: own_ms, r_ms: now_ms, value: told } as const;
    watch.accept({ kind: "sample", quality: "good", ...sample }, LIMITS, changes);
  };
  const end_ms = START_ms + 1000 * options.duration_s;
  for (; now_ms <= end_ms; now_ms += period_ms) {
    plant.advance(now_ms, { scalar, block() {} });
    if (watch.next_ms() <= now_ms) watch.advance(now_ms, changes);
  }
  return { ...wires, alarms: collect(changes, START_ms) };
}
