//! Three years of a gas turbine, hour by hour: does a monitor that was commissioned in its first
//! weeks follow ageing and seasons without drowning in alarms, and does it still see faults?
import type { Baseline } from "../agent/models/setup.js";
import { type Column, GenericRig } from "../test/models/generic-rig.js";
import { learn, readTable } from "./monitor-records.js";
import { hasSet, noData } from "./monitor-sets.js";
import { failedRow, median, type Row } from "./result.js";

const START_ms = 1_293_840_000_000; // 2011-01-01
const HOUR_ms = 3_600_000;
const MONTH = 730; // hours
const LEARN_days = 28;
const YEARS = ["2011", "2012", "2013"];
const COLUMNS: readonly Column[] = [
  ["AT", "Cel"],
  ["AP", "mbar"],
  ["AH", "%"],
  ["TEY", "MW"],
  ["AFDP", "mbar"],
  ["GTEP", "mbar"],
  ["TIT", "Cel"],
  ["TAT", "Cel"],
  ["CDP", "mbar"],
  ["CO", "mg/m3"],
  ["NOX", "mg/m3"],
].map(([name = "", unit = ""]) => ({ name, unit }));
const USE = { cycle: null, settings: ["AT", "AP", "AH", "TEY"], records: false };

const years = (): number[][] =>
  YEARS.flatMap((year) => {
    const { names, rows } = readTable("gas_turbine_emissions", `gt_${year}.csv.gz`);
    const columns = COLUMNS.map(({ name }) => names.indexOf(name));
    return rows.map((row) => columns.map((column) => Number(row[column])));
  });

/** What a fault does to an hour, `share` of the way; sizes that a service engineer would act on. */
const FAULTS: Readonly<Record<string, (row: number[], share: number) => void>> = {
  "fouled compressor: CDP -3 %, TIT and TAT +6 K": (row, share) => {
    scale(row, "CDP", 1 - 0.03 * share);
    add(row, "TIT", 6 * share);
    add(row, "TAT", 6 * share);
  },
  "exhaust: TAT +8 K": (row, share) => add(row, "TAT", 8 * share),
  "filter: AFDP +1.5 mbar": (row, share) => add(row, "AFDP", 1.5 * share),
  "burners: NOX +25 %": (row, share) => scale(row, "NOX", 1 + 0.25 * share),
};
const RAMPS_h = [0, 240];
const WINDOW_h = 480;
const EVERY_months = 3;

const at = (name: string): number => COLUMNS.findIndex((column) => column.name === name);
const add = (row: number[], name: string, by: number): void => {
  row[at(name)] = (row[at(name)] ?? 0) + by;
};
const scale = (row: number[], name: string, by: number): void => {
  row[at(name)] = (row[at(name)] ?? 0) * by;
};

/** A monitor with what its rules would hold active, their hysteresis included. */
class Watched {
  readonly rig: GenericRig;
  active: ReadonlySet<string> = new Set();

  constructor(baseline: Baseline, adapts: boolean, from: Kept | null) {
    this.rig = new GenericRig(COLUMNS, USE, { baseline, adapts });
    if (from === null) return;
    this.rig.fitted.stage.restore(from.stage);
    this.active = from.active;
  }

  /** Alarms that come on with this hour. */
  take(hour: number, row: readonly number[]): string[] {
    this.rig.feed(START_ms + hour * HOUR_ms, row);
    const [index, limit] = [this.rig.get("health.index"), this.rig.get("health.limit")];
    const before = this.active;
    const machine = before.has("unusual") ? !(index < CLEARS * limit) : index > limit;
    const odd = COLUMNS.flatMap(({ name }) => (this.rig.get(`${name}.fault`) > 0 ? [name] : []));
    this.active = new Set([...(machine ? ["unusual"] : []), ...odd]);
    // As the agent does: nothing is learnt while an alarm stands.
    if (this.active.size > 0) this.rig.fitted.stage.hold();
    return [...this.active].filter((key) => !before.has(key));
  }

  save(): Kept {
    const { baseline: _, ...stage } = this.rig.fitted.stage.save();
    return { stage: JSON.parse(JSON.stringify({ ...stage, baseline: null })), active: this.active };
  }
}

type Kept = {
  readonly stage: Parameters<GenericRig["fitted"]["stage"]["restore"]>[0];
  readonly active: ReadonlySet<string>;
};
/** The rule `unusual` clears below so much of its limit. */
const CLEARS = 0.6;

type Run = {
  readonly rises: readonly { readonly hour: number; readonly key: string }[];
  readonly judged: number;
  /** Hours with an alarm of the machine, and with any. */
  readonly standing: { readonly machine: number; readonly any: number };
  readonly hours: number;
  readonly kept: ReadonlyMap<number, Kept>;
};

function run(rows: readonly (readonly number[])[], baseline: Baseline, adapts: boolean): Run {
  const watched = new Watched(baseline, adapts, null);
  const rises: { hour: number; key: string }[] = [];
  const kept = new Map<number, Kept>();
  let [judged, hours] = [0, 0];
  const standing = { machine: 0, any: 0 };
  for (let hour = 24 * LEARN_days; hour < rows.length; hour++) {
    if (hour % (EVERY_months * MONTH) === 0) kept.set(hour, watched.save());
    for (const key of watched.take(hour, rows[hour] ?? [])) rises.push({ hour, key });
    hours += 1;
    standing.machine += Number(watched.active.has("unusual"));
    standing.any += Number(watched.active.size > 0);
    const { length } = JUDGED.filter((name) => !Number.isNaN(watched.rig.get(`${name}.deviation`)));
    judged += length / JUDGED.length;
  }
  return { rises, judged: judged / hours, standing, hours, kept };
}

const JUDGED = COLUMNS.map(({ name }) => name).filter((name) => !USE.settings.includes(name));

type Found = { readonly hour: number; readonly fault: string; readonly delay_h: number | null };

/** An alarm of the machine, or of a channel that the fault moves. */
const tells = (fault: string, key: string): boolean => key === "unusual" || fault.includes(key);

/** Found: such an alarm is active that is not at the same hour of the same machine without the fault. */
function inject(
  rows: readonly (readonly number[])[],
  baseline: Baseline,
  adapts: boolean,
  kept: ReadonlyMap<number, Kept>,
): Found[] {
  return [...kept].flatMap(([from, start]) => {
    const last = from + WINDOW_h;
    if (last > rows.length) return [];
    const play = (change: (row: number[], hours: number) => void): ReadonlySet<string>[] => {
      const watched = new Watched(baseline, adapts, start);
      return rows.slice(from, last).map((row, i) => {
        const own = [...row];
        change(own, i);
        watched.take(from + i, own);
        return watched.active;
      });
    };
    const healthy = play(() => {});
    return Object.entries(FAULTS).flatMap(([name, change]) =>
      RAMPS_h.map((ramp): Found => {
        const said = play((row, i) => change(row, ramp === 0 ? 1 : Math.min(1, i / ramp)));
        const first = said.findIndex((active, i) =>
          [...active].some((key) => tells(name, key) && healthy[i]?.has(key) !== true),
        );
        const fault = `${name}, ${ramp === 0 ? "step" : "ramp"}`;
        return { hour: from, fault, delay_h: first < 0 ? null : first };
      }),
    );
  });
}

export const DRIFT_NAMES = ["gas-drift-alarms", "gas-drift-recall"] as const;
/** Said before the first run: a look a fortnight is no burden; four of five faults must be seen. */
const BOUNDS = { alarms: { max: 2 }, recall: { min: 80 } } as const;

export function driftRows(): Row[] {
  const [alarms, recall] = DRIFT_NAMES;
  if (!hasSet("gas_turbine_emissions")) {
    return [...noData([alarms], "1", BOUNDS.alarms), ...noData([recall], "%", BOUNDS.recall)];
  }
  const rows = years();
  const baseline = learn(COLUMNS, USE, rows.slice(0, 24 * LEARN_days + 2), HOUR_ms, LEARN_days);
  if (typeof baseline === "string") {
    return [
      failedRow(alarms, "1", BOUNDS.alarms, baseline),
      failedRow(recall, "%", BOUNDS.recall, baseline),
    ];
  }
  const [on, off] = [true, false].map((adapts) => {
    const plain = run(rows, baseline, adapts);
    return { plain, found: inject(rows, baseline, adapts, plain.kept) };
  });
  if (on === undefined || off === undefined) return [];
  const monthly = ({ rises, hours }: Run): number => (rises.length * MONTH) / hours;
  const share = (list: readonly Found[]): number =>
    (100 * list.filter(({ delay_h }) => delay_h !== null).length) / Math.max(1, list.length);
  const delay = (list: readonly Found[]): string =>
    median(list.flatMap(({ delay_h }) => (delay_h === null ? [] : [delay_h]))).toFixed(0);
  const pct = (list: readonly Found[]): string => `${share(list).toFixed(0)} %`;
  const last = rows.length - 7152; // 2013 begins
  const keys = [...new Set(on.plain.rises.map(({ key }) => key))].sort();
  const byKey = keys.map((key) => `${key} ${on.plain.rises.filter((r) => r.key === key).length}`);
  const stands = (which: keyof Run["standing"]): string =>
    `${((100 * on.plain.standing[which]) / on.plain.hours).toFixed(0)} %`;
  const kinds = [...new Set(on.found.map(({ fault }) => fault))];
  const byKind = kinds.map((kind) => `${kind} ${pct(on.found.filter((f) => f.fault === kind))}`);
  return [
    {
      name: alarms,
      value: monthly(on.plain),
      unit: "1",
      ...BOUNDS.alarms,
      note:
        `alarms that come on a month of ${MONTH} h, ${(on.plain.hours / MONTH).toFixed(0)} months behind ` +
        `${LEARN_days} days learnt, adaptation off ${monthly(off.plain).toFixed(2)}; ${byKey.join(", ")}; ` +
        `${(100 * on.plain.judged).toFixed(0)} % of readings judged, the rest not covered; ` +
        `alarm stands: machine ${stands("machine")}, any ${stands("any")} of the hours`,
    },
    {
      name: recall,
      value: share(on.found),
      unit: "%",
      ...BOUNDS.recall,
      note:
        `${on.found.length} faults, delay p50 ${delay(on.found)} h; of those of 2013 ` +
        `${pct(on.found.filter(({ hour }) => hour >= last))}; adaptation off ${pct(off.found)}, ` +
        `${delay(off.found)} h; ${byKind.join("; ")}`,
    },
  ];
}
