//! The state of an alarm after ISA-18.2, as plain rows. Life cycle, message and outbox use these.
import type { AlarmClass, Quality, Severity, Tier } from "../base/telemetry.js";

export type Measured = { readonly v: number; readonly u: string };

/** What the pipeline says of a change; everything a payload needs that the alarm does not know. */
export type Occurrence = {
  readonly asset: string;
  /** Topic level: `oil-hot`, or `oil-hot-level` for one level of a pattern. */
  readonly rule: string;
  readonly ruleVersion: number;
  readonly class: AlarmClass;
  readonly severity: Severity;
  readonly text: string;
  readonly action: string;
  readonly quality: Quality;
  readonly tier: Tier;
  /** `uncommissioned`, `folded:<rule>`, `channel-stale`, ... */
  readonly marks: readonly string[];
  readonly value: Measured | null;
  readonly limit: (Measured & { readonly source: string }) | null;
  readonly expected: (Measured & { readonly sigma: number }) | null;
  /** What it has cost from onset to this transition; absent where no price is configured. */
  readonly cost?: Measured | undefined;
  readonly model: string | null;
  readonly evidence: readonly string[];
  readonly onset_ms: number;
  readonly detected_ms: number;
  readonly source_ms: number;
};

export type Transition =
  | "raise"
  | "clear"
  | "update"
  | "ack"
  | "shelve"
  | "unshelve"
  | "out-of-service"
  | "in-service";

/** One alarm, active or not, as stored. `seq` counts its transitions and never goes back. */
export type Alarm = Occurrence & {
  readonly id: string;
  readonly seq: number;
  readonly active: boolean;
  readonly acked: boolean;
  readonly shelvedUntil_ms: number | null;
  readonly suppressedBy: string | null;
  readonly outOfService: boolean;
  /** Time of the last transition. */
  readonly time_ms: number;
};

/** A command from an operator; `id` names the command, not the alarm. */
export type Command = {
  readonly verb: "ack" | "shelve" | "unshelve" | "out-of-service" | "in-service";
  readonly asset: string;
  readonly rule: string;
  readonly id: string;
  readonly who: string;
  readonly why: string;
  readonly until_ms: number | null;
};

/** One MQTT message waiting in the outbox. */
export type Message = {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  /** Higher goes later when the outbox is full: info 0, warning 1, critical 2. */
  readonly priority: number;
  /** Identity of the transition; equal ids are the same message. */
  readonly id: string;
  readonly time_ms: number;
};
