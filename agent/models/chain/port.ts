//! What is known of a channel of an asset kind before any data: unit, plausible range, and how its
//! instrument can be told to lie. One row per channel, next to the kind that it belongs to.
import { assert } from "../../base/errors.js";
import { parseUnit } from "../../units/parse.js";

export type PortRow = {
  readonly name: string;
  readonly unit: string;
  readonly shape: "scalar" | "block";
  readonly about: string;
  /** Plausible range in `unit`; outside no reading is believed. */
  readonly range: readonly [low: number, high: number];
  /** Largest credible change between two readings: a step plus so much per second, in `unit`. */
  readonly jump: readonly [step: number, perSecond: number] | null;
  /** Largest credible change over PACE_s, in `unit`: for what only the weather moves. */
  readonly pace: number | null;
  /** A lone reading this far from both neighbours is a spike, in `unit`. */
  readonly spike: number | null;
  /** Its noise moves every reading, so equal ones in a row mean a stuck instrument. */
  readonly noisy: boolean;
  /** A code: only whole numbers are readings. */
  readonly whole: boolean;
  /** Another way to this port's reading: where that has a channel, this one is not missed. */
  readonly insteadOf?: string;
  /** A command may rest at its full value, in `unit`, as it may at 0. */
  readonly full?: number;
  /** The machine that range and spike are of; those of a larger one are wider in proportion. */
  readonly size?: Size;
  /** Read as sent, not as the median of three: each record stands for itself. */
  readonly plain?: boolean;
};

/** One value of the nameplate, or its ratio to another, in SI. */
export type Size = { readonly over: string; readonly under?: string; readonly si: number };

/** The row for a machine with this nameplate; `plate` is NaN where it does not say. */
export function sizedTo(row: PortRow, plate: (key: string) => number): PortRow {
  const { size, range, spike } = row;
  if (size === undefined) return row;
  const own = plate(size.over) / (size.under === undefined ? 1 : plate(size.under));
  const larger = own / size.si;
  if (!(larger > 1 && larger < Number.POSITIVE_INFINITY)) return row;
  const [low, high] = range;
  const wide = [low * larger, high * larger] as const;
  return { ...row, range: wide, spike: spike === null ? null : spike * larger };
}

/** The row in SI, differences where they are differences. */
export type PortLimits = {
  readonly low: number;
  readonly high: number;
  readonly jumpStep: number;
  readonly jumpRate: number;
  readonly spike: number;
  readonly pace: number;
  readonly full: number;
};

export const PACE_s = 1200;

export function limitsOf(row: PortRow): PortLimits {
  const unit = parseUnit(row.unit);
  assert(!("fault" in unit), `unit of the port ${row.name}`);
  const [low, high] = row.range;
  return {
    low: low * unit.factor + unit.offset,
    high: high * unit.factor + unit.offset,
    jumpStep: row.jump === null ? Number.POSITIVE_INFINITY : row.jump[0] * unit.factor,
    jumpRate: row.jump === null ? 0 : row.jump[1] * unit.factor,
    pace: row.pace === null ? Number.POSITIVE_INFINITY : row.pace * unit.factor,
    full: row.full === undefined ? Number.POSITIVE_INFINITY : row.full * unit.factor,
    spike: row.spike === null ? Number.POSITIVE_INFINITY : row.spike * unit.factor,
  };
}
