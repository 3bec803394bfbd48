//! The monitors judged again from what they said: at other limits of their evidence, and with one
//! step of the chain left out. Ten-minute means of the real run are the features; commissioning and
//! tests are the product's own functions.
import { explained } from "../agent/models/chain/explained.js";
import { median } from "../agent/models/chain/robust.js";
import { SHIFT_s, ShiftTest } from "../agent/models/chain/shift.js";
import { explain, scaleOf } from "../agent/models/commission-explain.js";
import type { Row } from "../agent/models/commission-slices.js";
import type { Learnt } from "../agent/models/setup.js";
import { TURBINE_LEARNT } from "../agent/models/turbine-outputs.js";
import type { FleetTurbine } from "./fleet-cache.js";
import { MEAN_s } from "./fleet-means.js";
import type { Said } from "./fleet-plain.js";
import { DAY_s, LEARN_days } from "./fleet-plan.js";

export const ABLATIONS = [
  "prior",
  "residual model",
  "sequential test",
  "corroboration",
  "validity",
  "gating",
] as const;
export type Ablation = (typeof ABLATIONS)[number];

/** The product's limit of evidence, and shares of it: where it fades, what damage and 10 min ask. */
export const PRODUCT_LIMIT = 20;
const FADED = 0.25;
const DAMAGE = 8 / PRODUCT_LIMIT;
const ONE_MEAN = 4 / PRODUCT_LIMIT;
const GROSS_K = 4;
const DEGREE = Math.PI / 180;
const LEARN = (LEARN_days * DAY_s) / MEAN_s;
const HOUR = 3600 / MEAN_s;

type Series = readonly number[];
type Tested = {
  readonly component: string;
  readonly output: string;
  /** Measured channel, and the one that it is measured against. */
  readonly channel: string;
  readonly around: string;
};
const TESTED: readonly Tested[] = [
  ["generator", "generator.residual", "windingTemp", "nacelleTemp"],
  ["gearbox", "gearbox.residual", "oilTemp", "nacelleTemp"],
  ["hss", "hssBearing.residual", "hssBearingTemp", "oilTemp"],
  ["main-bearing", "mainBearing.residual", "mainBearingTemp", "nacelleTemp"],
  ["rotor", "wind.ratio", "power", ""],
  ["tower", "tower.ratio", "towerAccel", ""],
].map(([component = "", output = "", channel = "", around = ""]) => {
  return { component, output, channel, around };
});
/** What stands in for a prior: the readings that R1 is given, too. */
const RAW_DRIVERS: Readonly<Record<string, readonly string[]>> = {
  windingTemp: ["power", "generatorSpeed", "nacelleTemp"],
  oilTemp: ["power", "generatorSpeed", "nacelleTemp"],
  hssBearingTemp: ["power", "generatorSpeed", "oilTemp"],
  mainBearingTemp: ["power", "generatorSpeed", "nacelleTemp"],
  power: ["windSpeed", "pitch", "ambientTemp"],
  towerAccel: ["windSpeed", "rotorSpeed"],
};

/** Alarms at a limit of evidence, by the features; `without`: a step of the chain left out. */
export function saidAt(turbine: FleetTurbine, limit: number, without: Ablation | null): Said[] {
  const { said, means } = turbine;
  const at = (name: string): Series => said[name] ?? [];
  const raw = (name: string): Series => means[name] ?? [];
  const evidence = new Map(
    TESTED.map((tested) => [tested.component, evidenceOf(turbine, tested, limit, without)]),
  );
  const of = (component: string): Series => evidence.get(component) ?? [];
  const alone = without === "corroboration";
  const hot = ({ component, output }: Tested): Said[] =>
    alarms(
      component,
      at(output).map((residual, i) => Math.max(of(component)[i] ?? 0, over(residual, limit))),
      limit,
    );
  const pitch = alone
    ? raw("pitch").map((value, i) => Math.abs(value - (raw("pitchDemand")[i] ?? Number.NaN)))
    : at("pitch.error").map((error, i) => {
        return Math.max(Math.abs(error), (at("pitch.slip")[i] ?? 0) / 0.15);
      });
  const yaw = alone ? smooth(raw("yawError"), HOUR) : at("yaw.misalignment");
  const shakes = at("tower.imbalance").map((imbalance, i) => {
    if (imbalance > 0.1) return limit;
    return alone || imbalance > 0.01 ? (of("tower")[i] ?? 0) : 0;
  });
  return [
    ...TESTED.filter(({ around }) => around !== "").flatMap(hot),
    ...alarms("hss", at("hssBearing.damage"), DAMAGE * limit),
    ...alarms("rotor", of("rotor"), limit),
    ...alarms("tower", shakes, limit),
    ...alarms("yaw", yaw.map(Math.abs), 7 * DEGREE, 5 / 7),
    ...alarms("pitch", pitch, DEGREE),
  ].sort((a, b) => a.at_s - b.at_s);
}

/** A residual beyond its gross limit counts as evidence enough. */
const over = (residual_K: number, limit: number): number => (residual_K > GROSS_K ? limit : 0);

/** Rises to the limit; falls below a share of it. Not known changes nothing. */
function alarms(component: string, values: Series, limit: number, share = FADED): Said[] {
  let on = false;
  return values.flatMap((value, i): Said[] => {
    const was = on;
    if (value >= limit) on = true;
    else if (value < share * limit) on = false;
    return on && !was && i >= LEARN ? [{ at_s: (i + 1) * MEAN_s, component }] : [];
  });
}

function evidenceOf(
  turbine: FleetTurbine,
  tested: Tested,
  limit: number,
  without: Ablation | null,
): Series {
  const row = TURBINE_LEARNT.find(({ output }) => output === tested.output);
  const side = row?.shift?.side ?? 1;
  if (row === undefined) return [];
  const { values, scale } = deviations(turbine, tested, row, without);
  const steady = steadyOf(turbine, tested, without);
  if (without === "sequential test") {
    return values.map((value, i) => (steady[i] ? (side * value) / scale / ONE_MEAN : 0));
  }
  const test = new ShiftTest(scale, row.shift?.large, 1.5 * limit);
  return values.map((value, i) => {
    test.step(SHIFT_s, steady[i] && i >= LEARN ? side * value : Number.NaN);
    return test.evidence;
  });
}

/** The machine runs and has for a while, and the surroundings are measured. */
function steadyOf({ said }: FleetTurbine, { around }: Tested, without: Ablation | null): boolean[] {
  const state = said["operating.state"] ?? [];
  const doubt = said[`${around}.fault`] ?? [];
  const runs = (i: number): boolean => state[i] === 2 || state[i] === 4;
  return state.map((_, i) => {
    const gated = without === "gating" || (runs(i) && runs(i - 1));
    const seen = doubt.slice(Math.max(0, i - HOUR), i + 1).every((code) => !(code > 0));
    return gated && (without === "validity" || seen);
  });
}

/** What is tested, about zero, with the spread of its means. */
function deviations(
  turbine: FleetTurbine,
  { output, channel, around }: Tested,
  row: Learnt,
  without: Ablation | null,
): { values: Series; scale: number } {
  const { said, means, baseline } = turbine;
  const at = (name: string): Series => said[name] ?? [];
  const about = row.about === "one" ? 1 : 0;
  const usual = at(output).map((value) => value - about);
  const scale = baseline?.values[`${output}.scale`] ?? Number.NaN;
  const by = row.explained?.by ?? [];
  const part = (i: number): number =>
    explained(
      baseline?.vectors?.[output],
      by.map((name) => at(name)[i] ?? Number.NaN),
      row.explained?.most ?? 1,
    );
  if (without === "prior") {
    const drivers = (RAW_DRIVERS[channel] ?? []).map((name) => means[name] ?? []);
    const believed = (means[channel] ?? []).map((value, i) =>
      Number.isNaN(usual[i] ?? Number.NaN) ? Number.NaN : value,
    );
    return learnt(believed, drivers, at("operating.state"), row);
  }
  if (without === "residual model") {
    const whole = usual.map((value, i) => (i < LEARN ? value : value + part(i)));
    return learnt(whole, [], at("operating.state"), row);
  }
  if (without === "validity" && around !== "") {
    const [own, near, rise] = [means[channel] ?? [], means[around] ?? [], at(by[0] ?? "")];
    const middle = baseline?.values[row.middle] ?? 0;
    const filled = usual.map((value, i) => {
      const all = (own[i] ?? 0) - (near[i] ?? 0) - (rise[i] ?? 0) - part(i) - middle;
      return Number.isNaN(value) ? all : value;
    });
    return { values: filled, scale };
  }
  return { values: usual, scale };
}

/** Learnt anew from the first days by the product's own functions. */
function learnt(values: Series, drivers: readonly Series[], state: Series, row: Learnt) {
  const names = drivers.map((_, j) => `driver${j}`);
  const { floor = 0 } = row.shift ?? {};
  const own: Learnt = {
    ...row,
    about: "zero",
    explained: { by: names, most: 1e12 },
    shift: { evidence: "", side: 1, floor: row.about === "one" ? 0 : floor },
  };
  const rows: Row[] = [];
  for (let i = 0; i + HOUR <= LEARN; i += HOUR) {
    if (state.slice(i, i + HOUR).some((code) => code !== 2)) continue;
    const cell = (series: Series) => {
      const mean = series.slice(i, i + HOUR).reduce((a, b) => a + b, 0) / HOUR;
      return [mean, 0, mean, Number.isNaN(mean) ? 0 : HOUR] as const;
    };
    const cells = Object.fromEntries([
      [row.output, cell(values)],
      ...drivers.map((series, j) => [names[j] ?? "", cell(series)] as const),
    ]);
    const t_ms = 1000 * MEAN_s * i;
    rows.push({ t_ms, end_ms: t_ms + 3_600_000, state: "2", cells, doubted: [] });
  }
  const found = explain(rows, own);
  const middle = median(found.left.flatMap(({ cells }) => cells[row.output]?.[2] ?? []));
  const scale = scaleOf(found.left, own, middle) ?? Number.NaN;
  const rest = values.map((value, i) => {
    const now = drivers.map((series) => series[i] ?? Number.NaN);
    const part = found.fit === null ? 0 : linearly(found.fit, now);
    return value - part - middle;
  });
  return { values: rest, scale };
}

const linearly = (fit: readonly number[], drivers: readonly number[]): number =>
  explained(fit, drivers, 1e12);

function smooth(values: Series, count: number): number[] {
  return values.map((_, i) => {
    const last = values.slice(Math.max(0, i - count + 1), i + 1).filter((v) => !Number.isNaN(v));
    return last.length === 0 ? Number.NaN : last.reduce((a, b) => a + b, 0) / last.length;
  });
}
