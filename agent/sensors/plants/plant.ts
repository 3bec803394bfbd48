//! What a simulated machine looks like from outside: a table of channels, time that advances only
//! when told, readings handed to a callback in the order in which they would arrive. Everything
//! random comes from the seed, so the same calls give the same readings on every machine.
import { prng } from "../../base/prng.js";
import type { Injection } from "./injection.js";
import { createInstruments } from "./instruments.js";

export type PlantKind = "wind-turbine" | "quadrotor";

export type PlantChannel = {
  readonly name: string;
  /** The unit in which a gateway would meet it on the wire; readings themselves are SI. */
  readonly unit: string;
  readonly shape: "scalar" | "block";
  /** The usual range in `unit`: EURange of an OPC UA node, and the scale of sensor faults. */
  readonly span: readonly [low: number, high: number];
  /** Standard deviation and quantisation of the instrument, in `unit`. */
  readonly noise: number;
  readonly step: number;
  readonly about: string;
};

export type PlantBlock = {
  readonly t_ms: number;
  readonly fs_hz: number;
  readonly speed_radps: number;
  readonly values: Float32Array;
};

/** `channel` indexes the plant's channel list; `t_ms` is source time, values are SI. */
export type PlantOutput = {
  scalar(channel: number, t_ms: number, value: number): void;
  block(channel: number, block: PlantBlock): void;
};

export type Plant = {
  readonly asset: string;
  readonly kind: PlantKind;
  readonly channels: readonly PlantChannel[];
  /** Plant time, ms since the epoch. */
  now_ms(): number;
  /** Runs up to `to_ms`, included, and hands over every reading on the way. */
  advance(to_ms: number, output: PlantOutput): void;
  /** From `injection.at_s` after the plant's start; several may overlap. */
  inject(injection: Injection): void;
};

export type PlantOptions = {
  readonly asset: string;
  readonly seed: number;
  readonly start_ms: number;
  /** Between scalar readings. */
  readonly period_ms: number;
  /** Between vibration blocks; rounded up to whole scalar periods. */
  readonly blockEvery_ms: number;
};

/** The inside of a plant: physics alone, without instruments, clock or output. */
export type Machine = {
  readonly channels: readonly PlantChannel[];
  /** Severity 0..1 of each fault of the kind, by name; the plant writes, the machine reads. */
  readonly faults: Record<string, number>;
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
