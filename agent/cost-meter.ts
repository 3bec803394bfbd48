//! Meters the energy that an asset should have given and did not, so that an alarm can say what it
//! cost from its onset until now. It runs as a monitor that writes nothing, in source time, so a
//! recording replayed gives the same cost. Where expected or given power is unknown nothing counts.
import type { Measured } from "./alerts/alarm.js";
import { costFor, energyOf } from "./alerts/cost.js";
import type { Monitor } from "./models/monitor.js";
import type { Change } from "./rules/rule.js";
import type { Price } from "./units/price.js";
import { add, type Qty, scale, sub, unit } from "./units/quantity.js";

const watt = unit("W");
const second = unit("s");
const joule = unit("J");
/** A longer silence is no measurement. */
const GAP_s = 600;
/** What is remembered for the onset of a rule that holds long: between points it is a mean. */
const POINT_ms = 20_000;
const POINTS_MAX = 8_640; // two days

/** `whole` is false where a restart hides what was lost between the raise and it. */
export type Cost = { readonly amount: Measured; readonly whole: boolean };

export type CostMeter = {
  readonly monitor: Monitor;
  /** What the alarm has cost since its onset; null where it is unknown, or no loss of the machine. */
  of(change: Change): Cost | null;
};

type Reading = { readonly t_ms: number; readonly energy: Qty<"J">; readonly known_s: number };

/** `expected` and `given` name the signals, both in W. Signed: noise must not add up to a loss. */
export function costMeter(price: Price, expected: string, given: string): CostMeter {
  let now: Reading = { t_ms: Number.NaN, energy: joule(0), known_s: 0 };
  let lost: Qty<"W"> | null = null;
  const points: Reading[] = [];
  const onsets = new Map<string, Reading>();

  /** A value holds until the next one. */
  const readAt = (t_ms: number): Reading => {
    const dt_s = (t_ms - now.t_ms) / 1000;
    if (!(dt_s > 0)) return between(points, now, t_ms);
    if (lost === null || dt_s > GAP_s) return { ...now, t_ms };
    const energy = add(now.energy, energyOf(lost, second(dt_s)));
    return { t_ms, energy, known_s: now.known_s + dt_s };
  };
  const note = (t_ms: number, loss: Qty<"W"> | null): void => {
    if (!(t_ms <= now.t_ms)) now = { ...readAt(t_ms), t_ms };
    lost = loss;
    if (now.t_ms - (points.at(-1)?.t_ms ?? Number.NEGATIVE_INFINITY) < POINT_ms) return;
    points.push(now);
    if (points.length > POINTS_MAX) points.shift();
  };
  return {
    monitor: {
      name: "cost",
      inputs: [expected, given],
      outputs: [],
      model: "physics@1",
      tier: "exact",
      off: [],
      onSample(frame, _, t_ms) {
        const loss = frame.get(0) - frame.get(1);
        note(t_ms, Number.isNaN(loss) ? null : watt(loss));
      },
      onBlock() {},
      explain: () => null,
      spectrum: () => null,
    },
    of({ rule, to, onset_ms, source_ms }) {
      // A sensor that fails, or the agent itself, loses no power.
      if (rule.class !== "machine" && rule.class !== "process") return null;
      if (points.length === 0) return null;
      const end = readAt(source_ms);
      const onset = onsets.get(rule.id);
      const from = to === "raise" ? readAt(onset_ms) : (onset ?? (points[0] as Reading));
      if (to === "raise") onsets.set(rule.id, from);
      else if (to === "clear") onsets.delete(rule.id);
      if (end.known_s === from.known_s && lost === null) return null;
      const amount = costFor(price, sub(end.energy, from.energy));
      return { amount, whole: to === "raise" || onset !== undefined };
    },
  };
}

/** The reading at a time within what is remembered; the first where it lies before. */
function between(points: readonly Reading[], now: Reading, t_ms: number): Reading {
  const i = points.findLastIndex((point) => point.t_ms <= t_ms);
  const before = points[Math.max(0, i)] ?? now;
  const after = points[i + 1] ?? now;
  const span_ms = after.t_ms - before.t_ms;
  if (i < 0 || !(span_ms > 0)) return before;
  const share = (t_ms - before.t_ms) / span_ms;
  const energy = add(before.energy, scale(sub(after.energy, before.energy), share));
  return { t_ms, energy, known_s: before.known_s + (after.known_s - before.known_s) * share };
}
