//! What the page, the metrics and /healthz may see of the running agent: plain data, made on
//! request by the composition root. Nothing here can change anything.
import type { Alarm } from "../alerts/alarm.js";
import type { Spectrum } from "../models/monitor.js";

export type ChannelView = {
  readonly name: string;
  readonly shape: "scalar" | "block";
  /** Display unit as configured; `value`, `low`, `high` are in it. */
  readonly unit: string;
  /** Null: never arrived, bad, or stale. A block shows its rms. */
  readonly value: number | null;
  /** Source and arrival time of the newest item, null before the first. */
  readonly t_ms: number | null;
  readonly r_ms: number | null;
  readonly state: "waiting" | "good" | "uncertain" | "bad" | "stale";
  /** The expected band: of the monitor where it has one, else the configured range; null: none. */
  readonly low: number | null;
  readonly high: number | null;
};

export type AssetView = {
  readonly id: string;
  readonly kind: string;
  readonly commissioned: boolean;
  /** What is switched off and why, in words. */
  readonly off: readonly string[];
  readonly channels: readonly ChannelView[];
  /** Outputs of monitors and models, as channels. */
  readonly derived: readonly ChannelView[];
  readonly alarms: readonly Alarm[];
  readonly spectra: readonly Spectrum[];
};

export type LinkView = {
  readonly name: string;
  readonly up: boolean;
  readonly why: string;
  readonly since_ms: number;
};

export type View = {
  readonly gateway: string;
  readonly site: string;
  readonly version: string;
  readonly now_ms: number;
  readonly started_ms: number;
  /** `reference`, `native-vnni`, ...; empty where no model runs. */
  readonly backend: string;
  readonly tier: string;
  /** Why better backends were skipped, one line each. */
  readonly skipped: readonly string[];
  readonly links: readonly LinkView[];
  readonly assets: readonly AssetView[];
  readonly counters: Counters;
  /** Newest last, at most 100: every transition since the start. */
  readonly transitions: readonly TransitionView[];
};

export type TransitionView = {
  readonly time_ms: number;
  readonly asset: string;
  readonly rule: string;
  readonly transition: string;
  readonly text: string;
};

export type Counters = {
  readonly items: number;
  /** By reason, as in base/telemetry.ts. */
  readonly rejects: Readonly<Record<string, number>>;
  /** Items lost to a full ring. */
  readonly overflow: number;
  readonly ringLength: number;
  readonly outboxRows: number;
  readonly outboxBytes: number;
  /** Messages dropped by the outbox bounds. */
  readonly outboxDropped: number;
  /** Transitions that the disk has not taken yet. */
  readonly unstored: number;
  /** Compute devices taken out of use for a wrong answer or a failure. */
  readonly outages: number;
  /** Networks that the device wanted cannot take. */
  readonly passed: number;
  /** Vibration blocks that their worker did not read, and how often it ended. */
  readonly blocksUnread: number;
  readonly blockRestarts: number;
  readonly raised: number;
  readonly cleared: number;
};

export type Health = {
  /** False when the pipeline has not completed a tick lately or the disk refuses. */
  readonly ok: boolean;
  readonly reasons: readonly string[];
};
