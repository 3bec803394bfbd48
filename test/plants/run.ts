//! Runs a plant and keeps what it says, for the tests of this folder.
import { parseInjection } from "../../agent/sensors/plants/injection.js";
import type { Plant, PlantBlock } from "../../agent/sensors/plants/plant.js";

export type Row = readonly [channel: string, t_ms: number, value: number];

export type Run = {
  readonly rows: Row[];
  readonly blocks: PlantBlock[];
  /** Seconds after the start. */
  advance(to_s: number): void;
  of(channel: string): number[];
  last(channel: string): number;
  max(channel: string): number;
  /** Of the last readings. */
  mean(channel: string, count: number): number;
};

export function injectAll(plant: Plant, faults: readonly string[]): Plant {
  for (const text of faults) {
    const injection = parseInjection(text);
    if ("fault" in injection) throw new Error(injection.fault);
    plant.inject(injection);
  }
  return plant;
}

export function run(plant: Plant): Run {
  const start_ms = plant.now_ms();
  const rows: Row[] = [];
  const blocks: PlantBlock[] = [];
  const series: number[][] = plant.channels.map(() => []);
  const of = (channel: string): number[] => {
    const values = series[plant.channels.findIndex((c) => c.name === channel)];
    if (values === undefined) throw new Error(`no channel ${channel}`);
    return values;
  };
  return {
    rows,
    blocks,
    advance(to_s) {
      plant.advance(start_ms + to_s * 1000, {
        scalar(channel, t_ms, value) {
          rows.push([plant.channels[channel]?.name ?? "", t_ms, value]);
          series[channel]?.push(value);
        },
        block(_channel, block) {
          blocks.push(block);
        },
      });
    },
    of,
    last: (channel) => of(channel).at(-1) ?? Number.NaN,
    max: (channel) => of(channel).reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    mean(channel, count) {
      const values = of(channel).slice(-count);
      return values.reduce((a, b) => a + b, 0) / values.length;
    },
  };
}
