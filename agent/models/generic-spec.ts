//! From the config of a generic asset to what its monitor reads and how long it learns.
import { isUnitFault, parseUnit } from "../units/parse.js";
import type { Commissioning } from "./commission.js";
import type { Plan } from "./commission-stage.js";
import { createGenericMonitor, genericLearns } from "./generic.js";
import { countsCycles, finishGeneric, type GenericSpec } from "./generic-baseline.js";
import { unlikeOf } from "./generic-judge.js";

/** What the config says beyond the channels. */
export type GenericUse = {
  /** Counter of cycles; null: none. */
  readonly cycle: string | null;
  /** Channels that set the operating point. */
  readonly settings: readonly string[];
  /** `commission` is in cycles although there is no counter: each record is one. */
  readonly records: boolean;
};

type Channel = {
  readonly name: string;
  readonly unit: string;
  readonly point: boolean;
  readonly coded: boolean;
};

/** Cycles of a unit that are its normal: 30, at least 20. */
export const CYCLES = { usual: 30, least: 20 } as const;

export function genericPlan(
  kind: string,
  days: Commissioning,
  channels: readonly Channel[],
  use: GenericUse | undefined,
  baseline: unknown,
): Plan & { readonly doubted: readonly string[] } {
  const { cycle = null, settings = [], records = false } = use ?? {};
  const spec: GenericSpec = {
    settings,
    readings: channels
      .filter(({ name, coded }) => !coded && name !== cycle && !settings.includes(name))
      .map(({ name }) => name),
    state: channels.find(({ coded }) => coded)?.name ?? null,
    cycle,
    records: cycle === null && (records || wasOfRecords(baseline)),
  };
  const powers = new Set(channels.filter(({ unit }) => isPower(unit)).map(({ name }) => name));
  const commissioning: Commissioning = countsCycles(spec)
    ? { ...days, per: "cycles", ...CYCLES }
    : days;
  return {
    kind,
    learns: genericLearns(spec),
    commissioning,
    laws: [],
    finish: finishGeneric(spec, (name) => powers.has(name)),
    make: (setup, told) =>
      channels.length === 0 ? [] : [createGenericMonitor(channels, spec, setup, told)],
    unlike: (setup) => unlikeOf(setup, spec),
    channels,
    doubted: [...settings, ...spec.readings],
  };
}

function isPower(text: string): boolean {
  const unit = parseUnit(text);
  return !isUnitFault(unit) && unit.dim === "W";
}

/** A baseline file says how it was learnt, so that the config need not say it again. */
function wasOfRecords(baseline: unknown): boolean {
  if (typeof baseline !== "object" || baseline === null || !("values" in baseline)) return false;
  const { values } = baseline;
  return typeof values === "object" && values !== null && "counts.records" in values
    ? values["counts.records"] === 1
    : false;
}
