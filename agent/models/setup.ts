//! What a monitor is made from: the nameplate of its machine, the normal that commissioning learnt,
//! and a backend. What is missing switches off what needs it, in words.
import type { Backend } from "../accel/backend.js";
import type { Learned } from "./chain/correction.js";

/** Where a baseline comes from, for whoever doubts it later. */
export type Provenance = {
  /** Name of the recording, or `live`. */
  readonly recording: string;
  /** `sha256:...` of its bytes; null of a live run. */
  readonly hash: string | null;
  readonly from_ms: number;
  readonly to_ms: number;
  /** `9.2 days`, `12 flights`. */
  readonly amount: string;
  /** Hours, or flights, blocks, cycles, by operating state. */
  readonly states: Readonly<Record<string, number>>;
  /** Nameplate in SI that it was learnt with. */
  readonly nameplate: Readonly<Record<string, number>>;
  /** Version of the agent. */
  readonly agent: string;
  readonly excluded: readonly string[];
  readonly notLearnt: readonly string[];
  readonly suspects: readonly string[];
  /** What would make a better normal, in words. */
  readonly advice?: readonly string[];
};

export type Baseline = {
  /** 1; another version is refused. */
  readonly version: number;
  readonly kind: string;
  readonly asset: string;
  /** Where the numbers come from: a recording, a simulated run, hours covered. */
  readonly source: string;
  /** SI values by name, e.g. `generator.sigma` in K. */
  readonly values: Readonly<Record<string, number>>;
  /** As `values`, of one operating state, where that was seen for long enough. */
  readonly states?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Rows of numbers by name: what a generic machine learns. */
  readonly vectors?: Readonly<Record<string, readonly number[]>>;
  readonly provenance?: Provenance;
};

export type Setup = {
  readonly id: string;
  /** SI values by key: `hssBearing.rollers`. */
  readonly nameplate: Readonly<Record<string, number>>;
  readonly baseline: Baseline | null;
  readonly backend: Backend;
  /** A bearing network of the user's own; null: the one that ships. */
  readonly network?: Uint8Array | null;
  /** By how much adaptation has moved a value of the baseline; absent: nothing adapts. */
  readonly moved?: (name: string) => number;
  /** A trained network behind the prior; absent: what ships, null: equations alone. */
  readonly learned?: Learned | null;
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
  /** What a commissioned machine says: 0 less the middle, 1 over it, or the middle as it is. */
  readonly about: "zero" | "one" | "middle";
  /** The middle of a sound machine lies within, SI; beyond, machine or nameplate is another. */
  readonly credible: readonly [number, number];
  /** Most by which adaptation may move the middle, SI; 0: never. */
  readonly drift: number;
  /** Outputs that explain some of it, at most so much: how is learnt, too, as a vector by its name. */
  readonly explained?: { readonly by: readonly string[]; readonly most: number };
  /**
   * The output that says how surely it has shifted to this side; `floor` is the least spread.
   * `large`: a whole fault is no more than a spread or two, so that one is sought of its own.
   */
  readonly shift?: {
    readonly evidence: string;
    readonly side: 1 | -1;
    readonly floor: number;
    readonly large?: true;
  };
};

/** Where the spread of its ten-minute means is kept. */
export const scaleName = ({ output }: Pick<Learnt, "output">): string => `${output}.scale`;

/** Value of a key in SI, the row's default, or NaN. */
export function plateValue(
  setup: Pick<Setup, "nameplate">,
  rows: readonly NameplateRow[],
  key: string,
): number {
  const own = setup.nameplate[key];
  if (own !== undefined) return own;
  return rows.find((row) => row.key === key)?.otherwise ?? Number.NaN;
}

/** A value of the baseline, as adapted; of this state where that was learnt. Else `otherwise`. */
export function learnt(setup: Setup, name: string, otherwise: number, state = ""): number {
  const { baseline } = setup;
  const value = baseline?.states?.[state]?.[name] ?? baseline?.values[name];
  return value === undefined ? otherwise : value + (setup.moved?.(name) ?? 0);
}

const PLATE_SAME = 1e-3;

/** A key of the nameplate that has changed since the baseline was learnt with it, or null. */
export function changedPlate(
  { provenance }: Baseline,
  nameplate: Readonly<Record<string, number>>,
): string | null {
  const then = Object.entries(provenance?.nameplate ?? {});
  const changed = then.find(([key, value]) => {
    const now = nameplate[key] ?? value;
    return Math.abs(now - value) > PLATE_SAME * Math.abs(value);
  });
  return changed?.[0] ?? null;
}

/** Checks a parsed baseline file; a text says what is wrong with it. */
export function readBaseline(data: unknown, kind: string): Baseline | string {
  if (typeof data !== "object" || data === null) return "a baseline is a JSON object";
  const found = data as Record<keyof Baseline, unknown>;
  if (found.version !== 1) return `baseline version ${String(found.version)}; this agent reads 1`;
  if (found.kind !== kind) return `the baseline is of kind "${String(found.kind)}", not "${kind}"`;
  const { values, states = {}, vectors = {} } = found;
  if (!isTable(values, isNumber)) return faultOf(values, "values");
  if (!isTable(states, (part) => isTable(part, isNumber))) return faultOf(states, "states");
  const isRow = (row: unknown): row is number[] => Array.isArray(row) && row.every(isNumber);
  if (!isTable(vectors, isRow)) return faultOf(vectors, "vectors");
  return {
    version: 1,
    kind,
    asset: String(found.asset),
    source: String(found.source),
    values,
    states,
    vectors,
    ...(found.provenance === undefined ? {} : { provenance: found.provenance as Provenance }),
  };
}

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value);

function isTable<T>(
  value: unknown,
  holds: (part: unknown) => part is T,
): value is Record<string, T> {
  return typeof value === "object" && value !== null && Object.values(value).every(holds);
}

function faultOf(table: unknown, name: string): string {
  if (typeof table !== "object" || table === null) return `the baseline has no "${name}"`;
  const bad = Object.entries(table).find(([, value]) => !isNumber(value));
  if (name !== "values" || bad === undefined) return `"${name}" of the baseline is not of numbers`;
  return `the value "${bad[0]}" of the baseline is no number`;
}
