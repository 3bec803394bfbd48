//! Ten-minute medians of what the instruments of a turbine of the fleet said: all that the plain
//! methods see.
import type { Plant } from "../agent/sensors/plants/plant.js";
import { rangesOf } from "../test/models/rig.js";
import type { FleetPlan } from "./fleet-plan.js";
import { PERIOD_s, plantOf, type Readings } from "./fleet-readings.js";
import { median } from "./result.js";

export const MEAN_s = 600;
/** By channel; NaN where nothing came. Row i ends at (i + 1) * MEAN_s. */
export type Means = Readonly<Record<string, readonly number[]>>;

export function meansOf(plan: FleetPlan, { scalars, blocks }: Readings): Means {
  const plant = plantOf(plan);
  const ranges = rangesOf(plant);
  const medians = new Medians(plant);
  const width = plant.channels.length;
  let told = 0;
  for (let instant = 0; instant * width < scalars.length; instant++) {
    for (let channel = 0; channel < width; channel++) {
      const value = scalars[instant * width + channel] as number;
      const range = ranges[channel];
      if (Number.isNaN(value)) continue;
      if (range != null && !(value >= range.low && value <= range.high)) continue;
      medians.add(channel, value);
    }
    for (; blocks[told]?.instant === instant; told++) {
      medians.addBlock(blocks[told]?.values ?? new Float32Array());
    }
    if (((instant + 1) * PERIOD_s) % MEAN_s === 0) medians.close();
  }
  return medians.rows;
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
