//! Runs the physics of a machine as a plant: its clock, its instruments, its faults.
import { prng } from "../../base/prng.js";
import { createInstruments } from "./instruments.js";
import type {
  Injection,
  Plant,
  PlantBlock,
  PlantChannel,
  PlantKind,
  PlantOptions,
  PlantOutput,
} from "./plant.js";

/** Severity 0..1 of each fault of the kind, by name; the plant writes, the machine reads. */
export type Faults = Record<string, number>;

export function level(faults: Readonly<Faults>, name: string): number {
  return faults[name] ?? 0;
}

/** The inside of a plant: physics alone, without instruments, clock or output. */
export type Machine = {
  readonly channels: readonly PlantChannel[];
  readonly faults: Faults;
  /** Integrates over `dt_s`, in inner steps of its own choice. */
  advance(dt_s: number): void;
  /** The true value of each channel in SI, in table order. */
  measure(values: Float64Array): void;
  /** The waveform that ended now; null where the machine has none or stands. */
  waveform(t_ms: number): PlantBlock | null;
};

export function runMachine(kind: PlantKind, machine: Machine, options: PlantOptions): Plant {
  const { asset, start_ms, period_ms, blockEvery_ms } = options;
  const { channels } = machine;
  const noise = prng(options.seed, `${asset}/instruments`);
  const chance = prng(options.seed, `${asset}/sensor-faults`);
  const instruments = createInstruments(channels, noise, chance);
  const values = new Float64Array(channels.length);
  const waveChannel = channels.findIndex((c) => c.shape === "block");
  const injections: Injection[] = [];
  let ticks = 0;
  let nextBlock_ms = start_ms + blockEvery_ms;

  const setFaults = (at_s: number): void => {
    for (const injection of injections) {
      const level = severityAt(injection, at_s);
      if (injection.sensor !== null) instruments.fault(injection.sensor, level);
      else machine.faults[injection.name] = level;
    }
  };

  const tick = (output: PlantOutput): void => {
    ticks += 1;
    const t_ms = start_ms + ticks * period_ms;
    setFaults((t_ms - start_ms) / 1000);
    machine.advance(period_ms / 1000);
    machine.measure(values);
    instruments.read(t_ms, values, output);
    if (waveChannel < 0 || t_ms < nextBlock_ms) return;
    nextBlock_ms += blockEvery_ms * Math.ceil((t_ms - nextBlock_ms + 1) / blockEvery_ms);
    const block = machine.waveform(t_ms);
    if (block !== null) output.block(waveChannel, block);
  };

  return {
    asset,
    kind,
    channels,
    now_ms: () => start_ms + ticks * period_ms,
    advance(to_ms, output) {
      while (start_ms + (ticks + 1) * period_ms <= to_ms) tick(output);
    },
    inject(injection) {
      injections.push(injection);
    },
  };
}

function severityAt({ at_s, ramp_s, severity }: Injection, now_s: number): number {
  if (now_s < at_s) return 0;
  return ramp_s <= 0 ? severity : severity * Math.min(1, (now_s - at_s) / ramp_s);
}
