//! What a simulated machine looks like from outside: a table of channels, time that advances only
//! when told, readings handed to a callback in the order in which they would arrive. Everything
//! random comes from the seed, so the same calls give the same readings on every machine.

export type PlantKind = "wind-turbine" | "gas-turbine" | "quadrotor" | "bearing";

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

export const SENSOR_FAULTS = [
  "stuck",
  "spike",
  "drift",
  "bias",
  "dropout",
  "scale",
  "delay",
  "clock_jump",
  "saturation",
  "swap",
] as const;
export type SensorFaultMode = (typeof SENSOR_FAULTS)[number];

export type SensorFault = {
  readonly channel: number;
  readonly mode: SensorFaultMode;
  /** The partner of a swap, else -1. */
  readonly other: number;
};

export type Injection = {
  /** A row of FAULTS, or the `sensor:...` text. */
  readonly name: string;
  readonly kind: PlantKind;
  /** Set for a fault of one instrument. */
  readonly sensor: SensorFault | null;
  /** Seconds after the plant's start, and how long the severity takes to grow: 0 is a step. */
  readonly at_s: number;
  readonly ramp_s: number;
  readonly severity: number;
};
