//! Every alarm of the agent and what happens to them: changes of rules, commands, deadlines. Pure
//! but for the table it keeps; the daemon and `replay` share it, so both say the same.
import type { Alarm, Command, Occurrence } from "./alerts/alarm.js";
import {
  type Applied,
  alarmKey,
  applyChange,
  applyCommand,
  applyDeadlines,
} from "./alerts/apply.js";
import { endOf, nextExpiry_ms } from "./alerts/lifecycle.js";
import { type Collected, type Reconciled, reconcile } from "./alerts/reconcile.js";
import type { Place } from "./alerts/topics.js";
import { type Rule, shownOf } from "./rules/rule.js";
import { valueIn } from "./units/format.js";
import type { Noted } from "./watch.js";

const FOLDED = "folded:";

export type AlarmsOptions = {
  readonly place: Place;
  readonly ruleOf: (asset: string, rule: string) => Rule | undefined;
  /** Whether alarms of this name can come: of a rule, or of the agent itself. */
  readonly knows: (asset: string, rule: string) => boolean;
  /** The rules of an asset that some other alarm may explain. */
  readonly folded: (asset: string) => readonly Rule[];
  readonly commissioned: (asset: string) => boolean;
};

export class Alarms {
  readonly #options: AlarmsOptions;
  readonly #table = new Map<string, Alarm>();
  /** When the next shelving ends. */
  #expiry_ms = Number.NEGATIVE_INFINITY;

  constructor(options: AlarmsOptions, known: readonly Alarm[] = []) {
    this.#options = options;
    for (const alarm of known) this.#table.set(alarmKey(alarm.asset, alarm.rule), alarm);
  }

  all(): Iterable<Alarm> {
    return this.#table.values();
  }

  get(asset: string, rule: string): Alarm | undefined {
    return this.#table.get(alarmKey(asset, rule));
  }

  anyActive(asset: string): boolean {
    for (const alarm of this.#table.values()) {
      if (alarm.active && alarm.asset === asset) return true;
    }
    return false;
  }

  /** A change, and what it means for alarms that it explains, or explained until now. */
  apply(change: Noted): Applied[] {
    const { asset, rule, detected_ms } = change;
    const occurrence = this.#costed(change, occurrenceOf(change, this.#marks(change)));
    const moved = this.move(change.to, occurrence);
    if (moved === null) return [];
    return [moved, ...this.#refold(asset, rule.id, detected_ms)];
  }

  /** Null when the alarm already is so. */
  move(to: Noted["to"], what: Occurrence): Applied | null {
    const { place } = this.#options;
    const moved = applyChange(place, this.#table, to, what, what.detected_ms);
    return typeof moved === "string" ? null : moved;
  }

  /** Ends an alarm whose rule the config no longer has: nobody else ever would. */
  retire(alarm: Alarm, now_ms: number): Applied | null {
    const why = "the config has no such rule any more";
    return this.move("clear", endOf(alarm, ["rule-removed"], why, now_ms));
  }

  command(wish: Command, now_ms: number): Applied | string {
    this.#expiry_ms = Number.NEGATIVE_INFINITY;
    return applyCommand(this.#options.place, this.#table, wish, now_ms);
  }

  /** Shelvings that are over; cheap to ask each tick. */
  expire(now_ms: number): Applied[] {
    if (now_ms < this.#expiry_ms) return [];
    const applied = applyDeadlines(this.#options.place, this.#table, now_ms);
    this.#expiry_ms = nextExpiry_ms(this.#table.values());
    return applied;
  }

  reconcile(retained: Collected, now_ms: number): Reconciled {
    this.#expiry_ms = Number.NEGATIVE_INFINITY;
    const { place, knows } = this.#options;
    return reconcile(place, this.#table, retained, now_ms, knows);
  }

  /** With its cost; what a restart hid is missing, and the alarm says so. */
  #costed({ asset, rule, to, cost = null }: Noted, what: Occurrence): Occurrence {
    // The cause states the loss; what is folded into it would state it again.
    const before = this.get(asset, rule.id);
    const folded = to === "raise" ? this.#causeOf(asset, rule) : before?.suppressedBy;
    if (cost === null || folded != null) return { ...what, cost: undefined };
    if (cost.whole) return { ...what, cost: cost.amount };
    const stated = before?.cost?.v ?? 0;
    const amount = { ...cost.amount, v: cost.amount.v + stated };
    return { ...what, cost: amount, marks: [...what.marks, "cost-incomplete"] };
  }

  #marks({ asset, rule, monitor, to }: Noted): string[] {
    const marks: string[] = [];
    if (monitor !== null && !this.#options.commissioned(asset)) marks.push("uncommissioned");
    const cause = to === "clear" ? null : this.#causeOf(asset, rule);
    if (cause !== null) marks.push(FOLDED + cause);
    return marks;
  }

  /** The active alarm that explains a rule: one of its causes, or a cause of those. */
  #causeOf(asset: string, rule: Rule): string | null {
    const seen = new Set([rule.id]);
    const waiting = [...rule.foldedInto];
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      if (seen.has(id)) continue;
      seen.add(id);
      if (this.get(asset, id)?.active) return id;
      waiting.push(...(this.#options.ruleOf(asset, id)?.foldedInto ?? []));
    }
    return null;
  }

  #refold(asset: string, moved: string, now_ms: number): Applied[] {
    const found: Applied[] = [];
    for (const rule of this.#options.folded(asset)) {
      const alarm = this.get(asset, rule.id);
      if (!alarm?.active || rule.id === moved) continue;
      const cause = this.#causeOf(asset, rule);
      if (cause === alarm.suppressedBy) continue;
      const rest = alarm.marks.filter((mark) => !mark.startsWith(FOLDED));
      const marks = cause === null ? rest : [...rest, FOLDED + cause];
      const times = { detected_ms: now_ms, source_ms: now_ms };
      const what = { ...alarm, ...times, marks };
      const applied = applyChange(this.#options.place, this.#table, "update", what, now_ms);
      if (typeof applied !== "string") found.push(applied);
    }
    return found;
  }
}

function raisedBy({ rule, finding, stale }: Noted): readonly string[] {
  return [rule.when, ...(finding?.evidence ?? []), ...stale.map((name) => `${name} is stale`)];
}

/** What ended it, and no more: the evidence of the raise is that of the past. */
function clearedBy({ when, clear, clearFor_ms }: Rule): readonly string[] {
  const ended = clear ?? `no longer: ${when}`;
  return [clearFor_ms === 0 ? ended : `${ended}, for ${clearFor_ms / 1_000} s`];
}

/** Null where a monitor gives evidence and no number. */
function expectedOf(finding: Noted["finding"]): Occurrence["expected"] {
  if (finding === null || !Number.isFinite(finding.expected)) return null;
  return { v: finding.expected, sigma: finding.sigma, u: finding.unit };
}

function occurrenceOf(change: Noted, marks: readonly string[]): Occurrence {
  const { rule, to, value, limit, finding, monitor } = change;
  const unit = shownOf(rule, to === "clear" ? "clear" : "raise")?.unit ?? "1";
  return {
    asset: change.asset,
    rule: rule.id,
    ruleVersion: rule.version,
    class: rule.class,
    severity: rule.severity,
    text: rule.text,
    action: rule.action,
    quality: change.quality,
    tier: monitor?.tier ?? "exact",
    marks,
    value: value === null ? null : { v: valueIn(value, unit), u: unit },
    limit: limit === null ? null : { v: valueIn(limit, unit), u: unit, source: rule.source },
    expected: expectedOf(finding),
    model: monitor?.model ?? null,
    evidence: to === "clear" ? clearedBy(rule) : raisedBy(change),
    onset_ms: change.onset_ms,
    detected_ms: change.detected_ms,
    source_ms: change.source_ms,
  };
}
