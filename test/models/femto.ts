//! FEMTO bearings run to failure through the bearing monitor and its rules, each a machine of its
//! own: figures of two accelerometers, a record every ten seconds, no waveform and no nameplate.
import { isRefused } from "../../agent/models/commission.js";
import type { Baseline } from "../../agent/models/setup.js";
import { readGzip } from "./generic-rig.js";
import { collect, wire } from "./rig.js";

const STEP_ms = 10_000;
const START_ms = 1_700_000_000_000;
const LEARN = 0.15; // of a life
const CHANNELS = ["accelRms", "accelRms2"].map((name) => {
  return { name, unit: "[g]{rms}", shape: "scalar" as const };
});
const LIMITS = { ahead_max_ms: 60_000, behind_max_ms: 86_400_000 };
const RMS_LIMIT_g = 9.8 / 9.80665;
const G = 9.80665;

export type Life = {
  readonly name: string;
  /** rms of both axes, their peaks in g, their kurtosis. */
  readonly rows: readonly (readonly number[])[];
};

const COLUMNS = ["rms_h_g", "rms_v_g", "peak_h_g", "peak_v_g", "kurt_h", "kurt_v"];

export function readLives(): Life[] {
  const [head = "", ...lines] = readGzip("femto_pronostia", "features_learning_set.csv.gz")
    .trim()
    .split("\n");
  const names = head.split(",");
  const at = COLUMNS.map((name) => names.indexOf(name));
  const lives = new Map<string, number[][]>();
  for (const line of lines) {
    const cells = line.split(",");
    const name = cells[names.indexOf("bearing")] ?? "";
    const rows = lives.get(name) ?? [];
    rows.push(at.map((column) => Number(cells[column])));
    lives.set(name, rows);
  }
  return [...lives].map(([name, rows]) => ({ name, rows }));
}

/** Records that teach: the first of a life. */
export const learnt = ({ rows }: Life): number => Math.floor(LEARN * rows.length);

function feed(wired: ReturnType<typeof wire>, rows: readonly (readonly number[])[]): void {
  const { watch, changes } = wired;
  rows.forEach((row, i) => {
    const t_ms = START_ms + i * STEP_ms;
    CHANNELS.forEach((_, channel) => {
      const value = (row[channel] ?? Number.NaN) * G;
      const sample = { kind: "sample", channel, t_ms, r_ms: t_ms, value, quality: "good" } as const;
      watch.accept(sample, LIMITS, changes);
    });
    if (watch.next_ms() <= t_ms) watch.advance(t_ms, changes);
  });
}

/** Which records any alarm of the kind's own rules covers, after it learnt from the first. */
export function monitorAlarms(life: Life): boolean[] {
  const machine = { kind: "bearing", channels: CHANNELS } as const;
  const amount = learnt(life);
  const learner = wire(machine, { baseline: null, want: { amount, by: "hand" } });
  feed(learner, life.rows.slice(0, amount));
  // Fifteen per cent of a short life are fewer blocks than the product asks for.
  const baseline = learner.stage.finish(life.name, null, { least: 0 });
  if (baseline === null || isRefused(baseline)) throw new Error(JSON.stringify(baseline));
  const known: Baseline = baseline;
  const wired = wire(machine, { baseline: known });
  feed(wired, life.rows);
  const raised = collect(wired.changes, START_ms);
  return life.rows.map((_, i) => {
    const at_s = (i * STEP_ms) / 1000;
    return raised.some((one) => one.at_s <= at_s && at_s < one.cleared_s);
  });
}

/** Any of the first `count` columns beyond three sigma of the records that taught. */
export function sigmaAlarms(life: Life, count: number): boolean[] {
  const start = life.rows.slice(0, learnt(life));
  const limits = Array.from({ length: count }, (_, j) => {
    const values = start.map((row) => row[j] ?? Number.NaN);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    return { mean, off: 3 * Math.sqrt(variance) };
  });
  return life.rows.map((row) =>
    limits.some(({ mean, off }, j) => Math.abs((row[j] ?? Number.NaN) - mean) > off),
  );
}

export const limitAlarms = (life: Life): boolean[] =>
  life.rows.map(([h = 0, v = 0]) => Math.max(h, v) > RMS_LIMIT_g);

export type Counted = {
  /** Separate alarms behind what taught, in the first half of life. */
  readonly episodes: number;
  /** Share of life at which it stands in alarm in the second half; NaN: never. */
  readonly found: number;
};

export function count(life: Life, alarms: readonly boolean[]): Counted {
  const half = Math.floor(life.rows.length / 2);
  const healthy = alarms.slice(learnt(life), half);
  const episodes = healthy.filter((on, i) => on && healthy[i - 1] !== true).length;
  const first = alarms.findIndex((on, i) => on && i >= half);
  return { episodes, found: first < 0 ? Number.NaN : first / life.rows.length };
}
