//! The vocabulary that every layer speaks. Types only: nothing here runs.

export type Severity = "info" | "warning" | "critical";
export type AlarmClass = "machine" | "sensor" | "process" | "agent";
export type Quality = "good" | "uncertain" | "bad";

/** Numeric tier of the backend that computed a value: identical integers, or a stated bound. */
export type Tier = "exact" | `within ${string}`;

/** One scalar reading in SI. `t_ms` is source time, `r_ms` arrival time; both ms since the epoch. */
export type Sample = {
  readonly kind: "sample";
  readonly channel: number;
  readonly t_ms: number;
  readonly r_ms: number;
  readonly value: number;
  readonly quality: Quality;
};

/** One evenly sampled waveform in SI; `t_ms` is the time of its first value. */
export type Block = {
  readonly kind: "block";
  readonly channel: number;
  readonly t_ms: number;
  readonly r_ms: number;
  readonly values: Float32Array;
  readonly fs_hz: number;
  /** Shaft speed in rad/s where the sender states it, else null. */
  readonly speed_radps: number | null;
  /** What a worker has read out of the values already; else whoever needs it reads. */
  readonly analysis?: BlockAnalysis;
};

/** A pure function of a block's values and rate (models/features), so it may come from anywhere. */
export type BlockAnalysis = {
  /** m/s2, without the mean. */
  readonly rms: number;
  readonly peak: number;
  /** peak / rms. */
  readonly crest: number;
  /** m4 / m2^2: 3 for Gaussian noise. */
  readonly kurtosis: number;
  /** m/s, 10-1000 Hz. */
  readonly velocityRms: number;
  /** Amplitudes of the envelope in m/s2, a line each `lineStep_hz`. */
  readonly lines: Float32Array;
  readonly lineStep_hz: number;
};

export type Item = Sample | Block;

/** Why an input was not used. A closed list: each is a counter, a metric label and a docs row. */
export type Reject =
  | "too-long"
  | "empty"
  | "malformed"
  | "missing-field"
  | "wrong-type"
  | "not-finite"
  | "out-of-range"
  | "bad-quality"
  | "unknown-code"
  | "unknown-topic"
  | "unknown-channel"
  | "too-many-levels"
  | "unit-conflict"
  | "time-ahead"
  | "time-behind"
  | "out-of-order"
  | "duplicate";

/** A channel: one measured thing of one asset. `id` indexes the channel table of the agent. */
export type Channel = {
  readonly id: number;
  readonly asset: string;
  /** `hssAccel`, or `name.level` for one level of a topic pattern. */
  readonly name: string;
  readonly shape: "scalar" | "block";
  /** Canonical SI dimension (`m/s2`), kind (`rms` or ""), and whether a reading is a point (degC). */
  readonly dim: string;
  readonly unitKind: string;
  readonly point: boolean;
  /** The port takes differences: `Cel` is a kelvin there, whoever states it. */
  readonly difference?: boolean;
  /** The unit as the config writes it: for people, pages and recordings. */
  readonly unit: string;
  readonly factor: number;
  readonly offset: number;
  /** Plausible range in SI; outside is the reject `out-of-range`. */
  readonly min: number;
  readonly max: number;
  /** Silence after which the channel is stale; null: learnt from its own arrivals. */
  readonly staleAfter_ms: number | null;
  /** Values of a status channel that arrive as text. */
  readonly codes: Readonly<Record<string, number>> | null;
  /** True for the template of a topic pattern: it has levels, never data of its own. */
  readonly pattern: boolean;
};

/** What a source may do to the agent. Calls return at once and never throw. */
export type Intake = {
  push(item: Item): void;
  /** Counts an unusable input. `where` is the topic or node, for the log. */
  reject(reason: Reject, channel: number | null, where: string): void;
  /** The channel id of one level of a pattern channel; null beyond the bound (counted here). */
  level(channel: number, level: string): number | null;
  /** A connection went up or down; said once a change. */
  link(name: string, up: boolean, why: string): void;
  /** The channel cannot be used until the cause is mended (a unit that contradicts the config). */
  refuse(channel: number, why: string): void;
  /** Now, ms since the epoch, monotone, fractional: the arrival time to stamp. */
  now(): number;
};
