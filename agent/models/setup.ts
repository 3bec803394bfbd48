//! What a monitor is made from: the nameplate of its machine, the normal that commissioning learnt,
//! and a backend. What is missing switches off what needs it, in words.
import type { Backend } from "../accel/backend.js";

export type Baseline = {
  /** 1; another version is refused. */
  readonly version: number;
  readonly kind: string;
  readonly asset: string;
  /** Where the numbers come from: a recording, a simulated run, hours covered. */
  readonly source: string;
  /** SI values by name, e.g. `generator.sigma` in K. */
  readonly values: Readonly<Record<string, number>>;
};

export type Setup = {
  readonly id: string;
  /** SI values by key: `hssBearing.rollers`. */
  readonly nameplate: Readonly<Record<string, number>>;
  readonly baseline: Baseline | null;
  readonly backend: Backend;
};

/** One key of a nameplate. Without a default, what needs the key is off. */
export type NameplateRow = {
  readonly key: string;
  /** Unit in which people write it; its dimension is checked. */
  readonly unit: string;
  readonly otherwise: number | null;
  readonly about: string;
};

/** An output whose middle and spread over a healthy period go into the baseline, by these names. */
export type Learnt = {
  readonly output: string;
  readonly middle: string;
  readonly spread: string;
};

/** Value of a key in SI, the row's default, or NaN. */
export function plateValue(setup: Setup, rows: readonly NameplateRow[], key: string): number {
  const own = setup.nameplate[key];
  if (own !== undefined) return own;
  return rows.find((row) => row.key === key)?.otherwise ?? Number.NaN;
}

/** A value of the baseline, or `otherwise` before commissioning. */
export function learnt(setup: Setup, name: string, otherwise: number): number {
  return setup.baseline?.values[name] ?? otherwise;
}

/** Checks a parsed baseline file; a text says what is wrong with it. */
export function readBaseline(data: unknown, kind: string): Baseline | string {
  if (typeof data !== "object" || data === null) return "a baseline is a JSON object";
  const found = data as Record<keyof Baseline, unknown>;
  if (found.version !== 1) return `baseline version ${String(found.version)}; this agent reads 1`;
  if (found.kind !== kind) return `the baseline is of kind "${String(found.kind)}", not "${kind}"`;
  const { values } = found;
  if (typeof values !== "object" || values === null) return 'the baseline has no "values"';
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      return `the value "${name}" of the baseline is no number`;
    }
  }
  return {
    version: 1,
    kind,
    asset: String(found.asset),
    source: String(found.source),
    values: values as Record<string, number>,
  };
}
