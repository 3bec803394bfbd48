//! A rule is a row, not a class: the same row comes from the config, from a profile, and from the
//! table of an asset kind. Compiling a row checks every unit in it.
import type { AlarmClass, Severity } from "../base/telemetry.js";

export type RuleRow = {
  /** Topic level and alarm name: [A-Za-z0-9_-]+. */
  readonly id: string;
  /** The condition, e.g. `oilTemp > 80 Cel`. */
  readonly when: string;
  /** What ends it; null: the negation of `when` with the hysteresis of 0. */
  readonly clear: string | null;
  /** How long `when` must hold (source time) before the alarm is raised. */
  readonly for_ms: number;
  /** How long `clear` must hold before the alarm clears. */
  readonly clearFor_ms: number;
  readonly severity: Severity;
  readonly class: AlarmClass;
  readonly text: string;
  readonly action: string;
  /** Where the limit comes from: `config`, `profile article`, `IEC 61400-25 default`. */
  readonly source: string;
  /** Rules of the same asset whose alarm explains this one: while one is active, this is folded. */
  readonly foldedInto: readonly string[];
  /** Version of the row, part of `rule` in the payload (`gearbox-hss@3`). */
  readonly version: number;
};

/** A name that a rule may read. `index` is its place in the frame of the asset. */
export type Signal = {
  readonly name: string;
  readonly index: number;
  readonly dim: string;
  readonly kind: string;
  readonly point: boolean;
  /** In which people write it; absent: SI. */
  readonly unit?: string;
};

/** Compile-time fault of a rule text: offset and length within the text of `field`. */
export type RuleFault = {
  readonly field: "when" | "clear";
  readonly fault: string;
  readonly at: number;
  readonly length: number;
};

export const TRUE = 1;
export const FALSE = 0;
/** Some value that decides the condition is missing: neither raise nor clear. */
export const UNKNOWN = -1;
export type Verdict = typeof TRUE | typeof FALSE | typeof UNKNOWN;

/** The comparison that an alarm shows as its value and limit: the first one of the condition. */
export type Shown = {
  /** Frame index of the signal on the left, -1 when it is an expression. */
  readonly signal: number;
  readonly value: (frame: Float64Array) => number;
  readonly limit: (frame: Float64Array) => number;
  /** Unit to print both in: the unit of the literal as written, else SI. */
  readonly unit: string;
};

/** A condition as closures over the SI frame of an asset. NaN in the frame means "not known". */
export type Condition = {
  /** Frame indexes it reads, each once. */
  readonly reads: readonly number[];
  /** It has windows or rates, which time alone moves, or reads nothing at all. */
  readonly timed: boolean;
  /** Three-valued (Kleene): a known breach decides even when another operand is unknown. */
  judge(frame: Float64Array): Verdict;
  /** Feeds the windows and rates; a no-op where the condition has none. Call before `judge`. */
  observe(frame: Float64Array, t_ms: number): void;
  readonly shown: Shown | null;
};

export type Rule = RuleRow & {
  readonly asset: string;
  readonly on: Condition;
  readonly off: Condition | null;
};

/** What an alarm shows: of the condition that ended it where the rule has one, else of the breach. */
export function shownOf(rule: Rule, to: "raise" | "clear"): Shown | null {
  return (to === "clear" ? rule.off?.shown : null) ?? rule.on.shown;
}

/** What is remembered of a rule between samples; stored with every commit. */
export type Latch = {
  readonly raised: boolean;
  /** Source time since which the pending condition holds (breach, or clear); null: none. */
  readonly since_ms: number | null;
  /** Source time of the first breaching sample of the active alarm. */
  readonly onset_ms: number | null;
};

/** A change of an alarm, with what the pipeline knew at that moment. */
export type Change = {
  readonly asset: string;
  readonly rule: Rule;
  /** `update`: it goes on, and there is more to say of it. */
  readonly to: "raise" | "clear" | "update";
  readonly onset_ms: number;
  /** Arrival time of the record, or the deadline, that decided. */
  readonly detected_ms: number;
  /** Source time of the sample that decided. */
  readonly source_ms: number;
  readonly value: number | null;
  readonly limit: number | null;
  /** Channels of the asset that were stale at that moment. */
  readonly stale: readonly string[];
};
