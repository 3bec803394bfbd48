//! A pump for the generic kind: three loads in turn; flow, pressure and heat follow load and a common
//! weather, sound is its own.
import { prng } from "../../agent/base/prng.js";
import { isRefused } from "../../agent/models/commission.js";
import { type Baseline, readBaseline } from "../../agent/models/setup.js";
import { GenericRig } from "./generic-rig.js";

export const START_ms = 1_800_000_000_000;
export const STEP_ms = 60_000;
const DAY = 1440; // steps
export const USE = { cycle: null, settings: ["load"], records: false };
export const COLUMNS = ["load", "flow", "pressure", "heat", "sound"].map((name) => ({
  name,
  unit: "1",
}));

export type Change = (row: number[], day: number) => void;

/** Which alarms it gives in so many days, a reading every `step_ms`. */
export function pump(
  rig: GenericRig,
  from_day: number,
  days: number,
  change: Change = () => {},
  step_ms = STEP_ms,
): string[] {
  const chance = prng(3 + Math.round(10 * from_day), "pump");
  const seen = new Set<string>();
  const pace = step_ms / STEP_ms;
  let weather = 0;
  for (let k = 0; k < (days * DAY) / pace; k++) {
    const day = from_day + (k * pace) / DAY;
    weather += -0.01 * pace * weather + 0.1 * Math.sqrt(pace) * chance.normal();
    const load = [20, 50, 90][Math.floor(day * 3) % 3] ?? 0;
    const row = [
      load + 0.05 * chance.normal(),
      3 * load + weather + 0.3 * chance.normal(),
      500 - load + 2 * weather + 0.3 * chance.normal(),
      290 + 0.2 * load - weather + 0.3 * chance.normal(),
      0.01 * load + 0.3 * chance.normal(),
    ];
    change(row, day);
    rig.feed(START_ms + from_day * DAY * STEP_ms + k * step_ms, row);
    if (rig.alarm !== null) seen.add(rig.alarm);
  }
  return [...seen];
}

export function learnt(rig: GenericRig): Baseline {
  const outcome = rig.fitted.stage.finish("test", null);
  if (outcome === null || isRefused(outcome)) throw new Error(JSON.stringify(outcome));
  const read = readBaseline(JSON.parse(JSON.stringify(outcome)), "generic");
  if (typeof read === "string") throw new Error(read);
  return read;
}

const bad: Change = (row, day) => {
  if (day > 2 && day < 2.3) row[1] = (row[1] ?? 0) * 2;
  if (day > 4 && day < 4.2) row[3] = 0;
};
const learner = new GenericRig(COLUMNS, USE, { want: { amount: 6, by: "hand" } });
pump(learner, 0, 6.2, bad);
export const BASELINE = learnt(learner);
export const fresh = () => new GenericRig(COLUMNS, USE, { baseline: BASELINE });
