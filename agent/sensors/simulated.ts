//! A simulated plant as a source, for trying rules and pages without a machine. Plant time starts
//! at the arrival clock and runs `speed` times as fast; stamps are plant time, so a speed other
//! than 1 belongs with an agent whose clock runs as fast.
import type { Channel, Intake } from "../base/telemetry.js";
import { isUnitFault, parseUnit } from "../units/parse.js";
import { createPlant } from "./plants/kinds.js";
import type { Injection, Plant, PlantKind, PlantOutput } from "./plants/plant.js";
import type { Source } from "./source.js";

export type SimulatedOptions = {
  readonly asset: string;
  readonly kind: PlantKind;
  readonly seed: number;
  readonly speed: number;
  readonly blockEvery_ms: number;
  readonly injections: readonly Injection[];
};

export type SimulatedChannel = { readonly channel: Channel; readonly port: string };

const TICK_ms = 100;

export function simulatedSource(
  options: SimulatedOptions,
  channels: readonly SimulatedChannel[],
): Source {
  const name = `simulated ${options.kind} ${options.asset}`;
  let timer: NodeJS.Timeout | null = null;

  return {
    name,
    start(intake: Intake): Promise<void> {
      const start_ms = intake.now();
      const { asset, seed, speed, blockEvery_ms } = options;
      const plant = createPlant(options.kind, { asset, seed, start_ms, blockEvery_ms });
      for (const injection of options.injections) plant.inject(injection);
      const output = pushTo(intake, bind(plant, channels, intake));
      intake.link(name, true, "started");
      timer = setInterval(() => {
        plant.advance(start_ms + (intake.now() - start_ms) * speed, output);
      }, TICK_ms);
      return Promise.resolve();
    },
    stop(): Promise<void> {
      if (timer !== null) clearInterval(timer);
      timer = null;
      return Promise.resolve();
    },
  };
}

/** The agent's channels by index of the plant's; one that cannot be fed is refused. */
function bind(plant: Plant, channels: readonly SimulatedChannel[], intake: Intake): Channel[][] {
  const bound: Channel[][] = plant.channels.map(() => []);
  for (const { channel, port } of channels) {
    const index = plant.channels.findIndex((c) => c.name === port);
    const found = plant.channels[index];
    if (found === undefined || found.shape !== channel.shape) {
      const names = plant.channels.filter((c) => c.shape === channel.shape).map((c) => c.name);
      const have = names.length === 0 ? "none" : names.join(" ");
      intake.refuse(
        channel.id,
        `the ${plant.kind} has no ${channel.shape} "${port}"; it has ${have}`,
      );
      continue;
    }
    const unit = parseUnit(found.unit);
    if (isUnitFault(unit) || unit.dim !== channel.dim) {
      intake.refuse(channel.id, `"${port}" is in ${found.unit}, the config says ${channel.unit}`);
      continue;
    }
    bound[index]?.push(channel);
  }
  return bound;
}

function pushTo(intake: Intake, bound: readonly Channel[][]): PlantOutput {
  return {
    scalar(index, t_ms, value) {
      for (const { id, min, max, name } of bound[index] ?? []) {
        if (!(value >= min && value <= max)) intake.reject("out-of-range", id, name);
        else {
          const r_ms = intake.now();
          intake.push({ kind: "sample", channel: id, t_ms, r_ms, value, quality: "good" });
        }
      }
    },
    block(index, block) {
      for (const { id } of bound[index] ?? []) {
        intake.push({ kind: "block", channel: id, r_ms: intake.now(), ...block });
      }
    },
  };
}
